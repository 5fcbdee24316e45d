"""Ports and services of hosts that are up: one group's scan, and the services of all groups."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from dataclasses import field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadline.data.ranking import DEFAULT_COUNT, top_ports
from leadline.data.services import service_name
from leadline.engine.group import HostGroup
from leadline.engine.payloads import Payloads
from leadline.engine.session import Session
from leadline.engine.turns import Step
from leadline.errors import LinkError
from leadline.model.event import TaskStarted
from leadline.model.host import Host
from leadline.model.plan import PingKind, Plan, Technique
from leadline.model.port import Protocol
from leadline.model.port_set import PortSet
from leadline.model.quick_dataclass import dataclass
from leadline.model.target import TargetBlock
from leadline.pipeline.known import Known, broken_link, host_done, with_ports
from leadline.pipeline.room import Running
from leadline.ports.probes import POPULAR_FIRST
from leadline.ports.stage import HostPorts, scan_ports

if TYPE_CHECKING:
    from leadline.services.matcher import Matcher
    from leadline.services.stage import ServiceStage


def matcher_of(plan: Plan) -> Matcher | None:
    """The rules of version detection, when it is asked for. Imported here: other scans need not wait for it."""
    if not plan.services.enabled:
        return None
    from leadline.services.cache import default_folder
    from leadline.services.matcher import make_matcher

    return make_matcher(plan.services.rules, default_folder(os.environ))


def ports_of(block: TargetBlock, row: int, plan: Plan) -> PortSet:
    """The ports to scan of the target in this row: its own or the plan's."""
    own = block.port_sets.get(row)
    return plan.ports.ports if own is None else own.without(plan.ports.excluded)


@dataclass(slots=True)
class Waiting:
    """Hosts of one route that wait for their port scan. ``places``: their rows in the block, ``ports`` of each;
    ``each``: the most items that one of them has, by whatever technique.
    """

    known: Known
    group: HostGroup
    places: NDArray[np.int64]
    ports: list[PortSet]
    each: int

    def __len__(self) -> int:
        return len(self.places)

    def take(self, size: int) -> Waiting:
        """The first ``size`` hosts; the others stay."""
        first = Waiting(
            self.known, self.group.subset(np.arange(size)), self.places[:size], self.ports[:size], self.each
        )
        self.group = self.group.subset(np.arange(size, len(self)))
        self.places, self.ports = self.places[size:], self.ports[size:]
        return first


def scan_group(
    hosts: Waiting, running: Running, session: Session, ask: Callable[[Known, int, Host, float], bool]
) -> Generator[Step, None, None]:
    """Scan the ports of some hosts and give each that is finished, save those that somebody asks more.

    ``running``: told how many hosts are still at work. ``ask``: takes a host that is to be asked more, or
    says (in ``known.hosts``) why not; whether it did.
    """
    known, places = hosts.known, hosts.places.tolist()
    stage = known.stage
    if session.control.stop or not any(hosts.ports):
        cut = stage if session.control.stop else ""
        for place in places:
            yield host_done(known, place, replace(known.hosts[place], interrupted=cut), session)
        return
    scopes = {at: known.block.scopes[place] for at, place in enumerate(places) if place in known.block.scopes}
    popular = partial(first_ports, session.payloads)
    given: set[int] = set()
    try:
        for event in scan_ports(hosts.group, hosts.ports, scopes, session, service_name, popular):
            if isinstance(event, HostPorts):
                running.active -= 1
                place = places[event.row]
                given.add(place)
                host = known.hosts[place] = with_ports(known.hosts[place], event)
                if (host.interrupted and not host.gave_up) or not ask(known, place, host, event.spent):
                    yield host_done(known, place, known.hosts[place], session)
            else:
                if isinstance(event, TaskStarted):
                    stage = event.task
                yield event
    except LinkError as error:
        # What was found is told, each host with the stage that it was cut in.
        yield broken_link(error, session)
        for place in places:
            if place not in given:
                yield host_done(known, place, replace(known.hosts[place], interrupted=stage), session)


def first_ports(payloads: Payloads, protocol: Protocol) -> tuple[int, ...]:
    """The ports of a protocol that are asked first: of UDP those whose protocol we speak, for who is asked in a way
    that he understands answers at once; then the most common ones.
    """
    popular = top_ports(protocol, POPULAR_FIRST)
    if protocol is not Protocol.UDP:
        return popular
    spoken = set(payloads.ports)
    ranked = [port for port in top_ports(protocol, DEFAULT_COUNT) if port in spoken]
    return tuple(dict.fromkeys((*ranked, *payloads.ports, *popular)))


def load_payloads(plan: Plan, session: Session, matcher: Matcher | None) -> None:
    """What UDP probes carry, for scans that send some: of the rules that version detection uses too.

    Raises ``DataError`` when there is something wrong with rules that the user named.
    """
    pings = (*plan.discovery.probes_v4, *plan.discovery.probes_v6)
    if Technique.UDP in plan.ports.techniques or any(probe.kind is PingKind.UDP for probe in pings):
        from leadline.data.service_probes import load_service_probes, udp_payloads

        probes = matcher.probes if matcher is not None else load_service_probes(plan.services.rules)
        session.payloads = Payloads(udp_payloads(probes))


@dataclass(slots=True)
class Services:
    """Version detection of the hosts of all groups, for the whole scan: it begins with the first host."""

    matcher: Matcher
    session: Session
    stage: ServiceStage | None = None
    _asked: dict[int, tuple[Known, int]] = field(default_factory=dict)
    _next: int = 0

    def ask(self, known: Known, place: int, host: Host, spent: float) -> bool:
        """Take a host whose ports are known; ``spent``: seconds that were worked on it."""
        from leadline.services.stage import ServiceStage

        if self.stage is None:
            self.stage = ServiceStage(self.matcher, self.session)
        self._asked[self._next] = (known, place)
        known.asked.add(place)
        self.stage.add(self._next, host, known.block.scopes.get(place, ""), spent)
        self._next += 1
        return True

    def steps(self) -> Generator[Step, None, None]:
        """Ask until no more hosts come and all are done; each is given when it is finished."""
        from leadline.services.stage import HostServices

        assert self.stage is not None
        for event in self.stage.steps():
            if isinstance(event, HostServices):
                known, place = self._asked.pop(event.row)
                yield host_done(known, place, event.host, self.session)
            else:
                yield event
