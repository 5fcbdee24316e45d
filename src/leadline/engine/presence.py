"""Whether the hosts of a group are still there: timing pings in a row that stay without an answer of any kind.

A host that was switched off, or that shuts us out in the middle of its scan, looks like one whose other ports are
filtered. Its timing pings tell the difference: they repeat a probe that it had answered.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.wire.distinct import distinct

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

# So many timing pings in a row without an answer of any kind, and the host is gone or shuts us out; more where the path
# loses so much that this could be chance, as rare as ``CHANCE``, up to ``MOST``.
GONE, MOST, CHANCE = 8, 12, 1e-6
# So many make it doubtful: the next pings leave together.
DOUBTFUL = 2


class Presence:
    """For a group of ``hosts``. ``missed``: the pings of each that were lost since it was last heard of, ``(hosts,)``.

    Such a ping is a loss on the path only once its host is heard of again. Times are those of the clock.
    """

    def __init__(self, hosts: int) -> None:
        self.missed: I64 = np.zeros(hosts, dtype=np.int64)
        self._asked: F64 = np.full(hosts, -np.inf)
        self._heard: F64 = np.full(hosts, -np.inf)
        self._gone: Bool = np.zeros(hosts, dtype=bool)

    def asked(self, hosts: I64, now: float) -> None:
        """Something leaves for these hosts (repeats allowed)."""
        self._asked[hosts] = now

    def heard(self, hosts: I64, now: float) -> tuple[I64, F64]:
        """These hosts (repeats allowed) answered something. Returns those that had missed pings, and how many."""
        self._heard[hosts] = now
        self._gone[hosts] = False
        back = distinct(hosts[self.missed[hosts] > 0])
        missed = self.missed[back].astype(np.float64)
        self.missed[back] = 0
        return back, missed

    def lost(self, hosts: I64, share: F64) -> I64:
        """Pings to these hosts (repeats allowed) were lost; ``share``: of what each loses on its path, ``(hosts,)``.

        Returns the hosts that miss too many to be there.
        """
        self.missed += np.bincount(hosts, minlength=len(self.missed))
        by_chance = np.log(CHANCE) / np.log(np.clip(share, 1e-6, 0.9))
        return np.flatnonzero(self.missed >= np.clip(np.ceil(by_chance), GONE, MOST))

    def leave(self, hosts: I64) -> None:
        """These (distinct) hosts are taken for gone until something is heard of them."""
        self.missed[hosts] = 0
        self._gone[hosts] = True

    def pardon(self) -> None:
        """What was missed until now tells nothing: the path was overrun."""
        self.missed[:] = 0

    @property
    def unheard(self) -> Bool:
        """Hosts that answered nothing since they were asked last, ``(hosts,)``."""
        unheard: Bool = self._heard < self._asked
        return unheard

    @property
    def doubtful(self) -> Bool:
        """Hosts that the next pings decide of, ``(hosts,)``."""
        doubtful: Bool = self.missed >= DOUBTFUL
        return doubtful

    def gone_since(self, host: int) -> float | None:
        """When a host that is taken for gone was heard of last; ``None``: it is there, as far as is known.

        Minus infinity where nothing was heard of it at all (an earlier stage had).
        """
        return float(self._heard[host]) if self._gone[host] else None
