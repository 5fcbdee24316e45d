"""Makes out what the shape of packets leaves open: names of decoys, random ones, the interface, the MAC."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leadline.data.vendors import vendor_of
from leadline.engine.outfit import draw_outfit
from leadline.engine.session import Session
from leadline.errors import UsageError
from leadline.model.address import Address, address_of
from leadline.model.event import Event, Notice
from leadline.model.plan import Technique
from leadline.net.base import Resolver
from leadline.plan.packet_shape import random_decoys
from leadline.targets.public import special_addresses


def dress(session: Session, resolver: Resolver) -> Iterator[Event]:
    """Give the session its outfit, and tell what was drawn.

    Raises ``UsageError`` for what is not there, ``LinkError`` for connections that cannot be made in this shape.
    """
    shape = session.plan.shape
    interfaces = {interface.name: interface for interface in session.network.interfaces()} if shape.interface else {}
    if shape.interface and shape.interface not in interfaces:
        raise UsageError(f"there is no interface {shape.interface!r} (leadline --iflist shows them)")
    plan = session.plan
    connects = plan.services.enabled or Technique.CONNECT in plan.ports.techniques or not session.raw
    if shape.shapes_connections and connects and plan.discovery.mode != "list":
        session.network.connector(1, plan.proxies, shape).close()
    session.outfit = draw_outfit(
        shape, session.generator, _decoys(session, resolver), lambda: _public_address(session.generator)
    )
    mac = session.outfit.mac
    if mac is not None:
        text = mac.hex(":").upper()
        vendor = vendor_of(text)
        yield Notice(
            session.at(), "info", f"frames are sent from the MAC address {text}{f' ({vendor})' if vendor else ''}"
        )


def _decoys(session: Session, resolver: Resolver) -> list[tuple[Address, ...] | None]:
    """The addresses of each decoy; none for a random one, ``None`` for ourselves."""
    from ipaddress import ip_address

    words = session.plan.shape.decoys
    fixed: dict[str, tuple[Address, ...]] = {}
    names = []
    for word in words:
        try:
            fixed[word] = (ip_address(word),)
        except ValueError:
            if word.upper() != "ME" and not random_decoys(word):
                names.append(word)
    if names:
        fixed |= resolver.forward(names, session.plan.targets.families, session.control.stopping)
        unknown = [name for name in dict.fromkeys(names) if not fixed.get(name)]
        if unknown:
            raise UsageError(f"the decoy {unknown[0]} has no address")
    made: list[tuple[Address, ...] | None] = []
    for word in words:
        if word.upper() == "ME":
            made.append(None)
        else:
            made += [()] * random_decoys(word) or [fixed[word]]
    return made


def _public_address(generator: np.random.Generator) -> Address:
    special = special_addresses()
    while True:
        number = generator.integers(1 << 32, dtype=np.uint64)
        if not special.contains(4, np.zeros(1, np.uint64), np.array([number]))[0]:
            return address_of(4, 0, int(number))
