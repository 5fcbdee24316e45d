"""Runs discovery on one part of a block and says what came out."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadline.discovery.connect import ConnectDiscovery, connect_ports
from leadline.discovery.machine import DiscoveryMachine, mac_text
from leadline.discovery.probes import PingColumns, neighbor_columns, raw_columns
from leadline.engine.driver import drive, drive_connections
from leadline.engine.group import HostGroup
from leadline.engine.partition import Part
from leadline.engine.prober import Prober
from leadline.engine.progress import hosts_text
from leadline.engine.session import Session
from leadline.engine.turns import Pause, Step
from leadline.model.address import Address, columns_of
from leadline.model.event import Notice, PacketTraced, TaskEnded, TaskStarted
from leadline.model.evidence import Evidence
from leadline.model.host import HostStatus
from leadline.model.plan import TimingPlan
from leadline.model.port import Reason
from leadline.model.quick_dataclass import dataclass
from leadline.model.target import TargetBlock

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
VendorNames = Callable[[str], str]
ARP_TIMEOUT = 0.2
# Of so few hosts nobody's answers tell how much the path loses, and a third try costs little.
FEW, TRIES_OF_FEW = 16, 3


@dataclass(slots=True)
class Outcome:
    """What is known of the hosts of one group after discovery; columns ``(N,)`` as in ``discovery.machine``.

    ``failure``: what ended it early, for the caller to raise when all that was found is told.
    """

    group: HostGroup
    status: U8
    reasons: U8
    ttls: U8
    evidence: Callable[[int], Evidence | None] = lambda row: None
    mac: Callable[[int], str] = lambda row: ""
    responder: Callable[[int], Address | None] = lambda row: None
    failure: Exception | None = None


def discover(part: Part, block: TargetBlock, session: Session, vendors: VendorNames) -> Generator[Step, None, Outcome]:
    """Find out which hosts of the part are up; yields events and pauses, returns the outcome."""
    session.tally.hosts_active += len(part.group)
    try:
        return (yield from _discover(part, block, session, vendors))
    finally:
        session.tally.hosts_active -= len(part.group)


def _discover(part: Part, block: TargetBlock, session: Session, vendors: VendorNames) -> Generator[Step, None, Outcome]:
    plan, group, route = session.plan.discovery, part.group, part.route
    neighbors = route.on_link and plan.link_probes and session.raw
    if plan.mode == "none" and not neighbors:
        if session.raw:
            yield from next_hops(part, session, vendors)
        return _with_macs(_believed(group, Reason.USER_SET))
    if session.raw and (route.local or route.interface.kind == "loopback"):
        return _believed(group, Reason.LOCALHOST_RESPONSE)
    columns = neighbor_columns(group.family) if neighbors else raw_columns(plan, group.family)
    if not session.raw or not len(columns.kinds):
        return (yield from _by_connections(part, block, session))
    task = "Ping Scan"
    if neighbors:
        task = "ARP Ping Scan" if group.family == 4 else "ND Ping Scan"
    else:
        yield from next_hops(part, session, vendors)
    return _with_macs((yield from _by_frames(group, columns, task, session, vendors)))


def _with_macs(outcome: Outcome) -> Outcome:
    """On the local link the next hop is the host itself: its MAC is known however the host was found up."""
    if outcome.group.route.on_link:
        outcome.mac = lambda row: mac_text(outcome.group.macs[row]) if outcome.status[row] == HostStatus.UP else ""
    return outcome


def _believed(group: HostGroup, reason: Reason) -> Outcome:
    count = len(group)
    up = np.full(count, int(HostStatus.UP), dtype=np.uint8)
    return Outcome(group, up, np.full(count, int(reason), dtype=np.uint8), np.zeros(count, dtype=np.uint8))


def _by_frames(
    group: HostGroup, columns: PingColumns, task: str, session: Session, vendors: VendorNames, quiet: bool = False
) -> Generator[Step, None, Outcome]:
    plan, clock = session.plan, session.clock
    began = clock.now()
    timing = plan.timing
    neighbors = task.endswith(("ARP Ping Scan", "ND Ping Scan"))
    if neighbors:
        # Spec sheet 2.1: on the local link nobody needs a second to answer.
        initial = min(max(ARP_TIMEOUT, timing.min_rtt_timeout), timing.initial_rtt_timeout)
        timing = replace(timing, initial_rtt_timeout=initial)
    width = len(columns.kinds)
    prober = Prober(len(group), width, np.arange(width), timing, began, rate=session.rate, biased=width > 1)
    _insist(prober, timing)
    codec = session.codec(group, session.first_port)
    machine = DiscoveryMachine(
        group, columns, prober, codec, session.epoch, ignore_reset=plan.discovery.ignore_reset, vendors=vendors,
        patience=timing.initial_rtt_timeout, named=session.outfit.named,
    )  # fmt: skip
    session.recall(group.route, "raw", prober)
    link = session.link(group.route)
    if not quiet:
        yield TaskStarted(session.at(), task, hosts_text(len(group)))
    failure = None
    try:
        for event in drive(machine, link, clock, session.control, session.meter(task)):
            # Of next hops only the packets themselves are of interest.
            if not quiet or isinstance(event, PacketTraced | Pause):
                yield event
    except Exception as error:  # noqa: BLE001 - raised again when all that was found is told
        failure = error
    if not quiet:
        yield TaskEnded(session.at(), task, f"{len(group)} total hosts", clock.now() - began)
    if not quiet:
        # How far the next hop is says nothing of what lies behind it.
        session.remember(group.route, "raw", prober)
    if neighbors:
        group.macs = machine.macs
    now = clock.now()
    return Outcome(
        group, _decided(group, machine), machine.reasons, machine.ttls,
        lambda row: machine.evidence(row, now), machine.mac, machine.responder, failure,
    )  # fmt: skip


def _insist(prober: Prober, timing: TimingPlan) -> None:
    if prober.hosts <= FEW:
        prober.retries.insist(TRIES_OF_FEW - 1)
    else:
        prober.path.thorough = True


def _decided(group: HostGroup, machine: DiscoveryMachine | ConnectDiscovery) -> U8:
    """The hosts' statuses: who did not answer is down, unless the scan was cut before. Keeps the round trips."""
    prober = machine.prober
    group.srtt, group.rttvar = prober.trips.srtt[:-1].copy(), prober.trips.rttvar[:-1].copy()
    status = machine.status.copy()
    pending = machine.pending if isinstance(machine, DiscoveryMachine) else prober.active
    status[(status == HostStatus.UNKNOWN) & ~pending] = HostStatus.DOWN
    return status


def next_hops(part: Part, session: Session, vendors: VendorNames) -> Generator[Step, None, None]:
    """Fill in the MACs of next hops that the kernel knows or that answer our own ARP or ND."""
    route, group = part.route, part.group
    if not route.interface.has_neighbors or route.local:
        return
    gateways = list(part.gateways)
    direct = np.flatnonzero(part.gateway_of < 0)
    wanted = gateways + [group.address(int(row)) for row in direct]
    known = {address: session.network.neighbor(route.interface, address) for address in wanted}
    # A next hop of the other family (RFC 8950) is the kernel's to know: our source address is not of its link.
    missing = [
        address for address in dict.fromkeys(wanted) if known[address] is None and address.version == group.family
    ]
    if missing:
        hi, lo = columns_of(missing)
        asked = HostGroup(group.family, hi, lo, route)
        columns = neighbor_columns(group.family)
        task = "ARP Ping Scan" if group.family == 4 else "ND Ping Scan"
        outcome = yield from _by_frames(asked, columns, task, session, vendors, quiet=True)
        for row, address in enumerate(missing):
            if outcome.status[row] == HostStatus.UP:
                known[address] = outcome.group.macs[row].tobytes()
        if outcome.failure is not None:
            raise outcome.failure
    for address in gateways:
        if known[address] is None and not session.control.stop:
            yield Notice(session.at(), "warning", f"the gateway {address} does not answer on {route.interface.name}")
    macs = [np.frombuffer(known[address] or bytes(6), dtype=np.uint8) for address in wanted]
    table = np.array(macs, dtype=np.uint8).reshape(-1, 6)
    routed = np.flatnonzero(part.gateway_of >= 0)
    group.macs[routed] = table[part.gateway_of[routed]]
    group.macs[direct] = table[len(gateways) :]


def _by_connections(part: Part, block: TargetBlock, session: Session) -> Generator[Step, None, Outcome]:
    plan, group, clock = session.plan, part.group, session.clock
    ports = connect_ports(plan.discovery, group.family)
    began = clock.now()
    addresses = [group.address(row) for row in range(len(group))]
    scopes = {row: block.scopes[int(at)] for row, at in enumerate(part.rows) if int(at) in block.scopes}
    connector = session.network.connector(plan.timing.max_parallelism, plan.proxies, plan.shape)
    prober = Prober(
        len(group), len(ports), np.arange(len(ports)), session.connection_timing, began,
        group_limit=connector.capacity, rate=session.rate, patient=True,
    )  # fmt: skip
    _insist(prober, plan.timing)
    machine = ConnectDiscovery(
        addresses, scopes, ports, prober, connector, session.epoch, ignore_reset=plan.discovery.ignore_reset
    )
    yield TaskStarted(session.at(), "Ping Scan", hosts_text(len(group)))
    failure = None
    try:
        yield from drive_connections(machine, connector, clock, session.control, session.meter("Ping Scan"))
    except Exception as error:  # noqa: BLE001 - raised again when all that was found is told
        failure = error
    finally:
        connector.close()
    yield TaskEnded(session.at(), "Ping Scan", f"{len(group)} total hosts", clock.now() - began)
    ended = clock.now()
    return Outcome(
        group, _decided(group, machine), machine.reasons, np.zeros(len(group), dtype=np.uint8),
        lambda row: machine.evidence(row, ended), failure=failure,
    )  # fmt: skip
