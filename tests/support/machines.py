"""The smallest machines over the engine, and links, connectors and clocks that do as a test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address

import numpy as np
from numpy.typing import NDArray

from leadline.engine.codec import ProbeCodec
from leadline.engine.connect_machine import ConnectMachine
from leadline.engine.group import HostGroup
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.prober import Prober
from leadline.engine.raw_machine import RawMachine
from leadline.engine.replies import Replies
from leadline.engine.sends import Sends
from leadline.link.base import Attempt, Connected, Interface, LinkStatistics
from leadline.model.address import Address
from leadline.model.event import Notice
from leadline.model.plan import TimingPlan
from leadline.wire.batch import FrameBatch, concatenate, empty
from leadline.wire.columns import Decoded
from tests.support.groups import group_of, interface_of

T0 = 1000.0
KEY = bytes(range(16))
PORT = 40_000


class Ports(RawMachine):
    """One probe of ``kind`` to each of ``ports``; every answer decides, ``heard`` keeps (host, port, try code)."""

    def __init__(
        self,
        group: HostGroup,
        ports: Sequence[int],
        plan: TimingPlan | None = None,
        kind: ProbeKind = ProbeKind.TCP_SYN,
    ) -> None:
        self.ports = np.array(ports, dtype=np.int64)
        self.kind = kind
        prober = Prober(len(group), len(ports), np.arange(len(ports)), plan or TimingPlan(), T0)
        super().__init__(group, prober, ProbeCodec(group, KEY, PORT), T0)
        self.heard: list[tuple[int, int, int]] = []

    def probes(self, sends: Sends) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        return np.full(len(sends.hosts), int(self.kind), dtype=np.uint8), self.ports[sends.columns]

    def interpret(self, frames: Decoded, replies: Replies, now: float) -> None:
        matches = replies.ports[:, None] == self.ports[None, :]
        asked = np.flatnonzero(matches.any(axis=1) & (replies.kinds == self.kind))
        columns = matches.argmax(axis=1)
        codes = self.codes_of(replies, columns, frames.times[replies.rows])
        hosts, columns, codes = replies.hosts[asked], columns[asked], codes[asked]
        new = self.prober.answer(hosts, columns, codes, frames.times[replies.rows[asked]], replies.error[asked], now)
        ports = self.ports[columns[new]]
        self.heard += list(zip(hosts[new].tolist(), ports.tolist(), codes[new].tolist(), strict=True))
        self._events.append(Notice(now - self.epoch, "info", f"{int(new.sum())} answers"))


class Connections(ConnectMachine):
    """Every end of an attempt decides its item, save those of errno 11 (again) and 110 (nothing)."""

    def __init__(
        self, hosts: int, ports: Sequence[int], connector: FakeConnector, plan: TimingPlan | None = None
    ) -> None:
        numbers = np.array(ports, dtype=np.int64)
        prober = Prober(hosts, len(numbers), np.arange(len(numbers)), plan or TimingPlan(), T0)
        addresses = [ip_address(f"10.9.0.{10 + host}") for host in range(hosts)]
        super().__init__(addresses, {0: "eth7"}, numbers, prober, connector, T0)
        self.heard: list[tuple[int, int, int, int]] = []

    def interpret(
        self, hosts: NDArray[np.int64], columns: NDArray[np.int64], codes: NDArray[np.uint8], errors: NDArray[np.int64],
        times: NDArray[np.float64],
    ) -> None:  # fmt: skip
        again = errors == 11
        if again.any():
            self.prober.requeue(hosts[again], columns[again])
        told = ~again & (errors != 110)
        ends = zip(
            hosts[told].tolist(), columns[told].tolist(), codes[told].tolist(), errors[told].tolist(), strict=True
        )
        self.heard += ends
        if told.any():
            self.answered(hosts[told], columns[told], codes[told], errors[told] == 13, times[told])
            self._events.append(Notice(float(times[0]) - self.epoch, "info", f"{int(told.sum())} ends"))


class FakeClock:
    """Stands still unless a link or connector waits."""

    def __init__(self) -> None:
        self.time = T0

    def now(self) -> float:
        return self.time

    def epoch(self) -> float:
        return 1.7e9 + self.time


class FakeLink:
    """``answer(sent frames)`` gives the batches to deliver ``delay`` seconds later; ``room``: frames taken a call."""

    def __init__(
        self, clock: FakeClock, answer: Callable[[FrameBatch], FrameBatch | None], *, delay: float = 0.01,
        interface: Interface | None = None, room: Sequence[int] = (),
    ) -> None:  # fmt: skip
        self.interface = interface or interface_of()
        self.statistics = LinkStatistics()
        self.sent: list[bytes] = []
        self.waits: list[float] = []
        self.closed = False
        self._clock, self._answer, self._delay, self._room = clock, answer, delay, list(room)
        self._under_way: list[tuple[float, FrameBatch]] = []

    def send(self, batch: FrameBatch) -> int:
        taken = min(len(batch), self._room.pop(0)) if self._room else len(batch)
        batch = FrameBatch(batch.frames[:taken], batch.lengths[:taken], batch.times[:taken], batch.offset)
        self.sent += [batch.row(index) for index in range(taken)]
        self.statistics.sent += taken
        reply = self._answer(batch) if taken else None
        if reply is not None and len(reply):
            at = self._clock.time + self._delay
            self._under_way.append((at, FrameBatch(reply.frames, reply.lengths, np.full(len(reply), at), reply.offset)))
        return taken

    def receive(self) -> FrameBatch:
        ready = [batch for at, batch in self._under_way if at <= self._clock.time]
        self._under_way = [(at, batch) for at, batch in self._under_way if at > self._clock.time]
        self.statistics.received += sum(len(batch) for batch in ready)
        return concatenate(ready) if ready else empty(self.interface.link_header)

    def wait(self, timeout: float) -> None:
        assert timeout >= 0
        self.waits.append(timeout)
        arrivals = [at for at, _ in self._under_way]
        self._clock.time = max(self._clock.time, min([self._clock.time + timeout, *arrivals]))

    def next_look(self, until: float) -> float:
        self.waits.append(max(0.0, until - self._clock.time))
        return min([until, *(at for at, _ in self._under_way)])

    def close(self) -> None:
        self.closed = True


class FakeConnector:
    """``end(address, port)`` gives the errno of an attempt, ``None`` leaves it pending for ever."""

    def __init__(
        self, clock: FakeClock, end: Callable[[Address, int], int | None], *, delay: float = 0.01, capacity: int = 1000
    ) -> None:
        self.capacity = capacity
        self.started: list[tuple[int, Address, int, str]] = []
        self.pending: dict[int, tuple[float, int | None]] = {}
        self.cancelled: list[int] = []
        self.most = 0
        self._clock, self._end, self._delay = clock, end, delay

    def start_all(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self._start(*attempt)

    def _start(self, token: int, address: Address, port: int, scope: str) -> None:
        assert token not in self.pending
        self.started.append((token, address, port, scope))
        self.pending[token] = (self._clock.time + self._delay, self._end(address, port))
        self.most = max(self.most, len(self.pending))
        assert self.most <= self.capacity

    def cancel(self, token: int) -> None:
        del self.pending[token]
        self.cancelled.append(token)

    def poll(self, timeout: float) -> list[Connected]:
        assert timeout >= 0
        due = [at for at, error in self.pending.values() if error is not None]
        self._clock.time = max(self._clock.time, min([self._clock.time + timeout, *due]))
        ended = []
        for token, (at, error) in list(self.pending.items()):
            if error is not None and at <= self._clock.time:
                del self.pending[token]
                ended.append(Connected(token, error, at))
        return ended

    def next_look(self, until: float) -> float:
        return min([until, *(at for at, error in self.pending.values() if error is not None)])

    def close(self) -> None:
        self.pending.clear()


class FakeNetwork:
    """A network that only has a clock: rests move it."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.rests: list[tuple[object, ...]] = []

    def rest(self, sources: Sequence[object], until: float) -> None:
        self.rests.append(tuple(sources))
        self.clock.time = max(self.clock.time + 1e-6, until)


def ports_machine(
    hosts: int = 2, ports: Sequence[int] = (80, 443), plan: TimingPlan | None = None, family: int = 4
) -> Ports:
    """A machine on a group of neighbours."""
    return Ports(group_of(family, hosts), ports, plan)
