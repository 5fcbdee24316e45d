"""Who proves the path of silent hosts: neighbours first, then a router, and what their answers do to the window."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.hop_proof import STEP, HopProof, State
from leadline.engine.loss import ENOUGH
from leadline.engine.path_proof import WORTH_A_SEARCH
from leadline.engine.pings import INTERVAL
from leadline.engine.prober import Prober
from leadline.engine.sends import PING
from leadline.model.plan import TimingPlan
from tests.support.probing import T0, answer, check_books, take


def made(hosts: int = 2, width: int = 400, plan: TimingPlan | None = None, hop: bool = True) -> Prober:
    return Prober(hosts, width, np.arange(width), plan or TimingPlan(), T0, hop=HopProof() if hop else None)


def until(prober: Prober, now: float, seconds: float, step: float = 0.01) -> list[tuple[float, int, int, int]]:
    """Time, host, column and TTL of all that is sent; nothing is answered."""
    sent = []
    for turn in range(int(seconds / step)):
        sends = prober.take(now + turn * step, 4096)
        if sends is not None:
            rows = zip(sends.hosts.tolist(), sends.columns.tolist(), sends.ttls.tolist(), strict=True)
            sent += [(now + turn * step, *row) for row in rows]
        check_books(prober)
    return sent


def test_silence_makes_a_router_be_looked_for_with_the_first_probe_of_a_host() -> None:
    prober = made()
    sent = until(prober, T0, 1.2)
    limited = [(host, column, ttl) for _, host, column, ttl in sent if ttl]
    assert [ttl for _, _, ttl in limited] == list(range(1, STEP + 1))
    assert len({(host, column) for host, column, _ in limited}) == 1
    assert limited[0][1] == 0


@pytest.mark.parametrize(("width", "hop"), [(WORTH_A_SEARCH // 4, True), (400, False)])
def test_no_router_is_looked_for_where_it_is_not_worth_it_or_cannot_be_done(width: int, hop: bool) -> None:
    assert not [one for one in until(made(2, width, hop=hop), T0, 3) if one[3]]


def test_a_router_that_answers_opens_the_window_and_is_a_measure_of_loss() -> None:
    prober = made(hosts=1, width=20_000)
    now = T0
    hop = prober.path.hop
    assert hop is not None
    for turn in range(400):
        now = T0 + turn * 0.01
        sends = prober.take(now, 4096)
        if sends is not None and (sends.ttls > 0).any():
            right = (sends.ttls == 1) if hop.state is not State.PROVING else sends.ttls == hop.ttl
            prober.path.hop_answered(sends.codes[(sends.ttls > 0) & right], now)
        check_books(prober)
    assert prober.windows.cwnd[-1] > 2000
    assert prober.loss.sent[-1] >= 10
    assert prober.loss.lost[-1] == 0
    causes = {one.cause for one in prober.decisions()}
    assert "no host answers: the router at this hop proves the path" in causes
    assert "the router at hop 1 answers: the path carries it" in causes


def test_a_proof_that_is_missing_narrows_the_window_and_raises_the_retries() -> None:
    prober = made(hosts=1, width=20_000)
    hop = prober.path.hop
    assert hop is not None
    until(prober, T0, 1.2)
    prober.path.hop_answered(np.array([0], dtype=np.uint8), T0 + 1.2)
    assert hop.state is State.PROVING
    windows = []
    for turn in range(1, 2000):
        now = T0 + 1.2 + turn * 0.01
        windows.append(float(prober.windows.cwnd[-1]))
        sends = prober.take(now, 4096)
        if sends is not None and (sends.ttls > 0).any() and turn % 2:
            prober.path.hop_answered(sends.codes[sends.ttls > 0], now)
    assert prober.loss.lost[-1] >= 1
    assert min(np.diff(windows)) < 0
    told = prober.decisions()
    assert "the router at hop 1 did not answer" in {one.cause for one in told}
    assert [one.what for one in told].count("proof_interval") == 1


def test_without_any_answer_any_more_the_window_is_bounded_by_what_was_proven() -> None:
    prober = made(hosts=1, width=50_000)
    until(prober, T0, 1.2)
    prober.path.hop_answered(np.array([0], dtype=np.uint8), T0 + 1.2)
    until(prober, T0 + 1.2, 20, step=0.02)
    assert prober.windows.cwnd[-1] <= 20
    assert "no router answers any more" in {one.cause for one in prober.decisions()}


def teach(prober: Prober, *hosts: int) -> None:
    prober.pings.teach(np.array(hosts), np.full(len(hosts), 50, dtype=np.int16))


def test_a_finished_neighbour_is_pinged_for_those_that_are_silent() -> None:
    prober = made(hosts=3, width=60, plan=TimingPlan(min_parallelism=200))
    sends = take(prober, T0)
    answer(prober, sends, np.flatnonzero(sends.hosts == 0).tolist(), T0 + 0.02)
    teach(prober, 0)
    prober.finish(np.array([0]))
    sent = until(prober, T0 + 0.02, 3)
    pinged = [host for _, host, column, _ in sent if column == PING]
    assert set(pinged) == {0}
    assert not [one for one in sent if one[3]]
    assert len(pinged) >= 120 // INTERVAL


def test_silent_hosts_wait_until_their_neighbours_have_told_enough() -> None:
    prober = made(hosts=2, width=30, plan=TimingPlan(min_parallelism=100))
    sends = take(prober, T0)
    answer(prober, sends, [int(np.flatnonzero(sends.hosts == 0)[0])], T0 + 0.01)
    teach(prober, 0)
    prober.finish(np.array([0]))
    for turn in range(1, 1000):
        now = T0 + 0.01 + turn * 0.01
        more = prober.take(now, 4096)
        if more is not None:
            ping = more.columns == PING
            prober.ping_answered(more.hosts[ping], more.codes[ping], np.full(int(ping.sum()), now + 0.005), now)
        if prober.done:
            break
    assert prober.done
    assert prober.loss.sent[-1] >= ENOUGH
    assert prober.in_flight.sum() == 0
    assert (prober.items.tries[30:] == 2).all()


def test_a_neighbour_that_is_gone_keeps_nobody_waiting() -> None:
    prober = made(hosts=2, width=30, plan=TimingPlan(min_parallelism=100), hop=False)
    sends = take(prober, T0)
    answer(prober, sends, [int(np.flatnonzero(sends.hosts == 0)[0])], T0 + 0.01)
    teach(prober, 0)
    prober.finish(np.array([0]))
    until(prober, T0 + 0.02, 30, step=0.05)
    assert prober.done
    assert prober.pings.score[0] == 0


@pytest.mark.parametrize(("thorough", "least", "most"), [(False, 8, 2 * 8), (True, ENOUGH, ENOUGH + 8)])
def test_one_silent_probe_is_worth_a_few_proofs_unless_it_stands_for_a_host(
    thorough: bool, least: int, most: int
) -> None:
    prober = Prober(3, 1, np.arange(1), TimingPlan(), T0, biased=True)
    prober.path.thorough = thorough
    sends = take(prober, T0)
    answer(prober, sends, np.flatnonzero(sends.hosts < 2).tolist(), T0 + 0.01)
    prober.pings.teach(np.array([0, 1]), np.array([50, 50], dtype=np.int16))
    prober.finish(np.array([0, 1]))
    assert prober.loss.told[-1] == 0, "the first of several answers is no measure of loss"
    pings, now = 0, T0 + 0.01
    while not prober.done and now < T0 + 30:
        now += 0.01
        sends = prober.take(now, 4096)
        if sends is not None and (sends.columns == PING).any():
            rows = sends.columns == PING
            pings += int(rows.sum())
            assert prober.pings.on_way <= 8
            prober.ping_answered(sends.hosts[rows], sends.codes[rows], np.full(int(rows.sum()), now + 0.005), now)
        check_books(prober)
    assert prober.done
    assert least <= pings <= most
