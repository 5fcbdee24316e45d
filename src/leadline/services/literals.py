r"""Byte strings that every text has which a pattern matches: what to look for before the pattern itself is tried.

A clause is a set of literals of which at least one is in every text that the pattern matches; ``a(?:bc|de)f+`` has
the clauses {a}, {bc, de} and {f}. All is in lower case and holds for the text in lower case, so that caseless patterns
need nothing of their own.

The reader knows the part of PCRE2's syntax in which rules are written. Whatever it does not know makes it give up: no
clauses, and the pattern is always tried. Whatever it cannot say something of for certain (classes, optional parts,
references) only ends a literal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

SHORTEST = 2
"""Bytes that a literal has at least."""
MOST_ALTERNATIVES = 24
"""A clause with more literals is not worth its hits."""

Clause = frozenset[bytes]

# A pattern in pieces; what begins none of them is not known here. Their names are those of the methods that take them.
# Classes are read without going back, as PCRE2 reads them.
TOKEN = re.compile(
    rb"""
    (?P<plain>[^\\\[(){|.^$*+?]+)
  | \\x(?P<hexadecimal>[0-9A-Fa-f]{2})
  | \\(?P<octal>0[0-7]{0,2})
  | \\(?P<control>[aefnrt])
  | \\Q(?P<quoted>.*?)(?:\\E|\Z)
  | \\(?P<escaped>[^A-Za-z0-9])
  | (?P<break>\\[dDwWsShHvVRbBAzZGK] | \\N(?!\{) | \\[1-9][0-9]* | [.^$])
  | \[(?P<class>\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*+)\]
  | (?P<deny>\(\?<?!)
  | (?P<nothing>\(\?\#[^)]*\) | \(\?[imsnU-]+\))
  | (?P<open>\(\?(?:P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*'|[imsnU-]*:|[>|=]|<=) | \((?![?*]))
  | (?P<close>\))
  | (?P<branch>\|)
  | (?P<quantifier>(?:[*+?]|\{[\ \t0-9,]*[0-9][\ \t0-9,]*\})[?+]?)
  | (?P<brace>\{)
    """,
    re.VERBOSE | re.DOTALL,
)
_CONTROL = {b"a": b"\a", b"e": b"\x1b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
LEAST_ONE = re.compile(rb"\+|\{0*[1-9]")
_ONE_LETTER = re.compile(rb"\\?([^A-Za-z0-9\\^])|([A-Za-z0-9])(?:([A-Za-z]))?")


class UnreadableError(Exception):
    """The pattern has something that is not known here."""


@dataclass(slots=True)
class _Group:
    """A group that is being read: the branches before, and of this branch the clauses and the literal at its end.

    ``last``: the clauses of the group that has just ended, which a quantifier may make optional.
    """

    denied: bool = False
    branches: list[list[Clause]] = field(default_factory=list)
    clauses: list[Clause] = field(default_factory=list)
    literal: bytearray = field(default_factory=bytearray)
    last: list[Clause] = field(default_factory=list)

    def end_literal(self) -> None:
        if self.literal:
            self.clauses.append(frozenset((bytes(self.literal),)))
            self.literal = bytearray()

    def end_last(self) -> None:
        if self.last:
            self.clauses += self.last
            self.last = []

    def finish(self) -> list[Clause]:
        """The clauses of the whole group."""
        self.end_last()
        self.end_literal()
        if self.denied:
            return []
        if not self.branches:
            return self.clauses
        clause = union([*self.branches, self.clauses])
        return [clause] if clause else []


def union(branches: list[list[Clause]]) -> Clause | None:
    """One clause for what begins in one of several ways: the best of each; ``None`` when one of them has none."""
    found: set[bytes] = set()
    for clauses in branches:
        usable = [clause for clause in clauses if min(map(len, clause)) >= SHORTEST]
        if not usable:
            return None
        found |= max(usable, key=lambda clause: (min(map(len, clause)), -len(clause)))
    return frozenset(found) if len(found) <= MOST_ALTERNATIVES else None


def clauses_of(pattern: bytes) -> tuple[Clause, ...]:
    """The clauses of a pattern whose escapes are plain (``plain_escapes``); none: it must always be tried."""
    try:
        clauses = _Reader(pattern).clauses()
    except UnreadableError:
        return ()
    return tuple(dict.fromkeys(clause for clause in clauses if min(map(len, clause)) >= SHORTEST))


class _Reader:
    """One run over a pattern's tokens."""

    def __init__(self, pattern: bytes) -> None:
        self.pattern = pattern
        self.groups = [_Group()]
        self.group = self.groups[0]
        self.take: dict[str, Callable[[bytes], None]] = {
            "plain": self.literal,
            "hexadecimal": lambda digits: self.literal(bytes((int(digits, 16),))),
            "octal": lambda digits: self.literal(bytes((int(digits, 8) & 255,))),
            "control": lambda letter: self.literal(_CONTROL[letter]),
            "quoted": self.literal,
            "escaped": self.literal,
            "brace": self.literal,
            "break": self.end,
            "class": self.character_class,
            "deny": lambda _: self.open(True),
            "nothing": lambda _: None,
            "open": lambda _: self.open(False),
            "close": lambda _: self.close(),
            "branch": lambda _: self.branch(),
            "quantifier": self.quantifier,
        }

    def clauses(self) -> list[Clause]:
        place, pattern, take, before = 0, self.pattern, self.take, ""
        for token in TOKEN.finditer(pattern):
            kind = token.lastgroup
            if token.start() != place or kind is None:
                raise UnreadableError
            place = token.end()
            if kind == before == "quantifier":
                raise UnreadableError
            if kind != "nothing":
                before = kind
            take[kind](token[kind])
        if place != len(pattern) or len(self.groups) != 1:
            raise UnreadableError
        return self.group.finish()

    def literal(self, text: bytes) -> None:
        if self.group.last:
            self.group.end_last()
        self.group.literal += text.lower()

    def end(self, _: bytes = b"") -> None:
        self.group.end_last()
        self.group.end_literal()

    def character_class(self, content: bytes) -> None:
        """A class of one letter, or of one letter in both cases, is that letter."""
        if b"\\Q" in content or b"\\E" in content or b"\\c" in content:
            raise UnreadableError
        letter = _ONE_LETTER.fullmatch(content)
        if letter and (letter[3] is None or letter[2].lower() == letter[3].lower()):
            self.literal(letter[1] or letter[2])
        else:
            self.end()

    def open(self, denied: bool) -> None:
        self.end()
        self.group = _Group(denied)
        self.groups.append(self.group)

    def close(self) -> None:
        if len(self.groups) == 1:
            raise UnreadableError
        finished = self.groups.pop().finish()
        self.group = self.groups[-1]
        self.group.last = finished

    def branch(self) -> None:
        self.end()
        self.group.branches.append(self.group.clauses)
        self.group.clauses = []

    def quantifier(self, text: bytes) -> None:
        """Holds for the group that has just ended, else for the last byte of the literal, else for a class."""
        group = self.group
        needed = LEAST_ONE.match(text) is not None
        if group.last:
            if not needed:
                group.last = []
            return
        if not group.literal:
            return
        last = group.literal[-1:]
        if not needed:
            del group.literal[-1]
        group.end_literal()
        if needed:
            group.literal = last
