"""What the prober sends, to whom, and in which order; what ends it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from leadline.engine.ledger import CODES
from leadline.engine.prober import Prober
from leadline.engine.rate import RateLimiter
from leadline.engine.sends import PING
from leadline.model.plan import TimingPlan
from tests.support.probing import T0, answer, check_books, prober_of, take


def test_first_sends_go_round_all_hosts_in_the_given_order() -> None:
    prober = Prober(3, 4, np.array([2, 0, 3, 1]), TimingPlan(max_parallelism=6), T0)
    sends = take(prober, T0, 6)
    assert sends.hosts.tolist() == [0, 1, 2, 0, 1, 2]
    assert sends.columns.tolist() == [2, 2, 2, 0, 0, 0]
    assert sends.codes.tolist() == [0] * 6
    assert prober.take(T0, 6) is None
    assert prober.next_timer(T0) == pytest.approx(T0 + 0.05)


def test_room_smaller_than_the_hosts_serves_those_behind_first() -> None:
    prober = prober_of(3, 2)
    order = [take(prober, T0, 2).hosts.tolist() for _ in range(3)]
    assert order == [[0, 1], [2, 0], [1, 2]]
    assert prober.fresh.cursor.tolist() == [2, 2, 2]


def test_hosts_with_orders_of_their_own() -> None:
    offsets = np.array([0, 2, 2, 5])
    prober = Prober(3, 4, np.array([3, 1, 0, 1, 2]), TimingPlan(), T0, offsets=offsets)
    assert prober.finished().tolist() == [1]
    sends = take(prober, T0)
    pairs = sorted(zip(sends.hosts.tolist(), sends.columns.tolist(), strict=True))
    assert pairs == [(0, 1), (0, 3), (2, 0), (2, 1), (2, 2)]
    assert prober.take(T0, 10) is None


def test_no_probe_at_all_is_done_at_once() -> None:
    prober = prober_of(3, 0)
    assert prober.done
    assert prober.progress() == 1.0
    assert prober.take(T0, 10) is None
    assert prober.finished().tolist() == [0, 1, 2]


@pytest.mark.parametrize("room", [0, -3])
def test_no_room_sends_nothing(room: int) -> None:
    assert prober_of(1, 1, TimingPlan(min_rate=10.0)).take(T0, room) is None


def test_a_full_group_window_waits() -> None:
    prober = prober_of(4, 50, TimingPlan(max_parallelism=2))
    assert len(take(prober, T0).hosts) == 2
    assert prober.take(T0, 10) is None


def test_a_host_alone_is_its_own_group() -> None:
    prober = prober_of(1, 500)
    prober.windows.cwnd[:] = (30, 1)
    assert len(take(prober, T0).hosts) == 30


def test_scan_delay_spaces_the_probes_to_one_host() -> None:
    prober = prober_of(2, 3, TimingPlan(scan_delay=0.25))
    assert take(prober, T0).hosts.tolist() == [0, 1]
    assert prober.take(T0 + 0.2, 10) is None
    assert len(take(prober, T0 + 0.25).hosts) == 2
    prober._next_expiry = T0 + 9
    assert prober.next_timer(T0 + 0.3) == pytest.approx(T0 + 0.5)


def test_a_silent_stretch_is_measured_with_a_ping() -> None:
    prober = prober_of(1, 60, TimingPlan(min_parallelism=60))
    prober.pings.teach(np.array([0]), np.array([50], dtype=np.int16))
    first = take(prober, T0, 25)
    assert (first.columns >= 0).all()
    second = take(prober, T0 + 0.01, 5)
    assert second.columns[0] == PING
    assert len(second.columns) == 5
    prober.ping_answered(second.hosts[:1], second.codes[:1], np.array([T0 + 0.03]), T0 + 0.03)
    assert prober.in_flight[0] == 29
    assert prober.trips.srtt[0] == pytest.approx(0.02)
    assert prober.loss.sent[0] == 1
    prober.ping_answered(second.hosts[:1], second.codes[:1], np.array([T0 + 0.04]), T0 + 0.04)
    assert prober.loss.sent[0] == 1


def test_finished_hosts_are_left_in_peace() -> None:
    prober = prober_of(3, 5, TimingPlan(max_parallelism=6))
    sends = take(prober, T0)
    prober.finish(np.array([0, 2, 0]))
    prober.finish(np.array([0]))
    check_books(prober)
    assert prober.finished().tolist() == [0, 2]
    assert prober.in_flight[[0, 2]].sum() == 0
    assert not answer(prober, sends, [0], T0 + 0.1)[0]
    assert not prober.done
    for step in range(200):
        more = prober.take(T0 + 1 + step, 4096)
        assert more is None or set(more.hosts.tolist()) == {1}
        if prober.done:
            break
    assert prober.done
    assert prober.progress() == pytest.approx(1.0)


def test_finishing_counts_everything_of_the_host_as_done() -> None:
    prober = prober_of(2, 4, TimingPlan(min_parallelism=8))
    sends = take(prober, T0)
    answer(prober, sends, [0], T0 + 0.1)
    assert prober.progress() == pytest.approx((1 + 0.5 * 7) / 8)
    prober.finish(np.array([0, 1]))
    assert prober.done
    assert prober.progress() == 1.0
    assert prober.resolved == 8


def test_an_answer_after_the_end_is_believed_but_not_counted_twice() -> None:
    prober = prober_of(1, 2, TimingPlan(max_retries=0))
    sends = take(prober, T0)
    prober.expire(T0 + 2)
    assert prober.done
    assert prober.resolved == 2
    assert answer(prober, sends, [0], T0 + 3)[0]
    assert prober.resolved == 2
    check_books(prober)


def test_a_shared_limiter_is_used() -> None:
    limiter = RateLimiter(10.0, None, T0)
    first = prober_of(1, 9, rate=limiter)
    second = prober_of(1, 9, rate=limiter)
    assert len(take(first, T0).hosts) == 1
    assert second.take(T0, 10) is None
    assert second.next_timer(T0) == pytest.approx(T0 + 0.05)
    assert first.next_timer(T0 + 0.04) == pytest.approx(T0 + 0.05)


def test_many_small_chunks_of_retries_are_taken_in_one_go() -> None:
    prober = prober_of(40, 3, TimingPlan(min_parallelism=200))
    for step in range(120):
        take(prober, T0 + step * 1e-3, 1)
    for step in range(120):
        prober.expire(T0 + 1 + step * 1e-3)
    check_books(prober)
    sends = take(prober, T0 + 1.2)
    assert (sends.codes == 1).sum() == 120


def test_a_long_queue_of_retries_is_walked_over_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadline.engine.retries.RETRY_GLANCE", 16)
    prober = prober_of(2, 50, TimingPlan(min_parallelism=100))
    take(prober, T0)
    prober.expire(T0 + 1.1)
    again = [take(prober, T0 + 1.1) for _ in range(7)]
    assert [len(one.hosts) for one in again] == [16] * 6 + [4]
    assert len({(host, column) for one in again for host, column in zip(one.hosts, one.columns, strict=True)}) == 100
    check_books(prober)


def test_retries_without_room_wait_for_their_host() -> None:
    prober = prober_of(2, 10, TimingPlan(min_parallelism=20))
    take(prober, T0)
    prober.windows.low = 1.0
    prober.expire(T0 + 1.1)
    prober.windows.cwnd[0] = 3.0
    # Hosts that answered once have windows of their own.
    prober.pings.score[:] = 10
    prober.pings.proven(np.array([0, 1]))
    sends = take(prober, T0 + 1.1)
    assert (sends.hosts == 0).sum() == 3
    assert (sends.hosts == 1).sum() == 10
    check_books(prober)
    assert prober.retries.waiting.tolist() == [7, 0]


def test_codes_wrap_where_tries_exceed_the_tag() -> None:
    prober = prober_of(1, 1, TimingPlan(max_retries=40))
    prober.retries.limit[0] = 40
    codes = []
    now = T0
    while not prober.done:
        sends = prober.take(now, 5)
        if sends is not None:
            codes.append(int(sends.codes[0]))
        now += 2.0
    assert codes == [one % CODES for one in range(41)]


def test_silence_without_any_answer_opens_the_window_of_the_group() -> None:
    prober = prober_of(1, 1000)
    sent = [0] * 7
    largest = 0
    for turn in range(700):
        sends = prober.take(T0 + 0.0101 * turn, 4096)
        if sends is not None:
            sent[turn // 100] += len(sends.hosts)
            largest = max(largest, len(sends.hosts))
    assert sent[0] == 10
    assert all(1.3 * before <= after <= 2.2 * before for before, after in itertools.pairwise(sent))
    # What was sent in one burst is not followed by a larger one.
    assert largest == 10
    check_books(prober)


def test_a_silent_host_among_answering_ones_takes_the_window_of_the_group() -> None:
    prober = prober_of(2, 1000)
    prober.windows.cwnd[-1] = 200.0
    prober.windows.received[-1] = 1
    prober.pings.score[0] = 10
    sends = take(prober, T0)
    assert (sends.hosts == 0).sum() == 10
    assert (sends.hosts == 1).sum() == 100  # half of the 200, as the hosts share a turn


def test_without_control_of_the_group_each_host_has_its_own_window() -> None:
    """Fifty hosts begin with windows of ten probes each; together they begin with ten, unless nobody looks at that."""
    counts = []
    for controlled in (True, False):
        prober = prober_of(50, 100, TimingPlan(group_control=controlled))
        counts.append(len(take(prober, T0).hosts))
    assert counts == [10, 500]
