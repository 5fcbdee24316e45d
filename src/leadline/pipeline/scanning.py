"""Ports and services of the hosts of a block that are up, group by group."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from leadline.data.ranking import DEFAULT_COUNT, top_ports
from leadline.data.service_probes import load_service_probes, udp_payloads
from leadline.data.services import service_name
from leadline.engine.group import HostGroup
from leadline.engine.partition import Part
from leadline.engine.payloads import Payloads
from leadline.engine.session import Session
from leadline.engine.turns import Step
from leadline.errors import LinkError
from leadline.model.event import TaskStarted
from leadline.model.host import Host, HostStatus
from leadline.model.plan import PingKind, Plan, Technique
from leadline.model.port import Protocol
from leadline.model.port_set import PortSet
from leadline.model.target import TargetBlock
from leadline.pipeline.known import Known, broken_link, has_open, host_done, with_ports
from leadline.ports.probes import POPULAR_FIRST
from leadline.ports.stage import HostPorts, group_sizes, scan_ports, task_of, techniques_of

if TYPE_CHECKING:
    from leadline.services.matcher import Matcher


def matcher_of(plan: Plan) -> Matcher | None:
    """The rules of version detection, when it is asked for. Imported here: other scans need not wait for it."""
    if not plan.services.enabled:
        return None
    from leadline.services.cache import default_folder
    from leadline.services.matcher import make_matcher

    return make_matcher(plan.services.rules, default_folder(os.environ))


def scan_hosts(known: Known, plan: Plan, session: Session) -> Iterator[Step]:
    """Give the hosts that are finished, scan the ports of the others, group by group."""
    scans = bool(plan.ports.techniques)
    for row, host in sorted(known.hosts.items()):
        if not (scans and host.status is HostStatus.UP):
            yield host_done(known, row, host, session)
    if not scans:
        return
    if not session.control.stop:
        known.stage = task_of(techniques_of(session)[0])
    for part, outcome in known.groups:
        up = np.flatnonzero(outcome.status == HostStatus.UP)
        ports = [ports_of(known.block, int(part.rows[index]), plan) for index in up]
        most = max((len(numbers) for each in ports for numbers in each.ports.values()), default=0)
        first = 0
        for size in group_sizes(len(up), most, session):
            rows = up[first : first + size]
            yield from _scan_group(known, part, outcome.group, rows, ports[first : first + size], session)
            first += size


def ports_of(block: TargetBlock, row: int, plan: Plan) -> PortSet:
    """The ports to scan of the target in this row: its own or the plan's."""
    own = block.port_sets.get(row)
    return plan.ports.ports if own is None else own.without(plan.ports.excluded)


def _scan_group(
    known: Known, part: Part, group: HostGroup, rows: np.ndarray[tuple[int], np.dtype[np.int64]],
    ports: list[PortSet], session: Session,
) -> Generator[Step, None, None]:  # fmt: skip
    places = [int(part.rows[index]) for index in rows]
    if session.control.stop or not any(ports):
        cut = known.stage if session.control.stop else ""
        for place in places:
            yield host_done(known, place, replace(known.hosts[place], interrupted=cut), session)
        return
    scopes = {at: known.block.scopes[place] for at, place in enumerate(places) if place in known.block.scopes}
    popular = partial(first_ports, session.payloads)
    ready: list[tuple[int, Host]] = []
    try:
        for event in scan_ports(group.subset(rows), ports, scopes, session, service_name, popular):
            if isinstance(event, HostPorts):
                place = places[event.row]
                host = known.hosts[place] = with_ports(known.hosts[place], event)
                if known.matcher is not None and not host.interrupted and has_open(host):
                    ready.append((place, host))
                else:
                    yield host_done(known, place, host, session)
            else:
                if isinstance(event, TaskStarted):
                    known.stage = event.task
                yield event
        yield from _services(known, ready, session)
    except LinkError as error:
        # What was found is told, each host with the stage that it was cut in.
        yield broken_link(error, session)
        for place in places:
            if place not in known.told:
                yield host_done(known, place, replace(known.hosts[place], interrupted=known.stage), session)


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
        probes = matcher.probes if matcher is not None else load_service_probes(plan.services.rules)
        session.payloads = Payloads(udp_payloads(probes))


def _services(known: Known, ready: list[tuple[int, Host]], session: Session) -> Generator[Step, None, None]:
    """Ask what runs behind the open ports of hosts whose ports are known."""
    if not ready or known.matcher is None:
        return
    from leadline.services.stage import TASK, HostServices, scan_services

    known.stage = TASK
    scopes = {place: known.block.scopes[place] for place, _ in ready if place in known.block.scopes}
    for event in scan_services(ready, scopes, known.matcher, session):
        if isinstance(event, HostServices):
            yield host_done(known, event.row, event.host, session)
        else:
            yield event
