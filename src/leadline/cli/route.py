"""``--route-dst``: which way packets to some addresses would take, and from which address; nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from leadline.engine.outfit import Outfit
from leadline.link.base import Network, Route
from leadline.model.address import Address, columns_of
from leadline.model.plan import PacketShape
from leadline.net.base import Resolver


def routing_decisions(destinations: Sequence[str], shape: PacketShape, network: Network, resolver: Resolver) -> str:
    """A paragraph for each destination, an address (``fe80::1%eth0`` too) or a name.

    ``shape``: what ``-S`` and ``-e`` say. Raises ``LinkError`` when the kernel cannot be asked.
    """
    named = [text for text in destinations if _address(text) is None]
    known = resolver.forward(named, frozenset({4, 6}), lambda: False) if named else {}
    lines: list[str] = []
    for text in destinations:
        address = _address(text)
        lines.append(text)
        addresses = known.get(text, ()) if address is None else (address,)
        lines += [f"  {each}: {_words(_route(each, shape, network))}" for each in addresses]
        if not addresses:
            lines.append("  the name has no address")
    return "\n".join(lines) + "\n"


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _route(address: Address, shape: PacketShape, network: Network) -> Route | None:
    text, _, scope = str(address).partition("%")
    hi, lo = columns_of([ip_address(text)])
    scope = scope or shape.interface
    found = network.routes(address.version, hi, lo, {0: scope} if scope else {})
    index = int(found.route_of[0])
    return Outfit(shape).route(found.routes[index]) if index >= 0 else None


def _words(route: Route | None) -> str:
    if route is None:
        return "no route"
    if route.local:
        where = "this machine itself"
    else:
        where = "on the link itself" if route.gateway is None else f"by the gateway {route.gateway}"
    return f"interface {route.interface.name}, from {route.source}, {where}"
