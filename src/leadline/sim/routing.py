"""The scanner's own routing table, worked out for columns of targets."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_interface

import numpy as np
from numpy.typing import NDArray

from leadline.link.base import Interface, Route
from leadline.model.address import U64, Address, address_of
from leadline.sim.firewall import NetworkRange, in_network

_LOOPBACK: dict[int, NetworkRange] = {4: IPv4Network("127.0.0.0/8"), 6: IPv6Network("::1/128")}


class RouteTable:
    """Routes of one block: ``routes`` and ``route_of`` as in ``link.base.RoutedTargets``. Longer prefixes win."""

    def __init__(self, family: int, hi: U64, lo: U64) -> None:
        self.routes: list[Route] = []
        self.route_of = np.full(len(lo), -1, np.int32)
        self._family, self._hi, self._lo = family, hi, lo
        self._longest = np.full(len(lo), -1, np.int16)

    def connected(self, interface: Interface) -> None:
        """The networks of an interface's own addresses."""
        for address, length in interface.addresses:
            network = ip_interface(f"{address}/{length}").network
            inside = in_network(network, self._family, self._hi, self._lo)
            self._put(inside & (self._longest < length), length, Route(interface, address))

    def default(self, interface: Interface, gateway: Address) -> None:
        """Everything that has no longer prefix goes to ``gateway``, the first one given for its family."""
        source = source_towards(interface, gateway)
        if gateway.version == self._family and source is not None:
            self._put(self._longest < 0, 0, Route(interface, source, gateway))

    def scoped(self, row: int, interface: Interface | None) -> None:
        """A link-local target goes out of the named interface, or nowhere."""
        rows = np.arange(len(self._lo)) == row
        self.route_of[rows] = -1
        if interface is None:
            return
        target = address_of(self._family, int(self._hi[row]), int(self._lo[row]))
        source = source_towards(interface, target)
        if source is not None:
            self._put(rows, 128, Route(interface, source))

    def local(self, loopback: Interface, own: frozenset[Address]) -> None:
        """This machine's own addresses are reached over loopback, from themselves."""
        for address in own:
            if address.version == self._family:
                network = ip_interface(address).network
                rows = in_network(network, self._family, self._hi, self._lo)
                self._put(rows, 255, Route(loopback, address, None, local=True))
        rest = in_network(_LOOPBACK[self._family], self._family, self._hi, self._lo) & (self._longest < 255)
        if self._family == 4:
            source = next(address for address in own if address.version == 4 and address.is_loopback)
            self._put(rest, 255, Route(loopback, source, None, local=True))

    def _put(self, rows: NDArray[np.bool_], length: int, route: Route) -> None:
        if rows.any():
            if route not in self.routes:
                self.routes.append(route)
            self.route_of[rows] = self.routes.index(route)
            self._longest[rows] = length


def source_towards(interface: Interface, target: Address) -> Address | None:
    """The interface's address in the network of ``target``, else its first of that family, link-local ones last."""
    mine = [(address, length) for address, length in interface.addresses if address.version == target.version]
    for address, length in mine:
        if target in ip_interface(f"{address}/{length}").network:
            return address
    ordered = sorted(mine, key=lambda pair: pair[0].is_link_local)
    return ordered[0][0] if ordered else None
