"""Runs version detection on the open ports of a group of hosts, and gives each host as soon as it is finished."""

from __future__ import annotations

import platform
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace

from leadline import __version__
from leadline.engine.driver import LONGEST_WAIT
from leadline.engine.progress import hosts_text
from leadline.engine.session import Session
from leadline.engine.turns import Pause, Step
from leadline.model.event import ServiceTraced, TaskEnded, TaskStarted
from leadline.model.host import Host
from leadline.model.port import MAYBE_OPEN, Port, PortState, Protocol, Reason
from leadline.model.service import Service
from leadline.services.fingerprint import FingerprintFacts
from leadline.services.machine import MOST_STREAMS, Answer, Asking, PortTarget, ServiceMachine
from leadline.services.matcher import Matcher
from leadline.services.waiting import waits_of

TASK = "Service scan"
EXCLUDED = "Excluded from version scan"

_FOUND = {Protocol.TCP: Reason.TCP_RESPONSE, Protocol.UDP: Reason.UDP_RESPONSE}


@dataclass(frozen=True, slots=True)
class HostServices:
    """The host with what is known of its services; ``row`` is the caller's number of it."""

    row: int
    host: Host


@dataclass(slots=True)
class _Pending:
    host: Host
    ports: list[Port]
    missing: int
    cut: bool = False


class ServiceStage:
    """Version detection of hosts that come in one by one: ``add`` them, at any time, and run ``steps`` meanwhile."""

    def __init__(self, matcher: Matcher, session: Session) -> None:
        plan, clock = session.plan, session.clock
        self.session, self.excluded = session, matcher.probes.excluded
        most = plan.timing.max_parallelism
        limit = MOST_STREAMS if most is None else min(MOST_STREAMS, most)
        # Through proxies the dialer knows better how many streams are decent.
        self.dialer = session.network.dialer(None if plan.proxies and most is None else limit, plan.proxies, plan.shape)
        self.traced: list[ServiceTraced] = []
        asking = Asking(
            matcher=matcher,
            intensity=plan.services.intensity,
            waits=waits_of(plan.services, plan.timing),
            facts=FingerprintFacts(
                __version__, plan.services.intensity, clock.epoch(), platform.machine() or "unknown",
                plan.output.debugging > 0,
            ),
            epoch=session.epoch,
            delay=plan.timing.scan_delay,
            trace=self._trace if plan.services.trace else None,
        )  # fmt: skip
        self.machine = ServiceMachine(self.dialer, asking, session.rate, limit)
        self.hosts: dict[int, _Pending] = {}
        self._fresh: list[int] = []
        self._hosts_added = 0
        self._complete = False
        self.next_check = clock.now()

    def finish(self) -> None:
        """No more hosts will come: ``steps`` ends when those that came are done."""
        self._complete = True

    def steps(self) -> Generator[Step | HostServices, None, None]:
        """Ask until all hosts are done, or the user stops; hosts as soon as they are finished."""
        began = self.session.clock.now()
        yield TaskStarted(self.session.at(), TASK, self._amount())
        try:
            yield from self._run()
        finally:
            self.dialer.close_all()
        yield TaskEnded(self.session.at(), TASK, self._amount(), self.session.clock.now() - began)

    def _amount(self) -> str:
        added = self.machine.added
        return f"{added} service{'' if added == 1 else 's'} on {hosts_text(self._hosts_added)}"

    def add(self, row: int, host: Host, scope: str = "", spent: float = 0.0) -> None:
        """Ask the ports of one more host; ``row``: the caller's number of it, ``scope``: as of a link-local one.

        ``spent``: seconds of ``--host-timeout`` that earlier stages took.
        """
        self.machine.begin_host(row, spent)
        self._hosts_added += 1
        self._fresh.append(row)
        self.session.tally.hosts_active += 1
        pending = self.hosts[row] = _Pending(host, list(host.ports), 0)
        for index, port in enumerate(host.ports):
            if port.state not in MAYBE_OPEN or port.protocol not in _FOUND:
                continue
            table = port.service.name if port.service is not None else ""
            if not self.session.plan.services.every_port and port.number in self.excluded.of(port.protocol):
                pending.ports[index] = replace(port, service=Service(table or "unknown", product=EXCLUDED))
                continue
            pending.missing += 1
            self.machine.add(
                PortTarget(
                    row, index, host.address, port.number, port.protocol, scope, host.typed_name,
                    host.latency if host.latency is not None else -1.0, table, port.heard,
                )
            )  # fmt: skip

    def _trace(self, target: PortTarget, at: float, text: str) -> None:
        printable = text.encode("ascii", "backslashreplace").decode()
        when = at - self.session.epoch
        self.traced.append(ServiceTraced(when, target.address, target.port, target.protocol, printable))

    def _run(self) -> Iterator[Step | HostServices]:
        session, machine, clock = self.session, self.machine, self.session.clock
        meter = session.meter(TASK)
        meter.look = self._progress
        try:
            while not (machine.done and self._complete and not self._fresh) and not session.control.stop:
                fresh, self._fresh = self._fresh, []
                yield from self._done(fresh)
                machine.start(clock.now())
                longest = clock.now() + LONGEST_WAIT
                timer = machine.next_timer(clock.now())
                yield Pause((self.dialer,), self.dialer.next_look(longest if timer is None else min(longest, timer)))
                events = self.dialer.poll(0.0)
                now = clock.now()
                machine.take(events, now)
                yield from self._finished(machine.answers())
                yield from self._overdue(now)
                if meter.due(now, session.control):
                    yield meter.event(now, *self._progress())
        finally:
            meter.end()
        if not machine.done:
            machine.stop(clock.now())
        yield from self._finished(machine.answers())
        yield from self._cut(list(self.hosts), timed_out=False)

    def _progress(self) -> tuple[float, int, int]:
        machine = self.machine
        return machine.finished / max(1, machine.added), machine.opened, machine.finished

    def _finished(self, answers: list[Answer]) -> Iterator[Step | HostServices]:
        traced, self.traced = self.traced, []
        yield from traced
        touched: dict[int, None] = {}
        for answer in answers:
            row = answer.target.host
            pending = self.hosts.get(row)
            if pending is None:
                continue
            touched[row] = None
            port = pending.ports[answer.target.index]
            if port.state is PortState.OPEN_FILTERED and answer.responsive:
                port = replace(port, state=PortState.OPEN, reason=_FOUND[port.protocol])
            pending.ports[answer.target.index] = replace(port, service=answer.service)
            pending.missing -= 1
            pending.cut = pending.cut or not answer.complete
        yield from self._done(touched)

    def _done(self, rows: Iterable[int]) -> Iterator[HostServices]:
        """Those of some hosts that nothing is missing of."""
        for row in rows:
            pending = self.hosts[row]
            if not pending.missing and not pending.cut:
                self._forget(row)
                yield HostServices(row, replace(pending.host, ports=tuple(pending.ports), ended=self._epoch()))

    def _overdue(self, now: float) -> Iterator[Step | HostServices]:
        """Hosts whose time (``--host-timeout``) is up; it runs from their first connection on."""
        limit = self.session.plan.timing.host_timeout
        if not limit or now < self.next_check:
            return
        self.next_check = now + LONGEST_WAIT
        late = self.machine.overdue(now, limit)
        for row in late:
            self.machine.stop(now, row)
        if late:
            yield from self._finished(self.machine.answers())
            yield from self._cut(late, timed_out=True)

    def _cut(self, rows: list[int], *, timed_out: bool) -> Iterator[HostServices]:
        """Hosts that are not finished: given as they are, marked."""
        for row in rows:
            pending = self.hosts[row]
            self._forget(row)
            host = replace(
                pending.host, ports=tuple(pending.ports), interrupted=TASK, timed_out=timed_out, ended=self._epoch()
            )
            yield HostServices(row, host)

    def _forget(self, row: int) -> None:
        del self.hosts[row]
        self.machine.forget(row)
        self.session.tally.hosts_active -= 1

    def _epoch(self) -> float:
        return self.session.clock.epoch()
