"""Lines of files, and of streams where they come when somebody writes them: a stop ends the waiting."""

from __future__ import annotations

import codecs
import os
import select
import stat
import sys
from collections.abc import Callable, Iterator

from leadline.errors import UsageError

_LOOK_MS = 100
_CHUNK = 65536
# Of a line that is longer only so many characters (and what came with them) are given: no list has such lines.
LONGEST = 65536


def read_lines(path: str, stop: Callable[[], bool] = lambda: False) -> Iterator[str]:
    """The lines of a file (``-``: standard input), read as they are asked for; ``stop`` ends the waiting at a pipe.

    Bytes that are no UTF-8 become replacement characters: a damaged line spoils only itself. Raises ``UsageError`` when
    the file cannot be read.
    """
    try:
        if path == "-":
            yield from sys.stdin
            return
        if not stat.S_ISREG(os.stat(path).st_mode):
            yield from pipe_lines(path, stop)
            return
        with open(path, encoding="utf-8", errors="replace") as file:
            yield from file
    except OSError as error:
        raise UsageError(f'The list "{path}" cannot be read: {error.strerror}.') from error


def waited_lines(descriptor: int, stop: Callable[[], bool]) -> Iterator[str]:
    """Lines without their ends, as they come, until the end or until ``stop``; the descriptor stays open.

    A plain read would begin anew after each signal. Bytes that are no UTF-8 become replacement characters. Raises
    ``OSError``.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest, endless = "", False
    while chunk := _chunk(descriptor, stop):
        *lines, rest = (rest + decoder.decode(chunk)).split("\n")
        if lines and endless:
            lines, endless = lines[1:], False
        yield from lines
        if len(rest) > LONGEST:
            if not endless:
                yield rest
            rest, endless = "", True
    if endless:
        return
    rest += decoder.decode(b"", final=True)
    if rest and not stop():  # a stopped line may be half of an address
        yield rest


def pipe_lines(path: str, stop: Callable[[], bool]) -> Iterator[str]:
    """The same of a named pipe or a device, also while nobody has opened its other end yet."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        yield from waited_lines(descriptor, stop)
    finally:
        os.close(descriptor)


def _chunk(descriptor: int, stop: Callable[[], bool]) -> bytes:
    """What came next; empty at the end and when stopped."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while not stop():
        if poll.poll(_LOOK_MS):
            try:
                return os.read(descriptor, _CHUNK)
            except BlockingIOError:
                continue  # somebody else was quicker
    return b""
