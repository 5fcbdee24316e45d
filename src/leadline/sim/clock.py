"""Virtual time: it moves only when somebody moves it."""

from __future__ import annotations

# Seconds that the shortest wait takes.
CALL_COST = 0.000_001


class VirtualClock:
    """The clock of a simulated network (``link.base.Clock``). Never goes backwards.

    Starts at ``start`` seconds; ``epoch_start`` is that moment in seconds since 1970.
    """

    __slots__ = ("_epoch_offset", "_now")

    def __init__(self, start: float = 1000.0, epoch_start: float = 1_750_000_000.0) -> None:
        self._now = start
        self._epoch_offset = epoch_start - start

    def now(self) -> float:
        """Seconds on the virtual monotonic clock."""
        return self._now

    def epoch(self) -> float:
        """Virtual seconds since 1970."""
        return self._now + self._epoch_offset

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds`` (negative or NaN values are refused with ``ValueError``)."""
        if not seconds >= 0.0:
            raise ValueError(f"time cannot move by {seconds}")
        self._now += seconds

    def advance_to(self, moment: float) -> None:
        """Move on to ``moment``; a moment in the past changes nothing."""
        self._now = max(self._now, moment)
