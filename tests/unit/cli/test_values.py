"""Values of options."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.cli import values
from leadline.errors import UsageError

CLOCK = values.clock_escapes(2026, 3, 4, 5, 6, 7)


def test_integers() -> None:
    assert values.integer("42") == 42
    assert values.integer("-1") == -1
    for text in ("", "1.0", "0x10", "1_000", " 1", "٣", "9" * 5000):
        with pytest.raises(UsageError, match="whole number"):
            values.integer(text)


def test_numbers() -> None:
    assert values.number("1.5") == 1.5
    assert values.number(".5") == 0.5
    for text in ("", "1e3", "nan", "inf", "1,5", "."):
        with pytest.raises(UsageError, match="a number"):
            values.number(text)


def test_templates() -> None:
    assert [values.template(text) for text in ("0", "5", "paranoid", "Insane", "aggressive")] == [0, 5, 0, 5, 4]
    for text in ("", "6", "44", "fast", "²"):
        with pytest.raises(UsageError, match="4 or aggressive"):
            values.template(text)


def test_comma_lists() -> None:
    assert values.comma_list("a, b,c") == ("a", "b", "c")
    for text in ("", ",", "a,", "a,,b"):
        with pytest.raises(UsageError):
            values.comma_list(text)


@pytest.mark.parametrize(
    ("name", "final"),
    [
        ("scan.xml", "scan.xml"),
        ("-", "-"),
        ("%Y-%m-%d", "2026-03-04"),
        ("%F", "2026-03-04"),
        ("%H%M%S", "050607"),
        ("%T", "050607"),
        ("%R", "0506"),
        ("%y", "26"),
        ("%D", "030426"),
        ("100%%", "100%"),
        ("%Q%", "%Q%"),
        ("./-v", "./-v"),
    ],
)
def test_file_names(name: str, final: str) -> None:
    assert values.output_name(name, CLOCK) == final


@pytest.mark.parametrize("name", ["", "-v", "--open", "-oX"])
def test_file_names_that_are_none(name: str) -> None:
    with pytest.raises(UsageError):
        values.output_name(name, CLOCK)


@given(st.text())
def test_any_text_gives_a_value_or_a_usage_error(text: str) -> None:
    for convert in (values.integer, values.number, values.template, values.comma_list):
        with suppress(UsageError):
            assert convert(text) is not None


@pytest.mark.parametrize(("text", "seconds"), [("2", 2.0), ("500ms", 0.5), ("99", 99.0), ("100s", 100.0), ("1m", 60.0)])
def test_waits(text: str, seconds: float) -> None:
    assert values.wait(text) == seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "needs a time such as 500ms, 2s, 1.5m or 1h, or the word patient, not ''"),
        ("soon", "or the word patient, not 'soon'"),
        ("-1", "or the word patient, not '-1'"),
        ("5000", "write 5000ms or 5000s"),
        ("2x", "needs a time such as"),
    ],
)
def test_what_is_no_wait(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        values.wait(text)


@pytest.mark.parametrize(
    ("text", "rate"), [("1500", 1500.0), ("50k", 5e4), ("1.5M", 1.5e6), ("1g", 1e9), ("0", 0.0), ("-3", -3.0)]
)
def test_rates(text: str, rate: float) -> None:
    assert values.rate(text) == rate


@pytest.mark.parametrize("text", ["", "k", "5kk", "1e3", "5 k", "fast"])
def test_no_rates(text: str) -> None:
    with pytest.raises(UsageError, match="needs a number such as"):
        values.rate(text)
