"""Which way out each target of a sweep takes: intervals of addresses between which the routing does not change."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from leadline.link.base import Network, Route
from leadline.model.address import U64

I64 = NDArray[np.int64]

NO_ROUTE, ELSEWHERE = -1, -2
"""Lanes of intervals that this machine cannot reach, and of those that another way of scanning suits."""
_LOW = (1 << 64) - 1


class LaneTable:
    """``starts``: ascending first addresses of intervals, the first one at or below every target; ``lanes``: int64, one
    for each.
    """

    def __init__(self, starts: list[int], lanes: list[int]) -> None:
        # Neighbours that lead the same way are one interval.
        kept = [place for place in range(len(starts)) if place == 0 or lanes[place] != lanes[place - 1]]
        self._starts = [starts[place] for place in kept]
        self._lanes = np.array([lanes[place] for place in kept], np.int64)
        self._hi = np.array([start >> 64 for start in self._starts], np.uint64)
        self._lo = np.array([start & _LOW for start in self._starts], np.uint64)

    @property
    def only(self) -> int | None:
        """The lane of every target, where they all have the same."""
        return int(self._lanes[0]) if len(self._lanes) == 1 else None

    def of(self, hi: U64, lo: U64) -> I64:
        """Lane of each address ``(N,)``."""
        if len(self._lanes) == 1:
            return np.full(len(lo), self._lanes[0], np.int64)
        if not self._hi.any():
            place = np.searchsorted(self._lo, lo, side="right") - 1
        else:
            # Few intervals: counting the starts that are not above is as good as a search.
            place = np.full(len(lo), -1, np.int64)
            for start_hi, start_lo in zip(self._hi, self._lo, strict=True):
                place += (hi > start_hi) | ((hi == start_hi) & (lo >= start_lo))
        result: I64 = self._lanes[np.maximum(place, 0)]
        return result

    def intervals(self, lane: int, last: int) -> Iterable[tuple[int, int]]:
        """First and last address of the intervals of one lane; ``last``: of all targets."""
        ends = [start - 1 for start in self._starts[1:]] + [last]
        for start, end, one in zip(self._starts, ends, self._lanes.tolist(), strict=True):
            if one == lane and start <= end:
                yield start, end


def lane_table(
    family: int, spans: Iterable[tuple[int, int, bool]], network: Network
) -> tuple[LaneTable, list[Route], int]:
    """Intervals of all targets, the routes that their lanes (0, 1 ...) stand for, and the last address of all.

    ``spans``: first and last addresses of the targets' parts. What is on the local link or this machine itself gets
    ``ELSEWHERE``.
    """
    first, last = 0, 0
    pieces = list(spans)
    first, last = min(one[0] for one in pieces), max(one[1] for one in pieces)
    cuts = sorted({first, *(one for one in network.boundaries(family) if first < one <= last)})
    hi = np.array([cut >> 64 for cut in cuts], np.uint64)
    lo = np.array([cut & _LOW for cut in cuts], np.uint64)
    routed = network.routes(family, hi, lo, {})
    routes: list[Route] = []
    lanes: list[int] = []
    for number in routed.route_of.tolist():
        if number < 0:
            lanes.append(NO_ROUTE)
            continue
        route = routed.routes[number]
        if route.on_link or route.local or route.interface.kind == "loopback":
            lanes.append(ELSEWHERE)
            continue
        if route not in routes:
            routes.append(route)
        lanes.append(routes.index(route))
    return LaneTable(cuts, lanes), routes, last
