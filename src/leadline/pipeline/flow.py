"""Which stage works on which hosts at the same time: nobody waits for the slowest host of a group.

Three things go on side by side: the port scans of several groups, version detection of hosts whose ports are known,
and, when nobody waits for a port scan any more, discovery of the next block of targets.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from leadline.engine.session import Session
from leadline.engine.turns import Step, Turns
from leadline.model.event import Event
from leadline.model.host import Host, HostStatus
from leadline.model.plan import Plan, Technique
from leadline.pipeline.known import Known, has_open, host_done
from leadline.pipeline.looking import Looks, with_doubt
from leadline.pipeline.room import Running, has_room, meets, next_size
from leadline.pipeline.scanning import Services, Waiting, ports_of, scan_group
from leadline.ports.everywhere_open import suspected
from leadline.ports.stage import task_of, techniques_of

if TYPE_CHECKING:
    from leadline.services.matcher import Matcher

# As services are called where a host was cut there.
SERVICES = "Service scan"


class Flow:
    """One scan at work. ``begin`` and ``scan`` are told of each block of targets, ``steps`` does all the rest."""

    def __init__(self, plan: Plan, session: Session, matcher: Matcher | None) -> None:
        self.plan, self.session, self.matcher = plan, session, matcher
        self._one_by_one = any(each in (Technique.IDLE, Technique.BOUNCE) for each in plan.ports.techniques)
        self._turns: Turns[Event] = Turns()
        self._waiting: deque[Waiting] = deque()
        self._running: list[Running] = []
        self._known: list[Known] = []
        self._services = Services(matcher, session) if matcher is not None else None
        self._looks = Looks(session, self._ask_services)
        self._looking = False
        self._finding = False
        self._asking = False
        self._exhausted = False

    def begin(self, known: Known) -> None:
        """A block is going to be looked at: its hosts are told whatever happens."""
        self._known = [each for each in self._known if not each.finished]
        self._known.append(known)

    def scan(self, known: Known) -> Iterator[Event]:
        """Discovery and names of a block are through: give the hosts that are finished, let the others wait."""
        scans, session = bool(self.plan.ports.techniques), self.session
        for row, host in sorted(known.hosts.items()):
            if not (scans and host.status is HostStatus.UP):
                yield host_done(known, row, host, session)
        known.complete = True
        if not scans:
            return
        if not session.control.stop:
            known.stage = task_of(techniques_of(session)[0])
        for part, outcome in known.groups:
            up = np.flatnonzero(outcome.status == HostStatus.UP)
            if len(up):
                places = part.rows[up]
                ports = [ports_of(known.block, int(place), self.plan) for place in places]
                distinct = {id(each): each for each in ports}.values()
                most = max((len(numbers) for each in distinct for numbers in each.ports.values()), default=0)
                self._waiting.append(Waiting(known, outcome.group.subset(up), places, ports, most))
                session.expect(known.stage, most * len(up))
        # Discovery's columns are not needed any more.
        known.groups.clear()

    def steps(self, blocks: Generator[Step | None, None, None]) -> Generator[Step, None, None]:
        """Everything, to the end. What was found is told before an exception is raised.

        ``blocks``: finds out, block by block, who is up; gives ``None`` between two blocks, and is asked for the next
        one only when there is room.
        """
        failure: Exception | None = None
        control = self.session.control
        stopped = control.stop
        try:
            while True:
                self._begin_more(blocks)
                if not len(self._turns):
                    break
                try:
                    yield from self._turns.round()
                except Exception as error:  # noqa: BLE001 - raised again when all stages have told what they know
                    if failure is None:
                        failure, stopped = error, control.stop
                    # The others come to their end as when the user stops.
                    control.stop = control.stop or "failure"
                yield self._turns.pause()
        finally:
            self._turns.close()
            if failure is not None:
                control.stop = stopped
        if failure is not None:
            yield from self._rest()
            raise failure

    def _begin_more(self, blocks: Generator[Step | None, None, None]) -> None:
        """Whatever may begin now."""
        while self._waiting and self._start_group():
            pass
        if not (self._finding or self._exhausted or self._waiting) and has_room(self._running, self.plan.timing):
            self._finding = True
            self._turns.add(self._find(blocks))
        self._begin_asking()

    def _begin_asking(self) -> None:
        """A second look and services begin with the first host for them, and end when no more can come."""
        looks, services = self._looks.stage, self._services.stage if self._services is not None else None
        if looks is not None:
            if not self._looking:
                self._looking = True
                self._turns.add(self._looks.steps())
            if self._nobody_follows():
                looks.finish()
        if self._services is not None and services is not None:
            if not self._asking:
                self._asking = True
                self._turns.add(self._services.steps())
            if self._nobody_follows() and (looks is None or looks.idle):
                services.finish()

    def _nobody_follows(self) -> bool:
        """No host will be scanned any more."""
        return self._exhausted and not self._finding and not self._waiting and not self._running

    def _find(self, blocks: Generator[Step | None, None, None]) -> Generator[Step, None, None]:
        try:
            for step in blocks:
                if step is None:
                    return
                yield step
            self._exhausted = True
        except Exception:
            self._exhausted = True
            raise
        finally:
            self._finding = False

    def _start_group(self) -> bool:
        """Begin with the hosts that have waited longest; whether there was room for any."""
        head, stop = self._waiting[0], bool(self.session.control.stop)
        size = len(head) if stop else next_size(len(head), head.each, self._running, self.plan.timing)
        if size and not stop and meets(head.group.hi[:size], head.group.lo[:size], self._running):
            size = 0
        # One zombie counts for one target at a time, one FTP server serves one client.
        if not size or (self._one_by_one and self._running):
            return False
        hosts = head.take(size)
        if not len(head):
            self._waiting.popleft()
        self.session.expect(hosts.known.stage, -head.each * size)
        running = Running(head.each, size, hosts.group.hi, hosts.group.lo)
        self._running.append(running)
        self._turns.add(self._group(hosts, running))
        return True

    def _group(self, hosts: Waiting, running: Running) -> Generator[Step, None, None]:
        try:
            yield from scan_group(hosts, running, self.session, self._ask)
        finally:
            self._running.remove(running)

    def _ask(self, known: Known, place: int, host: Host, spent: float) -> bool:
        """What comes after the port scan: a second look, services, or nothing; whether anybody took the host."""
        if suspected(host.ports, host.summaries):
            if self._looks.allowed and not self.session.control.stop:
                self._looks.ask(known, place, host, spent)
                return True
            host = known.hosts[place] = with_doubt(host)
        return self._ask_services(known, place, host, spent)

    def _ask_services(self, known: Known, place: int, host: Host, spent: float) -> bool:
        if self._services is None or host.interrupted or not has_open(host):
            return False
        if self.session.control.stop:
            known.hosts[place] = replace(host, interrupted=SERVICES)
            return False
        return self._services.ask(known, place, host, spent)

    def _rest(self) -> Iterator[Event]:
        """Hosts that no stage has told of, each with the stage that it did not get through."""
        for known in self._known:
            for row, host in sorted(known.hosts.items()):
                if row not in known.told:
                    stage = SERVICES if row in known.asked else known.stage
                    cut = "" if host.status is HostStatus.DOWN else host.interrupted or stage
                    yield host_done(known, row, replace(host, interrupted=cut), self.session)
