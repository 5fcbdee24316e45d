"""Targets as they leave ``leadline.targets``: blocks of addresses in columns."""

from __future__ import annotations

from dataclasses import field

from leadline.model.address import U64, Address, address_of
from leadline.model.port_set import PortSet
from leadline.model.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TargetBlock:
    """At most a few thousand targets of one family.

    ``hi``/``lo``: address columns ``(N,)``. ``names[i]``: the host name typed for target ``i`` (only where one was).
    ``others[i]``: further addresses of that name which are not scanned. ``scopes[i]``: the interface of a link-local
    IPv6 target (``fe80::1%eth0``). ``port_sets[i]``: the ports typed for that target alone (``10.0.0.5:80,443``).
    """

    family: int
    hi: U64
    lo: U64
    names: dict[int, str] = field(default_factory=dict)
    others: dict[int, tuple[Address, ...]] = field(default_factory=dict)
    scopes: dict[int, str] = field(default_factory=dict)
    port_sets: dict[int, PortSet] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lo)

    def address(self, index: int) -> Address:
        """The address object of one target."""
        return address_of(self.family, int(self.hi[index]), int(self.lo[index]))
