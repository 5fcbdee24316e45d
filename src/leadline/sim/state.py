"""What changes in a simulated network: random numbers, buckets, bottlenecks, IP ID counters."""

from __future__ import annotations

import numpy as np

from leadline.sim.faults import Queue, TokenBuckets
from leadline.sim.terrain import Terrain
from leadline.sim.traffic import I32, U32
from leadline.sim.world import IpIdentity


class State:
    """One network's changing state. ``random`` is the only source of chance in the simulator."""

    def __init__(self, terrain: Terrain, random: np.random.Generator) -> None:
        self.random = random
        self.buckets = TokenBuckets(terrain.buckets)
        # A router's stretch is one bottleneck for all ways through it; subnets and cables have their own.
        shared: dict[tuple[str, int], Queue] = {}
        self.queues: list[list[Queue | None]] = []
        for number, path in enumerate(terrain.paths):
            owners = [("cable", _interface_number(path.interface, terrain)), *(("router", r) for r in path.routers)]
            owners.append(("subnet", number))
            queues: list[Queue | None] = []
            for owner, stretch in zip(owners, path.stretches, strict=False):
                if stretch.rate > 0.0:
                    queues.append(shared.setdefault(owner, Queue(stretch.rate, stretch.queue)))
                else:
                    queues.append(None)
            self.queues.append(queues)
        self._terrain = terrain
        self._counters = random.integers(0, 1 << 16, len(terrain.hosts), dtype=np.int64)

    def ip_ids(self, host: I32) -> U32:
        """IPv4 identification of the next packets of these hosts, in row order; int32 ``(N,)`` -> uint32 ``(N,)``."""
        terrain = self._terrain
        identity = terrain.identity[host]
        result = np.zeros(len(host), np.uint32)
        drawn = identity == IpIdentity.RANDOM
        if drawn.any():
            result[drawn] = self.random.integers(1, 1 << 16, int(drawn.sum()), dtype=np.uint32)
        if terrain.counts_identity:
            counted = np.flatnonzero(identity == IpIdentity.INCREMENT)
            owners = host[counted]
            order = np.argsort(owners, kind="stable")
            first = np.concatenate([[True], owners[order][1:] != owners[order][:-1]]) if len(order) else order > 0
            starts = np.flatnonzero(first)
            nth = np.arange(len(order)) - np.repeat(starts, np.diff([*starts, len(order)]))
            result[counted[order]] = (self._counters[owners[order]] + nth + 1) & 0xFFFF
            np.add.at(self._counters, owners, 1)
        return result


def _interface_number(interface: str, terrain: Terrain) -> int:
    """Position of an interface in the world, -1 for loopback."""
    names = [one.name for one in terrain.world.interfaces]
    return names.index(interface) if interface in names else -1
