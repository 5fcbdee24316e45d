"""Some items of the target list, laid end to end so that one index names each of their addresses.

A random order is then a permutation of the indices, and any columns of indices become columns of addresses at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64, Address
from leadline.model.port_set import PortSet
from leadline.model.quick_dataclass import dataclass
from leadline.model.target import TargetBlock
from leadline.targets.address_set import AddressSet
from leadline.targets.shape import Octets, Shape
from leadline.wire.distinct import distinct

_LOW = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Item:
    """Addresses with what was typed for them.

    ``name`` belongs to the address ``named`` alone (a block around a name has many others); ``without``: addresses that
    are left out one by one, where they could not be taken out of ``shape``.
    """

    shape: Shape
    name: str = ""
    named: Address | None = None
    others: tuple[Address, ...] = ()
    scope: str = ""
    ports: PortSet | None = None
    without: tuple[AddressSet, ...] = ()

    @property
    def annotated(self) -> bool:
        """Something more than the addresses is known."""
        return bool(self.name or self.scope or self.ports is not None)


class Window:
    """Items end to end; index ``i`` is the ``i``-th address of all. At most 2**64 addresses."""

    __slots__ = (
        "_annotated",
        "_base_hi",
        "_base_lo",
        "_families",
        "_filtered",
        "_firsts",
        "_items",
        "_patterns",
        "size",
    )

    def __init__(self, items: Sequence[Item]) -> None:
        """``items``: at least one."""
        self._items = items
        firsts = [0]
        for item in items:
            firsts.append(firsts[-1] + item.shape.count)
        self.size = firsts.pop()
        self._firsts = np.array(firsts, np.uint64)
        self._families = np.array([item.shape.family for item in items], np.uint8)
        starts = [0 if isinstance(item.shape, Octets) else item.shape.start for item in items]
        self._base_hi = np.array([start >> 64 for start in starts], np.uint64)
        self._base_lo = np.array([start & _LOW for start in starts], np.uint64)
        self._patterns = np.array([isinstance(item.shape, Octets) for item in items], bool)
        self._filtered = np.array([bool(item.without) for item in items], bool)
        self._annotated = np.array([item.annotated for item in items], bool)

    def targets(self, index: U64) -> list[Targets]:
        """The addresses at these indices, in their order, one ``Targets`` for each family that occurs."""
        which = np.searchsorted(self._firsts, index, side="right") - 1
        within = index - self._firsts[which]
        lo = self._base_lo[which] + within
        hi = self._base_hi[which] + (lo < within).astype(np.uint64)
        for place in distinct(which[self._patterns[which]]):
            rows = np.flatnonzero(which == place)
            hi[rows], lo[rows] = self._items[place].shape.columns(within[rows])
        keep = np.ones(len(lo), bool)
        for place in distinct(which[self._filtered[which]]):
            rows = np.flatnonzero(which == place)
            for left_out in self._items[place].without:
                keep[rows] &= ~left_out.contains(int(self._families[place]), hi[rows], lo[rows])
        families = self._families[which]
        parts = []
        for family in (4, 6):
            rows = np.flatnonzero(keep & (families == family))
            if len(rows):
                parts.append(self._part(family, hi[rows], lo[rows], which[rows]))
        return parts

    def _part(self, family: int, hi: U64, lo: U64, which: NDArray[np.int64]) -> Targets:
        annotated = np.flatnonzero(self._annotated[which])
        notes = {int(row): self._items[int(which[row])] for row in annotated}
        return Targets(family, hi, lo, notes)


@dataclass(slots=True)
class Targets:
    """Columns of one family; ``notes``: row -> the item that says more about it."""

    family: int
    hi: U64
    lo: U64
    notes: dict[int, Item] = field(default_factory=dict)


class Packer:
    """Gathers ``Targets`` of one family into blocks of exactly ``size``, the last one smaller."""

    __slots__ = ("_family", "_parts", "_rows", "_size")

    def __init__(self, family: int, size: int) -> None:
        self._family = family
        self._size = size
        self._parts: list[Targets] = []
        self._rows = 0

    def add(self, targets: Targets) -> list[TargetBlock]:
        """Takes targets in; gives the blocks that are full now."""
        self._parts.append(targets)
        self._rows += len(targets.lo)
        return self._blocks(self._rows // self._size) if self._rows >= self._size else []

    def rest(self) -> list[TargetBlock]:
        """What is left at the end of the list."""
        return self._blocks(1) if self._rows else []

    def _blocks(self, count: int) -> list[TargetBlock]:
        hi = np.concatenate([part.hi for part in self._parts])
        lo = np.concatenate([part.lo for part in self._parts])
        notes: dict[int, Item] = {}
        start = 0
        for part in self._parts:
            for row, item in part.notes.items():
                notes[start + row] = item
            start += len(part.lo)
        blocks = []
        for number in range(count):
            first, last = number * self._size, min((number + 1) * self._size, len(lo))
            inside = {row - first: item for row, item in notes.items() if first <= row < last}
            blocks.append(_block(self._family, hi[first:last], lo[first:last], inside))
        taken = min(count * self._size, len(lo))
        left = {row - taken: item for row, item in notes.items() if row >= taken}
        self._parts = [Targets(self._family, hi[taken:], lo[taken:], left)] if taken < len(lo) else []
        self._rows = len(lo) - taken
        return blocks


def _block(family: int, hi: U64, lo: U64, notes: dict[int, Item]) -> TargetBlock:
    block = TargetBlock(family, hi, lo)
    for row, item in notes.items():
        if item.ports is not None:
            block.port_sets[row] = item.ports
        if item.scope:
            block.scopes[row] = item.scope
        if item.name and item.named == block.address(row):
            block.names[row] = item.name
            if item.others:
                block.others[row] = item.others
    return block
