"""Signals that end a scan: the first asks for an end, the second insists, the third does not wait for anything."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Protocol

from leadline.cli import exit_codes

_WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stoppable(Protocol):
    """``engine.control.Control``: ``stop`` is empty while the scan may go on."""

    stop: str


class StopSignals:
    """While entered, SIGINT, SIGTERM and SIGHUP set ``control.stop`` to their name; the scan then ends in good order.

    A second signal raises ``KeyboardInterrupt`` wherever the program is: reports are still closed. A third one
    leaves at once by ``leave`` (``os._exit``), after ``before_leaving`` has put the terminal right.
    """

    def __init__(self, control: Stoppable, leave: Callable[[int], None] = os._exit) -> None:
        self._control = control
        self.before_leaving: Callable[[], None] = lambda: None
        self._leave = leave
        self._count = 0
        self._previous: dict[signal.Signals, object] = {}

    def __enter__(self) -> StopSignals:
        for each in _WATCHED:
            # Somebody who started us with a signal ignored (nohup) wants it ignored.
            if signal.getsignal(each) is not signal.SIG_IGN:
                self._previous[each] = signal.signal(each, self._received)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for each, handler in self._previous.items():
            signal.signal(each, handler)  # type: ignore[arg-type]
        self._previous.clear()

    def _received(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        self._count += 1
        if not self._control.stop:
            self._control.stop = name
        if self._count == 2:
            raise KeyboardInterrupt(name)
        if self._count > 2:
            self.before_leaving()
            self._leave(exit_codes.for_signal(name))
