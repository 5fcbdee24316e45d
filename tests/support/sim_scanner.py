"""A very small scanner over a simulated network: sends columns, collects what comes back. No timing, no verdicts."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import numpy as np

from leadline.link.base import CaptureFilter, Route
from leadline.model.address import columns_of
from leadline.sim.network import SimNetwork
from leadline.sim.world import World
from leadline.wire.batch import FrameBatch, concatenate, empty
from leadline.wire.columns import Decoded, Kind, decode
from leadline.wire.template import ArpTemplate, Framing, IcmpTemplate, NeighborTemplate, TcpTemplate, UdpTemplate

FIRST_PORT, LAST_PORT = 40_000, 40_999


class Scanner:
    """Opens the link towards ``target``, knows its next hop's MAC, sends probes and receives until it is quiet."""

    def __init__(self, world: World, target: str, seed: int = 1, **options: Any) -> None:
        self.network = SimNetwork(world, seed, **options)
        self.family = ip_address(target).version
        self.route = self.route_to(target)
        capture = CaptureFilter(self.family, self.route.source, FIRST_PORT, LAST_PORT, neighbors=True)
        self.link = self.network.open_link(self.route.interface, capture)
        source = int(self.route.source)
        offset, mac = self.route.interface.link_header, self.route.interface.mac
        self.framing = Framing(self.family, offset, mac, source >> 64, source & ((1 << 64) - 1))
        self.mac: bytes | None = None

    def route_to(self, target: str) -> Route:
        hi, lo = columns_of([ip_address(target)])
        routed = self.network.routes(ip_address(target).version, hi, lo, {})
        return routed.routes[routed.route_of[0]]

    def who_has(self, *targets: str) -> Decoded:
        hi, lo = columns_of([ip_address(target) for target in targets])
        template = ArpTemplate(self.framing) if self.family == 4 else NeighborTemplate(self.framing)
        return self.exchange(template.build(hi, lo))

    def next_hop(self, target: str) -> bytes:
        asked = str(self.route.gateway or target)
        answer = self.who_has(asked)
        assert len(answer) == 1, f"nobody has {asked}"
        return bytes(answer.mac[0])

    def macs(self, target: str, count: int) -> np.ndarray:
        if self.route.interface.kind != "ethernet":
            return np.zeros((count, 6), np.uint8)
        if self.mac is None or self.route.gateway is None:
            self.mac = self.next_hop(target)
        return np.tile(np.frombuffer(self.mac, np.uint8), (count, 1))

    def tcp_frames(self, target: str, ports: list[int], flags: int = 2, ttl: int = 64, **fields: Any) -> FrameBatch:
        count = len(ports)
        hi, lo = columns_of([ip_address(target)] * count)
        sequence = np.arange(count, dtype=np.uint32) * 65_536 + 7 if "sequence" not in fields else fields["sequence"]
        return TcpTemplate(self.framing, flags).build(
            hi,
            lo,
            self.macs(target, count),
            fields.get("source_port", FIRST_PORT),
            np.array(ports, np.uint16),
            sequence,
            fields.get("acknowledgment", 0),
            ttl,
            fields.get("ip_id", 99),
        )

    def tcp(self, target: str, ports: list[int], flags: int = 2, ttl: int = 64, **fields: Any) -> Decoded:
        return self.exchange(self.tcp_frames(target, ports, flags, ttl, **fields))

    def udp(self, target: str, ports: list[int], ttl: int = 64) -> Decoded:
        hi, lo = columns_of([ip_address(target)] * len(ports))
        template = UdpTemplate(self.framing, b"hello")
        macs = self.macs(target, len(ports))
        return self.exchange(template.build(hi, lo, macs, FIRST_PORT, np.array(ports, np.uint16), ttl, 5))

    def icmp(self, target: str, kind: Any, payload: bytes = b"", ttl: int = 64) -> Decoded:
        hi, lo = columns_of([ip_address(target)])
        template = IcmpTemplate(self.framing, kind, payload)
        return self.exchange(template.build(hi, lo, self.macs(target, 1), 321, 7, ttl, 5))

    def exchange(self, batch: FrameBatch, quiet: float = 10.0) -> Decoded:
        """Send all, then receive until nothing has come for ``quiet`` virtual seconds."""
        self.frames = self.exchange_frames(batch, quiet)
        return decode(self.frames)

    def exchange_frames(self, batch: FrameBatch, quiet: float = 10.0) -> FrameBatch:
        offset = 0
        while offset < len(batch):
            rest = batch.pick(slice(offset, None))
            offset += self.link.send(rest)
        parts = [empty(batch.offset)]
        while True:
            self.link.wait(quiet)
            got = self.link.receive()
            if not len(got):
                return concatenate(parts)
            parts.append(got)


def states(answers: Decoded) -> dict[int, str]:
    """Ports by what their TCP answers say."""
    result = {}
    for row in np.flatnonzero(answers.kind == Kind.TCP).tolist():
        flags = int(answers.tcp_flags[row])
        result[int(answers.source_port[row])] = "open" if flags & 0x16 == 0x12 else "closed" if flags & 4 else "odd"
    return result
