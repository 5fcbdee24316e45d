"""The patient order: which probes a port is asked, one after the other (spec sheet 3.2, steps 3 and 4).

A place in it is a pair (pass, index of the probe in the file): pass 0 is the NULL probe, 1 the probes that list the
port, 2 the others. Places compare as the order goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from leadline.data.service_rules import ServiceProbe, ServiceProbes
from leadline.model.port import Protocol

Place: TypeAlias = tuple[int, int]

LISTENING: Place = (0, 0)
LISTED, UNLISTED = 1, 2

# At this intensity every probe is sent, whatever a softmatch says.
EVERYTHING = 9


class PatientOrder:
    """``tunnel``: ``ssl`` when the port is spoken to through TLS."""

    def __init__(self, probes: ServiceProbes, port: int, protocol: Protocol, tunnel: str, intensity: int) -> None:
        self._probes = [probe for probe in probes.probes if probe.protocol is protocol]
        self._listed = [probe.lists(port, tunnel) for probe in self._probes]
        self._intensity = intensity
        self.null = next((probe for probe in self._probes if probe.is_null), None)
        # A dialogue asks again at every step.
        self._sequences: dict[str, tuple[tuple[Place, ServiceProbe], ...]] = {}

    def probes(self, service: str = "", after: Place = (-1, 0)) -> Iterator[tuple[Place, ServiceProbe]]:
        """The probes to be sent after a place; ``service``: the name that a softmatch gave, which narrows them."""
        sequence = self._sequences.get(service)
        if sequence is None:
            sequence = self._sequences[service] = tuple(self._sequence(service))
        return (one for one in sequence if one[0] > after)

    def _sequence(self, service: str) -> Iterator[tuple[Place, ServiceProbe]]:
        if self.null is not None:
            yield LISTENING, self.null
        for turn in (LISTED, UNLISTED):
            for index, probe in enumerate(self._probes):
                if probe is not self.null and self._belongs(turn, index, service):
                    yield (turn, index), probe

    def eligible(self, place: Place, service: str) -> bool:
        """Whether the probe at a place is sent at all when a softmatch gave this name."""
        return place == LISTENING or self._belongs(*place, service)

    def of_name(self, name: str) -> tuple[Place, ServiceProbe] | None:
        """Where the probe of this name stands, if it is sent."""
        return next(((place, probe) for place, probe in self.probes() if probe.name == name), None)

    def speaking_for(self, service: str) -> tuple[Place, ServiceProbe] | None:
        """The first probe that some rule for ``service`` belongs to, other than the NULL probe."""
        return next(
            ((place, probe) for place, probe in self.probes(after=LISTENING) if service in probe.services), None
        )

    def _belongs(self, turn: int, index: int, service: str) -> bool:
        probe = self._probes[index]
        narrowed = bool(service) and self._intensity < EVERYTHING
        if narrowed and service not in probe.services:
            return False
        if self._listed[index]:
            return turn == LISTED
        return turn == UNLISTED and (narrowed or probe.rarity <= self._intensity)
