"""Hosts that a scan goes over: the zombie of an idle scan and the way there, the FTP server of a bounce scan."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from leadline.data.vendors import vendor_of
from leadline.discovery.stage import next_hops
from leadline.engine.partition import partition
from leadline.engine.session import Session
from leadline.engine.turns import Step
from leadline.errors import NetworkError
from leadline.model.address import Address, columns_of
from leadline.model.plan import Plan
from leadline.model.target import TargetBlock
from leadline.net.base import Resolver


def find_zombies(plan: Plan, session: Session, resolver: Resolver) -> Iterator[Step]:
    """Fill in ``session.zombies``, one of each family that the name has and the targets may have.

    Raises ``NetworkError`` for a zombie that cannot be reached.
    """
    if plan.ports.zombie is None:
        return
    name = plan.ports.zombie.host
    addresses = _addresses(name, plan, session, resolver)
    if not addresses and not session.control.stop:
        raise NetworkError(f"the zombie {name} has no address of the targets' family")
    for address in addresses:
        hi, lo = columns_of([address])
        parts, _ = partition(TargetBlock(address.version, hi, lo), session.network, session.outfit)
        if not parts:
            raise NetworkError(f"there is no route to the zombie {address}")
        (part,) = parts
        if part.route.local or part.route.interface.kind == "loopback":
            raise NetworkError(f"the zombie {address} is this machine itself: its answers would not leave it")
        yield from next_hops(part, session, vendor_of)
        if part.route.interface.kind == "ethernet" and not part.group.macs.any():
            if session.control.stop:
                return
            raise NetworkError(f"the zombie {address} cannot be reached: its next hop does not answer")
        session.zombies[address.version] = part.group


def _addresses(name: str, plan: Plan, session: Session, resolver: Resolver) -> list[Address]:
    """The first of each family."""
    families = plan.targets.families
    try:
        found: tuple[Address, ...] = (ip_address(name),)
    except ValueError:
        found = resolver.forward([name], families, session.control.stopping).get(name, ())
    first = {address.version: address for address in reversed(found) if address.version in families}
    return list(first.values())


def find_relay(plan: Plan, session: Session, resolver: Resolver) -> None:
    """Fill in ``session.relay``. Raises ``NetworkError`` for a name without address."""
    if plan.ports.relay is None:
        return
    name = plan.ports.relay.host
    try:
        session.relay = ip_address(name)
        return
    except ValueError:
        found = resolver.forward([name], frozenset({4, 6}), session.control.stopping).get(name, ())
    if not found and not session.control.stop:
        raise NetworkError(f"the FTP server {name} has no address")
    session.relay = found[0] if found else None
