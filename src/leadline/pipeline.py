"""The only file that knows the order of the stages: targets, discovery, names, ports, and the events that come of
it.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from leadline import __version__
from leadline.data.ranking import top_ports
from leadline.data.services import default_services, service_name
from leadline.data.vendors import vendor_of
from leadline.discovery.stage import Outcome, discover
from leadline.engine.codec import SLOTS, ProbeCodec
from leadline.engine.control import Control
from leadline.engine.group import HostGroup
from leadline.engine.partition import Part, partition
from leadline.engine.progress import Tally, hosts_text
from leadline.engine.rate import RateLimiter
from leadline.engine.session import PORT_BLOCKS, Session
from leadline.errors import LinkError, PrivilegeError, ScanError
from leadline.link.base import Network
from leadline.model.address import Address
from leadline.model.event import (
    Event,
    HostDone,
    Notice,
    ScanEnded,
    ScanInfo,
    ScanStarted,
    TargetSkipped,
    TaskEnded,
    TaskStarted,
)
from leadline.model.host import Host, Hostname, HostStatus
from leadline.model.plan import Plan, Technique
from leadline.model.port import MAYBE_OPEN, Protocol, Reason
from leadline.model.target import TargetBlock
from leadline.model.tcp_flags import flag_names
from leadline.net.base import Resolver
from leadline.ports.result import ranges_of
from leadline.ports.stage import HostPorts, group_sizes, scan_ports, task_of
from leadline.targets.input_file import read_lines
from leadline.targets.source import TargetSource

if TYPE_CHECKING:
    from leadline.services.matcher import Matcher

# Targets that are discovered together: four times Nmap's batch (spec sheet 2.6), since each batch waits once for late
# answers, whatever its size.
BLOCK = 16_384
# Stages as hosts name them that were cut there; a port scan is named by its task.
DISCOVERY, NAMES = "discovery", "name resolution"


_STATUSES = {int(one): one for one in HostStatus}
_REASONS = {int(one): one for one in Reason}


@dataclass(slots=True)
class _Known:
    """What is known so far of the targets of one block: hosts by their row. ``stage``: the last one that was begun;
    ``told``: rows whose ``HostDone`` was given.
    """

    block: TargetBlock
    started: float
    stage: str = DISCOVERY
    told: set[int] = field(default_factory=set)
    hosts: dict[int, Host] = field(default_factory=dict)
    groups: list[tuple[Part, Outcome]] = field(default_factory=list)
    matcher: Matcher | None = None


def run(plan: Plan, network: Network, resolver: Resolver, control: Control) -> Iterator[Event]:
    """Carry out the plan. ``ScanStarted`` comes first and ``ScanEnded`` last, also when the scan is stopped or fails.

    Raises the ``ScanError`` that ended the scan after it was told in ``ScanEnded``.
    """
    session = _session(plan, network, control)
    yield ScanStarted(
        started=network.clock.epoch(),
        version=__version__,
        arguments=plan.arguments,
        scans=_scan_infos(plan, session.raw),
        verbosity=plan.output.verbosity,
        debugging=plan.output.debugging,
    )
    for text in plan.notices:
        yield Notice(session.at(), "warning", text)
    failure: Exception | None = None
    try:
        try:
            _check_rights(plan, session)
            yield from _blocks(plan, session, resolver)
            failure = session.broken
        except Exception as error:  # noqa: BLE001 - told in the last event, then raised again
            failure = error
        yield _ended(session, failure)
    finally:
        # Also when nobody wants to hear the rest.
        session.close()
    if failure is not None:
        raise failure


def _session(plan: Plan, network: Network, control: Control) -> Session:
    seed = plan.targets.seed
    generator = np.random.default_rng(seed)
    now = network.clock.now()
    key = os.urandom(16) if seed is None else generator.bytes(16)
    wants_raw = plan.ports.technique is not Technique.CONNECT or plan.discovery.mode == "ping"
    raw = wants_raw and (network.can_send_raw() if plan.privileged is None else plan.privileged)
    random = int(generator.integers(1 << 30))
    return Session(
        plan=plan,
        network=network,
        control=control,
        raw=raw,
        key=key,
        first_port=ProbeCodec.pick_first_port(random - random % (PORT_BLOCKS * SLOTS)),
        generator=generator,
        rate=RateLimiter(plan.timing.max_rate, plan.timing.min_rate, now),
        epoch=now,
    )


def _check_rights(plan: Plan, session: Session) -> None:
    """A SYN scan has a substitute, the others have none. Only a plan made for another network comes so far."""
    wanted = plan.ports.technique
    has_substitute = wanted is Technique.SYN and plan.ports.scan_flags is None
    if wanted in (None, Technique.CONNECT) or session.raw or has_substitute:
        return
    raise PrivilegeError(f"raw packets cannot be sent, and a scan of the kind {wanted.value} sends nothing else")


def _scan_infos(plan: Plan, raw: bool) -> tuple[ScanInfo, ...]:
    if plan.ports.technique is None:
        return ()
    technique = plan.ports.technique if raw else Technique.CONNECT
    numbers = plan.ports.ports.of(Protocol.TCP)
    flags = "" if plan.ports.scan_flags is None else flag_names(plan.ports.scan_flags)
    return (ScanInfo(technique.value, Protocol.TCP, len(numbers), _range_list(numbers), flags),)


def _range_list(numbers: tuple[int, ...]) -> str:
    pairs = ranges_of(np.array(numbers, dtype=np.int64))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in pairs)


def _ended(session: Session, failure: Exception | None) -> ScanEnded:
    counted, tally, stop = session.close(), session.tally, session.control.stop
    exit_word, message = ("interrupted", f"interrupted by {stop}") if stop else ("success", "")
    if failure is not None:
        name = "" if isinstance(failure, ScanError) else f"internal error: {type(failure).__name__}: "
        exit_word, message = "error", f"{name}{failure}"
    return ScanEnded(
        at=session.at(),
        ended=session.network.clock.epoch(),
        exit=exit_word,
        message=message,
        hosts_up=tally.hosts_up,
        hosts_down=tally.hosts_down,
        hosts_total=tally.hosts_done,
        packets_sent=counted.sent,
        bytes_sent=counted.sent_bytes,
        packets_received=counted.received,
        bytes_received=counted.received_bytes,
    )


def _blocks(plan: Plan, session: Session, resolver: Resolver) -> Iterator[Event]:
    source = TargetSource(
        plan.targets, resolver, default_services(), session.key, read_lines, stop=session.control.stopping
    )
    matcher = _matcher(plan)
    for block in source.blocks(BLOCK):
        if session.control.stop:
            return
        if isinstance(block, TargetSkipped):
            yield replace(block, at=session.at())
        else:
            known = _Known(block, session.network.clock.epoch(), matcher=matcher)
            yield from _block(known, plan, session, resolver)


def _matcher(plan: Plan) -> Matcher | None:
    """The rules of version detection, when it is asked for. Imported here: other scans need not wait for it."""
    if not plan.services.enabled:
        return None
    from leadline.services.cache import default_folder
    from leadline.services.matcher import make_matcher

    return make_matcher(plan.services.rules, default_folder(os.environ))


def _block(known: _Known, plan: Plan, session: Session, resolver: Resolver) -> Iterator[Event]:
    try:
        if plan.discovery.mode == "list":
            yield from _list(known, plan, session, resolver)
        else:
            yield from _stages(known, plan, session, resolver)
    except Exception:
        for row, host in sorted(known.hosts.items()):
            if row not in known.told:
                cut = "" if host.status is HostStatus.DOWN else host.interrupted or known.stage
                yield _done(known, row, replace(host, interrupted=cut), session)
        raise


def _stages(known: _Known, plan: Plan, session: Session, resolver: Resolver) -> Iterator[Event]:
    block = known.block
    parts, lost = partition(block, session.network)
    for row in lost:
        known.hosts[int(row)] = _host(known, int(row), HostStatus.DOWN, Reason.NO_ROUTE)
    if len(lost):
        yield Notice(session.at(), "warning", _no_route(block, lost.tolist()))
    for part in parts:
        if session.control.stop:
            break
        outcome = yield from discover(part, block, session, vendor_of)
        known.groups.append((part, outcome))
        # Where discovery is all, hosts are finished here, unless names are asked for.
        last = plan.ports.technique is None and plan.resolve.reverse == "never"
        _keep(known, part, outcome, session.network.clock.epoch() if last else 0.0, session.tally)
        if outcome.failure is not None:
            yield _broken(outcome.failure, session)
    yield from _names(known, plan, session, resolver)
    yield from _scan(known, plan, session)


def _no_route(block: TargetBlock, lost: list[int]) -> str:
    """One sentence about the targets in these rows, which this machine cannot reach."""
    names = [f"{block.address(row)}%{block.scopes[row]}" for row in lost[:3] if row in block.scopes]
    names += [str(block.address(row)) for row in lost[:3] if row not in block.scopes]
    more = " ..." if len(lost) > 3 else ""
    return f"no route to {len(lost)} target{'' if len(lost) == 1 else 's'}: {', '.join(names)}{more}"


def _host(known: _Known, row: int, status: HostStatus, reason: Reason) -> Host:
    name = known.block.names.get(row)
    return Host(
        address=known.block.address(row),
        status=status,
        reason=reason,
        hostnames=(Hostname(name, "user"),) if name else (),
        other_addresses=known.block.others.get(row, ()),
        started=known.started,
    )


def _keep(known: _Known, part: Part, outcome: Outcome, ended: float, tally: Tally) -> None:
    """Turn the outcome's columns into hosts. ``ended``: when they were finished, 0 when they are not."""
    group, block = outcome.group, known.block
    # Targets are many: whole columns become lists at once, and each host is made in one go.
    columns = zip(
        part.rows.tolist(), outcome.status.tolist(), outcome.reasons.tolist(), outcome.ttls.tolist(),
        group.srtt.tolist(), group.rttvar.tolist(), strict=True,
    )  # fmt: skip
    tally.hosts_up += int(np.count_nonzero(outcome.status == HostStatus.UP))
    for index, (row, state, reason, ttl, srtt, rttvar) in enumerate(columns):
        name, mac, status = block.names.get(row), outcome.mac(index), _STATUSES[state]
        known.hosts[row] = Host(
            address=block.address(row),
            status=status,
            reason=_REASONS[reason],
            reason_ttl=ttl,
            reason_address=outcome.responder(index),
            hostnames=(Hostname(name, "user"),) if name else (),
            other_addresses=block.others.get(row, ()),
            mac=mac,
            vendor=vendor_of(mac) if mac else "",
            latency=srtt if srtt >= 0 else None,
            rttvar=rttvar if srtt >= 0 else None,
            started=known.started,
            ended=ended,
            evidence=outcome.evidence(index),
            interrupted=DISCOVERY if status is HostStatus.UNKNOWN else "",
        )


def _list(known: _Known, plan: Plan, session: Session, resolver: Resolver) -> Iterator[Event]:
    for row in range(len(known.block)):
        known.hosts[row] = _host(known, row, HostStatus.UNKNOWN, Reason.USER_SET)
    yield from _names(known, plan, session, resolver)
    for row in range(len(known.block)):
        yield _done(known, row, known.hosts[row], session)


def _names(known: _Known, plan: Plan, session: Session, resolver: Resolver) -> Iterator[Event]:
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


def _ask_names(known: _Known, wanted: list[int], session: Session, resolver: Resolver) -> Iterator[Event]:
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


def _scan(known: _Known, plan: Plan, session: Session) -> Iterator[Event]:
    """Give the hosts that are finished, scan the ports of the others, group by group."""
    scans = plan.ports.technique is not None
    for row, host in sorted(known.hosts.items()):
        if not (scans and host.status is HostStatus.UP):
            yield _done(known, row, host, session)
    if not scans:
        return
    if not session.control.stop:
        known.stage = task_of(session)
    for part, outcome in known.groups:
        up = np.flatnonzero(outcome.status == HostStatus.UP)
        ports = [_ports_of(known.block, int(part.rows[index]), plan) for index in up]
        most = max((len(numbers) for numbers in ports), default=0)
        first = 0
        for size in group_sizes(len(up), most, session):
            rows = up[first : first + size]
            yield from _scan_group(known, part, outcome.group, rows, ports[first : first + size], session)
            first += size


def _ports_of(block: TargetBlock, row: int, plan: Plan) -> tuple[int, ...]:
    own = block.port_sets.get(row)
    if own is None:
        return plan.ports.ports.of(Protocol.TCP)
    excluded = set(plan.ports.excluded.of(Protocol.TCP))
    numbers = own.of(Protocol.TCP)
    return tuple(number for number in numbers if number not in excluded) if excluded else numbers


def _scan_group(
    known: _Known, part: Part, group: HostGroup, rows: np.ndarray[tuple[int], np.dtype[np.int64]],
    ports: list[tuple[int, ...]], session: Session,
) -> Generator[Event, None, None]:  # fmt: skip
    places = [int(part.rows[index]) for index in rows]
    if session.control.stop or not any(ports):
        cut = known.stage if session.control.stop else ""
        for place in places:
            yield _done(known, place, replace(known.hosts[place], interrupted=cut), session)
        return
    scopes = {at: known.block.scopes[place] for at, place in enumerate(places) if place in known.block.scopes}
    popular = top_ports(Protocol.TCP, SLOTS)
    ready: list[tuple[int, Host]] = []
    try:
        for event in scan_ports(group.subset(rows), ports, scopes, session, service_name, popular):
            if isinstance(event, HostPorts):
                place = places[event.row]
                host = known.hosts[place] = _with_ports(known.hosts[place], event)
                if known.matcher is not None and not host.interrupted and _has_open(host):
                    ready.append((place, host))
                else:
                    yield _done(known, place, host, session)
            else:
                yield event
        yield from _services(known, ready, session)
    except LinkError as error:
        # What was found is told, each host with the stage that it was cut in.
        yield _broken(error, session)
        for place in places:
            if place not in known.told:
                yield _done(known, place, replace(known.hosts[place], interrupted=known.stage), session)


def _has_open(host: Host) -> bool:
    return any(port.state in MAYBE_OPEN for port in host.ports)


def _services(known: _Known, ready: list[tuple[int, Host]], session: Session) -> Generator[Event, None, None]:
    """Ask what runs behind the open ports of hosts whose ports are known."""
    if not ready or known.matcher is None:
        return
    from leadline.services.stage import TASK, HostServices, scan_services

    known.stage = TASK
    scopes = {place: known.block.scopes[place] for place, _ in ready if place in known.block.scopes}
    for event in scan_services(ready, scopes, known.matcher, session):
        if isinstance(event, HostServices):
            yield _done(known, event.row, event.host, session)
        else:
            yield event


def _broken(failure: Exception, session: Session) -> Notice:
    """An interface is gone: the hosts behind it are lost, those behind others are not. Other failures end the scan."""
    if not isinstance(failure, LinkError):
        raise failure
    session.broken = session.broken or failure
    return Notice(session.at(), "error", str(failure))


def _with_ports(host: Host, found: HostPorts) -> Host:
    measured = found.srtt >= 0
    return replace(
        host,
        ports=found.ports,
        summaries=found.summaries,
        latency=found.srtt if measured else host.latency,
        rttvar=found.rttvar if measured else host.rttvar,
        timeout=found.timeout,
        interrupted=found.interrupted,
        timed_out=found.timed_out,
    )


def _done(known: _Known, row: int, host: Host, session: Session) -> HostDone:
    known.told.add(row)
    tally = session.tally
    tally.hosts_done += 1
    tally.hosts_down += host.status is HostStatus.DOWN
    return HostDone(session.at(), host if host.ended else replace(host, ended=session.network.clock.epoch()))
