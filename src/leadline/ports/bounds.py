"""What ends the port scan of a host before its time: ``--host-timeout`` and ``--max-open-ports``."""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from leadline.engine.group import HostGroup
from leadline.engine.host_clock import HostClocks
from leadline.engine.turns import Step
from leadline.model.address import Address
from leadline.model.event import PortFound
from leadline.wire.distinct import distinct


class Bound(Enum):
    """What ends the scan of a host before its time."""

    TIME = "--host-timeout"
    OPEN_PORTS = "--max-open-ports"


class Bounds:
    """Of one group, over all techniques. ``limit``: of the clocks; ``most_open``: open ports after which a host is
    given up (``None``: never).
    """

    def __init__(self, group: HostGroup, limit: float | None, most_open: int | None) -> None:
        self.clocks = HostClocks(len(group), limit)
        self._most = most_open
        self._rows: dict[Address, int] = {}
        if most_open is not None:
            self._rows = {group.address(row): row for row in range(len(group))}
        self._found: dict[int, set[tuple[int, int]]] = {}
        self._full: list[int] = []

    def see(self, step: Step) -> None:
        """An event of the scan: open ports are counted."""
        if self._most is None or not isinstance(step, PortFound):
            return
        row, port = self._rows[step.address], step.port
        found = self._found.setdefault(row, set())
        found.add((port.protocol, port.number))
        if len(found) == self._most:
            self._full.append(row)

    def given_up(self) -> NDArray[np.int64]:
        """Hosts that have reached the number since the last call."""
        full, self._full = self._full, []
        return distinct(np.array(full, dtype=np.int64))

    def begin(self, row: int, now: float) -> None:
        """For techniques that take one host at a time: this one is worked on from now on."""
        self.clocks.start(np.array([row]), now)

    def end(self, row: int, now: float) -> float:
        """It is not any more; how many seconds it has had in all."""
        self.clocks.stop(np.array([row]), now)
        return float(self.clocks.spent[row])

    def reached(self, row: int, now: float) -> Bound | None:
        """Which bound a host that was begun has reached."""
        if row in self.clocks.overdue(now):
            return Bound.TIME
        return Bound.OPEN_PORTS if row in self.given_up() else None
