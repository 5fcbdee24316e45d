"""The order of the stages: targets, discovery, names, ports, services, and the events that come of it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace

from leadline import __version__
from leadline.data.services import default_services
from leadline.data.vendors import vendor_of
from leadline.discovery.stage import discover
from leadline.engine.control import Control
from leadline.engine.partition import partition
from leadline.engine.session import Session
from leadline.engine.turns import Step, awake
from leadline.link.base import Network
from leadline.model.event import Event, Notice, ScanStarted, TargetSkipped
from leadline.model.host import HostStatus
from leadline.model.plan import Plan
from leadline.model.port import Protocol, Reason
from leadline.model.target import TargetBlock
from leadline.net.base import Resolver
from leadline.net.waited_lines import read_lines
from leadline.pipeline.flow import Flow
from leadline.pipeline.known import Known, broken_link, host_of, keep_outcome, no_route
from leadline.pipeline.naming import list_hosts, name_hosts
from leadline.pipeline.opening import check_rights, make_session, scan_ended, scan_infos
from leadline.pipeline.scanning import load_payloads, matcher_of
from leadline.pipeline.shaping import dress
from leadline.pipeline.sweeping import sweep_space
from leadline.pipeline.zombies import find_relay, find_zombies
from leadline.ports.sweep import LARGEST_SCAN, is_swept
from leadline.targets.source import TargetSource
from leadline.targets.space import HostSpace

# Targets that are discovered together: four times Nmap's batch (spec sheet 2.6), since each batch waits once for late
# answers, whatever its size.
BLOCK = 16_384


def run(plan: Plan, network: Network, resolver: Resolver, control: Control) -> Iterator[Event]:
    """Carry out the plan. ``ScanStarted`` comes first and ``ScanEnded`` last, also when the scan is stopped or fails.

    Raises the ``ScanError`` that ended the scan after it was told in ``ScanEnded``.
    """
    session = make_session(plan, network, control)
    yield ScanStarted(
        started=network.clock.epoch(),
        version=__version__,
        arguments=plan.arguments,
        scans=scan_infos(plan, session),
        verbosity=plan.output.verbosity,
        debugging=plan.output.debugging,
    )
    for text in plan.notices:
        yield Notice(session.at(), "warning", text)
    failure: Exception | None = None
    try:
        try:
            check_rights(plan, session)
            yield from dress(session, resolver)
            events: Iterator[Event] = awake(_all(plan, session, resolver), network)
            yield from events
            failure = session.broken
        except Exception as error:  # noqa: BLE001 - told in the last event, then raised again
            failure = error
        yield scan_ended(session, failure)
    finally:
        # Also when nobody wants to hear the rest.
        session.close()
    if failure is not None:
        raise failure


def _all(plan: Plan, session: Session, resolver: Resolver) -> Generator[Step, None, None]:
    matcher = matcher_of(plan)
    load_payloads(plan, session, matcher)
    flow = Flow(plan, session, matcher)
    yield from flow.steps(_blocks(flow, plan, session, resolver))


def _blocks(flow: Flow, plan: Plan, session: Session, resolver: Resolver) -> Generator[Step | None, None, None]:
    """What the targets are and which of them are up, block by block; ``None`` after each of them."""
    protocols = tuple(dict.fromkeys(technique.protocol for technique in plan.ports.techniques)) or (Protocol.TCP,)
    source = TargetSource(
        plan.targets, resolver, default_services(), session.key, read_lines, protocols, session.control.stopping
    )
    yield from find_zombies(plan, session, resolver)
    find_relay(plan, session, resolver)
    sweep_from = LARGEST_SCAN + 1 if is_swept(plan, session.raw) else None
    for block in source.blocks(BLOCK, sweep_from):
        if session.control.stop:
            return
        if isinstance(block, TargetSkipped | Notice):
            yield replace(block, at=session.at())
        elif isinstance(block, HostSpace):
            for step in sweep_space(block, plan, session, resolver, flow.matcher, BLOCK):
                if isinstance(step, TargetBlock):
                    yield from _block(step, flow, plan, session, resolver)
                else:
                    yield step
        else:
            yield from _block(block, flow, plan, session, resolver)


def _block(
    block: TargetBlock, flow: Flow, plan: Plan, session: Session, resolver: Resolver
) -> Generator[Step | None, None, None]:
    known = Known(block, session.network.clock.epoch())
    flow.begin(known)
    if plan.discovery.mode == "list":
        yield from list_hosts(known, plan, session, resolver)
        known.complete = True
    else:
        yield from _find(known, plan, session, resolver)
        yield from flow.scan(known)
    yield None


def _find(known: Known, plan: Plan, session: Session, resolver: Resolver) -> Iterator[Step]:
    block = known.block
    parts, lost = partition(block, session.network, session.outfit)
    for row in lost:
        known.hosts[int(row)] = host_of(known, int(row), HostStatus.DOWN, Reason.NO_ROUTE)
    if len(lost):
        yield Notice(session.at(), "warning", no_route(block, lost.tolist()))
    for part in parts:
        if session.control.stop:
            break
        outcome = yield from discover(part, block, session, vendor_of)
        known.groups.append((part, outcome))
        # Where discovery is all, hosts are finished here, unless names are asked for.
        last = not plan.ports.techniques and plan.resolve.reverse == "never"
        keep_outcome(known, part, outcome, session.network.clock.epoch() if last else 0.0, session.tally)
        if outcome.failure is not None:
            yield broken_link(outcome.failure, session)
    yield from name_hosts(known, plan, session, resolver)
