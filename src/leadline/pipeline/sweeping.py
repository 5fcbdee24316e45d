"""Sweeps in the order of things: ways out, the sweep itself, then names and services of what it found."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from leadline.data.services import service_name
from leadline.data.vendors import vendor_of
from leadline.discovery.stage import next_hops
from leadline.engine.group import HostGroup
from leadline.engine.partition import Part
from leadline.engine.session import Session
from leadline.engine.sweep_codec import Lane
from leadline.engine.sweep_lanes import ELSEWHERE, NO_ROUTE, LaneTable, lane_table
from leadline.engine.turns import Step, Turns
from leadline.link.base import Route
from leadline.model.address import Address, columns_of
from leadline.model.event import Event, HostDone, Notice
from leadline.model.host import Hostname, HostStatus
from leadline.model.plan import Plan
from leadline.model.port import MAYBE_OPEN
from leadline.model.swept import HostsSilent, HostsSwept
from leadline.model.target import TargetBlock
from leadline.net.base import Resolver
from leadline.ports.sweep import Sweep, SweptChunk
from leadline.targets.space import HostSpace

if TYPE_CHECKING:
    from leadline.services.matcher import Matcher
    from leadline.services.stage import ServiceStage

# Targets looked at in one go.
SOME = 1 << 16


def sweep_space(
    space: HostSpace, plan: Plan, session: Session, resolver: Resolver, matcher: Matcher | None, block: int
) -> Generator[Step | TargetBlock, None, None]:
    """Sweep one space; yields steps, and blocks of those targets that are to be scanned in the ordinary way.

    Services of what was found open are asked while the sweep goes on.
    """
    table, routes, last = lane_table(space.family, space.spans(), session.network)
    lanes: list[Lane] = []
    for route in routes:
        mac = yield from _next_hop(route, space.family, session)
        lanes.append(Lane(route, mac))
    unreachable = 0
    if not lanes:
        unreachable = _unreachable(space, table)
        session.tally.hosts_done += unreachable
        session.tally.hosts_down += unreachable
    else:
        found = _Found(Sweep(space, lanes, table, session, service_name), plan, session, resolver)
        yield from found.run() if matcher is None else found.run_with_services(matcher)
        unreachable = found.unreachable
    if unreachable:
        yield Notice(session.at(), "warning", f"no route to {unreachable} of the targets")
    if not session.control.stop:
        yield from _elsewhere(space, table, last, block)


def _next_hop(route: Route, family: int, session: Session) -> Generator[Step, None, bytes]:
    if route.gateway is None:
        return bytes(6)
    # Only the gateway's address matters; a group wants a host.
    hi, lo = columns_of([route.gateway if route.gateway.version == family else route.source])
    group = HostGroup(family, hi, lo, route)
    part = Part(np.zeros(1, np.int64), group, [route.gateway], np.zeros(1, np.int64))
    yield from next_hops(part, session, vendor_of)
    return bytes(group.macs[0])


def _unreachable(space: HostSpace, table: LaneTable) -> int:
    """Targets without a route, where there is no way out at all."""
    count = 0
    for start in range(0, space.size, SOME):
        index = np.arange(start, min(start + SOME, space.size), dtype=np.uint64)
        hi, lo, keep = space.addresses(index)
        count += int(np.count_nonzero(keep & (table.of(hi, lo) == NO_ROUTE)))
    return count


def _elsewhere(space: HostSpace, table: LaneTable, last: int, block: int) -> Iterator[TargetBlock]:
    """Targets on the local link and this machine's own addresses: those know better ways."""
    for start, end in table.intervals(ELSEWHERE, last):
        for low in range(start, end + 1, block):
            count = min(block, end + 1 - low)
            lo = np.uint64(low & (1 << 64) - 1) + np.arange(count, dtype=np.uint64)
            hi = np.uint64(low >> 64) + (lo < np.uint64(low & (1 << 64) - 1))
            ours = np.flatnonzero(space.find(hi, lo) >= 0)
            if len(ours):
                yield TargetBlock(space.family, hi[ours], lo[ours])


class _Found:
    """What a sweep finds, told host by host or many at once. ``unreachable``: targets without a route so far."""

    def __init__(self, sweep: Sweep, plan: Plan, session: Session, resolver: Resolver) -> None:
        self.unreachable = 0
        self._sweep, self._plan, self._session, self._resolver = sweep, plan, session, resolver
        self._services: ServiceStage | None = None
        self._asked = 0

    def run(self) -> Generator[Step, None, None]:
        """The sweep to its end."""
        for step in self._sweep.run():
            if isinstance(step, SweptChunk):
                yield from self._tell(step)
                continue
            if isinstance(step, HostsSilent):
                self._count(step.count, step.status)
            yield step

    def run_with_services(self, matcher: Matcher) -> Generator[Step, None, None]:
        """The same, while the services of open ports are asked."""
        from leadline.services.stage import HostServices, ServiceStage

        services = self._services = ServiceStage(matcher, self._session)
        turns: Turns[Event | HostServices] = Turns()
        turns.add(self._then_finish(services))
        turns.add(services.steps())
        try:
            while len(turns):
                for event in turns.round():
                    yield HostDone(self._session.at(), event.host) if isinstance(event, HostServices) else event
                yield turns.pause()
        finally:
            turns.close()

    def _then_finish(self, services: ServiceStage) -> Generator[Step, None, None]:
        try:
            yield from self.run()
        finally:
            services.finish()

    def _count(self, hosts: int, status: HostStatus) -> None:
        tally = self._session.tally
        tally.hosts_done += hosts
        tally.hosts_up += hosts * (status is HostStatus.UP)
        tally.hosts_down += hosts * (status is HostStatus.DOWN)

    def _tell(self, chunk: SweptChunk) -> Iterator[Event]:
        """The hosts that answered: many at once, or one by one where more is to be found out of them."""
        self.unreachable += chunk.unreachable
        self._count(chunk.unreachable, HostStatus.DOWN)
        for swept in chunk.result.events(self._sweep.telling):
            for status, count in swept.statuses().items():
                self._count(count, status)
            names = self._names(swept)
            served = np.zeros(len(swept), bool)
            if self._services is not None and not swept.interrupted:
                served |= np.isin(swept.states, [int(state) for state in MAYBE_OPEN]).any(axis=1)
            named = [swept.address(row) in names for row in range(len(swept))] if names else False
            apart = np.flatnonzero(served | named).tolist()
            others = np.delete(np.arange(len(swept)), apart) if apart else None
            if others is None or len(others):
                yield swept if others is None else swept.subset(others)
            for row in apart:
                host = swept.host(row)
                if host.address in names:
                    host = replace(host, hostnames=(Hostname(names[host.address], "PTR"),))
                if served[row] and self._services is not None:
                    self._services.add(self._asked, host)
                    self._asked += 1
                else:
                    yield HostDone(self._session.at(), host)

    def _names(self, swept: HostsSwept) -> dict[Address, str]:
        """Reverse names of the hosts that answered; those of silent ones are not asked for."""
        if self._plan.resolve.reverse == "never" or self._session.control.stop:
            return {}
        addresses = [swept.address(row) for row in range(len(swept))]
        return dict(self._resolver.reverse(addresses, self._session.control.stopping))
