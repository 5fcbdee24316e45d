"""The machine of the idle scan against a zombie and a target made of a few lines, under a clock of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.engine.rate import RateLimiter
from leadline.model.event import TimingDecision
from leadline.model.plan import TimingPlan
from leadline.ports.idle import IdleMachine, ZombieState
from leadline.ports.idle_frames import IdleFrames
from leadline.ports.idle_pace import Pace
from leadline.ports.idle_search import IdleSearch
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import decode
from leadline.wire.template import Framing, TcpTemplate
from tests.support.groups import lone

ZOMBIE, TARGET = "10.0.0.9", "10.0.0.5"
RST, SYN, ACK = 4, 2, 16


@dataclass
class World:
    """``rtt``: to the zombie and of a port's answer; what it does when: ``dies`` (clock seconds), ``jumps``."""

    is_open: set[int] = field(default_factory=set)
    rtt: float = 0.02
    chatter: float = 0.0
    dies: float = 1e9
    jumps: float = 1e9
    silent: bool = False
    counts_others: bool = True
    late: float = 0.0
    loss: float = 0.0
    counter: int = 65_530
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(3))
    agenda: list[tuple[float, int, int, int]] = field(default_factory=list)

    def sent(self, way: int, batch: FrameBatch, now: float) -> None:
        frames = decode(batch)
        for row in range(len(frames)):
            if self.random.random() < self.loss:
                continue
            if way:
                if int(frames.destination_port[row]) in self.is_open:
                    self.agenda.append((now + self.rtt + self.late, 0, 0, 0))
            elif str(ip_address(int(frames.source_lo[row]))) == TARGET:
                self.agenda.append((now + self.rtt / 2, 0, 0, 0) if self.counts_others else (now, -1, 0, 0))
            else:
                acknowledgment, port = int(frames.acknowledgment[row]), int(frames.source_port[row])
                self.agenda.append((now + self.rtt / 2, 1, acknowledgment, port))

    def arrives(self, now: float, step: float) -> list[FrameBatch]:
        self.counter += int(self.random.poisson(self.chatter * step))
        due = sorted(entry for entry in self.agenda if entry[0] <= now)
        self.agenda = [entry for entry in self.agenda if entry[0] > now]
        out = []
        for at, kind, sequence, port in due:
            if kind < 0 or self.silent or at > self.dies:
                continue
            self.counter += 1
            if kind and self.random.random() >= self.loss:
                number = int(self.random.integers(65_536)) if at > self.jumps else self.counter & 0xFFFF
                out.append(reset(sequence, port, number, at + self.rtt / 2))
        return out


def reset(sequence: int, port: int, number: int, at: float) -> FrameBatch:
    template = TcpTemplate(Framing(4, 0, bytes(6), 0, int(ip_address(ZOMBIE))), RST, 0, b"")
    us = int(lone(ZOMBIE, 0).route.source)
    hi, lo = np.array([0], np.uint64), np.array([us], np.uint64)
    batch = template.build(hi, lo, None, 80, port, sequence, 0, 64, number)
    batch.times[:] = at
    return batch


def machine_of(ports: range | tuple[int, ...], *, rtt: float = 0.02, **timing: float) -> IdleMachine:
    zombie, target = lone(ZOMBIE, 0), lone(TARGET, 0)
    plan = TimingPlan(**timing)  # type: ignore[arg-type]
    state = ZombieState(ZOMBIE, Pace(plan))
    state.pace.begin(rtt, rtt / 4)
    frames = IdleFrames(zombie, target, 80, bytes(16), range(40_000, 40_032))
    search = IdleSearch(ports, state.chances, plan.max_retries)
    return IdleMachine(state, frames, search, RateLimiter(plan.max_rate, None, 100.0), 100.0, 100.0)


def run(machine: IdleMachine, world: World, limit: float = 600.0) -> tuple[set[int], float, list[object]]:
    """Open ports, seconds that it took, events."""
    now, events = 100.0, []
    while not machine.done and now < 100.0 + limit:
        for batch in world.arrives(now, 0.005):
            machine.receive(batch, now)
        for way, batch in machine.poll(now):
            world.sent(way, batch, now)
        events += list(machine.events())
        assert machine.next_timer() <= now + 400.0
        now += 0.005
    assert machine.done
    return {port for port, one in machine.search.standings.items() if one.open}, now - 100.0, events


def test_open_ports_are_found() -> None:
    machine = machine_of(range(1, 101))
    assert machine.progress() == 0
    found, seconds, _ = run(machine, World({22, 80}))
    assert found == {22, 80}
    assert machine.failure == ""
    assert machine.progress() == 1
    assert seconds < 5
    assert sorted(machine.fresh()) == [22, 80]
    assert machine.fresh() == []
    assert machine.zombie.proven


def test_a_second_target_need_not_ask_about_the_zombie_again() -> None:
    first = machine_of(range(1, 11))
    world = World({5})
    run(first, world)
    frames = IdleFrames(lone(ZOMBIE, 0), lone("10.0.0.5", 0), 80, bytes(16), range(40_000, 40_032))
    search = IdleSearch(range(1, 11), first.zombie.chances, 10)
    second = IdleMachine(first.zombie, frames, search, RateLimiter(None, None, 100.0), 100.0, 100.0)
    found, seconds, _ = run(second, world)
    assert found == {5}
    assert seconds < 1.0


@pytest.mark.parametrize(
    ("world", "words"),
    [
        (World(silent=True), "does not answer SYN/ACK packets to its port 80"),
        (World(jumps=0.0), "random"),
        (World(counts_others=False), "does not count packets that seem to come from 10.0.0.5"),
        (World(chatter=40.0), "too busy: it sends about"),
        (World({3}, dies=101.5), "does not answer any more"),
        (World({3}, jumps=101.5), "jump"),
    ],
)
def test_zombies_that_are_of_no_use(world: World, words: str) -> None:
    machine = machine_of(range(1, 2001))
    found, seconds, _ = run(machine, world)
    assert words in machine.failure
    assert found <= world.is_open
    assert seconds < 60


def test_its_own_traffic_is_told_from_answers() -> None:
    found, _, _ = run(machine_of(range(1, 41)), World({22, 33}, chatter=1.0), limit=300.0)
    assert found == {22, 33}


def test_lost_packets_are_sent_again() -> None:
    found, _, _ = run(machine_of(range(1, 41)), World({22, 33}, loss=0.05), limit=300.0)
    assert found == {22, 33}


def test_late_answers_make_it_wait_longer() -> None:
    machine = machine_of(range(1, 61), rtt=0.02)
    before = machine.zombie.pace.wait
    found, _, events = run(machine, World({10, 50}, late=0.15), limit=300.0)
    assert found == {10, 50}
    decisions = [event for event in events if isinstance(event, TimingDecision)]
    assert max(decision.new for decision in decisions if decision.what == "answer_wait") > before
    assert all(decision.old != decision.new for decision in decisions)


def test_the_rate_is_kept() -> None:
    machine = machine_of((1, 2, 3), max_rate=10.0)
    sent: list[float] = []
    world, now = World({2}), 100.0
    while not machine.done and now < 200:
        for batch in world.arrives(now, 0.005):
            machine.receive(batch, now)
        for way, batch in machine.poll(now):
            sent += [now] * len(batch)
            world.sent(way, batch, now)
        now += 0.005
    assert machine.done
    assert len(sent) / (sent[-1] - sent[0]) < 12


def test_a_scan_delay_lies_between_packets_to_the_target() -> None:
    machine = machine_of((1, 2, 3, 4), scan_delay=0.2)
    world, now, sent = World({2}), 100.0, []
    while not machine.done and now < 200:
        for batch in world.arrives(now, 0.005):
            machine.receive(batch, now)
        for way, batch in machine.poll(now):
            sent += [now] * len(batch) if way else []
            world.sent(way, batch, now)
        now += 0.005
    assert machine.done
    assert min(np.diff(sent)) > 0.19


def test_what_nobody_asked_for_is_dropped() -> None:
    machine = machine_of((1,))
    machine.receive(reset(1, 40_000, 5, 100.0), 100.0)
    ((way, batch),) = machine.poll(100.0)
    assert way == 0
    asked = decode(batch)
    tag, port = int(asked.acknowledgment[0]), int(asked.source_port[0])
    machine.receive(reset(tag + 1, port, 5, 100.01), 100.01)
    machine.receive(reset(tag, port + 1, 5, 100.01), 100.01)
    assert machine.zombie.pace.srtt < 0
    machine.receive(reset(tag, port, 5, 100.01), 100.01)
    assert machine.zombie.pace.srtt == pytest.approx(0.01)
    # The same again is no second answer.
    machine.receive(reset(tag, port, 9, 100.3), 100.3)
    assert machine.zombie.pace.srtt == pytest.approx(0.01)
