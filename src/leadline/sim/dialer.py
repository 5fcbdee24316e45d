"""Dialogues with simulated services: ``net.base.Dialer`` under the virtual clock."""

from __future__ import annotations

import errno
import os
from collections import deque
from typing import TYPE_CHECKING

from leadline.model.address import Address
from leadline.model.port import Protocol
from leadline.net.base import DialEvent, Ended, Endpoint, Opened
from leadline.sim.agenda import Agenda
from leadline.sim.clock import CALL_COST
from leadline.sim.connector import START_COST
from leadline.sim.datagrams import Datagrams, SimSocket
from leadline.sim.handshake import Handshakes
from leadline.sim.known_ports import KnownPorts
from leadline.sim.line import Way, way_to
from leadline.sim.stream import SimStream

if TYPE_CHECKING:
    from leadline.link.base import Connected
    from leadline.sim.network import SimNetwork

_SEND_COST = 0.000_005


class _Opening:
    """A TCP connection whose handshake is under way; what is to be sent waits."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.unsent: list[bytes] = []


class SimDialer:
    """Streams beyond ``capacity`` wait for a free place, oldest first; what is sent meanwhile is kept.

    ``wake``: how much later than the first event ``poll`` returns, with all that happened until then; each event tells
    its own time. Firewalls judge a connection's first packet and every datagram, not the bytes of a stream.
    """

    def __init__(self, network: SimNetwork, capacity: int, wake: float) -> None:
        self.capacity = capacity
        self._network, self._wake = network, wake
        self._handshakes = Handshakes(network, KnownPorts(network))
        self._agenda = Agenda(network.clock)
        self._datagrams = Datagrams(network, self._agenda)
        self._open: dict[int, _Opening | SimStream | SimSocket] = {}
        self._waiting: dict[int, _Opening] = {}
        self._events: deque[DialEvent] = deque()
        self._ways: dict[Address, Way | None] = {}

    def open(self, token: int, endpoint: Endpoint) -> None:
        """Begin; a token that is in use is closed before."""
        self.close(token)
        opening = _Opening(endpoint)
        if len(self._open) >= self.capacity:
            self._waiting[token] = opening
        else:
            self._begin(token, opening)
        self._network.clock.advance(START_COST)

    def send(self, token: int, data: bytes) -> None:
        """Queue bytes, or one datagram."""
        now = self._network.clock.now()
        dialogue = self._open.get(token) or self._waiting.get(token)
        if isinstance(dialogue, SimStream):
            dialogue.send(data, now)
        elif isinstance(dialogue, SimSocket):
            self._datagrams.post(dialogue, data)
        elif dialogue is not None:
            dialogue.unsent.append(data)
        self._network.clock.advance(_SEND_COST)

    def start_tls(self, token: int, name: str = "") -> None:
        """Begin a TLS handshake on an open stream."""
        stream = self._open.get(token)
        if isinstance(stream, SimStream):
            stream.start_tls(name, self._network.clock.now())

    def close(self, token: int) -> None:
        """Forget a stream; no event of it follows."""
        self._waiting.pop(token, None)
        dialogue = self._open.pop(token, None)
        if isinstance(dialogue, SimStream):
            dialogue.close(self._network.clock.now())
        elif isinstance(dialogue, SimSocket):
            dialogue.close()
        else:
            self._handshakes.cancel(token)
        if self._events:
            self._events = deque(event for event in self._events if event.token != token)

    def poll(self, timeout: float) -> list[DialEvent]:
        """Move the clock to the first event and ``wake`` beyond, or by ``timeout``; all events until then."""
        clock = self._network.clock
        end = clock.now() + max(CALL_COST, timeout)
        horizon = clock.now() if self._events else end
        while True:
            self._admit()
            self._handshakes.send()
            self._datagrams.send()
            moment = self._next_time()
            if moment is None or moment > horizon:
                break
            clock.advance_to(moment)
            self._happen(moment)
            if self._events and horizon == end:
                horizon = min(end, max(clock.now(), moment + self._wake))
        clock.advance_to(horizon)
        events, self._events = list(self._events), deque()
        return events

    @property
    def descriptor(self) -> int:
        """There is none."""
        return -1

    def next_look(self, until: float) -> float:
        """The next thing to happen and ``wake`` beyond, or ``until``."""
        if self._events:
            return 0.0
        self._admit()
        self._handshakes.send()
        self._datagrams.send()
        moment = self._next_time()
        return until if moment is None else min(until, moment + self._wake)

    def close_all(self) -> None:
        """Close every stream."""
        for token in [*self._open, *self._waiting]:
            self.close(token)
        self._datagrams.clear()
        self._events.clear()

    def _next_time(self) -> float | None:
        first, second = self._handshakes.next_time(), self._agenda.next_time()
        if first is None or second is None:
            return second if first is None else first
        return min(first, second)

    def _happen(self, moment: float) -> None:
        """What comes next: handshakes that end, or the next action of the agenda."""
        planned = self._agenda.next_time()
        if planned is not None and planned <= moment:
            self._agenda.run_next()
            return
        for one in self._handshakes.take(moment):
            self._handshaken(one)

    def _admit(self) -> None:
        while self._waiting and len(self._open) < self.capacity:
            token = next(iter(self._waiting))
            self._begin(token, self._waiting.pop(token))

    def _begin(self, token: int, opening: _Opening) -> None:
        endpoint = opening.endpoint
        if endpoint.protocol is Protocol.UDP:
            socket = self._datagrams.make(token, endpoint, self._tell)
            self._open[token] = socket
            self._tell(Opened(token, self._network.clock.now()))
            for data in opening.unsent:
                self._datagrams.post(socket, data)
        else:
            self._open[token] = opening
            self._handshakes.launch(token, endpoint.address, endpoint.port, endpoint.scope)

    def _handshaken(self, one: Connected) -> None:
        opening = self._open.get(one.token)
        # Whoever closes a token cancels its handshake.
        assert isinstance(opening, _Opening)
        endpoint, error = opening.endpoint, one.error
        way = self._way(endpoint.address)
        listener = self._network.listener(way.host, endpoint.port) if way is not None else None
        if not error and (listener is None or not listener.accepts()):
            error = errno.ECONNREFUSED
        if error or way is None or listener is None:
            self._tell(Ended(one.token, one.at, "connect", error, os.strerror(error)))
            return
        random = self._network.state.random
        stream = SimStream(one.token, endpoint, way, listener, self._agenda, random, self._tell)
        self._open[one.token] = stream
        stream.connected(one.at)
        for data in opening.unsent:
            stream.send(data, one.at)

    def _way(self, address: Address) -> Way | None:
        if address not in self._ways:
            self._ways[address] = way_to(self._network.terrain, address, self._network.is_own(address))
        return self._ways[address]

    def _tell(self, event: DialEvent) -> None:
        if isinstance(event, Ended):
            self._open.pop(event.token, None)
        self._events.append(event)
