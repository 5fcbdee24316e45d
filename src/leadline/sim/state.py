"""What changes in a simulated network: random numbers, buckets, bottlenecks, IP ID counters."""

from __future__ import annotations

import numpy as np

from leadline.sim.faults import Queue, TokenBuckets
from leadline.sim.identities import Identities
from leadline.sim.terrain import Terrain


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
        self.identities = Identities(terrain, random)


def _interface_number(interface: str, terrain: Terrain) -> int:
    """Position of an interface in the world, -1 for loopback."""
    names = [one.name for one in terrain.world.interfaces]
    return names.index(interface) if interface in names else -1
