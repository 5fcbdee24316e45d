"""What an idle scan found, as ports with the proof of each."""

from __future__ import annotations

from leadline.model.evidence import Evidence
from leadline.model.port import Port, PortState, PortSummary, Protocol, Reason
from leadline.model.service import Service
from leadline.ports.idle_search import Standing
from leadline.ports.listing import Listing, listed
from leadline.ports.result import ServiceNames

_KEYS = {
    True: (PortState.OPEN, Reason.IPID_CHANGE),
    False: (PortState.CLOSED_FILTERED, Reason.NO_IPID_CHANGE),
}


def idle_port(number: int, standing: Standing, step: int, names: ServiceNames) -> Port:
    """One decided port. ``step``: what one packet adds to the zombie's identifications."""
    state, reason = _KEYS[bool(standing.open)]
    service = names(number, Protocol.TCP)
    distance = f"ip-id +{(standing.distance + 1) * step}"
    among = "" if standing.asked_with == 1 else f", asked together with {standing.asked_with - 1} other ports"
    sent = f"{standing.distance} besides the answer to us" if standing.distance else "only the answer to us"
    tests = f"counted in {standing.hits} of {standing.tests} tests" if standing.open else f"test {standing.tests}"
    return Port(
        number=number,
        protocol=Protocol.TCP,
        state=state,
        reason=reason,
        service=Service(service) if service else None,
        evidence=Evidence(
            probe="idle",
            tries=standing.tests,
            answered_try=standing.tests if standing.open else 0,
            reply=distance,
            at=standing.at,
            rule=f"idle: the zombie sent {sent} ({distance}{among}), {tests} -> {state.label}",
        ),
    )


def idle_ports(
    standings: dict[int, Standing], step: int, listing: Listing
) -> tuple[tuple[Port, ...], tuple[PortSummary, ...]]:
    """The decided ports, ascending, and those that are only counted."""
    found = {
        key: [number for number, standing in standings.items() if standing.open is is_open]
        for is_open, key in _KEYS.items()
    }
    return listed(found, lambda number: idle_port(number, standings[number], step, listing.names), listing)
