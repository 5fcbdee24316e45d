"""A world compiled into columns: who owns which address, which way leads there, how every port behaves.

Compiled once for each network; holds no state that changes (that is ``state`` of the network: buckets, counters).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64, Address, columns_of
from leadline.sim.faults import LinkFaults, TokenBucket, survival
from leadline.sim.firewall import IcmpError, in_network
from leadline.sim.liars import Lie
from leadline.sim.traffic import F64, I32, U8, Probes
from leadline.sim.world import (
    COUNTED,
    Behaviour,
    Personality,
    PortTable,
    SimHost,
    SimRouter,
    SimService,
    SimSubnet,
    World,
    made_up_mac,
    subnet_of,
)

SCTP = 132
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB)


class AddressIndex:
    """Finds rows of a table of distinct addresses of one family."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        hi, lo = columns_of(list(addresses))
        for multiplier in _MULTIPLIERS:
            self._multiplier = np.uint64(multiplier)
            keys = lo ^ (hi * self._multiplier)
            if len(np.unique(keys)) == len(keys):
                break
        else:
            raise ValueError("an address is given twice")
        self._order = np.argsort(keys).astype(np.int32)
        self._keys = keys[self._order]
        self._hi, self._lo = hi[self._order], lo[self._order]

    def find(self, hi: U64, lo: U64) -> I32:
        """Row of each address in the table, -1 when it is not there; uint64 ``(N,)`` -> int32 ``(N,)``."""
        if not len(self._keys):
            return np.full(len(lo), -1, np.int32)
        place = np.minimum(np.searchsorted(self._keys, lo ^ (hi * self._multiplier)), len(self._keys) - 1)
        same = (self._lo[place] == lo) & (self._hi[place] == hi)
        return np.where(same, self._order[place], np.int32(-1))


class PortIndex:
    """Behaviour of ports of many tables: exceptions as sorted keys, defaults as a column."""

    def __init__(self, tables: Sequence[PortTable]) -> None:
        self._defaults = np.array([table.default for table in tables], np.uint8)
        self.errors = [table.error for table in tables]
        keys: dict[int, int] = {}
        for number, table in enumerate(tables):
            kinds = (
                (table.rejected, Behaviour.REJECTED),
                (table.filtered, Behaviour.FILTERED),
                (table.closed, Behaviour.CLOSED),
                (table.open, Behaviour.OPEN),
            )
            for ports, behaviour in kinds:
                keys.update(dict.fromkeys((number << 16 | port for port in ports), int(behaviour)))
        ordered = sorted(keys)
        self._keys = np.array(ordered, np.int64)
        self._values = np.array([keys[key] for key in ordered], np.uint8)

    def behaviour(self, table: I32, port: NDArray[np.uint16]) -> U8:
        """``Behaviour`` of each (table, port), uint8 ``(N,)``."""
        result = self._defaults[table]
        if len(self._keys):
            wanted = table.astype(np.int64) << 16 | port
            place = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
            result = np.where(self._keys[place] == wanted, self._values[place], result)
        return result


@dataclass(slots=True)
class Path:
    """The way to one subnet. Element ``d`` of each list: to router ``d``, the last one to the subnet itself."""

    interface: str
    routers: list[int]
    latency: F64
    jitter: F64
    survival: F64
    decrements: U8
    duplication: float
    reordering: float
    reorder_delay: float
    stretches: list[LinkFaults]


@dataclass(slots=True)
class Endpoints:
    """All addresses of one family that somebody owns: host, way and number of routers between, int32 ``(N,)``."""

    index: AddressIndex
    host: I32
    path: I32
    depth: I32


class Terrain:
    """The compiled world. ``hosts``: the world's, then one for each router (``router_host[r]``), the local one last.

    Host columns are ``(H,)``. Raises ``ValueError`` for a world that contradicts itself.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.routers = _routers(world)
        first_router = len(world.hosts)
        self.hosts: list[SimHost] = [*world.hosts, *(router.host for router in self.routers), world.local]
        self.router_host = list(range(first_router, first_router + len(self.routers)))
        self.local_host = len(self.hosts) - 1
        self.paths = [_path(world, subnet, self.routers) for subnet in world.subnets]
        self.loopback_path = len(self.paths)
        self.paths.append(_loopback())
        self.endpoints = {family: self._endpoints(family) for family in (4, 6)}
        self.router_address = [_by_family(router.host.addresses) for router in self.routers]
        self._compile_hosts()

    def _compile_hosts(self) -> None:
        hosts = self.hosts
        styles: dict[Personality, int] = {}
        tables: dict[PortTable, int] = {}
        self.style = np.array([styles.setdefault(host.personality, len(styles)) for host in hosts], np.int32)
        self.tcp_table = np.array([tables.setdefault(host.tcp, len(tables)) for host in hosts], np.int32)
        self.udp_table = np.array([tables.setdefault(host.udp, len(tables)) for host in hosts], np.int32)
        self.sctp_table = np.array([tables.setdefault(host.sctp, len(tables)) for host in hosts], np.int32)
        self.speaks_sctp = np.array([SCTP in host.protocols for host in hosts], np.bool_)
        self.styles = list(styles)
        self.ports = PortIndex(list(tables))
        self.ttl = np.array([host.personality.ttl for host in hosts], np.uint8)
        looks = [host.personality for host in hosts]
        self.resets_odd = np.array([look.resets_odd for look in looks], np.bool_)
        self.drops_fin_ack = np.array([look.drops_fin_ack for look in looks], np.bool_)
        self.accepts_fin = np.array([look.accepts_fin for look in looks], np.bool_)
        self.reset_window = np.array([look.reset_window for look in looks], np.uint16)
        self.identity = np.array([host.personality.identity for host in hosts], np.uint8)
        self.counts_identity = bool(np.isin(self.identity, COUNTED).any())
        self.chatter = np.array([look.chatter for look in looks], np.float64)
        self.atomic_fragments = np.array([look.atomic_fragments for look in looks], np.bool_)
        self.echo = np.array([host.echo for host in hosts], np.bool_)
        self.timestamp = np.array([host.timestamp for host in hosts], np.bool_)
        self.mask = np.array([host.mask for host in hosts], np.bool_)
        self.neighbor = np.array([host.neighbor for host in hosts], np.bool_)
        self.think = np.array([host.think for host in hosts], np.float64)
        self.latency = np.array([host.faults.latency for host in hosts], np.float64)
        self.jitter = np.array([host.faults.jitter for host in hosts], np.float64)
        self.loss = np.array([host.faults.loss for host in hosts], np.float64)
        self.duplication = np.array([host.faults.duplication for host in hosts], np.float64)
        self.reordering = np.array([host.faults.reordering for host in hosts], np.float64)
        self.reorder_delay = np.array([host.faults.reorder_delay for host in hosts], np.float64)
        lies: dict[Lie, int] = {}
        self.lie = np.array([lies.setdefault(h.lie, len(lies)) if h.lie else -1 for h in hosts], np.int32)
        self.lies = list(lies)
        macs = [host.mac or (made_up_mac(host.addresses[0]) if host.addresses else bytes(6)) for host in hosts]
        self.macs = np.frombuffer(b"".join(macs), np.uint8).reshape(-1, 6)
        self.buckets: list[TokenBucket] = []
        self.reset_bucket = self._bucket_column([host.reset_limit for host in hosts])
        self.icmp_bucket = self._bucket_column([host.icmp_limit for host in hosts])
        self.probe_bucket = self._bucket_column([host.probe_limit for host in hosts])
        self.payloads: list[bytes] = [b"leadline"]
        self.payload_of: dict[tuple[int, int], int] = {}
        self.service_of: dict[tuple[int, int, int], SimService] = {}
        for number, host in enumerate(hosts):
            for service in host.services:
                self.service_of[number, service.protocol, service.port] = service
                if service.protocol == 17 and service.banner:
                    self.payload_of[number, service.port] = len(self.payloads)
                    self.payloads.append(service.banner)

    def _bucket_column(self, limits: Sequence[TokenBucket | None]) -> I32:
        column = np.full(len(limits), -1, np.int32)
        for host, limit in enumerate(limits):
            if limit is not None:
                column[host] = len(self.buckets)
                self.buckets.append(limit)
        return column

    def _endpoints(self, family: int) -> Endpoints:
        rows: list[tuple[Address, int, int, int]] = []
        subnets = {id(subnet): number for number, subnet in enumerate(self.world.subnets)}
        for number, host in enumerate(self.world.hosts):
            for address in host.addresses:
                subnet = subnet_of(self.world, address)
                if subnet is None:
                    raise ValueError(f"no subnet of the world holds {address}")
                path = subnets[id(subnet)]
                rows.append((address, number, path, len(self.paths[path].routers)))
        for router, number in zip(self.routers, self.router_host, strict=True):
            path, depth = self._place_of_router(router)
            rows.extend((address, number, path, depth) for address in router.host.addresses)
        rows = [row for row in rows if row[0].version == family]
        columns = np.array([row[1:] for row in rows], np.int32).reshape(-1, 3)
        index = AddressIndex([row[0] for row in rows])
        return Endpoints(index, columns[:, 0], columns[:, 1], columns[:, 2])

    def _place_of_router(self, router: SimRouter) -> tuple[int, int]:
        for number, subnet in enumerate(self.world.subnets):
            if router in subnet.routers:
                return number, subnet.routers.index(router)
        raise AssertionError("routers are collected from the subnets")

    def path_towards(self, family: int, hi: U64, lo: U64) -> I32:
        """Index of the way to the most specific subnet that holds each address, -1 where none does."""
        found = np.full(len(lo), -1, np.int32)
        longest = np.full(len(lo), -1, np.int16)
        for number, subnet in enumerate(self.world.subnets):
            length = subnet.network.prefixlen
            better = in_network(subnet.network, family, hi, lo) & (longest < length)
            found[better] = number
            longest[better] = length
        return found

    def spoofed(self, family: int, probes: Probes) -> NDArray[np.bool_]:
        """Which probes name somebody else as their sender than the scanner, bool ``(N,)``."""
        result = np.ones(len(probes), np.bool_)
        for interface in self.world.interfaces:
            for address, _ in interface.addresses:
                hi, lo = int(address) >> 64, int(address) & ((1 << 64) - 1)
                if address.version == family:
                    result &= (probes.source_hi != np.uint64(hi)) | (probes.source_lo != np.uint64(lo))
        return result

    def error_of(self, table: int) -> IcmpError:
        """What rejected ports of a port table answer."""
        return self.ports.errors[table]


def _routers(world: World) -> list[SimRouter]:
    routers: dict[SimRouter, None] = {}
    for subnet in world.subnets:
        routers.update(dict.fromkeys(subnet.routers))
    return list(routers)


def _by_family(addresses: Sequence[Address]) -> dict[int, Address]:
    return {address.version: address for address in reversed(addresses)}


def _path(world: World, subnet: SimSubnet, routers: list[SimRouter]) -> Path:
    interface = next((i for i in world.interfaces if i.name == subnet.interface), None)
    if interface is None:
        raise ValueError(f"subnet {subnet.network} hangs on interface {subnet.interface}, which is not there")
    stretches = [interface.faults, *(router.faults for router in subnet.routers), subnet.faults]
    # The scanner's cable and what follows it count as one stretch.
    ends = slice(1, None)
    decrements = np.cumsum([0, *(router.decrements for router in subnet.routers)])
    return Path(
        interface=interface.name,
        routers=[routers.index(router) for router in subnet.routers],
        latency=np.cumsum([stretch.latency for stretch in stretches])[ends],
        jitter=np.cumsum([stretch.jitter for stretch in stretches])[ends],
        survival=np.array(survival(stretches))[ends],
        decrements=decrements.astype(np.uint8),
        duplication=_any_of([stretch.duplication for stretch in stretches]),
        reordering=_any_of([stretch.reordering for stretch in stretches]),
        reorder_delay=max((s.reorder_delay for s in stretches if s.reordering), default=0.0),
        stretches=stretches,
    )


def _any_of(probabilities: Sequence[float]) -> float:
    none = 1.0
    for probability in probabilities:
        none *= 1.0 - probability
    return 1.0 - none


def _loopback() -> Path:
    zero, one = np.zeros(1), np.ones(1)
    quick = LinkFaults(latency=0.000_01)
    return Path("lo", [], zero + quick.latency, zero, one, np.zeros(1, np.uint8), 0.0, 0.0, 0.0, [quick])
