"""The progress line: one line at the bottom of a terminal, redrawn in place, gone when anything else is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TextIO

from leadline.model.event import Event, ScanEnded, TaskEnded, TaskProgress, TaskStarted

_ERASE = "\r\x1b[K"
_SHORTEST_REDRAW = 0.1
_BAR = 10


def progress_line(event: TaskProgress, width: int, others: Iterable[TaskProgress] = ()) -> str:
    """What is known of the running stage, in at most ``width`` columns: what matters least is left out first.

    ``others``: stages that run beside it, of which only the share is told.

    ``SYN Stealth Scan [####......]   41%  3 hosts at work  8 done  1,210 packets/s  0:00:12 left``
    """
    percent = min(max(event.percent, 0.0), 100.0)
    filled = int(percent / 100 * _BAR)
    parts = [
        (0, event.task),
        (4, f"[{'#' * filled}{'.' * (_BAR - filled)}]"),
        (0, f"{percent:3.0f}%"),
        (3, f"{event.hosts_active:,} hosts at work" if event.hosts_active else ""),
        (3, f"{event.hosts_done:,} done ({event.hosts_up:,} up)"),
        (2, f"{event.rate:,.0f} packets/s"),
        (1, f"{_span(event.remaining)} left" if event.remaining is not None else ""),
        *((5, f"+ {other.task} {min(max(other.percent, 0.0), 100.0):.0f}%") for other in others),
    ]
    kept = [(rank, text) for rank, text in parts if text]
    while len(kept) > 1 and len("  ".join(text for _, text in kept)) > width:
        kept.remove(max(kept, key=lambda part: part[0]))
    return "  ".join(text for _, text in kept)[: max(width, 0)]


def _span(seconds: float) -> str:
    whole = round(min(max(seconds, 0.0), 359_999.0))
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


class LiveLine:
    """``stream``: the terminal; ``width()``: its columns now; ``now()``: seconds, to redraw not too often."""

    def __init__(self, stream: TextIO, width: Callable[[], int], now: Callable[[], float]) -> None:
        self._stream = stream
        self._width = width
        self._now = now
        # By task, the one that has been at work for longest first.
        self._latest: dict[str, TaskProgress] = {}
        self._begun: Counter[str] = Counter()
        self._shown = ""
        self._drawn_at = -1.0

    def feed(self, event: Event) -> None:
        """Call after the reports had the event: shows the line anew when it changed or was wiped away."""
        if isinstance(event, TaskProgress):
            self._latest[event.task] = event
        elif isinstance(event, TaskStarted | TaskEnded | ScanEnded):
            self._turn(event)
            self.erase()
        if not self._latest:
            return
        first, *others = self._latest.values()
        line = progress_line(first, self._width() - 1, others)
        now = self._now()
        if line != self._shown and now - self._drawn_at >= _SHORTEST_REDRAW:
            self._write(_ERASE + line)
            self._shown, self._drawn_at = line, now

    def _turn(self, event: TaskStarted | TaskEnded | ScanEnded) -> None:
        """Groups of one task overlap: it is over when the last of them is."""
        if isinstance(event, TaskStarted):
            self._begun[event.task] += 1
        elif isinstance(event, ScanEnded):
            self._latest.clear()
        else:
            self._begun[event.task] -= 1
            if self._begun[event.task] <= 0:
                self._latest.pop(event.task, None)

    def erase(self) -> None:
        """Wipe the line away: something else is going to be written."""
        if self._shown:
            self._write(_ERASE)
            self._shown = ""

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone; the reports decide what that means
            self._latest.clear()


class InFront:
    """Stands in front of a standard stream and wipes the progress line away before anything is written there."""

    def __init__(self, stream: TextIO, line: LiveLine) -> None:
        self._stream = stream
        self._line = line

    @property
    def encoding(self) -> str:
        """Of the stream behind."""
        return self._stream.encoding

    def write(self, text: str) -> int:
        """Like the stream's own."""
        if text:
            self._line.erase()
        return self._stream.write(text)

    def flush(self) -> None:
        """Like the stream's own."""
        self._stream.flush()

    def fileno(self) -> int:
        """Of the stream behind."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Of the stream behind."""
        return self._stream.isatty()
