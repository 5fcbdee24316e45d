"""How long each host of a group has been worked on: the clock of ``--host-timeout``.

It runs only while something is done about the host, in stages after discovery (spec sheet 2.7): a host that waits for
its next stage, or for the neighbours that share its group, loses no time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]


class HostClocks:
    """``limit``: seconds that each host is granted (``None``: no end); ``spent``: those of before, ``(N,)``."""

    def __init__(self, hosts: int, limit: float | None) -> None:
        self.limit = limit
        self.spent: NDArray[np.float64] = np.zeros(hosts)
        self._since: NDArray[np.float64] = np.full(hosts, np.nan)

    def start(self, rows: I64, now: float) -> None:
        """These hosts are worked on from now on."""
        stopped = rows[np.isnan(self._since[rows])]
        self._since[stopped] = now

    def stop(self, rows: I64, now: float) -> None:
        """These hosts wait, or are finished; who is stopped already stays so."""
        running = rows[~np.isnan(self._since[rows])]
        self.spent[running] += now - self._since[running]
        self._since[running] = np.nan

    def overdue(self, now: float) -> I64:
        """Hosts that are worked on and have had their time."""
        if self.limit is None:
            return np.empty(0, dtype=np.int64)
        with np.errstate(invalid="ignore"):
            return np.flatnonzero(self.spent + (now - self._since) > self.limit)
