"""Times as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import UsageError
from leadline.plan.durations import parse_duration, say_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("3", 3.0),
        ("3.", 3.0),
        (".5", 0.5),
        ("1.5s", 1.5),
        ("250ms", 0.25),
        ("250MS", 0.25),
        ("2m", 120.0),
        ("1.5h", 5400.0),
    ],
)
def test_units(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "-1", "+1", "1e3", "1 s", "1d", "nan", "inf", "1.2.3", "１", "9999999h"])
def test_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_duration(text)


def test_big_numbers_need_a_unit() -> None:
    assert parse_duration("49.9", 50.0) == 49.9
    assert parse_duration("50s", 50.0) == 50.0
    assert parse_duration("5000ms", 50.0) == 5.0
    with pytest.raises(UsageError, match="50ms or 50s"):
        parse_duration("50", 50.0)


@given(st.text(max_size=12))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except UsageError:
        seconds = 0.0
    assert 0.0 <= seconds <= 3650 * 86400.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.05, "50ms"), (0.3, "300ms"), (1.25, "1.25s"), (60.0, "1m"), (90.0, "90s"), (900.0, "15m")],
)
def test_said_so_that_it_can_be_typed(seconds: float, text: str) -> None:
    assert say_duration(seconds) == text
    assert parse_duration(text) == pytest.approx(seconds)
