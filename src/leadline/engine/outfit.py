"""The shape of a scan's packets with every chance drawn: what the plan leaves open is the same for the whole scan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from leadline.link.base import Route
from leadline.model.address import Address
from leadline.model.plan import PacketShape
from leadline.wire.shaping import OWN, FrameShape

# Of the addresses that nobody gave us: not a group's, and made up (IEEE 802-2014 section 8.2.2).
_GROUP_BIT, _LOCAL_BIT = 1, 2
# One's own place among decoys is drawn from so many, as with Nmap (spec sheet 5).
_OWN_PLACES = 6

BAD_CHECKSUM = "with a wrong checksum"
"""In evidence; ``report.meanings`` looks for it."""


@dataclass(frozen=True, slots=True)
class Outfit:
    """``shape`` of the plan; ``mac``: the whole hardware address to send from; ``data``: behind transport headers.

    ``sources``: by address family, the senders of each frame in order as numbers, ``wire.shaping.OWN`` for ourselves.
    """

    shape: PacketShape = field(default_factory=PacketShape)
    mac: bytes | None = None
    data: bytes | None = None
    sources: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def route(self, route: Route) -> Route:
        """A route as this scan uses it: our source address, hardware address and way of sending."""
        interface, source = route.interface, route.source
        if self.shape.source is not None and self.shape.source.version == source.version:
            source = self.shape.source
        if interface.kind == "ethernet" and self.mac is not None:
            interface = replace(interface, mac=self.mac)
        if interface.kind != "loopback" and self.shape.layer == "ip":
            interface = replace(interface, by_kernel=True)
        return replace(route, interface=interface, source=source)

    def frames(self, family: int) -> FrameShape:
        """What is done to the frames of one family."""
        shape, is_v4 = self.shape, family == 4
        return FrameShape(
            source_port=shape.source_port,
            ttl=shape.ttl,
            data=self.data,
            options=shape.ip_options if is_v4 else b"",
            first_hop=int(shape.first_hop) if is_v4 and shape.first_hop is not None else None,
            sources=self.sources.get(family, ()),
            bad_checksum=shape.bad_checksum,
            chunk=shape.chunk if is_v4 else 0,
        )

    def named(self, probe: str) -> str:
        """What evidence calls a probe in this outfit."""
        shape = self.shape
        words = [
            (shape.chunk, f"in fragments of {shape.chunk} bytes"),
            (self.sources, f"among {max(map(len, self.sources.values()), default=1) - 1} decoys"),
            (shape.source, f"from the address {shape.source}"),
            (shape.source_port is not None, f"from port {shape.source_port}"),
            (self.data, f"with {len(self.data or b'')} bytes of data"),
            (shape.ip_options, "with IP options"),
            (shape.ttl is not None, f"with a time to live of {shape.ttl}"),
            (shape.bad_checksum, BAD_CHECKSUM),
        ]
        return " ".join([probe, *(text for given, text in words if given)])

    @property
    def hears_others(self) -> bool:
        """Whether answers come to a hardware or network address that may not be this machine's."""
        return self.shape.source is not None or self.mac is not None


def draw_outfit(
    shape: PacketShape,
    generator: np.random.Generator,
    decoys: Sequence[Sequence[Address] | None],
    random_address: Callable[[], Address],
) -> Outfit:
    """Draw what ``shape`` leaves open.

    ``decoys``: for each of those in the plan the addresses that it stands for (a name may have one of each family),
    none for a random one, and ``None`` for ourselves. ``random_address`` gives another public address at each call.
    """
    mac = None
    if shape.mac is not None:
        drawn = bytearray(generator.bytes(6))
        drawn[0] = drawn[0] & ~_GROUP_BIT | _LOCAL_BIT
        mac = shape.mac + bytes(drawn[len(shape.mac) :])
    data = generator.bytes(shape.data_length) if shape.data_length else shape.data
    known = [addresses if addresses is None or len(addresses) else (random_address(),) for addresses in decoys]
    sources = {family: places for family in (4, 6) if len(places := _places(known, family, generator)) > 1}
    return Outfit(shape, mac, data, sources)


def _places(decoys: Sequence[Sequence[Address] | None], family: int, generator: np.random.Generator) -> tuple[int, ...]:
    places = []
    for addresses in decoys:
        if addresses is None:
            places.append(OWN)
        else:
            places += [int(address) for address in addresses if address.version == family][:1]
    if OWN not in places:
        places.insert(int(generator.integers(min(len(places) + 1, _OWN_PLACES))), OWN)
    return tuple(places)
