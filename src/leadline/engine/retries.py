"""Probes that are to be sent again: the queue of those, those given up for now, and how often each host is tried."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from leadline.engine.ledger import Items, Phase
from leadline.engine.timing import runs

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

# Waiting retransmissions looked at in one turn; more would cost more than they send.
RETRY_GLANCE = 16_384
_NONE: I64 = np.empty(0, dtype=np.int64)


class Retries:
    """``items``: columns over ``hosts * width`` items. ``most``: retransmissions that the user allows.

    ``limit``: how often a silent probe to each host is sent again; ``waiting`` and ``benched``: how many items of each
    host are in these phases. All ``(hosts,)``.
    """

    def __init__(self, items: Items, hosts: int, width: int, most: int) -> None:
        self._items, self._hosts, self._width = items, hosts, width
        self.most = most
        self.limit: I64 = np.full(hosts, min(1, most), dtype=np.int64)
        self.waiting: I64 = np.zeros(hosts, dtype=np.int64)
        self.benched: I64 = np.zeros(hosts, dtype=np.int64)
        self._useful: I64 = np.zeros(hosts, dtype=np.int64)
        self._floor = self.limit.copy()
        # Tries that do not count, of each item; made when there are any.
        self._void: U8 | None = None
        self._queue: deque[I64] = deque()

    def insist(self, limit: int) -> None:
        """Silent probes are sent again so often at least, as far as the user allows."""
        self._floor[:] = self.limit[:] = min(limit, self.most)

    def void(self, active: Bool) -> None:
        """What was tried until now was tried on an overrun path: it does not count, and begins again."""
        tries = self._items.tries
        self._void = np.where(self._items.phase == Phase.DECIDED, np.uint8(0), tries)
        self._useful[:] = 0
        self.limit = np.maximum(self._floor, np.minimum(self.limit, 2))
        self._unbench(np.flatnonzero(active & (self.benched > 0)))

    def counted(self, items: I64, codes: U8) -> U8:
        """How many of the tries before the answered one count."""
        return codes if self._void is None else codes - np.minimum(self._void[items], codes)

    def _may_go_again(self, items: I64) -> Bool:
        tries = self._items.tries[items].astype(np.int64)
        counted = tries if self._void is None else tries - self._void[items]
        result: Bool = (counted <= self.limit[items // self._width]) & (tries <= self.most)
        return result

    def wait(self, items: I64) -> None:
        """These items are to be sent again as soon as there is room."""
        if len(items):
            self._items.phase[items] = Phase.WAITING
            self.waiting += np.bincount(items // self._width, minlength=self._hosts)
            self._queue.append(items)

    def timed_out(self, items: I64) -> None:
        """Nobody waits for these items any longer: they are tried again, or given up for now where they were tried
        often enough.
        """
        again = self._may_go_again(items)
        self.wait(items[again])
        self.bench(items[~again])

    def bench(self, items: I64) -> None:
        """These items are given up for now."""
        if len(items):
            self._items.phase[items] = Phase.BENCHED
            self.benched += np.bincount(items // self._width, minlength=self._hosts)

    def take(self, allowed: I64, total: int) -> I64:
        """At most ``total`` items to send again now, for each host as many as ``allowed`` (which is lowered)."""
        if total <= 0 or not self._queue:
            return _NONE
        chunks: list[I64] = []
        looked = 0
        while self._queue and looked < RETRY_GLANCE:
            chunks.append(self._queue.popleft())
            looked += len(chunks[-1])
        # Chunks may be many and tiny: they are put together so that each is walked over once.
        items = np.concatenate(chunks)
        if len(items) > RETRY_GLANCE:
            self._queue.append(items[RETRY_GLANCE:])
            items = items[:RETRY_GLANCE]
        items = items[self._items.phase[items] == Phase.WAITING]
        if not len(items):
            return _NONE
        hosts = items // self._width
        order = np.argsort(hosts, kind="stable")
        starts, counts = runs(hosts[order])
        rank = np.empty(len(items), dtype=np.int64)
        rank[order] = np.arange(len(items)) - np.repeat(starts, counts)
        go = np.flatnonzero(rank < allowed[hosts])[:total]
        if len(go) < len(items):
            stay = np.ones(len(items), dtype=bool)
            stay[go] = False
            self._queue.append(items[stay])
        used = np.bincount(hosts[go], minlength=self._hosts)
        allowed -= used
        self.waiting -= used
        chosen: I64 = items[go]
        return chosen

    def answered(self, hosts: I64, phases: U8) -> None:
        """Items of these hosts (repeats allowed) were answered while in these phases."""
        self.waiting -= np.bincount(hosts[phases == Phase.WAITING], minlength=self._hosts)
        self.benched -= np.bincount(hosts[phases == Phase.BENCHED], minlength=self._hosts)

    def of_use(self, hosts: I64, codes: U8) -> None:
        """These hosts (repeats allowed) answered the retransmission of this number."""
        np.maximum.at(self._useful, hosts, codes)

    def grow(self, needed: I64, active: Bool, *, fall: bool = False) -> tuple[I64, I64]:
        """Raise the limits of ``active`` hosts to ``needed`` and to one more than what was of use; the items that
        were given up too early wait again. Returns hosts and their limits before.

        ``fall``: limits that are higher than that fall to it: what was lost was lost at another pace.
        """
        limit = np.minimum(np.maximum(self._useful + 1, needed), self.most)
        if fall:
            self.limit = np.where(active, np.minimum(self.limit, np.maximum(limit, self._floor)), self.limit)
        grown = np.flatnonzero(active & (limit > self.limit))
        old = self.limit[grown]
        if len(grown):
            self.limit[grown] = limit[grown]
            self._unbench(grown[self.benched[grown] > 0])
        return grown, old

    def unbench(self, hosts: I64) -> None:
        """What was given up of these hosts is somebody else's from now on."""
        self.benched[hosts] = 0

    def forget(self, hosts: I64) -> None:
        """Nothing of these hosts is to be sent again."""
        self.waiting[hosts] = 0

    def _unbench(self, hosts: I64) -> None:
        if not len(hosts):
            return
        rows, columns = np.nonzero(self._items.phase.reshape(self._hosts, self._width)[hosts] == Phase.BENCHED)
        items = hosts[rows] * self._width + columns
        items = items[self._may_go_again(items)]
        self.benched -= np.bincount(items // self._width, minlength=self._hosts)
        self.wait(items)
