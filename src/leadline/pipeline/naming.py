"""Reverse names of the hosts of a block, and the list scan, which asks for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from leadline.engine.progress import hosts_text
from leadline.engine.session import Session
from leadline.model.address import Address
from leadline.model.event import Event, TaskEnded, TaskStarted
from leadline.model.host import Hostname, HostStatus
from leadline.model.plan import Plan
from leadline.model.port import Reason
from leadline.net.base import Resolver
from leadline.pipeline.known import NAMES, Known, host_done, host_of


def list_hosts(known: Known, plan: Plan, session: Session, resolver: Resolver) -> Iterator[Event]:
    """All targets as they are, named if they have names; no packet is sent to them."""
    for row in range(len(known.block)):
        known.hosts[row] = host_of(known, row, HostStatus.UNKNOWN, Reason.USER_SET)
    yield from name_hosts(known, plan, session, resolver)
    for row in range(len(known.block)):
        yield host_done(known, row, known.hosts[row], session)


def name_hosts(known: Known, plan: Plan, session: Session, resolver: Resolver) -> Iterator[Event]:
    """Reverse names of the hosts that are worth it; who had to have one is marked when the scan was cut before."""
    mode = plan.resolve.reverse
    if mode == "never":
        return
    every = mode == "all" or plan.discovery.mode == "list"
    wanted = [row for row, host in known.hosts.items() if every or host.status is HostStatus.UP]
    if wanted and not session.control.stop:
        known.stage = NAMES
        yield from _ask_names(known, wanted, session, resolver)
    if session.control.stop:
        for row in wanted:
            host = known.hosts[row]
            if not any(name.kind == "PTR" for name in host.hostnames):
                known.hosts[row] = replace(host, interrupted=host.interrupted or known.stage)


def _ask_names(known: Known, wanted: list[int], session: Session, resolver: Resolver) -> Iterator[Event]:
    task = "Parallel DNS resolution"
    began = session.clock.now()
    yield TaskStarted(session.at(), task, hosts_text(len(wanted)))
    addresses: list[Address] = list(dict.fromkeys(known.hosts[row].address for row in wanted))
    found = resolver.reverse(addresses, session.control.stopping)
    for row in wanted:
        host = known.hosts[row]
        name = found.get(host.address)
        if name:
            known.hosts[row] = replace(host, hostnames=(*host.hostnames, Hostname(name, "PTR")))
    yield TaskEnded(session.at(), task, hosts_text(len(wanted)), session.clock.now() - began)
