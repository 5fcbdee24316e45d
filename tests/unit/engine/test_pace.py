"""Answers are a clock, timeouts are none: where answers are rare, what is sent is spread over time."""

from __future__ import annotations

import pytest

from leadline.engine.pace import AHEAD, BURST, BURST_SECONDS, HORIZON, Pace

T0 = 100.0


def silent(least: float = 1.0) -> Pace:
    """A pace after ten probes that timed out."""
    pace = Pace(least)
    pace.resolved(0, 10)
    return pace


def test_until_something_timed_out_and_while_answers_come_nothing_is_held_back() -> None:
    pace = Pace(1.0)
    assert pace.room(T0, 5.0, 1.0) is None
    pace.sent(1000)
    pace.resolved(8, 2)
    assert pace.room(T0, 5.0, 1.0) is None
    assert pace.next_time(T0) is None


def test_silence_spreads_a_window_over_the_time_it_is_waited_for() -> None:
    pace, sent, now = silent(), 0, T0
    while now < T0 + 10:
        room = pace.room(now, 200.0, 0.5)
        assert room is not None
        assert room <= BURST
        pace.sent(room)
        sent += room
        now += 0.004
    assert sent == pytest.approx(AHEAD * 200 / 0.5 * 10, abs=BURST)


def test_no_more_is_saved_up_than_a_burst() -> None:
    pace = silent()
    assert pace.room(T0, 200.0, 0.5) == BURST
    pace.sent(int(BURST))
    assert pace.room(T0 + 60, 200.0, 0.5) == BURST
    # At a high rate a burst is the work of a few milliseconds: fewer turns, no larger gaps.
    rate = AHEAD * 8000 / 0.5
    assert pace.room(T0 + 61, 8000.0, 0.5) == pytest.approx(rate * BURST_SECONDS, abs=1)


def test_what_the_user_wants_in_flight_may_leave_at_once() -> None:
    assert silent(300.0).room(T0, 300.0, 1.0) == 300


def test_the_next_time_is_named_only_while_the_pace_is_what_is_waited_for() -> None:
    pace = silent()
    assert pace.room(T0, 80.0, 1.0) == BURST
    assert pace.next_time(T0) is None
    pace.sent(int(BURST))
    assert pace.next_time(T0) == pytest.approx(T0 + BURST / 2 / (AHEAD * 80))
    assert pace.next_time(T0 + 1) is None


def test_answers_that_come_again_end_it() -> None:
    pace = silent()
    assert pace.spreads
    pace.resolved(0, 0)
    pace.resolved(HORIZON // 4, 0)
    assert not pace.spreads
    assert pace.room(T0, 5.0, 1.0) is None
