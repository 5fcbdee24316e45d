"""Dialogues with one simulated host, told as short lines that a test can write down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

from leadline.model.port import Protocol
from leadline.model.service import TlsFacts
from leadline.net.base import DialEvent, Ended, Endpoint, Opened, Received
from leadline.sim.faults import LinkFaults
from leadline.sim.network import SimNetwork
from leadline.sim.world import PortTable, SimHost, SimService, World, simple_world

V4, V6 = ip_address("10.0.0.1"), ip_address("2001:db8:ffff::5")
LATENCY = 0.01
ROUND = 2 * LATENCY
_NEAR = LinkFaults(latency=LATENCY)

Line = tuple[object, ...]


def world_of(services: Sequence[SimService], faults: LinkFaults = _NEAR, **fields: object) -> World:
    """A host with these services on open ports, 10 ms away."""
    tables = {
        name: PortTable(open=frozenset(one.port for one in services if one.protocol == number))
        for name, number in (("tcp", 6), ("udp", 17))
    }
    host = SimHost((V4, V6), **(tables | {"services": tuple(services)} | fields))  # type: ignore[arg-type]
    return simple_world([host], faults=faults)


class Talk:
    """A dialer and what it told so far. ``lines``: (seconds since the beginning, event) of each event."""

    def __init__(self, *services: SimService, seed: int = 0, limit: int | None = None, **fields: object) -> None:
        self.network = SimNetwork(world_of(services, **fields), seed)  # type: ignore[arg-type]
        self.dialer = self.network.dialer(limit)
        self.began = self.network.clock.now()
        self.events: list[DialEvent] = []

    def open(self, token: int, port: int = 0, *, tls: bool = False, name: str = "", udp: bool = False) -> None:
        """Open a stream to a port (``port`` 0: the token's number)."""
        protocol = Protocol.UDP if udp else Protocol.TCP
        self.dialer.open(token, Endpoint(V4, port or token, protocol, tls=tls, name=name))

    def run(self, seconds: float = 1.0) -> None:
        """Let so much time pass."""
        clock = self.network.clock
        end = clock.now() + seconds
        while clock.now() < end:
            self.events += self.dialer.poll(end - clock.now())

    def heard(self, token: int) -> list[Line]:
        """What was told of one stream: ``("opened",)``, ``("received", bytes)``, ``("ended", phase, errno)``."""
        return [_line(event) for event in self.events if event.token == token]

    def times(self, token: int) -> list[float]:
        """When it was told, in seconds since the beginning."""
        return [event.at - self.began for event in self.events if event.token == token]

    def last(self, token: int) -> DialEvent:
        """The last event of one stream."""
        return [event for event in self.events if event.token == token][-1]

    def say(self, token: int, *words: bytes, pause: float = 0.2) -> list[Line]:
        """Send word after word, with pauses in which the answers come; what was told of the stream so far."""
        for word in words:
            self.dialer.send(token, word)
            self.run(pause)
        return self.heard(token)


def _line(event: DialEvent) -> Line:
    if isinstance(event, Opened):
        return ("opened",)
    if isinstance(event, Received):
        return ("received", event.data)
    assert isinstance(event, Ended)
    return ("ended", event.phase, event.error)


def answers(service: SimService, *words: bytes, tls: bool = False) -> list[bytes]:
    """What one connection to a service on a port of its own is told: after connecting, then after each word."""
    talk = Talk(replace(service, port=1))
    talk.open(1, tls=tls)
    talk.run(0.2)
    said = [_said(talk)]
    for word in words:
        talk.say(1, word)
        said.append(_said(talk)[sum(map(len, said)) :])
    return said


def is_over(service: SimService, *words: bytes) -> bool:
    """Whether a plain connection is over after these words."""
    talk = Talk(replace(service, port=1))
    talk.open(1)
    talk.run(0.2)
    return talk.say(1, *words)[-1][0] == "ended"


def start_tls(service: SimService, *words: bytes) -> TlsFacts | None:
    """What a TLS handshake after these words tells, ``None`` when there is none."""
    talk = Talk(replace(service, port=1))
    talk.open(1)
    talk.run(0.2)
    talk.say(1, *words)
    talk.dialer.start_tls(1, "host.example")
    talk.run(0.2)
    last = talk.last(1)
    return last.tls if isinstance(last, Opened) else None


def _said(talk: Talk) -> bytes:
    return b"".join(event.data for event in talk.events if isinstance(event, Received))
