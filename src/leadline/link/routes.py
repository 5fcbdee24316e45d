"""Routing questions for whole columns of targets, answered from the kernel's tables without asking again.

Policy rules in order of priority, in each table the longest prefix, of equal ones the lowest metric (Linux
``fib_rules``, ``fib_lookup``). What rules select by mark, protocol or port is decided once, for plain unmarked packets.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from leadline.link import kernel_tables
from leadline.link.base import Interface, Route, RoutedTargets
from leadline.link.kernel_tables import DEFAULT_RULES, KernelTables, RouteEntry, Rule
from leadline.link.source_address import choose_source
from leadline.model.address import U64, Address, address_of
from leadline.wire.distinct import distinct_rows

_HERE = (kernel_tables.LOCAL, kernel_tables.ANYCAST)
_NOWHERE = (kernel_tables.BLACKHOLE, kernel_tables.UNREACHABLE, kernel_tables.PROHIBIT)
_LOW = (1 << 64) - 1
_UNDECIDED, _NO_ROUTE = -2, -1

Index = NDArray[np.intp]


def _masks(prefix_length: int, bits: int) -> tuple[np.uint64, np.uint64]:
    value = ((1 << prefix_length) - 1) << (bits - prefix_length)
    return np.uint64(value >> 64), np.uint64(value & _LOW)


def _keys(hi: U64, lo: U64, bits: int) -> NDArray[np.generic]:
    """One sortable key an address: the number itself for IPv4, 16 bytes in network order for IPv6."""
    if bits == 32:
        return lo
    pairs = np.empty((len(lo), 2), dtype=">u8")
    pairs[:, 0], pairs[:, 1] = hi, lo
    return pairs.view("S16").reshape(-1)


class PrefixTable:
    """Longest-prefix lookup over the routes of one table; one binary search a distinct prefix length."""

    def __init__(self, family: int, entries: Iterable[tuple[int, RouteEntry]]) -> None:
        self._bits = 32 if family == 4 else 128
        self._levels: list[tuple[int, NDArray[np.generic], Index]] = []
        ordered = sorted(entries, key=lambda pair: (-pair[1].prefix_length, int(pair[1].network), pair[1].metric))
        for length, group in groupby(ordered, key=lambda pair: pair[1].prefix_length):
            best: dict[int, int] = {}
            for position, entry in group:
                best.setdefault(int(entry.network), position)
            networks = list(best)
            hi = np.array([network >> 64 for network in networks], dtype=np.uint64)
            lo = np.array([network & _LOW for network in networks], dtype=np.uint64)
            self._levels.append((length, _keys(hi, lo, self._bits), np.array(list(best.values()), dtype=np.intp)))

    def lookup(self, hi: U64, lo: U64) -> tuple[Index, NDArray[np.int32]]:
        """Position of the route of every address (-1: none) and its prefix length."""
        found = np.full(len(lo), -1, dtype=np.intp)
        lengths = np.zeros(len(lo), dtype=np.int32)
        for length, networks, positions in self._levels:
            open_rows = np.flatnonzero(found < 0)
            if not len(open_rows):
                break
            upper, lower = _masks(length, self._bits)
            keys = _keys(hi[open_rows] & upper, lo[open_rows] & lower, self._bits)
            places = np.minimum(np.searchsorted(networks, keys), len(networks) - 1)
            equal = networks[places] == keys
            found[open_rows[equal]] = positions[places[equal]]
            lengths[open_rows[equal]] = length
        return found, lengths


class RouteTable:
    """All routes of one family. ``only``: the index of the one interface that may be used (0: any)."""

    def __init__(self, tables: KernelTables, family: int, only: int = 0) -> None:
        self._family = family
        self._tables = tables
        self._by_index = {interface.index: interface for interface in tables.interfaces}
        self._loopback = next((each for each in tables.interfaces if each.kind == "loopback"), None)
        self._entries = tables.routes.get(family, ())
        self._kinds = np.array([entry.kind for entry in self._entries], dtype=np.int32)
        rules = tables.rules.get(family) or DEFAULT_RULES
        self._rules = sorted(rules, key=lambda rule: rule.priority) if not only else list(DEFAULT_RULES)
        usable = [pair for pair in enumerate(self._entries) if self._usable(pair[1], only)]
        self._prefixes = {
            number: PrefixTable(family, [pair for pair in usable if pair[1].table == number])
            for number in {entry.table for _, entry in usable}
        }

    def _usable(self, entry: RouteEntry, only: int) -> bool:
        if entry.kind in _NOWHERE or entry.kind == kernel_tables.THROW:
            return not only
        if only and entry.interface_index != only:
            return False
        interface = self._by_index.get(entry.interface_index)
        # Our own addresses answer even while their interface is down.
        return interface is not None and (interface.up or entry.kind in _HERE)

    def lookup(self, hi: U64, lo: U64) -> RoutedTargets:
        """The route of every address of the columns."""
        entries = self._decide(hi, lo)
        route_of = np.full(len(lo), -1, dtype=np.int32)
        routes: list[Route] = []
        numbers: dict[Route, int] = {}
        groups = entries * 16 + _address_class(self._family, hi)
        groups[entries < 0] = -1
        for group, first, rows in _grouped(groups):
            if group < 0:
                continue
            target = address_of(self._family, int(hi[first]), int(lo[first]))
            route = self._route(self._entries[group // 16], target)
            if route is not None:
                route_of[rows] = numbers.setdefault(route, len(routes))
                if len(numbers) > len(routes):
                    routes.append(route)
        return RoutedTargets(routes, route_of)

    def _decide(self, hi: U64, lo: U64) -> Index:
        """Position of the deciding route, ``_NO_ROUTE`` where there is none or it forbids."""
        decided = np.full(len(lo), _UNDECIDED, dtype=np.intp)
        resume = np.zeros(len(lo), dtype=np.int64)
        for rule in self._rules:
            rows = np.flatnonzero((decided == _UNDECIDED) & (resume <= rule.priority))
            rows = rows[self._selected(rule, hi[rows], lo[rows])]
            if rule.action == kernel_tables.TO_TABLE:
                self._search(rule, rows, hi, lo, decided)
            elif rule.action == kernel_tables.GO_TO:
                resume[rows] = rule.target
            elif rule.action != kernel_tables.NOTHING:
                decided[rows] = _NO_ROUTE
        return np.maximum(decided, _NO_ROUTE)

    def _selected(self, rule: Rule, hi: U64, lo: U64) -> NDArray[np.bool_]:
        selected = np.full(len(lo), rule.matches)
        if rule.network is not None:
            upper, lower = _masks(rule.prefix_length, 32 if self._family == 4 else 128)
            network = int(rule.network)
            same = ((hi ^ np.uint64(network >> 64)) & upper) | ((lo ^ np.uint64(network & _LOW)) & lower)
            selected &= same == 0
        return ~selected if rule.invert else selected

    def _search(self, rule: Rule, rows: Index, hi: U64, lo: U64, decided: Index) -> None:
        prefixes = self._prefixes.get(rule.table)
        if prefixes is None or not len(rows):
            return
        found, lengths = prefixes.lookup(hi[rows], lo[rows])
        kinds = self._kinds[found]
        valid = (found >= 0) & (kinds != kernel_tables.THROW) & (lengths > rule.suppress)
        decided[rows[valid]] = np.where(np.isin(kinds, _NOWHERE), _NO_ROUTE, found)[valid]

    def _route(self, entry: RouteEntry, target: Address) -> Route | None:
        owned = self._tables.addresses
        if entry.kind in _HERE:
            if self._loopback is None:
                return None
            full = entry.prefix_length == target.max_prefixlen
            source = entry.source or (target if full and entry.kind == kernel_tables.LOCAL else None)
            source = source or choose_source(owned, target, None, entry.interface_index)
            return Route(self._loopback, source, None, local=True) if source is not None else None
        interface = self._by_index[entry.interface_index]
        source = entry.source or choose_source(owned, target, entry.gateway, interface.index)
        return Route(interface, source, entry.gateway) if source is not None else None


class Router:
    """Route lookups of both families, with targets bound to an interface (``fe80::1%eth0``)."""

    def __init__(self, tables: KernelTables) -> None:
        self._kernel = tables
        self._tables: dict[tuple[int, int], RouteTable] = {}

    def routes(self, family: int, hi: U64, lo: U64, scopes: dict[int, str]) -> RoutedTargets:
        """See ``Network.routes``. A scope names an interface or is its index; an unknown one has no route."""
        answer = RoutedTargets([], np.full(len(lo), -1, dtype=np.int32))
        free = np.ones(len(lo), dtype=np.bool_)
        free[list(scopes)] = False
        if free.any():
            found = self._table(family, 0).lookup(hi[free], lo[free])
            answer.routes = found.routes
            answer.route_of[free] = found.route_of
        for name in sorted(set(scopes.values())):
            rows = np.array([row for row, scope in scopes.items() if scope == name], dtype=np.intp)
            interface = self._interface(name)
            if interface is None:
                continue
            only = interface.index if interface.kind != "loopback" else 0
            bound = self._table(family, only).lookup(hi[rows], lo[rows])
            shifted = bound.route_of + np.int32(len(answer.routes))
            answer.route_of[rows] = np.where(bound.route_of < 0, np.int32(-1), shifted)
            answer.routes.extend(bound.routes)
        return answer

    def _table(self, family: int, only: int) -> RouteTable:
        key = (family, only)
        if key not in self._tables:
            self._tables[key] = RouteTable(self._kernel, family, only)
        return self._tables[key]

    def _interface(self, name: str) -> Interface | None:
        for interface in self._kernel.interfaces:
            if name in (interface.name, str(interface.index)):
                return interface
        return None


def route_boundaries(tables: KernelTables, family: int) -> list[int]:
    """Ascending first addresses of all prefixes that routes and rules name, and those behind their ends."""
    bits = 32 if family == 4 else 128
    prefixes = [(int(entry.network), entry.prefix_length) for entry in tables.routes.get(family, ())]
    rules = tables.rules.get(family) or DEFAULT_RULES
    prefixes += [(int(rule.network), rule.prefix_length) for rule in rules if rule.network is not None]
    if family == 6:
        # The source follows the kind of the target, too (``_address_class``).
        prefixes += [(0xFE80 << 112, 10), (0xFC << 120, 7), (0xFF << 120, 8), (0x2002 << 112, 16), (0x2001 << 112, 16)]
        prefixes.append((0, 64))
    ends = {network for network, _ in prefixes}
    ends |= {network + (1 << bits - length) for network, length in prefixes}
    return sorted(end for end in ends if end < 1 << bits)


def _address_class(family: int, hi: U64) -> Index:
    """Targets of one class get the same source (RFC 6724: scope and label tell most of it)."""
    if family == 4:
        return np.zeros(len(hi), dtype=np.intp)
    top = hi >> np.uint64(48)
    conditions = [
        top & 0xFFC0 == 0xFE80,
        top & 0xFE00 == 0xFC00,
        top & 0xFF00 == 0xFF00,
        top == 0x2002,
        top == 0x2001,
        hi == 0,
    ]
    return np.select(conditions, list(range(1, 7)), default=0).astype(np.intp)


def _grouped(groups: Index) -> Iterable[tuple[int, int, Index]]:
    """Distinct values with the first row and all rows that have it."""
    values, firsts = distinct_rows(groups)
    order = np.argsort(groups, kind="stable")
    bounds = [*np.searchsorted(groups[order], values), len(groups)]
    for position, value in enumerate(values):
        yield int(value), int(firsts[position]), order[bounds[position] : bounds[position + 1]]
