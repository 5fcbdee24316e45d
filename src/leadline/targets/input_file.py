"""Lists of targets in files (``-iL``, ``--excludefile``): expressions between blanks, ``#`` starts a comment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def expressions(lines: Iterable[str]) -> Iterator[str]:
    """The expressions of a list, one by one as lines come in."""
    for line in lines:
        yield from line.partition("#")[0].split()
