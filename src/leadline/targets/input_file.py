"""Lists of targets in files (``-iL``, ``--excludefile``): expressions between blanks, ``#`` starts a comment."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from leadline.errors import UsageError


def expressions(lines: Iterable[str]) -> Iterator[str]:
    """The expressions of a list, one by one as lines come in."""
    for line in lines:
        yield from line.partition("#")[0].split()


def read_lines(path: str) -> Iterator[str]:
    """The lines of a file (``-``: standard input), read as they are asked for.

    Bytes that are no UTF-8 become replacement characters: a damaged line spoils only itself. Raises ``UsageError`` when
    the file cannot be read.
    """
    try:
        if path == "-":
            yield from sys.stdin
            return
        with open(path, encoding="utf-8", errors="replace") as file:
            yield from file
    except OSError as error:
        raise UsageError(f'The list "{path}" cannot be read: {error.strerror}.') from error
