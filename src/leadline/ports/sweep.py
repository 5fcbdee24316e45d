"""Runs the sweep of a large space of targets, chunk by chunk, and gives what is known after each."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from leadline.engine.decisions import as_events
from leadline.engine.driver import FULL_LINK_WAIT, LONGEST_WAIT
from leadline.engine.identity import SLOTS
from leadline.engine.progress import ProgressMeter
from leadline.engine.session import Session
from leadline.engine.sweep_codec import Lane, SweepCodec
from leadline.engine.sweep_lanes import LaneTable
from leadline.engine.sweep_path import SweepPath
from leadline.engine.sweep_walk import HostWalk
from leadline.engine.tracing import trace
from leadline.engine.turns import GO_ON, Pause, Step
from leadline.link.base import Link
from leadline.model.event import Event, TaskEnded, TaskStarted
from leadline.model.host import HostStatus
from leadline.model.plan import PacketShape, PingKind, Plan, Technique
from leadline.model.port import PortState, Protocol, Reason
from leadline.model.quick_dataclass import dataclass
from leadline.model.swept import HostsSilent
from leadline.ports.result import ServiceNames
from leadline.ports.sweep_answers import ChunkResult, Telling
from leadline.ports.sweep_machine import SweepMachine
from leadline.ports.techniques import SYN_SCAN
from leadline.wire.batch import FrameBatch

I64 = NDArray[np.int64]

# More hosts than this with few ports each are swept (docs/decisions/0017).
LARGEST_SCAN = 4096
MOST_PORTS = 256
# Items (host and port) of one chunk: a byte each, and some 17 bytes for each that answers.
MOST_ITEMS, LEAST_ITEMS = 1 << 22, 1 << 16
# With a bound on the rate a chunk takes about so long, that results come while the scan runs.
CHUNK_SECONDS = 60.0
# Frames built in one turn: the answers to them and to those before, still held, must fit a receive ring of 8,192.
ROOM = 2048
_ANY_HOSTGROUP = 100_000


@dataclass(frozen=True, slots=True)
class SweptChunk:
    """``result`` is over; ``unreachable``: hosts without a route, ``elsewhere``: hosts that are scanned another way."""

    result: ChunkResult
    hosts: int
    unreachable: int
    elsewhere: int


def is_swept(plan: Plan, raw: bool) -> bool:
    """Whether large spaces of targets are swept under this plan: one SYN technique, few ports, nobody pinged before (or
    by the same probes), and no option that asks for one host at a time.
    """
    ports, timing = plan.ports, plan.timing
    numbers = ports.ports.of(Protocol.TCP)
    return (
        raw
        and ports.techniques == (Technique.SYN,)
        and ports.scan_flags is None
        and not ports.sequential
        and plan.shape == PacketShape()
        and 0 < len(numbers) <= MOST_PORTS
        and _finds_hosts_by_scanning(plan, numbers)
        and timing.max_parallelism is None
        and not timing.scan_delay
        and timing.group_control
        and not timing.defeat_rst_ratelimit
        and not timing.host_timeout
        and timing.max_hostgroup >= _ANY_HOSTGROUP
    )


def _finds_hosts_by_scanning(plan: Plan, numbers: tuple[int, ...]) -> bool:
    discovery = plan.discovery
    if discovery.mode == "none":
        return True
    probes = (*discovery.probes_v4, *discovery.probes_v6)
    return (
        discovery.mode == "ping"
        and all(probe.kind is PingKind.TCP_SYN for probe in probes)
        and {probe.number for probe in discovery.probes_v4} == set(numbers)
        and {probe.number for probe in discovery.probes_v6} == set(numbers)
    )


class Sweep:
    """The scan of one space. ``lanes``: ways out, ``table``: which of them each address takes."""

    def __init__(
        self, walk: HostWalk, lanes: list[Lane], table: LaneTable, session: Session, names: ServiceNames
    ) -> None:
        plan = session.plan
        self._walk, self._table, self._session = walk, table, session
        self._numbers: I64 = np.array(plan.ports.ports.of(Protocol.TCP), np.int64)
        self.telling = Telling(
            self._numbers, names, SYN_SCAN.probe, plan.timing, plan.discovery.mode == "ping",
            plan.discovery.ignore_reset,
        )  # fmt: skip
        clock = session.clock
        self._path = SweepPath(plan.timing, clock.now())
        self._codec = SweepCodec(walk.family, lanes, session.key, session.first_port + SLOTS)
        self._links = [session.link(lane.route) for lane in lanes]
        self._meter = session.meter(SYN_SCAN.task)
        self._done = 0

    def run(self) -> Generator[Step | SweptChunk, None, None]:
        """Events, and each chunk when it is over. A failure of a link is raised when what was found is told."""
        session, ports = self._session, len(self._numbers)
        total, began = self._walk.size, session.clock.now()
        each = f"{ports} port{'' if ports == 1 else 's'}/host"
        yield TaskStarted(session.at(), SYN_SCAN.task, f"{total} hosts [{each}]")
        size = max(1, self._chunk_items() // ports)
        for first in range(0, total, size):
            if session.control.stop:
                return
            yield from self._chunk(first, min(size, total - first))
        self._meter.end()
        yield TaskEnded(session.at(), SYN_SCAN.task, f"{total * ports} total ports", session.clock.now() - began)

    def _chunk_items(self) -> int:
        rate = self._session.plan.timing.max_rate
        if rate is None:
            return MOST_ITEMS
        return int(min(max(rate * CHUNK_SECONDS, LEAST_ITEMS), MOST_ITEMS))

    def _chunk(self, first: int, hosts: int) -> Generator[Step | SweptChunk, None, None]:
        session = self._session
        machine = SweepMachine(
            self._walk, first, hosts, self._numbers, self._codec, self._table, self._path,
            session.plan.timing.max_retries, session.epoch,
        )  # fmt: skip
        started = session.clock.epoch()
        session.tally.hosts_active = hosts
        failure: Exception | None = None
        try:
            yield from self._drive(machine, hosts)
        except Exception as error:  # noqa: BLE001 - raised again when all that was found is told
            failure = error
        if first + hosts == self._walk.size:
            for link in dict.fromkeys(self._links):
                session.release(link)
        cut = "" if machine.done else SYN_SCAN.task
        silent, unreachable, elsewhere = machine.counts()
        session.tally.hosts_active = 0
        one_by_one = session.plan.output.verbosity > 0
        result = machine.result(session.at(), started, session.clock.epoch(), cut, one_by_one)
        yield SweptChunk(result, hosts, unreachable, elsewhere)
        if silent and not one_by_one:
            yield self._silent(silent, cut)
        self._done += hosts
        if failure is not None:
            raise failure

    def _silent(self, count: int, cut: str) -> HostsSilent:
        """The hosts that nothing was heard of, counted: there may be millions of them."""
        if self.telling.pings:
            status, reason = HostStatus.UNKNOWN if cut else HostStatus.DOWN, Reason.NO_RESPONSE
        else:
            status, reason = HostStatus.UP, Reason.USER_SET
        return HostsSilent(self._session.at(), count, status, reason, len(self._numbers), PortState.FILTERED, cut)

    def _drive(self, machine: SweepMachine, hosts: int) -> Generator[Step, None, None]:
        session = self._session
        clock, control, rate = session.clock, session.control, session.rate
        waiting: list[tuple[Link, FrameBatch]] = []
        links = list(dict.fromkeys(self._links))
        dropped = {id(link): link.statistics.dropped for link in links}
        while not machine.done and not control.stop:
            heard = 0
            for link in links:
                frames = link.receive()
                heard += len(frames)
                if len(frames):
                    if control.packet_trace:
                        yield from trace(frames, "RCVD", session.at())
                    machine.receive(frames, clock.now())
                lost = link.statistics.dropped - dropped[id(link)]
                if lost:
                    dropped[id(link)] += lost
                    self._path.pace.overrun(lost, clock.now())
            now = clock.now()
            if not waiting:
                waiting = [(self._links[lane], batch) for lane, batch in machine.poll(now, ROOM)]
                # The pace keeps the bounds itself; what comes after the sweep shall not begin with a burst.
                rate.sent(sum(len(batch) for _, batch in waiting))
            sending = bool(waiting)
            waiting, taken = _send(waiting)
            for batch in taken if control.packet_trace else ():
                yield from trace(batch, "SENT", now - session.epoch)
            yield from as_events(self._path.pace.decisions.fetch(), session.epoch)
            if self._meter.due(now, control):
                yield self._progress(self._meter, machine, hosts, now)
            if not sending and not heard and not machine.done:
                until = min(machine.next_timer(now), now + LONGEST_WAIT)
                yield Pause(tuple(links), min(link.next_look(until) for link in links))
            elif waiting and not taken and not heard:
                yield Pause(tuple(links), now + FULL_LINK_WAIT)
            else:
                yield GO_ON
        yield from as_events(self._path.pace.decisions.fetch(), session.epoch)

    def _progress(self, meter: ProgressMeter, machine: SweepMachine, hosts: int, now: float) -> Event:
        counted = [link.statistics for link in dict.fromkeys(self._links)]
        share = (self._done + machine.share * hosts) / self._walk.size
        return meter.event(now, share, sum(one.sent for one in counted), sum(one.received for one in counted))


def _send(waiting: list[tuple[Link, FrameBatch]]) -> tuple[list[tuple[Link, FrameBatch]], list[FrameBatch]]:
    """Offer batches to their links: what is left, and what was taken."""
    left, sent = [], []
    for link, batch in waiting:
        taken = link.send(batch)
        if taken:
            sent.append(batch.pick(slice(taken)))
        if taken < len(batch):
            left.append((link, batch.pick(slice(taken, None))))
    return left, sent
