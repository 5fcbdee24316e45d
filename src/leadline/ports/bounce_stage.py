"""Runs the FTP bounce scan (``-b``) on a group, one port after the other: the server serves one command at a time."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address

from leadline.engine.driver import LONGEST_WAIT
from leadline.engine.group import HostGroup
from leadline.engine.session import Session
from leadline.engine.turns import GO_ON, Pause, Step
from leadline.errors import NetworkError
from leadline.model.event import Notice, PortFound, TaskEnded, TaskStarted
from leadline.model.evidence import Evidence
from leadline.model.port import Port, PortState, PortSummary, Protocol, Reason
from leadline.model.service import Service
from leadline.net.base import Dialer, Ended, Endpoint, Opened, Received
from leadline.ports.bounce import BounceDialogue, Command, Verdict
from leadline.ports.bounds import Bound, Bounds
from leadline.ports.listing import Listing, listed
from leadline.ports.probes import PortMatrix
from leadline.ports.result import ServiceNames
from leadline.ports.stage import BOUNCE_TASK as TASK
from leadline.ports.stage import HostPorts

_STATES = (PortState.OPEN, PortState.CLOSED, PortState.FILTERED)
# No packet of the target reaches us, whatever its state; the server's word is in the evidence.
_REASON = Reason.NO_RESPONSE


def bounce_hosts(
    group: HostGroup,
    ports: Sequence[tuple[int, ...]],
    matrix: PortMatrix,
    session: Session,
    listing: Listing,
    bounds: Bounds,
) -> Iterator[Step | HostPorts]:
    """Scan the hosts that have ``ports``. Raises ``NetworkError`` when the server is of no use."""
    relay = session.plan.ports.relay
    if relay is None or session.relay is None:
        raise NetworkError("there is no FTP server to bounce from")
    dialer = session.network.dialer(1, session.plan.proxies, session.plan.shape)
    try:
        for row in range(len(group)):
            if session.control.stop or not ports[row]:
                cut = TASK if session.control.stop else ""
                yield HostPorts(row, (), (), -1.0, -1.0, 0.0, cut)
                continue
            target = group.address(row)
            if not isinstance(target, IPv4Address):
                why = "an FTP server can be told to connect to IPv4 addresses only"
                yield Notice(session.at(), "warning", f"{target} was not scanned: {why}.")
                yield HostPorts(row, (), (), -1.0, -1.0, 0.0)
                continue
            order = tuple(int(number) for number in matrix.numbers[matrix.ports_of(row)])
            dialogue = BounceDialogue(relay, target, order, session.clock.now())
            yield from _one(row, dialogue, Endpoint(session.relay, relay.port), dialer, session, listing, bounds)
    finally:
        dialer.close_all()


def _one(
    row: int,
    dialogue: BounceDialogue,
    endpoint: Endpoint,
    dialer: Dialer,
    session: Session,
    listing: Listing,
    bounds: Bounds,
) -> Iterator[Step | HostPorts]:
    clock = session.clock
    began = clock.now()
    bounds.begin(row, began)
    yield TaskStarted(session.at(), TASK, f"{dialogue.target} over {endpoint.address}")
    meter = session.meter(TASK)
    meter.look = lambda: (dialogue.progress(), 0, 0)
    told: set[int] = set()
    bound: Bound | None = None
    try:
        while not dialogue.done and not session.control.stop and bound is None:
            bound = bounds.reached(row, clock.now())
            acted = _act(dialogue.poll(clock.now()), dialer, endpoint)
            heard = _hear(dialer, dialogue)
            for number in dialogue.verdicts.keys() - told:
                told.add(number)
                if dialogue.verdicts[number].state is PortState.OPEN:
                    port = _port(number, dialogue.verdicts[number], session, listing.names)
                    opened = PortFound(session.at(), dialogue.target, port)
                    bounds.see(opened)
                    yield opened
            now = clock.now()
            if meter.due(now, session.control):
                yield meter.event(now, dialogue.progress(), 0, 0)
            until = min(now + LONGEST_WAIT, dialogue.next_timer())
            yield GO_ON if acted or heard else Pause((dialer,), dialer.next_look(until))
    finally:
        meter.end()
        dialer.close(0)
    if dialogue.skipped:
        text = f"The FTP server refuses to connect to ports below 1024: {len(dialogue.skipped)} of them not asked."
        yield Notice(session.at(), "warning", text)
    found = _told(dialogue, session, listing)
    cut = "" if dialogue.done and not dialogue.failure else TASK
    bound = bound if cut else None
    spent = bounds.end(row, clock.now())
    yield HostPorts(row, *found, -1.0, -1.0, 0.0, cut, bound is Bound.TIME, bound is Bound.OPEN_PORTS, spent=spent)
    yield TaskEnded(session.at(), TASK, f"{len(dialogue.verdicts)} total ports", clock.now() - began)
    if dialogue.failure:
        raise NetworkError(f"the FTP server {endpoint.address} cannot be used: {dialogue.failure}")


def _act(wanted: list[bytes | Command], dialer: Dialer, endpoint: Endpoint) -> bool:
    for one in wanted:
        if isinstance(one, bytes):
            dialer.send(0, one)
        elif one is Command.OPEN:
            dialer.open(0, endpoint)
        else:
            dialer.close(0)
    return bool(wanted)


def _hear(dialer: Dialer, dialogue: BounceDialogue) -> bool:
    events = dialer.poll(0.0)
    for event in events:
        if isinstance(event, Opened):
            dialogue.opened(event.at)
        elif isinstance(event, Received):
            dialogue.received(event.data, event.at)
        elif isinstance(event, Ended):
            why = os.strerror(event.error) if event.error else "it hung up"
            if event.phase == "connect" and event.error == errno.ECONNREFUSED:
                why = "connection refused"
            dialogue.ended(event.at, event.message or why)
    return bool(events)


def _port(number: int, verdict: Verdict, session: Session, names: ServiceNames) -> Port:
    service = names(number, Protocol.TCP)
    said = verdict.reply or "no answer about the transfer"
    return Port(
        number=number,
        protocol=Protocol.TCP,
        state=verdict.state,
        reason=_REASON,
        service=Service(service) if service else None,
        evidence=Evidence(
            probe="bounce",
            tries=verdict.tries,
            answered_try=verdict.tries if verdict.reply else 0,
            reply=f"ftp {verdict.reply}" if verdict.reply else "",
            responder=session.relay if verdict.reply else None,
            at=verdict.at - session.epoch,
            rule=f"bounce: {said} -> {verdict.state.label}",
        ),
    )


def _told(
    dialogue: BounceDialogue, session: Session, listing: Listing
) -> tuple[tuple[Port, ...], tuple[PortSummary, ...]]:
    verdicts = dialogue.verdicts
    found = {
        (state, _REASON): [number for number, verdict in verdicts.items() if verdict.state is state]
        for state in _STATES
    }
    return listed(found, lambda number: _port(number, verdicts[number], session, listing.names), listing)
