"""Open ports that have answered before: a further handshake with one of them needs no columns.

Columns make a batch of thousands cheap and a single packet dear; dialogues open one connection after the other to ports
that are known to be open. What the columns would decide again is always the same there, but for loss and jitter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadline.model.address import Address
from leadline.sim.line import Way, way_to

if TYPE_CHECKING:
    from leadline.sim.network import SimNetwork


class KnownPorts:
    """Only where an answer depends on nothing but chance: no liar, no bottleneck, no limit, no reordering."""

    def __init__(self, network: SimNetwork) -> None:
        self._network = network
        self._ways: dict[tuple[Address, int, str], Way] = {}

    def learn(self, address: Address, port: int, scope: str) -> None:
        """This port has accepted a connection."""
        if (address, port, scope) in self._ways:
            return
        network = self._network
        terrain = network.terrain
        way = way_to(terrain, address, network.is_own(address))
        if way is None or terrain.lie[way.host] >= 0 or terrain.probe_bucket[way.host] >= 0:
            return
        queues = network.state.queues[way.path]
        reorders = terrain.paths[way.path].reordering or terrain.reordering[way.host]
        if not reorders and not any(queue is not None for queue in queues):
            self._ways[address, port, scope] = way

    def knows(self, address: Address, port: int, scope: str) -> bool:
        """Whether ``answer`` may be asked."""
        return (address, port, scope) in self._ways

    def answer(self, address: Address, port: int, scope: str, sent: float) -> float | None:
        """When the SYN/ACK to a SYN is here, ``None`` when one of both is lost."""
        way = self._ways[address, port, scope]
        random, tally = self._network.state.random, self._network.tally
        tally.probes += 1
        if way.loss and random.random() < way.loss:
            return None
        tally.arrived += 1
        tally.answers += 1
        if way.loss and random.random() < way.loss:
            tally.lost_answers += 1
            return None
        there_and_back = 2.0 * way.latency + way.think
        if way.jitter:
            there_and_back += way.jitter * float(random.random() + random.random())
        return sent + there_and_back
