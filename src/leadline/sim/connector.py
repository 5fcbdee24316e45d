"""Ordinary TCP connections in the simulated network, opened and closed again: the connect scan's."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadline.link.base import Attempt, Connected
from leadline.model.address import Address
from leadline.sim.clock import CALL_COST
from leadline.sim.handshake import Handshakes

if TYPE_CHECKING:
    from leadline.sim.network import SimNetwork

START_COST = 0.000_02


@dataclass(frozen=True, slots=True)
class _Start:
    token: int
    address: Address
    port: int
    scope: str


class SimConnector:
    """``link.base.Connector``. More attempts than ``capacity`` wait for a free place, oldest first."""

    def __init__(self, network: SimNetwork, capacity: int) -> None:
        self.capacity = capacity
        self._network = network
        self._handshakes = Handshakes(network)
        self._waiting: deque[_Start] = deque()

    def start_all(self, attempts: Sequence[Attempt]) -> None:
        """Begin attempts one after the other."""
        for attempt in attempts:
            self.start(*attempt)

    def start(self, token: int, address: Address, port: int, scope: str = "") -> None:
        """Begin an attempt; a token that is pending is begun anew."""
        self.cancel(token)
        if len(self._handshakes) >= self.capacity:
            self._waiting.append(_Start(token, address, port, scope))
        else:
            self._handshakes.launch(token, address, port, scope)
        self._network.clock.advance(START_COST)

    def cancel(self, token: int) -> None:
        """Forget an attempt, pending or waiting."""
        if not self._handshakes.cancel(token) and self._waiting:
            self._waiting = deque(start for start in self._waiting if start.token != token)

    def poll(self, timeout: float) -> list[Connected]:
        """Move the clock to the first ending, or by ``timeout``; all endings of that moment."""
        clock = self._network.clock
        end = clock.now() + max(CALL_COST, timeout)
        while True:
            self._admit()
            self._handshakes.send()
            ended = self._handshakes.take(clock.now())
            moment = self._handshakes.next_time()
            if ended or clock.now() >= end or moment is None or moment > end:
                if not ended:
                    clock.advance_to(end)
                return ended
            clock.advance_to(moment)

    @property
    def descriptor(self) -> int:
        """There is none."""
        return -1

    def next_look(self, until: float) -> float:
        """The next ending, or ``until``."""
        self._admit()
        self._handshakes.send()
        moment = self._handshakes.next_time()
        return until if moment is None else min(until, moment)

    def close(self) -> None:
        """Forget everything."""
        self._handshakes.clear()
        self._waiting.clear()

    def _admit(self) -> None:
        while self._waiting and len(self._handshakes) < self.capacity:
            start = self._waiting.popleft()
            self._handshakes.launch(start.token, start.address, start.port, start.scope)
