"""Token buckets told from the times of answers."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.answer_limits import EVEN, FIRST_PACE, PACE_EACH, QUIET, QUIET_FEW, AnswerLimits, LimitState

NEVER = -np.inf


def hosts(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, dtype=np.int64)


def hear(limits: AnswerLimits, host: int, at: float, fell: float = NEVER) -> list[int]:
    return limits.answered(hosts(host), np.array([at]), np.array([fell])).tolist()


def fall(limits: AnswerLimits, host: int, count: int = 1, *, at_pace: bool = True) -> None:
    limits.silent(hosts(*[host] * count), np.full(count, at_pace))


def limited(rate: float = 1.0, burst: int = 6) -> AnswerLimits:
    """Host 0 of two after its bucket was recognised: ``burst`` answers at 100 s, then ``EVEN`` at its rate."""
    limits = AnswerLimits(2)
    limits.answered(hosts(*[0] * burst), np.full(burst, 100.0), np.full(burst, NEVER))
    limits.measure(hosts(0), hosts(0), 100.5)
    for number in range(EVEN):
        fall(limits, 0, 10, at_pace=False)
        hear(limits, 0, 101.0 + number / rate)
    return limits


def test_answers_that_come_evenly_while_more_is_asked_show_rate_and_burst() -> None:
    limits = limited()
    assert limits.state.tolist() == [LimitState.LIMITED, LimitState.FREE]
    assert (limits.rate[0], limits.burst[0]) == pytest.approx((1.0, 6.0))
    assert limits.estimate(0) == (0.0, 0.0), "not sure yet"
    for number in range(EVEN):
        hear(limits, 0, 105.1 + number)
    assert limits.estimate(0) == pytest.approx((1.0, 6.0))
    assert limits.estimate(1) == (0.0, 0.0)
    (change,) = limits.changes()
    assert (change.host, change.old, change.new, change.at) == (0, 0.0, pytest.approx(1.0), 104.0)
    assert limits.changes() == []


def test_the_same_answers_without_demand_show_nothing() -> None:
    limits = AnswerLimits(1)
    limits.measure(hosts(0), hosts(0), 100.0)
    for number in range(EVEN):
        hear(limits, 0, 101.0 + number)
    assert limits.state.tolist() == [LimitState.MEASURED]


def test_uneven_answers_need_more_of_them() -> None:
    limits = AnswerLimits(1)
    limits.measure(hosts(0), hosts(0), 100.0)
    at = 100.0
    for number in range(12):
        assert limits.state.tolist() == [LimitState.MEASURED]
        fall(limits, 0, 5, at_pace=False)
        at += (0.05, 3.0)[number % 2]
        hear(limits, 0, at)
    assert limits.state.tolist() == [LimitState.LIMITED]
    assert limits.rate[0] == pytest.approx(11 / (at - 100.05))


def test_who_answers_all_is_asked_faster() -> None:
    limits = AnswerLimits(1)
    limits.measure(hosts(0), hosts(9), 100.0)
    assert limits.due(hosts(0)).tolist() == [100.0]
    limits.answered(hosts(*[0] * 8), np.linspace(100, 100.5, 8), np.full(8, NEVER))
    limits.allowed(100.5)
    limits.sent(hosts(0))
    assert limits.due(hosts(0))[0] == pytest.approx(100.5 + 1 / (2 * FIRST_PACE))


def test_who_answers_all_at_the_highest_pace_has_no_limit_that_matters() -> None:
    limits = AnswerLimits(1)
    limits.measure(hosts(0), hosts(0), 100.0)
    for turn in range(30):
        limits.answered(hosts(*[0] * 64), np.full(64, 100 + turn / 100), np.full(64, NEVER))
    assert limits.quiet(100.4).tolist() == [0]


def test_a_quiet_host_is_left_alone_after_a_while() -> None:
    limits = AnswerLimits(2)
    hear(limits, 0, 99.0)
    limits.measure(hosts(0, 1), hosts(9, 9), 100.0)
    fall(limits, 0, 3, at_pace=False)
    assert limits.quiet(99.9 + QUIET).tolist() == []
    assert limits.quiet(100.1 + QUIET).tolist() == [0]
    limits.release(hosts(0))
    assert limits.quiet(200.0).tolist() == []


def test_few_silent_ones_among_many_answers_are_looked_at_for_a_shorter_time() -> None:
    limits = AnswerLimits(2)
    for host in (0, 1):
        for turn in range(38):
            hear(limits, host, 90.0 + 0.01 * turn)
    # Two of forty, and three of forty-one.
    limits.measure(hosts(0, 1), hosts(2, 3), 100.0)
    fall(limits, 0, at_pace=False)
    fall(limits, 1, at_pace=False)
    assert limits.quiet(99.9 + QUIET_FEW).tolist() == []
    assert limits.quiet(100.1 + QUIET_FEW).tolist() == [0]
    assert limits.quiet(100.1 + QUIET).tolist() == [0, 1]


def test_a_late_answer_makes_few_silent_ones_worth_waiting_for() -> None:
    limits = AnswerLimits(1)
    for turn in range(38):
        hear(limits, 0, 90.0 + 0.01 * turn)
    hear(limits, 0, 91.4)
    limits.measure(hosts(0), hosts(2), 91.5)
    fall(limits, 0, at_pace=False)
    assert limits.quiet(91.5 + 2).tolist() == []
    assert limits.quiet(91.5 + 3).tolist() == [0]


@pytest.mark.parametrize(("silent", "pace"), [(1, PACE_EACH), (2, 2 * PACE_EACH), (40, FIRST_PACE)])
def test_few_silent_ones_are_not_asked_again_and_again(silent: int, pace: float) -> None:
    limits = AnswerLimits(1)
    limits.measure(hosts(0), hosts(silent), 100.0)
    limits.allowed(100.0)
    limits.sent(hosts(0))
    assert limits.due(hosts(0))[0] == pytest.approx(100.0 + 1 / pace)


def test_slow_answers_are_waited_for() -> None:
    limits = AnswerLimits(1)
    for at in (90.0, 94.0, 98.0):
        hear(limits, 0, at)
    limits.measure(hosts(0), hosts(0), 98.1)
    fall(limits, 0, at_pace=False)
    assert limits.quiet(104.0).tolist() == []
    assert limits.quiet(107.0).tolist() == [0]


def test_a_limited_host_is_asked_at_its_rate() -> None:
    limits = limited()
    assert limits.allowed(104.9).tolist() == [0, 0]
    assert limits.due(hosts(0))[0] == pytest.approx(105.1)
    assert limits.allowed(105.2).tolist() == [1, 0]
    limits.sent(hosts(0))
    assert limits.allowed(106.0).tolist() == [0, 0]
    fall(limits, 0)
    assert limits.allowed(106.0).tolist() == [1, 0], "what was silent took no token"
    assert limits.doubtful.tolist() == [True, False]
    hear(limits, 0, 106.2)
    assert limits.doubtful.tolist() == [False, False]
    assert limits.due(hosts(0))[0] == pytest.approx(107.3), "whether there was a token before is not known"


def test_tokens_are_saved_up_to_the_burst() -> None:
    assert limited(burst=6).allowed(500.0).tolist() == [5, 0]


def test_who_keeps_up_is_asked_faster_and_who_does_not_slower() -> None:
    limits = limited()
    at = 104.0
    for _ in range(8):
        at += 1.0
        hear(limits, 0, at)
    assert limits.rate[0] == pytest.approx(1.02)
    fall(limits, 0)
    hear(limits, 0, at + 1.2, fell=at + 0.1)
    assert limits.rate[0] == pytest.approx(1.02 * 0.98)
    assert limits.changes()[-1].cause == "it did not keep up"
    hear(limits, 0, at + 2.4, fell=at + 0.2)
    assert limits.rate[0] == pytest.approx(1.02 * 0.98), "that was sent before the pace was lowered"


def test_who_never_keeps_up_has_become_much_slower() -> None:
    limits = limited()
    at, told = 104.0, []
    for _ in range(6):
        at += 5.0
        fall(limits, 0)
        told += hear(limits, 0, at, fell=at - 2)
    assert told == [0]
    assert limits.rate[0] == pytest.approx(0.2, rel=0.1)


def test_silence_that_chance_does_not_explain_is_noticed() -> None:
    limits = limited()
    for number in range(20):
        hear(limits, 0, 105.0 + number)
    fall(limits, 0, 7)
    assert limits.slower().tolist() == []
    fall(limits, 0, 1)
    assert limits.slower().tolist() == [0]


def test_no_answers_at_all_change_nothing() -> None:
    limits = AnswerLimits(1)
    none = hosts()
    assert limits.answered(none, np.empty(0), np.empty(0)).tolist() == []
    assert limits.slower().tolist() == limits.quiet(1e9).tolist() == []


def test_no_limit_is_lower_than_the_least() -> None:
    limits = AnswerLimits(1, least=1.0)
    limits.measure(hosts(0), hosts(0), 100.0)
    for number in range(EVEN):
        fall(limits, 0, 10, at_pace=False)
        hear(limits, 0, 101.0 + 5.0 * number)
    assert limits.state.tolist() == [LimitState.LIMITED]
    assert limits.rate[0] == 1.0
