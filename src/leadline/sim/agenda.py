"""What is to happen when, in order of time."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from leadline.sim.clock import VirtualClock


class Agenda:
    """Actions at moments of a virtual clock, which it only reads; those of one moment in the order of being put in."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._entries: list[tuple[float, int, Callable[[float], None]]] = []
        self._serial = 0

    def now(self) -> float:
        """The clock's time; may be ahead of the next entry when somebody else moved it on."""
        return self._clock.now()

    def put(self, at: float, action: Callable[[float], None]) -> None:
        """Call ``action`` with ``at`` when it is that time."""
        self._serial += 1
        heappush(self._entries, (at, self._serial, action))

    def next_time(self) -> float | None:
        """When the next action is due, ``None`` when nothing is."""
        return self._entries[0][0] if self._entries else None

    def run_next(self) -> None:
        """Carry out the next action."""
        at, _, action = heappop(self._entries)
        action(at)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
