"""Packets under a false address: the hosts that they name answer each other, and count what they send."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.link.base import CaptureFilter
from leadline.model.address import columns_of
from leadline.sim import reflections
from leadline.sim.faults import LinkFaults
from leadline.sim.liars import Tarpit
from leadline.sim.network import SimNetwork
from leadline.sim.world import EMBEDDED, SimHost, World, ports, simple_world
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import decode
from leadline.wire.template import Framing, TcpTemplate

SYN, ACK = 2, 16
HERE, ZOMBIE, TARGET = "192.0.2.2", "10.0.0.9", "10.0.0.5"
ROUTER = b"\x02\x4c\x44\x00\x00\xfe"


def world(*, spoofed: bool = True, target_loss: float = 0.0, lie: bool = False) -> World:
    zombie = SimHost((ip_address(ZOMBIE),), personality=EMBEDDED)
    target = SimHost((ip_address(TARGET),), tcp=ports(22, 80), faults=LinkFaults(loss=target_loss))
    made = simple_world([zombie, replace(target, lie=Tarpit()) if lie else target], faults=LinkFaults(latency=0.01))
    router = replace(made.subnets[-1].routers[0], refuses_spoofed=not spoofed)
    return replace(made, subnets=(*made.subnets[:-1], replace(made.subnets[-1], routers=(router,))))


class Bench:
    def __init__(self, made: World) -> None:
        self.network = SimNetwork(made, seed=1)
        interface = self.network.interfaces()[1]
        self.link = self.network.open_link(interface, CaptureFilter(4, ip_address(HERE), 1000, 1100))
        self.mac = interface.mac

    def send(self, flags: int, source: str, target: str, *numbers: int) -> None:
        (hi,), (lo,) = columns_of([ip_address(source)])
        template = TcpTemplate(Framing(4, 14, self.mac, int(hi), int(lo)), flags)
        his, los = columns_of([ip_address(target)] * len(numbers))
        macs = np.tile(np.frombuffer(ROUTER, np.uint8), (len(numbers), 1))
        batch: FrameBatch = template.build(his, los, macs, 1000, np.array(numbers), 5, 6, 64, 1)
        assert self.link.send(batch) == len(numbers)

    def counter(self) -> int:
        self.send(SYN | ACK, HERE, ZOMBIE, 80)
        for _ in range(10):
            self.link.wait(1.0)
            frames = decode(self.link.receive())
            if len(frames):
                return int(frames.ip_id[0])
        raise AssertionError("the zombie did not answer")

    def pause(self, seconds: float) -> None:
        if seconds:
            self.link.wait(seconds)


def counted(bench: Bench, *numbers: int, pause: float = 0.1) -> int:
    before = bench.counter()
    bench.send(SYN, ZOMBIE, TARGET, *numbers)
    bench.pause(pause)
    return (bench.counter() - before - 1) & 0xFFFF


def test_open_ports_cost_the_zombie_a_packet_each() -> None:
    bench = Bench(world())
    assert counted(bench, 22, 80) == 2
    assert counted(bench, 23, 24, 25) == 0
    assert counted(bench, 21, 22, 23) == 1


def test_nothing_is_counted_before_it_can_be_there() -> None:
    # Two ways of 10 ms lead to the target and back to us: a question that is sent before that arrives earlier.
    bench = Bench(world())
    assert counted(bench, 22, pause=0.0) == 0
    bench.pause(0.1)
    assert counted(bench, 23) == 0


def test_questions_in_anothers_name_are_counted() -> None:
    bench = Bench(world())
    before = bench.counter()
    bench.send(SYN | ACK, TARGET, ZOMBIE, 80, 81)
    bench.pause(0.1)
    assert (bench.counter() - before - 1) & 0xFFFF == 2


def test_a_router_may_refuse_false_addresses() -> None:
    assert counted(Bench(world(spoofed=False)), 22, 80) == 0


def test_what_is_lost_is_not_counted() -> None:
    counts = [counted(Bench(world(target_loss=0.5)), *[22] * 40) for _ in range(3)]
    assert all(2 < count < 22 for count in counts)


def test_a_liar_is_answered_as_well() -> None:
    assert counted(Bench(world(lie=True)), 7, 8, 9) >= 3


def test_what_is_under_way_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reflections, "MOST_UNDER_WAY", 5)
    assert counted(Bench(world()), *[22] * 40) == 5
