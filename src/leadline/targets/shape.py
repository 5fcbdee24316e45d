"""Sets of addresses that are known without being written out: a span of neighbours, or octets that vary."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64
from leadline.model.quick_dataclass import dataclass

_LOW = (1 << 64) - 1
_U64 = np.uint64


@dataclass(frozen=True, slots=True)
class Span:
    """``count`` (at least 1) addresses of one family from ``start`` (an integer) upwards."""

    family: int
    start: int
    count: int = 1

    @property
    def end(self) -> int:
        """The last address, inclusive."""
        return self.start + self.count - 1

    def columns(self, index: U64) -> tuple[U64, U64]:
        """``hi`` and ``lo`` ``(N,)`` of the addresses with these indices (each below ``count``), with carry."""
        lo = index + _U64(self.start & _LOW)
        hi = _U64(self.start >> 64) + (lo < index).astype(_U64)
        return hi, lo

    def pieces(self, limit: int) -> Iterator[Span]:
        """The same addresses in spans of at most ``limit``, ascending."""
        if self.count <= limit:
            yield self
            return
        for offset in range(0, self.count, limit):
            yield Span(self.family, self.start + offset, min(limit, self.count - offset))


@dataclass(frozen=True, slots=True)
class Octets:
    """IPv4 addresses whose four octets each take any of some values (ascending, distinct, at least one)."""

    values: tuple[tuple[int, ...], ...]

    @property
    def family(self) -> int:
        """Always 4."""
        return 4

    @property
    def count(self) -> int:
        """How many addresses: the product of the choices."""
        first, second, third, fourth = self.values
        return len(first) * len(second) * len(third) * len(fourth)

    def columns(self, index: U64) -> tuple[U64, U64]:
        """As ``Span.columns``; the last octet varies fastest (ascending addresses)."""
        rest = index.astype(_U64)
        lo = np.zeros(len(rest), _U64)
        for place, values in enumerate(reversed(self.values)):
            table = np.array(values, _U64) << _U64(8 * place)
            lo |= table[rest % _U64(len(values))]
            rest //= _U64(len(values))
        return np.zeros(len(lo), _U64), lo

    @property
    def lowest(self) -> int:
        """The first address."""
        return self._corner(0)

    @property
    def highest(self) -> int:
        """The last address."""
        return self._corner(-1)

    def _corner(self, place: int) -> int:
        first, second, third, fourth = (values[place] for values in self.values)
        return first << 24 | second << 16 | third << 8 | fourth

    def index_of(self, lo: U64) -> U64:
        """Indices of addresses ``(N,)`` that belong to the set: the inverse of ``columns``."""
        index = np.zeros(len(lo), _U64)
        for place, values in enumerate(self.values):
            rank = np.searchsorted(np.array(values, _U64), (lo >> _U64(24 - 8 * place)) & _U64(255))
            index = index * _U64(len(values)) + rank.astype(_U64)
        return index

    def contains(self, lo: U64) -> NDArray[np.bool_]:
        """Which of the IPv4 addresses ``lo`` ``(N,)`` belong to the set."""
        inside = np.ones(len(lo), bool)
        for place, values in enumerate(reversed(self.values)):
            table = np.zeros(256, bool)
            table[list(values)] = True
            inside &= table[(lo >> _U64(8 * place)) & _U64(255)]
        return inside

    def span_count(self) -> int:
        """How many spans ``spans`` gives."""
        last = self._last_partial()
        count = len(_runs(self.values[last]))
        for values in self.values[:last]:
            count *= len(values)
        return count

    def _last_partial(self) -> int:
        """The place of the last octet that does not take all 256 values (the first octet when all do)."""
        return next((place for place in (3, 2, 1) if len(self.values[place]) < 256), 0)

    def spans(self) -> Iterator[Span]:
        """The same addresses as spans, ascending; neighbours are joined."""
        last = self._last_partial()
        width = 1 << (8 * (3 - last))
        runs = _runs(self.values[last])
        for head in product(*self.values[:last]):
            base = 0
            for value in head:
                base = base << 8 | value
            base <<= 8
            for first, final in runs:
                yield Span(4, (base | first) * width, (final - first + 1) * width)


Shape: TypeAlias = Span | Octets


def _runs(values: tuple[int, ...]) -> list[tuple[int, int]]:
    """Ascending values as ``(first, last)`` runs of neighbours."""
    runs: list[tuple[int, int]] = []
    for value in values:
        if runs and value == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], value)
        else:
            runs.append((value, value))
    return runs
