"""A set of addresses that can be taken out of others: what is excluded, what was already scanned."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64
from leadline.targets.shape import Octets, Shape, Span

# Up to so many spans an octet pattern is kept as intervals; wider ones are kept as they are and tested octet by octet.
_MOST_SPANS = 4096
_LOW = (1 << 64) - 1


class AddressSet:
    """Both families: disjoint sorted intervals, single addresses (cheap to add one by one), and octet patterns."""

    __slots__ = ("_columns", "_ends", "_patterns", "_singles", "_sorted_singles", "_starts")

    def __init__(self) -> None:
        self._starts: dict[int, list[int]] = {4: [], 6: []}
        self._ends: dict[int, list[int]] = {4: [], 6: []}
        self._singles: dict[int, set[int]] = {4: set(), 6: set()}
        self._sorted_singles: dict[int, list[int]] = {}
        self._columns: dict[int, tuple[U64, U64, U64, U64]] = {}
        self._patterns: tuple[Octets, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._patterns) or any(self._starts.values()) or any(self._singles.values())

    def copy(self) -> AddressSet:
        """A set of the same addresses that later additions do not change."""
        other = AddressSet()
        for family in (4, 6):
            other._starts[family] = self._starts[family].copy()
            other._ends[family] = self._ends[family].copy()
            other._singles[family] = self._singles[family].copy()
        other._patterns = self._patterns
        return other

    @property
    def has_patterns(self) -> bool:
        """Some of the set is octet patterns, which ``subtract`` does not look at."""
        return bool(self._patterns)

    @property
    def patterns(self) -> AddressSet:
        """The part that ``subtract`` cannot take out of a span: a set of the octet patterns alone."""
        part = AddressSet()
        part._patterns = self._patterns
        return part

    def add(self, shape: Shape) -> None:
        """Adds all addresses of ``shape``; some may be there already."""
        if isinstance(shape, Octets):
            if shape.span_count() > _MOST_SPANS:
                self._patterns += (shape,)
                return
            for span in shape.spans():
                self.add(span)
            return
        if shape.count == 1:
            self._singles[shape.family].add(shape.start)
            self._sorted_singles.pop(shape.family, None)
        else:
            self._add_interval(shape)
        self._columns.pop(shape.family, None)

    def _add_interval(self, span: Span) -> None:
        starts, ends = self._starts[span.family], self._ends[span.family]
        first = bisect_left(ends, span.start - 1)
        last = bisect_right(starts, span.end + 1)
        start, end = span.start, span.end
        if first < last:
            start, end = min(start, starts[first]), max(end, ends[last - 1])
        starts[first:last] = [start]
        ends[first:last] = [end]

    def subtract(self, span: Span) -> Iterator[Span]:
        """What of ``span`` is not in the set, ascending; octet patterns (``patterns``) are not looked at."""
        cursor = span.start
        for start, end in self._holes(span):
            if start > cursor:
                yield Span(span.family, cursor, start - cursor)
            cursor = max(cursor, end + 1)
        if cursor <= span.end:
            yield Span(span.family, cursor, span.end - cursor + 1)

    def _holes(self, span: Span) -> list[tuple[int, int]]:
        """Members of the set that overlap ``span``, ascending by start."""
        starts, ends = self._starts[span.family], self._ends[span.family]
        first, last = bisect_left(ends, span.start), bisect_right(starts, span.end)
        holes = list(zip(starts[first:last], ends[first:last], strict=True))
        if span.count == 1:
            if span.start in self._singles[span.family]:
                holes.append((span.start, span.start))
            return holes
        if self._singles[span.family]:
            singles = self._sorted_singles.get(span.family)
            if singles is None:
                singles = self._sorted_singles[span.family] = sorted(self._singles[span.family])
            inside = singles[bisect_left(singles, span.start) : bisect_right(singles, span.end)]
            holes = sorted(holes + [(value, value) for value in inside])
        return holes

    def contains(self, family: int, hi: U64, lo: U64) -> NDArray[np.bool_]:
        """Which addresses of the columns ``(N,)`` are in the set."""
        start_hi, start_lo, end_hi, end_lo = self._interval_columns(family)
        inside = np.zeros(len(lo), bool)
        if len(start_lo):
            place = last_not_above(start_hi, start_lo, hi, lo)
            found = place >= 0
            place = np.maximum(place, 0)
            below_end = (hi < end_hi[place]) | ((hi == end_hi[place]) & (lo <= end_lo[place]))
            inside = found & below_end
        if family == 4:
            for pattern in self._patterns:
                inside |= pattern.contains(lo)
        return inside

    def _interval_columns(self, family: int) -> tuple[U64, U64, U64, U64]:
        """Intervals and single addresses as sorted columns, made at the first question after a change."""
        if family not in self._columns:
            merged = self.copy()
            for value in sorted(self._singles[family]):
                merged._add_interval(Span(family, value))
            starts, ends = merged._starts[family], merged._ends[family]
            self._columns[family] = (*_halves(starts), *_halves(ends))
        return self._columns[family]


def _halves(values: list[int]) -> tuple[U64, U64]:
    hi = np.array([value >> 64 for value in values], np.uint64)
    return hi, np.array([value & _LOW for value in values], np.uint64)


def last_not_above(sorted_hi: U64, sorted_lo: U64, hi: U64, lo: U64) -> NDArray[np.int64]:
    """For each address the index of the last sorted one that is not above it, -1 when all are: a binary search."""
    low = np.full(len(lo), -1, np.int64)
    high = np.full(len(lo), len(sorted_lo) - 1, np.int64)
    while np.any(low < high):
        middle = (low + high + 1) >> 1
        probe = np.maximum(middle, 0)
        not_above = (sorted_hi[probe] < hi) | ((sorted_hi[probe] == hi) & (sorted_lo[probe] <= lo))
        low = np.where(not_above, middle, low)
        high = np.where(not_above, high, middle - 1)
    return low
