"""Runs the port scan on hosts that are up, group by group, and gives each host's ports as soon as it is finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadline.engine.driver import drive, drive_connections
from leadline.engine.group import HostGroup
from leadline.engine.hop_proof import HopProof
from leadline.engine.identity import SLOTS
from leadline.engine.pacing import Suspicion
from leadline.engine.prober import Prober
from leadline.engine.progress import hosts_text
from leadline.engine.session import Session
from leadline.engine.turns import Pause, Step
from leadline.model.event import TaskEnded, TaskStarted
from leadline.model.plan import Technique, TimingPlan
from leadline.model.port import EXTENSION_HEADERS, Port, PortSummary, Protocol
from leadline.model.port_set import PortSet
from leadline.model.quick_dataclass import dataclass
from leadline.ports.bounds import Bounds
from leadline.ports.connect import ConnectScan
from leadline.ports.listing import Listing, listing_of
from leadline.ports.machine import RawScan
from leadline.ports.probes import PortMatrix, port_matrix
from leadline.ports.result import ServiceNames, absence_words
from leadline.ports.techniques import RawTechnique, hasty, raw_technique

I64 = NDArray[np.int64]

# Items (host and port) that one group may have: about twenty bytes of columns each.
MOST_ITEMS = 1 << 20
CONNECT_TASK, IDLE_TASK, BOUNCE_TASK = "Connect Scan", "Idle Scan", "Bounce Scan"
_TASKS = {Technique.CONNECT: CONNECT_TASK, Technique.IDLE: IDLE_TASK, Technique.BOUNCE: BOUNCE_TASK}
# What makes a host look as if it limited its answers, and not for lack of answers alone.
_SUSPICIONS = {
    Protocol.UDP: Suspicion.SILENCE,
    Protocol.IP: Suspicion.SILENCE,
    Protocol.TCP: Suspicion.RETRIES,
    Protocol.SCTP: Suspicion.RETRIES,
}


@dataclass(frozen=True, slots=True)
class HostPorts:
    """The ports of the group's host ``row``. ``interrupted``: the task that was cut before its end (else empty).
    ``timed_out``, ``gave_up``, ``silent_since``, ``remarks``: as of ``model.host.Host``. ``spent``: seconds that were
    worked on it.
    """

    row: int
    ports: tuple[Port, ...]
    summaries: tuple[PortSummary, ...]
    srtt: float
    rttvar: float
    timeout: float
    interrupted: str = ""
    timed_out: bool = False
    gave_up: bool = False
    silent_since: float | None = None
    remarks: tuple[str, ...] = ()
    spent: float = 0.0


def task_of(technique: Technique) -> str:
    """What the scan by this technique is called."""
    raw = raw_technique(technique, None)
    return _TASKS[technique] if raw is None else raw.task


def techniques_of(session: Session) -> tuple[Technique, ...]:
    """Those of the plan; where raw packets cannot be sent the connect scan stands for the SYN scan."""
    if session.raw:
        return session.plan.ports.techniques
    return tuple(
        Technique.CONNECT if technique is Technique.SYN else technique for technique in session.plan.ports.techniques
    )


def scan_ports(
    group: HostGroup, per_host: Sequence[PortSet], scopes: dict[int, str], session: Session,
    names: ServiceNames, popular: Callable[[Protocol], tuple[int, ...]],
) -> Iterator[Step | HostPorts]:  # fmt: skip
    """Scan one group by every technique of the plan, one after the other.

    ``per_host``: ports of each host; hosts with the same ports should share one object. ``popular``: the ports of a
    protocol that are asked first. Each host is given once, with the ports of all techniques.
    """
    phases = techniques_of(session)
    found = _Found(len(group))
    bounds = Bounds(group, session.plan.timing.host_timeout, session.plan.ports.max_open)
    session.tally.hosts_active += len(group)
    for index, technique in enumerate(phases):
        numbers = _numbers(technique.protocol, group.family, per_host, session)
        ports = [() if found.told[row] else own for row, own in enumerate(numbers)]
        if not any(ports):
            continue
        if session.control.stop:
            yield from found.rest(session, task_of(technique))
            return
        later = phases[index + 1 :]
        last = [not any(each.of(one.protocol) for one in later) for each in per_host]
        matrix = port_matrix(ports, popular(technique.protocol), session.plan.ports.sequential, session.generator)
        try:
            for event in _phase(technique, group, ports, matrix, scopes, session, names, bounds):
                if isinstance(event, HostPorts):
                    yield from found.take(event, session, last[event.row])
                else:
                    yield event
        except Exception:
            # What earlier techniques found is told before the failure is.
            yield from found.rest(session, task_of(technique))
            raise
    yield from found.rest(session, "")


def _numbers(protocol: Protocol, family: int, per_host: Sequence[PortSet], session: Session) -> list[tuple[int, ...]]:
    """The ports of one protocol of each host, still as shared objects."""
    plan = session.plan.ports
    if protocol is not Protocol.IP or family == 4 or not plan.default_protocols:
        return [each.of(protocol) for each in per_host]
    plain = tuple(number for number in plan.ports.of(protocol) if number not in EXTENSION_HEADERS)
    return [plain if each is plan.ports else each.of(protocol) for each in per_host]


class _Found:
    """What the techniques found of each host of a group until now."""

    def __init__(self, hosts: int) -> None:
        self.told = [False] * hosts
        self._parts: dict[int, HostPorts] = {}

    def take(self, part: HostPorts, session: Session, last: bool) -> Iterator[HostPorts]:
        """One technique is through with a host, by its ``last`` one or before its time."""
        if self.told[part.row]:
            return
        before = self._parts.pop(part.row, None)
        whole = part if before is None else _merged(before, part)
        if last or part.interrupted:
            yield self._tell(whole, session)
        else:
            self._parts[part.row] = whole

    def rest(self, session: Session, cut: str) -> Iterator[HostPorts]:
        """Hosts that were not given yet; ``cut``: the task that did not come to them."""
        for row, told in enumerate(self.told):
            if not told:
                part = self._parts.pop(row, None) or HostPorts(row, (), (), -1.0, -1.0, 0.0)
                yield self._tell(replace(part, interrupted=cut), session)

    def _tell(self, part: HostPorts, session: Session) -> HostPorts:
        self.told[part.row] = True
        session.tally.hosts_active -= 1
        return part


def _merged(before: HostPorts, after: HostPorts) -> HostPorts:
    """The same host by two techniques; what was measured last counts, if anything was."""
    timed = after if after.srtt >= 0 else before
    return replace(
        after,
        ports=tuple(sorted((*before.ports, *after.ports), key=lambda port: (port.protocol, port.number))),
        summaries=(*before.summaries, *after.summaries),
        srtt=timed.srtt,
        rttvar=timed.rttvar,
        timeout=timed.timeout,
        silent_since=before.silent_since if after.silent_since is None else after.silent_since,
        remarks=(*before.remarks, *after.remarks),
    )


def _phase(
    technique: Technique, group: HostGroup, ports: list[tuple[int, ...]], matrix: PortMatrix, scopes: dict[int, str],
    session: Session, names: ServiceNames, bounds: Bounds,
) -> Iterator[Step | HostPorts]:  # fmt: skip
    """Scan the group by one technique; hosts without ports of its protocol are given at once."""
    listing = listing_of(session.plan, names)
    # Imported here: other scans need not wait for them.
    if technique is Technique.IDLE:
        from leadline.ports.idle_stage import idle_hosts

        yield from idle_hosts(group, ports, matrix, session, listing, bounds)
        return
    if technique is Technique.BOUNCE:
        from leadline.ports.bounce_stage import bounce_hosts

        yield from bounce_hosts(group, ports, matrix, session, listing, bounds)
        return
    task = task_of(technique)
    total = int(sum(len(numbers) for numbers in ports))
    where = hosts_text(len(group)) if len(group) > 1 else str(group.address(0))
    began = session.clock.now()
    yield TaskStarted(session.at(), task, f"{where} [{_each(ports)} ports{'/host' if len(group) > 1 else ''}]")
    raw = raw_technique(technique, session.plan.ports.scan_flags)
    if raw is not None:
        yield from _raw(raw, group, matrix, session, listing, bounds)
    else:
        yield from _connections(group, matrix, scopes, session, listing, bounds)
    yield TaskEnded(session.at(), task, f"{total} total ports", session.clock.now() - began)


def _each(per_host: list[tuple[int, ...]]) -> str:
    counts = {len(ports) for ports in per_host}
    return str(counts.pop()) if len(counts) == 1 else f"{min(counts)}-{max(counts)}"


def _may_ask_routers(group: HostGroup, technique: RawTechnique, timing: TimingPlan) -> bool:
    """There are some, their errors tell a probe surely, and the user has not laid down the pace: then it is known."""
    near = group.route.on_link or group.route.local
    return not (near or technique.protocol is Protocol.UDP or timing.scan_delay or timing.max_parallelism)


def _raw(
    technique: RawTechnique, group: HostGroup, matrix: PortMatrix, session: Session, listing: Listing, bounds: Bounds
) -> Iterator[Step | HostPorts]:  # fmt: skip
    plan, clock = session.plan, session.clock
    suspicion = _SUSPICIONS.get(technique.protocol)
    if technique.protocol is Protocol.UDP and plan.timing.defeat_icmp_ratelimit:
        technique, suspicion = hasty(technique), None
    prober = Prober(
        len(group), len(matrix.numbers), matrix.order, plan.timing, clock.now(),
        offsets=matrix.offsets, rate=session.rate, datagrams=technique.protocol is Protocol.UDP,
        hop=HopProof() if _may_ask_routers(group, technique, plan.timing) else None,
        suspicion=suspicion,
    )  # fmt: skip
    codec = session.codec(group, session.first_port + SLOTS, flags=technique.flags)
    machine = RawScan(
        replace(technique, probe=session.outfit.named(technique.probe)), group, matrix, prober, codec, session.epoch,
        names=listing.names, materialised=listing.materialised, apart=listing.apart,
        weak_resets=plan.timing.defeat_rst_ratelimit and technique.protocol is Protocol.TCP,
    )  # fmt: skip
    path = f"raw {technique.protocol.label}"
    session.recall(group.route, path, prober)
    link = session.link(group.route)
    steps = drive(machine, link, clock, session.control, session.meter(technique.task, int(prober.fresh.counts.sum())))
    yield from _watch(steps, machine, session, technique.task, bounds)
    session.remember(group.route, path, prober)


def _connections(
    group: HostGroup, matrix: PortMatrix, scopes: dict[int, str], session: Session, listing: Listing, bounds: Bounds
) -> Iterator[Step | HostPorts]:  # fmt: skip
    plan, clock = session.plan, session.clock
    connector = session.network.connector(plan.timing.max_parallelism, plan.proxies, plan.shape)
    prober = Prober(
        len(group), len(matrix.numbers), matrix.order, session.connection_timing, clock.now(),
        offsets=matrix.offsets, rate=session.rate, group_limit=connector.capacity, patient=True,
    )  # fmt: skip
    prober.trips.seed(group.srtt, group.rttvar)
    machine = ConnectScan(
        [group.address(row) for row in range(len(group))], scopes, matrix, prober, connector, session.epoch,
        names=listing.names, materialised=listing.materialised, tracing=session.control.packet_trace,
    )  # fmt: skip
    try:
        meter = session.meter(CONNECT_TASK, int(prober.fresh.counts.sum()))
        steps = drive_connections(machine, connector, clock, session.control, meter)
        yield from _watch(steps, machine, session, CONNECT_TASK, bounds)
    finally:
        connector.close()


def _watch(
    steps: Iterator[Step], machine: RawScan | ConnectScan, session: Session, task: str, bounds: Bounds
) -> Iterator[Step | HostPorts]:
    """Pass events on, give finished hosts in between, cut those that reach a bound, and all when the scan is cut."""
    prober, clock = machine.prober, session.clock
    watch = _Watch(machine, session, task, bounds, np.zeros(prober.hosts, dtype=bool))
    failure: Exception | None = None
    bounds.clocks.start(np.flatnonzero(prober.active), clock.now())
    yield from watch.finished()
    try:
        for step in steps:
            if not isinstance(step, Pause):
                bounds.see(step)
                yield step
                continue
            # Nobody waits before all that is known is told.
            yield from watch.cut(bounds.clocks.overdue(clock.now()), timed_out=True)
            yield from watch.cut(bounds.given_up(), gave_up=True)
            yield from watch.finished()
            yield step
    except Exception as error:  # noqa: BLE001 - raised again when all that was found is told
        failure = error
    yield from watch.finished()
    for row in np.flatnonzero(~watch.reported):
        yield watch.result(int(row), task)
    if failure is not None:
        raise failure


@dataclass(slots=True)
class _Watch:
    machine: RawScan | ConnectScan
    session: Session
    task: str
    bounds: Bounds
    reported: NDArray[np.bool_]

    def finished(self) -> Iterator[HostPorts]:
        for row in self.machine.prober.finished():
            if not self.reported[row]:
                yield self.result(int(row), "")

    def cut(self, rows: I64, *, timed_out: bool = False, gave_up: bool = False) -> Iterator[HostPorts]:
        rows = rows[~self.reported[rows]]
        if len(rows):
            self.machine.prober.finish(rows)
            for row in rows:
                if isinstance(self.machine, ConnectScan):
                    self.machine.drop_host(int(row))
                part = self.result(int(row), self.task)
                yield replace(part, timed_out=timed_out, gave_up=gave_up)

    def result(self, row: int, cut: str) -> HostPorts:
        self.reported[row] = True
        machine, now, clocks = self.machine, self.session.clock.now(), self.bounds.clocks
        clocks.stop(np.array([row]), now)
        ports, summaries = machine.result(row, now, complete=not cut)
        trips = machine.prober.trips
        own = trips.srtt[row] >= 0
        since = _silent_since(machine, row)
        return HostPorts(
            row=row,
            ports=ports,
            summaries=summaries,
            srtt=float(trips.srtt[row]) if own else -1.0,
            rttvar=float(trips.rttvar[row]) if own else -1.0,
            timeout=float(trips.timeout[row]),
            interrupted=cut,
            silent_since=since,
            remarks=(*_own_remarks(machine, row, bool(cut)), *absence_words(since)),
            spent=float(clocks.spent[row]),
        )


def _own_remarks(machine: RawScan | ConnectScan, row: int, cut: bool) -> Iterator[str]:
    return machine.remarks(row, cut) if isinstance(machine, RawScan) else iter(())


def _silent_since(machine: RawScan | ConnectScan, row: int) -> float | None:
    """When a host that left and has silent ports was heard of last; 0 if that was before its ports were asked."""
    since = machine.prober.presence.gone_since(row)
    if since is None or not machine.prober.retries.benched[row]:
        return None
    return max(0.0, since - machine.epoch)
