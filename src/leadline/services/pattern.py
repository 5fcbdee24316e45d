"""One rule's pattern, compiled when it is first needed and bounded as Nmap bounds it (spec sheet 3.1).

PCRE2's interpreter counts its steps, the depth of its recursion and its heap, and gives up at a limit: that is no
match. Its just-in-time compiler counts steps in another way and the rest not at all, and compiling costs more than it
saves on the few patterns that are ever tried: it is not used.
"""

from __future__ import annotations

import re

from leadline.data.service_rules import Rule

STEPS = 50_000
DEPTH = 1_000
HEAP_KIB = 10_240

_BOUNDS = b"(*LIMIT_MATCH=%d)(*LIMIT_DEPTH=%d)(*LIMIT_HEAP=%d)(*LF)" % (STEPS, DEPTH, HEAP_KIB)
# The binding turns on an option that reads \x only with two digits; PCRE2's own reading is written out for it.
_ESCAPE = re.compile(rb"\\(?:x(?:\{([0-9A-Fa-f]{1,2})\}|([0-9A-Fa-f]{0,2}))|Q.*?(?:\\E|$)|.)", re.DOTALL)

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
        try:
            self._compiled = pcre2.compile(_BOUNDS + plain_escapes(rule.pattern), flags, jit=False)
            self.groups = int(self._compiled.groups)
        except pcre2.PatternError as problem:
            self.problem = f"{problem.msg.partition('; ')[2]} (at its byte {problem.pos - len(_BOUNDS)})"

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
