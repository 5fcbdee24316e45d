"""The prober against hosts that answer, lose and delay: it ends, keeps its books, its windows and its rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.engine.ledger import CODES, Phase
from leadline.engine.prober import GONE, PING, Prober, Sends
from leadline.engine.rate import CATCH_UP, RateLimiter
from leadline.model.plan import TimingPlan
from tests.support.probing import FakeHosts, check_books

T0 = 1000.0


def prober_of(hosts: int, width: int, plan: TimingPlan | None = None, **options: object) -> Prober:
    return Prober(hosts, width, np.arange(width), plan or TimingPlan(), T0, **options)  # type: ignore[arg-type]


def answer(prober: Prober, sends: Sends, which: list[int], at: float, *, weak: bool = False) -> np.ndarray:
    rows = np.array(which, dtype=np.int64)
    times, weakness = np.full(len(rows), at), np.full(len(rows), weak)
    return prober.answer(sends.hosts[rows], sends.columns[rows], sends.codes[rows], times, weakness, at)


def take(prober: Prober, now: float, room: int = 4096) -> Sends:
    sends = prober.take(now, room)
    assert sends is not None
    return sends


# ---- whole lives -----------------------------------------------------------------------------------------------------


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
    assert (silent == prober.retry_limit[0] + 1).all()
    assert prober.retry_limit[0] == min(retries, prober.retry_limit[0])
    assert (retries < 2) or prober.retry_limit[0] >= 2


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


def test_a_lossy_path_raises_the_limit_by_pings_alone() -> None:
    prober = prober_of(1, 10, TimingPlan())
    prober.pings.teach(np.array([0]), np.array([50], dtype=np.int16))
    FakeHosts(np.zeros((1, 10), dtype=bool), loss=0.3, seed=5).run(prober, T0)
    assert prober.retry_limit[0] > 2
    assert (prober.items.tries == prober.retry_limit[0] + 1).all()


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


# ---- what is sent ----------------------------------------------------------------------------------------------------


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
    assert prober.cursor.tolist() == [2, 2, 2]


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


# ---- what comes back -------------------------------------------------------------------------------------------------


def test_answers_count_once_whatever_order_they_come_in() -> None:
    prober = prober_of(2, 2)
    sends = take(prober, T0)
    new = answer(prober, sends, [3, 0, 3, 0], T0 + 0.1)
    assert new.tolist() == [True, True, False, False]
    assert answer(prober, sends, [0], T0 + 0.2).tolist() == [False]
    assert prober.resolved == 2
    assert prober.in_flight.tolist() == [1, 1, 2]


def test_answers_to_tries_that_were_never_sent_are_refused() -> None:
    prober = prober_of(1, 2)
    sends = take(prober, T0, 1)
    column = int(sends.columns[0])
    one = np.array([T0]), np.array([False]), T0
    assert not prober.answer(np.array([0]), np.array([column]), np.array([1], dtype=np.uint8), *one)[0]
    assert not prober.answer(np.array([0]), np.array([1 - column]), np.array([0], dtype=np.uint8), *one)[0]
    assert prober.in_flight[0] == 1


def test_late_answers_reach_waiting_and_benched_items() -> None:
    prober = prober_of(1, 3, TimingPlan(max_parallelism=3))
    sends = take(prober, T0)
    prober.expire(T0 + 1.1)
    assert prober.items.phase.tolist() == [Phase.WAITING] * 3
    answer(prober, sends, [0], T0 + 1.2)
    check_books(prober)
    again = take(prober, T0 + 1.3)
    assert again.columns.tolist() == [1, 2]
    assert again.codes.tolist() == [1, 1]
    prober.cursor[0] = 2  # something is left to send, so that the host is not finished meanwhile
    prober.counts[0] = 3
    prober.expire(T0 + 9)
    assert prober.items.phase.tolist() == [Phase.DECIDED, Phase.BENCHED, Phase.BENCHED]
    answer(prober, sends, [1], T0 + 9)
    check_books(prober)
    assert prober.items.answered_try.tolist() == [1, 1, 0]


def test_weak_answers_decide_but_say_nothing_of_loss() -> None:
    prober = prober_of(1, 2)
    sends = take(prober, T0)
    assert answer(prober, sends, [0, 1], T0 + 0.1, weak=True).all()
    assert prober.loss.sent.tolist() == [0, 0]
    assert prober.trips.srtt[0] == pytest.approx(0.1)


def test_an_answer_to_a_retry_shrinks_the_windows_and_allows_one_more() -> None:
    prober = prober_of(1, 30, TimingPlan(max_retries=5))
    take(prober, T0)
    again = take(prober, T0 + 1.1, 3)
    assert again.codes.tolist() == [1, 1, 1]
    answer(prober, again, [0], T0 + 1.2)
    assert 2 <= prober.retry_limit[0] <= 5
    made = prober.decisions()
    assert all(one.new < one.old for one in made if one.what == "cwnd")
    whats = [(one.what, one.host, one.at) for one in made]
    assert ("cwnd", 0, T0 + 1.2) in whats
    assert ("cwnd", -1, T0 + 1.2) in whats
    assert ("retry_limit", 0, T0 + 1.2) in whats


def test_grown_limits_bring_benched_items_back() -> None:
    prober = prober_of(2, 20, TimingPlan(max_retries=5, min_parallelism=20))
    take(prober, T0, 20)
    again = take(prober, T0 + 1.1, 20)
    assert (again.codes == 1).all()
    prober.expire(T0 + 2.3)
    assert prober._benched.tolist() == [10, 10]
    answer(prober, again, [0], T0 + 2.3)
    check_books(prober)
    host = int(again.hosts[0])
    assert prober._benched[host] == 0
    assert prober._waiting[host] == 9
    third = take(prober, T0 + 2.4, 20)
    assert (third.codes[third.hosts == host][:9] == 2).any()


def test_lost_pings_are_drops() -> None:
    prober = prober_of(1, 3)
    prober.pings.teach(np.array([0]), np.array([50], dtype=np.int16))
    take(prober, T0)
    take(prober, T0 + 1.01)
    pings = take(prober, T0 + 2.2)
    assert (pings.columns == PING).all()
    prober.expire(T0 + 9)
    assert {made.cause for made in prober.decisions()} == {"timing ping lost"}
    # They are loss once the host is heard of again: it might have been gone.
    assert prober.loss.lost[0] == 0
    again = take(prober, T0 + 9)
    prober.ping_answered(again.hosts, again.codes, np.full(len(again.hosts), T0 + 9.1), T0 + 9.1)
    assert prober.loss.lost[0] == len(pings.columns)
    assert "loss seen on the path" in {made.cause for made in prober.decisions()}


def test_a_host_that_falls_silent_is_gone_not_lossy() -> None:
    prober = prober_of(1, 1000)
    prober.trips.seed(np.array([0.02]), np.array([0.005]))
    prober.pings.teach(np.array([0]), np.array([50], dtype=np.int16))
    world = FakeHosts(np.zeros((1, 1000), dtype=bool), loss=1.0)
    world.run(prober, T0)
    assert (prober.items.tries == 2).all()
    assert [column for _, _, column in world.sent].count(PING) == GONE
    assert world.now - T0 < 60


def test_many_drops_look_like_a_rate_limit() -> None:
    prober = prober_of(1, 64, TimingPlan(min_parallelism=64, max_parallelism=64))
    take(prober, T0)
    again = take(prober, T0 + 1.1)
    answer(prober, again, list(range(20)), T0 + 1.2)
    assert prober.delays.delay[0] == pytest.approx(0.005)
    assert "scan_delay" in {made.what for made in prober.decisions()}


def test_ping_answers_nobody_awaits_change_nothing() -> None:
    prober = prober_of(1, 2)
    prober.ping_answered(np.array([0]), np.array([3], dtype=np.uint8), np.array([T0]), T0)
    check_books(prober)
    assert prober.trips.srtt[0] < 0


def test_a_better_ping_probe_makes_those_on_the_way_forgotten_not_lost() -> None:
    prober = prober_of(2, 2)
    prober.pings.teach(np.arange(2), np.full(2, 40, dtype=np.int16))
    take(prober, T0)
    take(prober, T0 + 1.01)
    pings = take(prober, T0 + 2.2)
    assert set(pings.hosts[pings.columns == PING].tolist()) == {0, 1}
    prober.forget_pings(np.array([0]))
    check_books(prober)
    assert prober.pings._on_way.tolist() == [0, 1]
    prober.expire(T0 + 9)
    assert prober._missed.tolist() == [0, 1]


def test_requeued_items_go_again_as_the_same_try_and_expire_once() -> None:
    prober = prober_of(1, 2)
    sends = take(prober, T0)
    prober.requeue(sends.hosts, sends.columns)
    prober.requeue(sends.hosts, sends.columns)
    check_books(prober)
    again = take(prober, T0 + 0.001)
    assert again.codes.tolist() == [0, 0]
    prober.expire(T0 + 5)
    check_books(prober)
    assert prober._waiting[0] == 2
    assert prober.items.tries.tolist() == [1, 1]


# ---- ending ----------------------------------------------------------------------------------------------------------


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
    monkeypatch.setattr("leadline.engine.prober.RETRY_GLANCE", 16)
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
    sends = take(prober, T0 + 1.1)
    assert (sends.hosts == 0).sum() == 3
    assert (sends.hosts == 1).sum() == 10
    check_books(prober)
    assert prober._waiting.tolist() == [7, 0]


def test_codes_wrap_where_tries_exceed_the_tag() -> None:
    prober = prober_of(1, 1, TimingPlan(max_retries=40))
    prober.retry_limit[0] = 40
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
    sent = []
    for second in range(6):
        sends = take(prober, T0 + 1.01 * second)
        sent.append(len(sends.hosts))
    assert sent[:5] == [10, 20, 40, 80, 160]
    check_books(prober)


def test_a_silent_host_among_answering_ones_takes_the_window_of_the_group() -> None:
    prober = prober_of(2, 1000)
    prober.windows.cwnd[-1] = 200.0
    prober.windows.received[-1] = 1
    prober.pings.score[0] = 10
    sends = take(prober, T0)
    assert (sends.hosts == 0).sum() == 10
    assert (sends.hosts == 1).sum() == 100  # half of the 200, as the hosts share a turn
