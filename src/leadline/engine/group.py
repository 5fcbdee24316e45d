"""A host group: the hosts that one machine works on, in columns, all reached over the same route."""

from __future__ import annotations

from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from leadline.link.base import Route
from leadline.model.address import U64, Address, address_of
from leadline.model.quick_dataclass import dataclass
from leadline.wire.template import Framing

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class AddressIndex:
    """Finds which host of a group an address is; the addresses must be distinct."""

    def __init__(self, hi: U64, lo: U64) -> None:
        keys = self._keys(hi, lo)
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]
        self._hi, self._lo = hi, lo

    @staticmethod
    def _keys(hi: U64, lo: U64) -> U64:
        return (hi * _GOLDEN) ^ lo

    def find(self, hi: U64, lo: U64) -> I64:
        """Host rows of these addresses, ``(N,)``; -1 for strangers."""
        if not len(self._sorted):
            return np.full(len(lo), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self._sorted, self._keys(hi, lo)), len(self._sorted) - 1)
        rows = self._order[place]
        return np.where((self._lo[rows] == lo) & (self._hi[rows] == hi), rows, -1)


@dataclass(slots=True)
class HostGroup:
    """``hi``/``lo``: addresses ``(N,)``, distinct. ``macs``: next hop of each, uint8 ``(N, 6)``, zeros where not known.

    ``srtt``/``rttvar``: seconds from an earlier stage, negative where nothing was measured. ``ping_kind`` (a
    ``ProbeKind``, 0 = none) and ``ping_port``: the probe that each host has answered before.
    """

    family: int
    hi: U64
    lo: U64
    route: Route
    macs: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 6), dtype=np.uint8))
    srtt: F64 = field(default_factory=lambda: np.zeros(0))
    rttvar: F64 = field(default_factory=lambda: np.zeros(0))
    ping_kind: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    ping_port: I64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        count = len(self.lo)
        if len(self.macs) != count:
            self.macs = np.zeros((count, 6), dtype=np.uint8)
        if len(self.srtt) != count:
            self.srtt, self.rttvar = np.full(count, -1.0), np.full(count, -1.0)
        if len(self.ping_kind) != count:
            self.ping_kind, self.ping_port = np.zeros(count, dtype=np.uint8), np.zeros(count, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.lo)

    def address(self, row: int) -> Address:
        """The address of one host."""
        return address_of(self.family, int(self.hi[row]), int(self.lo[row]))

    def framing(self) -> Framing:
        """What is the same in all frames to this group."""
        source = int(self.route.source)
        return Framing(
            family=self.family,
            offset=self.route.interface.link_header,
            source_mac=self.route.interface.mac,
            source_hi=source >> 64,
            source_lo=source & (1 << 64) - 1,
        )

    def subset(self, rows: I64) -> HostGroup:
        """The same for some of the hosts."""
        return HostGroup(
            self.family, self.hi[rows], self.lo[rows], self.route, self.macs[rows],
            self.srtt[rows], self.rttvar[rows], self.ping_kind[rows], self.ping_port[rows],
        )  # fmt: skip
