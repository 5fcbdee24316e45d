"""Texts for patterns: some that match, and some that make a matcher work in vain.

The standard library's parser reads the patterns (it knows almost all of the syntax that rules are written in); whether
a text really matches is for the caller to try.
"""

from __future__ import annotations

import random
import re._constants as sre  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from leadline.data.service_rules import Rule
from leadline.services.pattern import plain_escapes

_ATOMS = st.sampled_from(
    [b"ab", b"C", b"\\.", b".", b"[ab]", b"[A]", b"[^c]", b"\\d", b"\\x61", b"x?", b"b*", b"a+", b"c{2}", b"(?i:B)",
     b"^", b"\\b", b"\\Qa.\\E", b"(?!b)", b"a{,2}", b"(?=a)"]
)  # fmt: skip
PATTERNS = st.recursive(
    st.lists(_ATOMS, min_size=1, max_size=4).map(b"".join),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: b"(?:%b|%b)" % pair),
        st.tuples(inner, st.sampled_from([b"", b"?", b"*", b"+", b"{0,2}"])).map(lambda pair: b"(%b)%b" % pair),
        st.tuples(inner, inner).map(b"".join),
    ),
    max_leaves=6,
)
"""Small patterns for texts of ``abcABC.1`` and blanks."""

_CATEGORIES = {
    sre.CATEGORY_DIGIT: b"0123456789",
    sre.CATEGORY_NOT_DIGIT: b"ab .-\xe9",
    sre.CATEGORY_SPACE: b" \t\r\n",
    sre.CATEGORY_NOT_SPACE: b"ab1.-\xe9",
    sre.CATEGORY_WORD: b"abZ01_",
    sre.CATEGORY_NOT_WORD: b" .-\r\xe9",
}
_ALL = bytes(range(256))
_USUAL = b"a1 -.Z\n\x00\xe9"


def matching_texts(rule: Rule, count: int) -> Iterator[bytes]:
    """Up to ``count`` texts that are made after the rule's pattern; nothing when the parser cannot read it."""
    writer = _Writer(random.Random(rule.order), rule)
    if writer.tree is not None:
        for number in range(count):
            yield writer.text(number)


class _Writer:
    def __init__(self, chance: random.Random, rule: Rule) -> None:
        self.chance = chance
        self.dotall = rule.dotall
        self.number = 0
        self.groups: dict[int, bytes] = {}
        try:
            self.tree = parser.parse(plain_escapes(rule.pattern))
        except (parser.error, OverflowError, KeyError):
            self.tree = None

    def text(self, number: int) -> bytes:
        """The first text is the shortest; every second one writes out what lookaheads ask for."""
        self.number, self.groups = number, {}
        return self.of(self.tree)

    def of(self, nodes: Any) -> bytes:
        return b"".join(self.one(kind, value) for kind, value in nodes)

    def one(self, kind: Any, value: Any) -> bytes:
        if kind is sre.LITERAL:
            return bytes((value,))
        if kind is sre.NOT_LITERAL:
            return self.choice(bytes(byte for byte in _USUAL if byte != value))
        if kind is sre.ANY:
            return self.choice(_USUAL if self.dotall else _USUAL.replace(b"\n", b""))
        if kind is sre.IN:
            return self.choice(members(value))
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            least, most, nodes = value
            times = least if self.number == 0 else self.chance.randint(least, min(most, least + 4))
            return b"".join(self.of(nodes) for _ in range(times))
        if kind is sre.SUBPATTERN:
            text = self.of(value[3])
            if value[0] is not None:
                self.groups[value[0]] = text
            return text
        if kind is sre.BRANCH:
            branches = value[1]
            return self.of(branches[self.number % len(branches)] if self.number < 8 else self.chance.choice(branches))
        if kind is sre.ATOMIC_GROUP:
            return self.of(value)
        if kind is sre.GROUPREF:
            return self.groups.get(value, b"")
        if kind is sre.ASSERT and self.number % 2:
            return self.of(value[1])
        return b""

    def choice(self, letters: bytes) -> bytes:
        return bytes((self.chance.choice(letters),)) if letters else b""


def members(items: Any) -> bytes:
    """Bytes of a class."""
    found: set[int] = set()
    denied = False
    for kind, value in items:
        if kind is sre.NEGATE:
            denied = True
        elif kind is sre.LITERAL:
            found.add(value)
        elif kind is sre.RANGE:
            found.update(range(value[0], value[1] + 1))
        elif kind is sre.CATEGORY:
            found.update(_CATEGORIES[value])
    if denied:
        left = bytes(byte for byte in _USUAL if byte not in found)
        return left or bytes(byte for byte in _ALL if byte not in found)
    return bytes(sorted(found))


def hostile_texts(rule: Rule, literals: list[bytes], size: int) -> Iterator[bytes]:
    """Texts of ``size`` bytes that nearly match: the pattern's texts and literals again and again, tails missing."""
    texts = list(matching_texts(rule, 4))
    for text in texts:
        for cut in (text[:-1], text[: len(text) // 2], text):
            if cut:
                yield filled(cut, b"", size)
        begin = text[: max(1, len(text) // 3)]
        for middle in (text[len(begin) : -1], text[-2:-1]):
            if middle:
                yield filled(middle, begin, size)
    for begin in {b"", *(text[: max(1, len(text) // 2)] for text in texts[:2])}:
        for letter in (b"a", b"1", b" ", b"\0", b"\r\n", b"-", *literals[:4]):
            yield filled(letter, begin, size)


def filled(part: bytes, begin: bytes, size: int) -> bytes:
    return (begin + part * (size // len(part) + 1))[:size]
