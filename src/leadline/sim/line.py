"""The way of a byte stream in one direction: bytes arrive late, but all of them and in order."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.random import Generator

from leadline.model.address import Address, columns_of
from leadline.sim.terrain import Terrain

# Linux: the shortest retransmission timeout (TCP_RTO_MIN, 200 ms); it doubles each time (RFC 6298 section 5.5).
_SHORTEST_TIMEOUT = 0.2
_MOST_RESENDS = 8


@dataclass(frozen=True, slots=True)
class Way:
    """How far a host is.

    ``host`` and ``path``: their numbers in the terrain; ``latency`` and ``jitter``: seconds one way; ``loss``:
    probability for one packet; ``think``: seconds that its stack takes to answer.
    """

    host: int
    latency: float
    jitter: float = 0.0
    loss: float = 0.0
    think: float = 0.0
    path: int = 0


def way_to(terrain: Terrain, address: Address, local: bool) -> Way | None:
    """The way to the host that has an address, ``None`` when nobody has. ``local``: the address is our own."""
    if local:
        host, number, depth = terrain.local_host, terrain.loopback_path, 0
    else:
        endpoints = terrain.endpoints[address.version]
        row = int(endpoints.index.find(*columns_of([address]))[0])
        if row < 0:
            return None
        host, number, depth = int(endpoints.host[row]), int(endpoints.path[row]), int(endpoints.depth[row])
    path = terrain.paths[number]
    return Way(
        host,
        float(path.latency[depth] + terrain.latency[host]),
        float(path.jitter[depth] + terrain.jitter[host]),
        # Without loss exactly 0: no chance is drawn then.
        float(1.0 - path.survival[depth] * (1.0 - terrain.loss[host])),
        float(terrain.think[host]),
        number,
    )


class Line:
    """One direction of one connection."""

    __slots__ = ("_latest", "_random", "_way")

    def __init__(self, way: Way, random: Generator) -> None:
        self._way, self._random, self._latest = way, random, float("-inf")

    def arrival(self, sent: float) -> float:
        """When bytes sent at ``sent`` are there: never before those sent earlier."""
        way = self._way
        late = way.latency
        if way.jitter:
            late += way.jitter * float(self._random.random())
        if way.loss:
            timeout = _SHORTEST_TIMEOUT + 2.0 * way.latency
            resends = 0
            while resends < _MOST_RESENDS and self._random.random() < way.loss:
                late += timeout
                timeout *= 2.0
                resends += 1
        self._latest = max(self._latest, sent + late)
        return self._latest
