"""Divides a block of targets into groups that one machine can work on: same route, distinct addresses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.group import HostGroup
from leadline.engine.outfit import Outfit
from leadline.link.base import Network, Route
from leadline.model.address import Address
from leadline.model.quick_dataclass import dataclass
from leadline.model.target import TargetBlock
from leadline.wire.distinct import distinct

I64 = NDArray[np.int64]


@dataclass(slots=True)
class Part:
    """``rows``: the targets' rows in the block. ``gateways[g]``: next hops; ``gateway_of``: -1 where on the link
    itself.
    """

    rows: I64
    group: HostGroup
    gateways: list[Address]
    gateway_of: I64

    @property
    def route(self) -> Route:
        return self.group.route


def partition(block: TargetBlock, network: Network, outfit: Outfit | None = None) -> tuple[list[Part], I64]:
    """Parts of the block, and the rows to which this machine has no route. ``outfit``: how packets shall look."""
    scopes, interface = block.scopes, outfit.shape.interface if outfit else ""
    if interface:
        scopes = dict.fromkeys(range(len(block)), interface) | scopes
    routed = network.routes(block.family, block.hi, block.lo, scopes)
    if outfit is not None:
        routed.routes = [outfit.route(route) for route in routed.routes]
    classes: dict[tuple[str, int, bool, bool], list[int]] = {}
    for index, route in enumerate(routed.routes):
        key = (route.interface.name, int(route.source), route.on_link, route.local)
        classes.setdefault(key, []).append(index)
    turns = _turns(block)
    parts = []
    for turn in range(int(turns.max(initial=-1)) + 1):
        for indexes in classes.values():
            rows = np.flatnonzero(np.isin(routed.route_of, indexes) & (turns == turn))
            if len(rows):
                parts.append(_part(block, rows, routed.routes, routed.route_of[rows].astype(np.int64)))
    return parts, np.flatnonzero(routed.route_of < 0)


def _turns(block: TargetBlock) -> I64:
    """0 for the first occurrence of an address in the block, 1 for its second ..."""
    order = np.lexsort((block.lo, block.hi))
    hi, lo = block.hi[order], block.lo[order]
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (hi[1:] == hi[:-1]) & (lo[1:] == lo[:-1])
    starts = np.flatnonzero(~same)
    turns = np.empty(len(order), dtype=np.int64)
    turns[order] = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    return turns


def _part(block: TargetBlock, rows: I64, routes: list[Route], route_of: I64) -> Part:
    gateways: list[Address] = []
    gateway_of = np.full(len(rows), -1, dtype=np.int64)
    for index in distinct(route_of):
        gateway = routes[int(index)].gateway
        if gateway is None:
            continue
        if gateway not in gateways:
            gateways.append(gateway)
        gateway_of[route_of == index] = gateways.index(gateway)
    group = HostGroup(block.family, block.hi[rows], block.lo[rows], routes[int(route_of[0])])
    return Part(rows, group, gateways, gateway_of)
