"""A set of ports to scan, per protocol, in scan order."""

from __future__ import annotations

from dataclasses import field

from leadline.model.port import Protocol
from leadline.model.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PortSet:
    """``ports[protocol]`` is a tuple of distinct port numbers in ascending order."""

    ports: dict[Protocol, tuple[int, ...]] = field(default_factory=dict)

    def of(self, protocol: Protocol) -> tuple[int, ...]:
        """The ports of one protocol, ascending; empty when none are asked for."""
        return self.ports.get(protocol, ())

    def without(self, excluded: PortSet) -> PortSet:
        """The ports that are not among the excluded ones; itself when nothing is excluded."""
        if not excluded.ports:
            return self
        gone = {protocol: frozenset(numbers) for protocol, numbers in excluded.ports.items()}
        return PortSet(
            {
                protocol: tuple(number for number in numbers if number not in gone.get(protocol, ()))
                for protocol, numbers in self.ports.items()
            }
        )

    def __len__(self) -> int:
        return sum(len(numbers) for numbers in self.ports.values())
