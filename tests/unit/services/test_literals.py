from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.data.service_rules import Rule, Template
from leadline.services.literals import MOST_ALTERNATIVES, clauses_of, union
from leadline.services.pattern import Pattern, plain_escapes
from tests.support.pattern_texts import PATTERNS


def clauses(pattern: bytes) -> set[tuple[bytes, ...]]:
    return {tuple(sorted(clause)) for clause in clauses_of(plain_escapes(pattern))}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (rb"^SSH-([\d.]+)-OpenSSH[_-]([\w.]+)", {(b"ssh-",), (b"-openssh",)}),
        (rb"abc", {(b"abc",)}),
        (rb"AbC\.\x41\101\n\t\e", {(b"abc.a",), (b"\n\t\x1b",)}),
        (rb"ab\0\012\0017x", {(b"ab\0\n\x017x",)}),
        (rb"a\Qb.c*\Ed", {(b"ab.c*d",)}),
        (rb"ab\Qc\E?de", {(b"ab",), (b"de",)}),
        (rb"ab\Q(", {(b"ab(",)}),
        (rb"[Ss]erver[:] [.]a[-]b[]]c", {(b"server: .a-b]c",)}),
        (rb"ab[st]cd", {(b"ab",), (b"cd",)}),
        (rb"ab[[:alpha:]]cd[]x]ef[^]y]gh[\]z]ij[[:x]kl", {(b"ab",), (b"cd",), (b"ef",), (b"gh",), (b"ij",), (b"kl",)}),
        (rb"ab.cd$ef^gh\bij\dkl\w", {(b"ab",), (b"cd",), (b"ef",), (b"gh",), (b"ij",), (b"kl",)}),
        (rb"abc*de", {(b"ab",), (b"de",)}),
        (rb"abc?de", {(b"ab",), (b"de",)}),
        (rb"abc+de", {(b"abc",), (b"cde",)}),
        (rb"abc+?de++fg*+hi", {(b"abc",), (b"cde",), (b"ef",), (b"hi",)}),
        (rb"abc{2}de", {(b"abc",), (b"cde",)}),
        (rb"abc{1,}de{0,3}fg", {(b"abc",), (b"cd",), (b"fg",)}),
        (rb"abc{,3}de{ 1, 2 }fg", {(b"ab",), (b"fg",)}),
        (rb"ab{cd}e{", {(b"ab{cd}e{",)}),
        (rb"ab(?:cd|EF)gh", {(b"ab",), (b"cd", b"ef"), (b"gh",)}),
        (rb"ab(cd|ef)?gh", {(b"ab",), (b"gh",)}),
        (rb"ab(cd|ef)+gh", {(b"ab",), (b"cd", b"ef"), (b"gh",)}),
        (rb"ab(cd|)gh", {(b"ab",), (b"gh",)}),
        (rb"(?:abc|d.efgh.ij)", {(b"abc", b"efgh")}),
        (rb"abc|def", {(b"abc", b"def")}),
        (rb"abc|d", set()),
        (rb"(?:a(?:bc|de)|f(gh(ij))x)", {(b"bc", b"de", b"gh")}),
        (rb"(?>abc)(?<name>de)(?P<n2>fg)(?'n3'hi)", {(b"abc",), (b"de",), (b"fg",), (b"hi",)}),
        (rb"(?i:AB)(?s-i:cd)(?i)ef(?#a comment)gh", {(b"ab",), (b"cd",), (b"efgh",)}),
        (rb"ab(?=cd)(?<=ef)gh", {(b"ab",), (b"cd",), (b"ef",), (b"gh",)}),
        (rb"ab(?!cd)(?<!ef)gh", {(b"ab",), (b"gh",)}),
        (rb"(ab)\1cd", {(b"ab",), (b"cd",)}),
        (rb"x(?#y)+zz", {(b"xzz",)}),
        (rb"ab\d{3}cd\s{0,4}ef", {(b"ab",), (b"cd",), (b"ef",)}),
        (rb"ab\Rcd\Kef", {(b"ab",), (b"cd",), (b"ef",)}),
        (rb"a", set()),
    ],
)
def test_clauses(pattern: bytes, found: set[tuple[bytes, ...]]) -> None:
    assert clauses(pattern) == found


@pytest.mark.parametrize(
    "pattern",
    [
        rb"ab\p{L}cd", rb"ab\g1cd", rb"ab\k<a>", rb"ab\cAcd", rb"ab\o{101}", rb"ab\N{U+41}", rb"(?x)a b",
        rb"(?x:a b)ab",
        rb"ab(?R)", rb"ab(?1)", rb"ab(?&name)", rb"ab(?(1)cd)", rb"(*UTF)ab", rb"ab(*ACCEPT)cd", rb"ab(?C1)", rb"ab)cd",
        rb"ab(cd", rb"ab[cd", rb"ab[\Q]\E]cd", rb"ab[\cA]cd", rb"ab{2}{0}", rb"ab\E", b"ab\\", rb"(?^:ab)",
    ],
)  # fmt: skip
def test_what_is_not_known_is_always_tried(pattern: bytes) -> None:
    assert clauses(pattern) == set()


def test_a_union_takes_the_best_of_each_branch() -> None:
    a, b, short = frozenset({b"abc"}), frozenset({b"de"}), frozenset({b"x"})
    assert union([[a, b], [b]]) == {b"abc", b"de"}
    assert union([[a], [short]]) is None
    assert union([[a], []]) is None
    many = frozenset(b"%02d" % number for number in range(MOST_ALTERNATIVES))
    assert union([[many]]) == many
    assert union([[many], [a]]) is None


@given(PATTERNS, st.booleans(), st.lists(st.text("abcABC.1 ", max_size=12), min_size=1, max_size=12))
def test_every_text_that_matches_has_every_clause(pattern: bytes, caseless: bool, texts: list[str]) -> None:
    compiled = Pattern(Rule(0, "x", False, pattern, caseless, True, Template()))
    found = clauses(pattern)
    for text in (text.encode() for text in texts):
        if compiled.captures(text) is not None:
            assert all(any(literal in text.lower() for literal in clause) for clause in found)


@given(st.binary(max_size=30))
def test_any_bytes_are_read(pattern: bytes) -> None:
    assert all(literal == literal.lower() for clause in clauses_of(plain_escapes(pattern)) for literal in clause)


@given(st.binary(min_size=2, max_size=30))
def test_escaped_bytes_are_one_literal(text: bytes) -> None:
    assert clauses(re.escape(text)) == {(text.lower(),)}
