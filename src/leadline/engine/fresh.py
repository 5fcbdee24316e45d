"""Probes that were not sent yet: in which order each host's leave, and how far it has got."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_NONE: I64 = np.empty(0, dtype=np.int64)


class Fresh:
    """``order``: the columns in the order in which they are sent: ``(width,)`` for all hosts alike, or, with
    ``offsets`` ``(hosts + 1,)``, one run for each host (``order[offsets[h]:offsets[h + 1]]``).

    ``counts``: how many probes each host is to get; ``cursor``: how many of them it got, both ``(hosts,)``.
    """

    def __init__(self, hosts: int, width: int, order: I64, offsets: I64 | None) -> None:
        self._width, self._order, self._offsets = width, order, offsets
        self.counts: I64 = np.diff(offsets) if offsets is not None else np.full(hosts, len(order), dtype=np.int64)
        self.cursor: I64 = np.zeros(hosts, dtype=np.int64)

    @property
    def left(self) -> I64:
        """How many probes each host has not got yet, ``(hosts,)``."""
        left: I64 = self.counts - self.cursor
        return left

    @property
    def used_up(self) -> Bool:
        """Hosts that got all of theirs, ``(hosts,)``."""
        used_up: Bool = self.cursor == self.counts
        return used_up

    def first_of(self, host: int) -> int:
        """The column that this host gets first."""
        return int(self._order[self._offsets[host] if self._offsets is not None else 0])

    def skip(self, hosts: I64) -> int:
        """These (distinct) hosts get nothing more; how many probes that saves."""
        saved = int(self.left[hosts].sum())
        self.cursor[hosts] = self.counts[hosts]
        return saved

    def take(self, allowed: I64, total: int) -> I64:
        """At most ``total`` items to send now, for each host as many as ``allowed``."""
        if total <= 0:
            return _NONE
        wanted = np.minimum(allowed, self.left)
        hosts = np.flatnonzero(wanted > 0)
        if not len(hosts):
            return _NONE
        # The hosts that are furthest behind go first, so that all of a group get their first probe before any its
        # second.
        hosts = hosts[np.argsort(self.cursor[hosts], kind="stable")[:total]]
        share = wanted[hosts]
        ends = np.cumsum(share)
        if ends[-1] > total:
            share = np.minimum(share, -(-total // len(hosts)))
            over = np.cumsum(share) - total
            share = np.maximum(0, share - np.maximum(0, np.minimum(over, share)))
            ends = np.cumsum(share)
        rank = np.arange(ends[-1]) - np.repeat(ends - share, share)
        step = np.repeat(self.cursor[hosts], share) + rank
        if self._offsets is not None:
            step = step + np.repeat(self._offsets[hosts], share)
        self.cursor[hosts] += share
        every = np.repeat(hosts, share)
        interleaved = np.argsort(rank, kind="stable")
        items: I64 = (every * self._width + self._order[step])[interleaved]
        return items
