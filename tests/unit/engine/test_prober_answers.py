"""What comes back to the prober, late, lost, weak or twice, and what it learns of it."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.governor import Governor, Overrun
from leadline.engine.ledger import Phase
from leadline.engine.presence import GONE
from leadline.engine.prober import EXPIRY_GLANCE
from leadline.engine.sends import PING
from leadline.model.plan import TimingPlan
from tests.support.probing import T0, FakeHosts, answer, check_books, prober_of, take


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
    prober.fresh.cursor[0] = 2  # something is left to send, so that the host is not finished meanwhile
    prober.fresh.counts[0] = 3
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
    assert 2 <= prober.retries.limit[0] <= 5
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
    assert prober.retries.benched.tolist() == [10, 10]
    answer(prober, again, [0], T0 + 2.3)
    check_books(prober)
    host = int(again.hosts[0])
    assert prober.retries.benched[host] == 0
    assert prober.retries.waiting[host] == 9
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
    assert prober.presence.missed.tolist() == [0, 1]


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
    assert prober.retries.waiting[0] == 2
    assert prober.items.tries.tolist() == [1, 1]


def test_pings_on_their_way_through_an_overrun_path_tell_nothing_of_the_pace_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prober = prober_of(1, 4)
    prober.pings.teach(np.array([0]), np.array([50], dtype=np.int16))
    take(prober, T0)
    codes = prober.pings.send(np.array([0]), T0)
    prober.in_flight += 1
    overrun = iter([Overrun(0.4, np.inf, 500.0)])
    monkeypatch.setattr(Governor, "judge", lambda *_: next(overrun, None))
    prober.expire(T0 + EXPIRY_GLANCE)
    assert prober.in_flight.tolist() == [4, 4]
    assert not prober.pings.awaits(0, int(codes[0]))
    # Lost or answered, neither counts.
    prober.ping_answered(np.array([0]), codes, np.array([T0 + 0.1]), T0 + 0.1)
    prober.expire(T0 + 60)
    assert prober.loss.told.tolist() == [0, 0]
    assert prober.loss.lost.tolist() == [0, 0]
