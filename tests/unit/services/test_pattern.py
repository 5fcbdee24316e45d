from __future__ import annotations

import pcre2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.data.service_rules import Rule, Template
from leadline.services.pattern import Pattern, bounded, plain_escapes
from tests.support.pattern_texts import PATTERNS


def pattern(text: bytes, flags: str = "") -> Pattern:
    return Pattern(Rule(0, "x", False, text, "i" in flags, "s" in flags, Template()))


def test_captures() -> None:
    found = pattern(rb"^(\w+) (z)?(\d+)$")
    assert found.groups == 3
    assert found.captures(b"abc 12") == (b"abc", None, b"12")
    assert found.captures(b"abc 12\n") == (b"abc", None, b"12")
    assert found.captures(b"abc 12\n\n") is None
    assert pattern(b"b").captures(b"abc") == ()


def test_flags() -> None:
    assert pattern(b"ABC").captures(b"abc") is None
    assert pattern(b"ABC", "i").captures(b"abc") == ()
    assert pattern(b"a.b").captures(b"a\nb") is None
    assert pattern(b"a.b").captures(b"a\rb") == ()
    assert pattern(b"a.b", "s").captures(b"a\nb") == ()


def test_patterns_are_of_bytes() -> None:
    assert pattern(b"^.\xff.$").captures(b"\xe9\xff\x00") == ()
    assert pattern(rb"^\w$").captures(b"\xe9") is None
    assert pattern(b"^\xc9$", "i").captures(b"\xe9") is None


def test_syntax_that_only_pcre_has() -> None:
    assert pattern(rb"^(?>a+)b\Q.*\E\h\R$").captures(b"aab.*\t\r\n") == ()
    assert pattern(rb"^(?|a(.)|b(.))$").captures(b"bx") == (b"x",)


@pytest.mark.parametrize("text", [b"(", b"a{2,1}", rb"\1", rb"(?<=a*)b", rb"\p{Nothing}"])
def test_what_does_not_compile_never_matches(text: bytes) -> None:
    found = pattern(text)
    assert found.problem
    assert found.captures(b"a(b") is None


def test_limits_are_no_match() -> None:
    found = pattern(b"^(a+)+b")
    assert found.captures(b"aab") == (b"aa",)
    assert not found.exhausted
    assert found.captures(b"a" * 5000) is None
    assert found.exhausted
    assert found.captures(b"c") is None
    assert not found.exhausted


def test_depth_is_limited() -> None:
    found = pattern(b"^((?:a|b(?1))+)$")
    assert found.captures(b"ba") is not None
    assert found.captures(b"b" * 16000 + b"a") is None
    assert found.exhausted


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        (rb"a\x41b", rb"a\x41b"),
        (rb"a\x5-", rb"a\x05-"),
        (rb"a\xg", rb"a\x00g"),
        (rb"\x{5}\x{fF}", rb"\x05\xfF"),
        (rb"\\x5", rb"\\x5"),
        (rb"\Q\x5\E\x5", rb"\Q\x5\E\x05"),
        (rb"\Q\x5", rb"\Q\x5"),
        (b"\\", b"\\"),
        (b"\\x", b"\\x00"),
        (rb"no escapes", rb"no escapes"),
    ],
)
def test_escapes_are_written_out(written: bytes, plain: bytes) -> None:
    assert plain_escapes(written) == plain


def test_escapes_mean_what_pcre_means() -> None:
    assert pattern(rb"^\x5\x{41}\x-$").captures(b"\x05A\x00-") == ()


@pytest.mark.parametrize(
    "text",
    [
        b"^a", rb"\Aa|^b", b"^a|^b|(^c)", b"(?:^a|^b)c", b"((^a|^b)|(^c))d", b"(^a)+b", b"(?i)^a", b"(?=^a)a",
        b"^(a|b)|^c", b"a)(b", b"^a(?!x)|^b", b"(?#c)^a", b"^", b"(?R)?a", b"(?x) a # )", b"(*UTF)a", b"a)", b"(a",
    ],
)  # fmt: skip
def test_what_begins_at_the_start_or_is_not_understood_is_left(text: bytes) -> None:
    assert bounded(text) is text


@pytest.mark.parametrize(
    ("text", "end"),
    [(b"a", b")"), (b"^a|b", b")"), (b"a|^b", b")"), (b"^a|", b")"), (b"(?:^a|b)c", b")"), (b"(^a)?b", b")"),
     (b"(?!^a)b", b")"), (b"(?!x)^a", b")"), (rb"a\Qb", rb"\E)"), (rb"a\Qb\E", rb"\E)"), (b"", b")")],
)  # fmt: skip
def test_what_may_begin_anywhere_gets_a_search_of_its_own(text: bytes, end: bytes) -> None:
    assert bounded(text) == b"^(?s:.*?)(?:" + text + end


def test_a_pattern_that_may_begin_anywhere_is_bounded_as_a_whole() -> None:
    found = pattern(b"a.{0,200}b.{0,200}[^ab]")
    assert found.captures(b"ab" * 8192) is None
    assert found.exhausted
    late = pattern(b"begin(.)")
    assert late.captures(b"b" * 16_000 + b"begin!") == (b"!",)


def test_the_place_of_a_mistake_is_that_in_the_pattern_as_written() -> None:
    assert pattern(b"^ab(").problem == "missing closing parenthesis (at its byte 4)"
    assert pattern(b"ab[z-a]").problem == "range out of order in character class (at its byte 6)"


@given(PATTERNS, st.lists(st.text("abcABC.1 ", max_size=12), min_size=1, max_size=12))
def test_the_search_in_front_changes_no_match(text: bytes, answers: list[str]) -> None:
    plain = pcre2.compile(text, jit=False)
    changed = pattern(text)
    for answer in (answer.encode() for answer in answers):
        match = plain.search(answer)
        assert changed.captures(answer) == (match and match.groups())
