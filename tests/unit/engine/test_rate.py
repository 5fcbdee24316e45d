import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.engine.rate import CATCH_UP, RateLimiter

T0 = 50.0


def test_without_bounds_everything_may_go_and_nothing_is_owed() -> None:
    limiter = RateLimiter(None, None, T0)
    assert limiter.room(T0, 77) == 77
    assert limiter.owed(T0) == 0
    limiter.sent(77)
    assert limiter.next_time(T0) is None


def test_the_maximum_lets_one_go_at_once_and_then_makes_wait() -> None:
    limiter = RateLimiter(10.0, None, T0)
    assert limiter.room(T0, 5) == 1
    assert limiter.next_time(T0) is None
    limiter.sent(1)
    assert limiter.room(T0 + 0.05, 5) == 0
    assert limiter.next_time(T0 + 0.05) == pytest.approx(T0 + 0.1)
    assert limiter.room(T0 + 0.1, 5) == 1
    assert limiter.room(T0 + 0.1, 0) == 0
    assert limiter.room(T0 + 0.1, -2) == -2


def test_a_late_wake_up_is_caught_up_within_bounds() -> None:
    limiter = RateLimiter(1000.0, None, T0)
    assert limiter.room(T0 + 0.05, 10_000) == 51
    assert limiter.room(T0 + 99, 10_000) == 1000 * CATCH_UP + 1


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(0, 500)), max_size=50), st.floats(0.1, 1e5))
def test_no_interval_holds_more_than_the_maximum(steps: list[tuple[float, int]], rate: float) -> None:
    limiter, now, log = RateLimiter(rate, None, T0), T0, [(T0, 0)]
    for pause, wanted in steps:
        now += pause
        count = limiter.room(now, wanted)
        assert 0 <= count <= wanted
        limiter.sent(count)
        log.append((now, log[-1][1] + count))
    for index, (begin, before) in enumerate(log):
        for end, after in log[index:]:
            assert after - before <= rate * (end - begin + CATCH_UP) + 1 + 1e-3


def test_the_minimum_asks_for_what_is_due_without_saving_up() -> None:
    limiter = RateLimiter(None, 100.0, T0)
    assert limiter.owed(T0) == 1
    limiter.sent(1)
    assert limiter.owed(T0 + 0.005) == 0
    assert limiter.next_time(T0 + 0.005) == pytest.approx(T0 + 0.01)
    assert limiter.owed(T0 + 0.055) == 5
    assert 10 <= limiter.owed(T0 + 99) <= 100 * CATCH_UP + 1


def test_an_overdue_minimum_is_no_time_to_wait_for() -> None:
    # Whoever asks for the next time has just had nothing to send: "now" would make him spin.
    limiter = RateLimiter(None, 100.0, T0)
    assert limiter.owed(T0 + 3) > 0
    assert limiter.next_time(T0 + 3) is None


def test_of_two_bounds_the_sooner_counts() -> None:
    limiter = RateLimiter(10.0, 5.0, T0)
    limiter.sent(1)
    assert limiter.next_time(T0) == pytest.approx(T0 + 0.1)
    assert limiter.next_time(T0 + 0.15) == pytest.approx(T0 + 0.2)
