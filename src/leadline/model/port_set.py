"""A set of ports to scan, per protocol, in scan order."""

from __future__ import annotations

from dataclasses import dataclass, field

from leadline.model.port import Protocol


@dataclass(frozen=True, slots=True)
class PortSet:
    """``ports[protocol]`` is a tuple of distinct port numbers in ascending order."""

    ports: dict[Protocol, tuple[int, ...]] = field(default_factory=dict)

    def of(self, protocol: Protocol) -> tuple[int, ...]:
        """The ports of one protocol, ascending; empty when none are asked for."""
        return self.ports.get(protocol, ())

    def __len__(self) -> int:
        return sum(len(numbers) for numbers in self.ports.values())
