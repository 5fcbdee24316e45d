"""One rule's pattern, compiled when it is first needed and bounded as Nmap bounds it (spec sheet 3.1).

PCRE2's interpreter counts its steps, the depth of its recursion and its heap, and gives up at a limit: that is no
match. It counts anew for each place where a match may begin, so a pattern that may begin anywhere is made to begin at
the start, with a search of its own in front (``bounded``). Its just-in-time compiler counts steps in another way and
the rest not at all, and compiling costs more than it saves on the few patterns that are ever tried: it is not used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from leadline.data.service_rules import Rule
from leadline.services.literals import LEAST_ONE, TOKEN

STEPS = 50_000
STEPS_ANYWHERE = 2 * STEPS
"""For patterns that are made to begin at the start: the search in front takes up to two steps a byte."""
DEPTH = 1_000
HEAP_KIB = 10_240

_BOUNDS = b"(*LIMIT_MATCH=%d)(*LIMIT_DEPTH=%d)(*LIMIT_HEAP=%d)(*LF)"
# The binding turns on an option that reads \x only with two digits; PCRE2's own reading is written out for it.
_ESCAPE = re.compile(rb"\\(?:x(?:\{([0-9A-Fa-f]{1,2})\}|([0-9A-Fa-f]{0,2}))|Q.*?(?:\\E|$)|.)", re.DOTALL)

_START = (b"^", b"\\A")

Captures = tuple[bytes | None, ...]


class Pattern:
    """A pattern ready for use. ``problem``: why it cannot be compiled, then it never matches; ``groups``: how many it
    has; ``exhausted``: whether the last text brought it to one of its limits.
    """

    __slots__ = ("_compiled", "_limit", "exhausted", "groups", "problem")

    def __init__(self, rule: Rule) -> None:
        import pcre2

        flags = (pcre2.IGNORECASE if rule.caseless else 0) | (pcre2.DOTALL if rule.dotall else 0)
        self.problem = ""
        self.groups = 0
        self.exhausted = False
        self._compiled = None
        self._limit = pcre2.LibraryError
        written = plain_escapes(rule.pattern)
        whole = bounded(written)
        bounds = _BOUNDS % (STEPS if whole is written else STEPS_ANYWHERE, DEPTH, HEAP_KIB)
        try:
            self._compiled = pcre2.compile(bounds + whole, flags, jit=False)
            self.groups = int(self._compiled.groups)
        except pcre2.PatternError as problem:
            self.problem = (
                f"{problem.msg.partition('; ')[2]} (at its byte {problem.pos - len(bounds) - whole.find(written)})"
            )

    def captures(self, text: bytes) -> Captures | None:
        """What the groups 1.. of the leftmost match caught (``None``: took no part); ``None``: no match."""
        if self._compiled is None:
            return None
        self.exhausted = False
        try:
            found = self._compiled.search(text)
        except self._limit:
            self.exhausted = True
            return None
        return None if found is None else tuple(found.groups())


def plain_escapes(pattern: bytes) -> bytes:
    r"""``\x``, ``\x5`` and ``\x{5a}`` as ``\x00``, ``\x05`` and ``\x5a``; all else, and what ``\Q`` quotes, stays."""

    def plain(match: re.Match[bytes]) -> bytes:
        if not match[0].startswith(b"\\x"):
            return match[0]
        digits = match[1] if match[1] is not None else match[2]
        return b"\\x" + digits.rjust(2, b"0")

    return _ESCAPE.sub(plain, pattern) if b"\\x" in pattern else pattern


def bounded(pattern: bytes) -> bytes:
    """The pattern with the same matches, which begins at a text's start only; as it is when it does so anyway.

    As it is, too, when it has something that ``literals`` does not know: it might mean something else inside a group.
    """
    tokens = [*TOKEN.finditer(pattern)]
    if sum(len(token[0]) for token in tokens) != len(pattern) or _begins_at_the_start(tokens):
        return pattern
    end = b"\\E)" if tokens and tokens[-1].lastgroup == "quoted" else b")"
    return b"^(?s:.*?)(?:" + pattern + end


@dataclass(slots=True)
class _Level:
    """A group of which the tokens are being looked at. ``fixed``: whether this branch begins at the text's start;
    ``None``: it has no token yet. ``others``: whether all branches before do.
    """

    fixed: bool | None = None
    others: bool = True

    @property
    def whole(self) -> bool:
        return self.others and self.fixed is True


def _begins_at_the_start(tokens: list[re.Match[bytes]]) -> bool:
    """Whether every branch does, also when the groups that it begins with are looked into. Yes, too, for parentheses
    without partners, which do not compile: another pair around them would give them some.
    """
    levels = [_Level()]
    closed = False
    for token in tokens:
        kind, level = token.lastgroup, levels[-1]
        if kind == "branch":
            level.others, level.fixed = level.whole, None
        elif kind in ("open", "deny"):
            levels.append(_Level(fixed=False if kind == "deny" else None))
        elif kind == "close":
            levels.pop()
            if not levels:
                return True
            if levels[-1].fixed is None:
                levels[-1].fixed = level.whole
        elif kind == "quantifier" and closed and not LEAST_ONE.match(token[0]):
            level.fixed = False
        elif kind != "nothing" and level.fixed is None:
            level.fixed = token[0] in _START
        closed = kind == "close"
    return len(levels) > 1 or levels[0].whole
