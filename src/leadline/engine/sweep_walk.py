"""The way of a sweep through its probes: positions instead of memory.

A chunk is some neighbouring indices of a walk over hosts (which a key has shuffled) with a few ports each. Its *items*
(``host * ports + column``) are visited in rounds: each host once, then each host with its next port, so that no host
gets two probes in a row. A position tells the item and an item its position; when it was sent is known from its
position, so nothing is kept of a probe.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


class HostWalk(Protocol):
    """Hosts in the order of a walk (``targets.space.HostSpace``)."""

    @property
    def family(self) -> int: ...

    @property
    def size(self) -> int:
        """How many indices there are."""
        ...

    def addresses(self, index: U64) -> tuple[U64, U64, Bool]:
        """``hi``, ``lo`` of the hosts at these indices ``(N,)``, and which of them are to be scanned."""
        ...

    def find(self, hi: U64, lo: U64) -> I64:
        """Indices of these addresses, int64 ``(N,)``, -1 for strangers."""
        ...


class Rounds:
    """``hosts`` with ``ports`` each, at least one. The greatest position is ``size - 1``."""

    def __init__(self, hosts: int, ports: int) -> None:
        self.hosts, self.ports = hosts, ports
        self.size = hosts * ports

    def items(self, first: int, last: int) -> I64:
        """Items at the positions from ``first`` to ``last`` (exclusive)."""
        position = np.arange(first, last, dtype=np.int64)
        if self.ports == 1:
            return position
        turn, host = np.divmod(position, self.hosts)
        items: I64 = host * self.ports + (turn + host) % self.ports
        return items

    def positions(self, items: I64) -> I64:
        """Where these items come."""
        if self.ports == 1:
            return items
        host, column = np.divmod(items, self.ports)
        positions: I64 = (column - host) % self.ports * self.hosts + host
        return positions


class SendTimes:
    """When the positions of one pass were sent: one entry a batch."""

    def __init__(self) -> None:
        self._starts: I64 = np.zeros(256, np.int64)
        self._times: F64 = np.zeros(256)
        self._count = 0

    def book(self, start: int, now: float) -> None:
        """The positions from ``start`` on leave now, up to the next start; ``start`` never falls."""
        if self._count == len(self._starts):
            self._starts = np.concatenate((self._starts, self._starts))
            self._times = np.concatenate((self._times, self._times))
        self._starts[self._count], self._times[self._count] = start, now
        self._count += 1

    def at(self, positions: I64) -> F64:
        """Clock seconds at which these positions left (they must have been booked)."""
        places = np.searchsorted(self._starts[: self._count], positions, side="right") - 1
        result: F64 = self._times[: self._count][np.maximum(places, 0)]
        return result

    def ripe(self, timeout: float, now: float, end: int) -> int:
        """The positions below this one left at least ``timeout`` ago; ``end``: where the pass stands."""
        place = self._place(timeout, now)
        return end if place == self._count else int(self._starts[place])

    def next_ripe(self, timeout: float, now: float) -> float | None:
        """When ``ripe`` will be more; ``None``: never."""
        place = self._place(timeout, now)
        return None if place == self._count else float(self._times[place]) + timeout

    def _place(self, timeout: float, now: float) -> int:
        return int(np.searchsorted(self._times[: self._count] + timeout, now, side="right"))
