"""Standard input as a list of targets (``-iL -``) that a signal can end, although nobody types on."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TextIO, cast

from leadline.net.waited_lines import waited_lines


class StoppableInput:
    """While entered, stands in for ``sys.stdin``: its lines, read as they come, until the end or until ``stop``.

    See ``net.waited_lines``.
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
        return waited_lines(self._number, self._stop)
