"""A large set of targets as a space that is walked by index: any part of it is columns, nothing of it is kept.

The hosts of a shard in an order that the key decides: index ``i`` of shard ``k`` of ``n`` is value ``k + i * n`` of one
keyed permutation of all hosts. Shards need nothing but the key and the same list to share the work without overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64
from leadline.model.plan import WHOLE, Shard
from leadline.targets.address_set import last_not_above
from leadline.targets.permute import Permutation
from leadline.targets.shape import Octets, Span
from leadline.targets.window import Item

I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
_LOW = (1 << 64) - 1
# Indices fit an int64 with room to spare.
MOST_HOSTS = 1 << 62


class HostSpace:
    """``items``: of one family, disjoint, at least one address and at most ``MOST_HOSTS`` together. ``key``: up to 64
    bytes. ``size``: the hosts of this shard, those that items leave out (``Item.without``) included.
    """

    def __init__(self, items: Sequence[Item], key: bytes, shard: Shard = WHOLE) -> None:
        self.family = items[0].shape.family
        self._items = sorted(items, key=_start)
        counts = [item.shape.count for item in self._items]
        self._total = sum(counts)
        if not 0 < self._total <= MOST_HOSTS:
            raise ValueError(f"a space of {self._total} hosts")
        self._counts = np.array(counts, np.uint64)
        self._firsts = np.concatenate((np.zeros(1, np.uint64), np.cumsum(self._counts)[:-1])).astype(np.uint64)
        starts = [_start(item) for item in self._items]
        self._base_hi = np.array([start >> 64 for start in starts], np.uint64)
        self._base_lo = np.array([start & _LOW for start in starts], np.uint64)
        self._patterns = [place for place, item in enumerate(self._items) if isinstance(item.shape, Octets)]
        self._plain = np.array([isinstance(item.shape, Span) for item in self._items], bool)
        self._filtered = [place for place, item in enumerate(self._items) if item.without]
        self._permutation = Permutation(self._total, key)
        self._shard = shard
        self.size = max(0, -(-(self._total - shard.index) // shard.count))

    def addresses(self, index: U64) -> tuple[U64, U64, Bool]:
        """``hi``, ``lo`` of the hosts at these indices ``(N,)``, and which of them are not left out."""
        shard = self._shard
        if shard.count > 1:
            index = index * np.uint64(shard.count) + np.uint64(shard.index)
        value = self._permutation.at(index)
        if len(self._items) == 1:
            which = np.zeros(len(value), np.intp)
            within = value
        else:
            which = np.searchsorted(self._firsts, value, side="right") - 1
            within = value - self._firsts[which]
        lo = self._base_lo[which] + within
        hi = self._base_hi[which] + (lo < within)
        keep = np.ones(len(lo), bool)
        for place in self._patterns:
            rows = np.flatnonzero(which == place)
            hi[rows], lo[rows] = self._items[place].shape.columns(within[rows])
        for place in self._filtered:
            rows = np.flatnonzero(which == place)
            for left_out in self._items[place].without:
                keep[rows] &= ~left_out.contains(self.family, hi[rows], lo[rows])
        return hi, lo, keep

    def find(self, hi: U64, lo: U64) -> I64:
        """Indices of these addresses, int64 ``(N,)``; -1 for those that are no hosts of this shard."""
        value = self._value(hi, lo)
        known = np.flatnonzero(value >= 0)
        index = np.full(len(lo), -1, np.int64)
        place = self._permutation.index_of(value[known].astype(np.uint64)).astype(np.int64)
        shard = self._shard
        ours = place % shard.count == shard.index
        index[known[ours]] = place[ours] // shard.count
        return index

    def _value(self, hi: U64, lo: U64) -> I64:
        """Place of each address in the items laid end to end, -1 for strangers."""
        value = np.full(len(lo), -1, np.int64)
        plain = np.flatnonzero(self._plain)
        if len(plain):
            place = last_not_above(self._base_hi[plain], self._base_lo[plain], hi, lo)
            which = plain[np.maximum(place, 0)]
            within = lo - self._base_lo[which]
            # Counts are far below 2**64: the upper half is that of the base, or the next one after a carry.
            upper = hi - self._base_hi[which] - (lo < self._base_lo[which])
            inside = (place >= 0) & (upper == 0) & (within < self._counts[which])
            value[inside] = (self._firsts[which] + within)[inside].astype(np.int64)
        for number in self._patterns:
            shape = self._items[number].shape
            assert isinstance(shape, Octets)
            rows = np.flatnonzero(value < 0)
            rows = rows[shape.contains(lo[rows])]
            value[rows] = (self._firsts[number] + shape.index_of(lo[rows])).astype(np.int64)
        return value

    def spans(self) -> Iterator[tuple[int, int, bool]]:
        """First and last address of each item, and whether all between them belong to it; ascending by the first."""
        for item in self._items:
            shape = item.shape
            if isinstance(shape, Span):
                yield shape.start, shape.end, True
            else:
                yield shape.lowest, shape.highest, False


def _start(item: Item) -> int:
    return item.shape.start if isinstance(item.shape, Span) else item.shape.lowest
