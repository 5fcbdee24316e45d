"""The prober's whole lives against hosts that answer, lose and delay: it ends, keeps its books, windows and rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.engine.ledger import Phase
from leadline.engine.rate import CATCH_UP
from leadline.engine.sends import PING, Sends
from leadline.model.plan import TimingPlan
from tests.support.probing import T0, FakeHosts, check_books, prober_of, take


@settings(max_examples=25)
@given(
    hosts=st.integers(1, 9),
    width=st.integers(1, 14),
    retries=st.integers(0, 10),
    loss=st.sampled_from([0.0, 0.02, 0.2, 0.6, 1.0]),
    silent=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    jitter=st.sampled_from([0.0, 0.3, 2.0]),
    weak=st.sampled_from([0.0, 0.5]),
    template=st.integers(2, 5),
    scan_delay=st.sampled_from([0.0, 0.02]),
    parallelism=st.sampled_from([None, 1, 7]),
    rates=st.sampled_from([(None, None), (200.0, None), (None, 300.0), (300.0, 100.0), (50.0, 90.0)]),
    room=st.sampled_from([1, 5, 4096]),
    proven=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_every_life_ends_with_its_books_in_order(
    hosts: int, width: int, retries: int, loss: float, silent: float, jitter: float, weak: float, template: int,
    scan_delay: float, parallelism: int | None, rates: tuple[float | None, float | None], room: int, proven: bool,
    seed: int,
) -> None:  # fmt: skip
    plan = TimingPlan(
        template=template, max_retries=retries, scan_delay=scan_delay, max_parallelism=parallelism,
        max_rate=rates[0], min_rate=rates[1], max_rtt_timeout=1.25,
    )  # fmt: skip
    prober = prober_of(hosts, width, plan)
    if proven:
        prober.pings.teach(np.arange(hosts), np.full(hosts, 50, dtype=np.int16))
    random = np.random.default_rng(seed)
    world = FakeHosts(random.random((hosts, width)) >= silent, loss, jitter=jitter, weak=weak, twice=0.1, seed=seed)
    world.run(prober, T0, room=room)
    phases = prober.items.phase
    assert np.isin(phases, [Phase.DECIDED, Phase.BENCHED]).all()
    assert prober.in_flight.sum() == 0
    assert set(zip(*np.divmod(np.flatnonzero(phases == Phase.DECIDED), width), strict=True)) == world.answered
    # What was given up had every try that its host was thought to need.
    benched = np.flatnonzero(phases == Phase.BENCHED)
    assert (prober.items.tries[benched] >= min(retries, 1) + 1).all()
    assert sorted(prober.finished().tolist()) == list(range(hosts))
    assert prober.progress() == pytest.approx(1.0)
    assert len(prober.finished()) == 0


@settings(max_examples=8)
@given(hosts=st.integers(1, 5), width=st.integers(1, 40), loss=st.floats(0, 0.3), seed=st.integers(0, 99))
def test_windows_are_never_overrun(hosts: int, width: int, loss: float, seed: int) -> None:
    prober = prober_of(hosts, width, TimingPlan(max_parallelism=12))
    real_take = prober.take

    def checked(now: float, room: int) -> Sends | None:
        sends = real_take(now, room)
        if sends is not None:
            windows = prober.windows
            busy = np.unique(sends.hosts)
            assert (prober.in_flight[busy] <= windows.cwnd[busy] + 0.5).all()
            assert prober.in_flight[-1] <= windows.cwnd[-1] + 0.5
            assert (windows.cwnd <= 12).all()
        return sends

    prober.take = checked  # type: ignore[method-assign]
    answers = np.random.default_rng(seed).random((hosts, width)) < 0.5
    FakeHosts(answers, loss, seed=seed).run(prober, T0)


@settings(max_examples=8)
@given(rate=st.sampled_from([3.0, 40.0, 1000.0]), hosts=st.integers(1, 20), minimum=st.sampled_from([None, 2000.0]))
def test_the_maximum_rate_is_kept_in_every_interval(rate: float, hosts: int, minimum: float | None) -> None:
    prober = prober_of(hosts, 5, TimingPlan(max_rate=rate, min_rate=minimum))
    world = FakeHosts(np.ones((hosts, 5), dtype=bool))
    world.run(prober, T0)
    times = np.array([at for at, _, _ in world.sent])
    first, last = np.triu_indices(len(times))
    assert (last - first + 1 <= rate * (times[last] - times[first] + CATCH_UP) + 1 + 1e-6).all()


def test_the_maximum_rate_is_also_reached() -> None:
    prober = prober_of(4, 100, TimingPlan(max_rate=100.0))
    world = FakeHosts(np.ones((4, 100), dtype=bool))
    world.run(prober, T0)
    assert world.sent[-1][0] - T0 == pytest.approx(4.0, abs=0.2)


def test_the_minimum_rate_overrides_windows_and_delays() -> None:
    plan = TimingPlan(min_rate=500.0, scan_delay=0.5, max_parallelism=1)
    prober = prober_of(1, 400, plan)
    world = FakeHosts(np.zeros((1, 400), dtype=bool))
    world.run(prober, T0)
    fresh = sorted(at for at, _, _ in world.sent)[:400]
    behind = np.array(fresh) - T0 - np.arange(400) / 500.0
    assert behind.max() < 0.1


@pytest.mark.parametrize("retries", range(11))
def test_a_silent_host_gets_one_retry_at_most_and_a_dead_one_never_more_than_allowed(retries: int) -> None:
    prober = prober_of(2, 6, TimingPlan(max_retries=retries))
    world = FakeHosts(np.zeros((2, 6), dtype=bool))
    world.run(prober, T0)
    assert (prober.items.tries == min(retries, 1) + 1).all()
    assert len(world.sent) == 12 * (min(retries, 1) + 1)
    assert (prober.items.phase == Phase.BENCHED).all()


@pytest.mark.parametrize("retries", [0, 1, 2, 3, 10])
def test_loss_makes_retries_grow_up_to_what_is_allowed(retries: int) -> None:
    prober = prober_of(1, 200, TimingPlan(max_retries=retries))
    answers = np.ones((1, 200), dtype=bool)
    answers[0, 150:] = False
    FakeHosts(answers, loss=0.3, seed=3).run(prober, T0, most_takes=50_000)
    silent = prober.items.tries[150:]
    # Tries that a path that was overrun swallowed do not count.
    assert (silent >= prober.retries.limit[0] + 1).all()
    assert retries < 10 or (silent < 16).all()
    assert prober.retries.limit[0] == min(retries, prober.retries.limit[0])
    assert (retries < 2) or prober.retries.limit[0] >= 2


def test_retransmission_finds_what_loss_hid() -> None:
    prober = prober_of(1, 500, TimingPlan())
    answers = np.zeros((1, 500), dtype=bool)
    answers[0, ::2] = True
    world = FakeHosts(answers, loss=0.1, seed=8)
    world.run(prober, T0, most_takes=50_000)
    assert len(world.answered) == 250
    causes = {made.cause for made in prober.decisions()}
    assert "loss seen on the path" in causes
    assert "answered only on a retry" in causes
    assert prober.decisions() == []


def test_silent_ports_wait_for_proof_of_the_path_when_a_ping_is_known() -> None:
    prober = prober_of(1, 10, TimingPlan())
    prober.pings.teach(np.array([0]), np.array([50], dtype=np.int16))
    world = FakeHosts(np.zeros((1, 10), dtype=bool))
    world.run(prober, T0)
    pings = [column for _, _, column in world.sent if column == PING]
    assert len(pings) >= 10
    assert (prober.items.tries == 2).all()
    many = prober_of(1, 200, TimingPlan())
    many.pings.teach(np.array([0]), np.array([50], dtype=np.int16))
    world = FakeHosts(np.zeros((1, 200), dtype=bool))
    world.run(many, T0)
    assert [column for _, _, column in world.sent].count(PING) >= 40


def test_where_every_probe_costs_minutes_none_is_sent_for_proof_alone() -> None:
    prober = prober_of(1, 3, TimingPlan(scan_delay=300.0, max_parallelism=1))
    prober.pings.teach(np.array([0]), np.array([50], dtype=np.int16))
    now, sent = T0, 0
    while not prober.done and now < T0 + 100_000:
        sends = prober.take(now, 100)
        sent += 0 if sends is None else len(sends.hosts)
        now += 150.0
    assert prober.done
    assert sent == 6


def test_a_lossy_path_raises_the_limit_by_pings_alone() -> None:
    prober = prober_of(1, 10, TimingPlan())
    prober.pings.teach(np.array([0]), np.array([50], dtype=np.int16))
    FakeHosts(np.zeros((1, 10), dtype=bool), loss=0.3, seed=5).run(prober, T0)
    assert prober.retries.limit[0] > 2
    assert (prober.items.tries >= prober.retries.limit[0] + 1).all()


def test_a_lost_ping_is_not_overwritten_by_the_sixteenth_after_it() -> None:
    # One ping waits for a long timeout while the others come back at once: its code must not be given again.
    prober = prober_of(1, 1, TimingPlan(initial_rtt_timeout=5.0, min_rtt_timeout=5.0))
    prober.pings.teach(np.array([0]), np.array([50], dtype=np.int16))
    now = T0
    take(prober, now)
    now += 6
    take(prober, now)
    now += 6
    lost = None
    for _ in range(100):
        sends = prober.take(now, 10)
        if sends is None:
            break
        for host, column, code in zip(sends.hosts, sends.columns, sends.codes, strict=True):
            assert column == PING
            if lost is None:
                lost = int(code)
                continue
            assert int(code) != lost
            prober.ping_answered(np.array([host]), np.array([code], dtype=np.uint8), np.array([now]), now)
        check_books(prober)
        now += 0.001
    assert lost is not None
    assert prober.in_flight[0] == 1
