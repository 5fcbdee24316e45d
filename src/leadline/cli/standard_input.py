"""Standard input as a list of targets (``-iL -``) that a signal can end, although nobody types on."""

from __future__ import annotations

import codecs
import io
import os
import select
import sys
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TextIO, cast

_LOOK_MS = 100
_CHUNK = 65536


class StoppableInput:
    """While entered, stands in for ``sys.stdin``: its lines, read as they come, until the end or until ``stop``.

    A plain read would begin anew after each signal. Bytes that are no UTF-8 become replacement characters.
    """

    def __init__(self, stop: Callable[[], bool]) -> None:
        self._stop = stop
        self._before: TextIO | None = None
        self._number = -1

    def __enter__(self) -> StoppableInput:
        try:
            self._number = sys.stdin.fileno()
        except (OSError, ValueError, io.UnsupportedOperation):
            return self  # no descriptor to look at: it stays as it is
        self._before, sys.stdin = sys.stdin, cast(TextIO, self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._before is not None:
            sys.stdin = self._before
            self._before = None

    def __iter__(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        rest = ""
        while chunk := self._chunk():
            *lines, rest = (rest + decoder.decode(chunk)).split("\n")
            yield from lines
        rest += decoder.decode(b"", final=True)
        if rest and not self._stop():  # a stopped line may be half of an address
            yield rest

    def _chunk(self) -> bytes:
        """What came next; empty at the end and when stopped."""
        poll = select.poll()
        poll.register(self._number, select.POLLIN)
        while not self._stop():
            if poll.poll(_LOOK_MS):
                return os.read(self._number, _CHUNK)
        return b""
