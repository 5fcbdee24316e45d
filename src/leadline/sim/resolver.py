"""The names of a world, both directions (``net.base.Resolver``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from leadline.model.address import Address
from leadline.sim.world import World


class SimResolver:
    """Answers at once. One name may belong to several hosts; the first host wins for an address."""

    def __init__(self, world: World) -> None:
        self._forward: dict[str, list[Address]] = {}
        self._reverse: dict[Address, str] = {}
        routers = {router: None for subnet in world.subnets for router in subnet.routers}
        here = tuple(a for one in world.interfaces for a, _ in one.addresses if not a.is_link_local)
        for host in (*world.hosts, *(router.host for router in routers), replace(world.local, addresses=here)):
            if host.hostname:
                self._forward.setdefault(host.hostname.lower(), []).extend(host.addresses)
                for address in host.addresses:
                    self._reverse.setdefault(address, host.hostname)

    def forward(
        self, names: Sequence[str], families: frozenset[int], stop: Callable[[], bool]
    ) -> dict[str, tuple[Address, ...]]:
        """Addresses of the names in these families, IPv4 first; unknown names are missing."""
        result: dict[str, tuple[Address, ...]] = {}
        for name in names:
            if stop():
                break
            found = self._forward.get(name.lower().rstrip("."), [])
            wanted = sorted((a for a in found if a.version in families), key=lambda address: address.version)
            if wanted:
                result[name] = tuple(wanted)
        return result

    def reverse(self, addresses: Sequence[Address], stop: Callable[[], bool]) -> dict[Address, str]:
        """Names of the addresses that have one."""
        return {} if stop() else {a: self._reverse[a] for a in addresses if a in self._reverse}
