from __future__ import annotations

from ipaddress import ip_address

import pytest

from leadline.errors import LinkError
from leadline.link.base import CaptureFilter
from leadline.sim.clock import CALL_COST
from leadline.sim.liars import Flood
from leadline.sim.world import SimHost, ports, simple_world
from leadline.wire.batch import FrameBatch, empty
from tests.support.sim_scanner import Scanner

WORLD = simple_world([SimHost((ip_address("10.0.0.1"),), tcp=ports(80))])


def test_waiting_moves_the_clock_to_the_answer_or_the_end() -> None:
    scanner = Scanner(WORLD, "10.0.0.1", wake=0.0)
    frames = scanner.tcp_frames("10.0.0.1", [80])
    clock = scanner.network.clock
    start = clock.now()
    scanner.link.send(frames)
    scanner.link.wait(5.0)
    answer = scanner.link.receive()
    assert len(answer) == 1
    assert 0.0 < clock.now() - start < 0.001
    assert answer.times[0] == pytest.approx(clock.now())
    before = clock.now()
    scanner.link.wait(2.0)
    assert clock.now() == before + 2.0
    scanner.link.wait(-1.0)
    assert clock.now() == before + 2.0 + CALL_COST


def test_whoever_waits_wakes_up_late_and_finds_more() -> None:
    scanner = Scanner(WORLD, "10.0.0.1", wake=0.01)
    scanner.link.send(scanner.tcp_frames("10.0.0.1", list(range(1, 100))))
    scanner.link.wait(5.0)
    assert len(scanner.link.receive()) == 99


def test_nothing_arrives_before_its_time() -> None:
    scanner = Scanner(WORLD, "10.0.0.1")
    frames = scanner.tcp_frames("10.0.0.1", [80])
    scanner.link.send(frames)
    assert len(scanner.link.receive()) == 0
    scanner.network.clock.advance(0.00005)
    assert len(scanner.link.receive()) == 0
    scanner.network.clock.advance(0.01)
    assert len(scanner.link.receive()) == 1


def test_sending_costs_time_and_is_counted() -> None:
    scanner = Scanner(WORLD, "10.0.0.1", frame_cost=0.001, send_room=10)
    frames = scanner.tcp_frames("10.0.0.1", list(range(1, 31)))
    start, before = scanner.network.clock.now(), scanner.link.statistics.sent
    assert scanner.link.send(frames) == 10
    assert scanner.network.clock.now() == pytest.approx(start + 0.01)
    assert scanner.link.statistics.sent - before == 10
    assert scanner.link.send(empty(14)) == 0


def test_what_does_not_fit_the_mtu_fails_quietly() -> None:
    scanner = Scanner(WORLD, "10.0.0.1")
    frames = scanner.tcp_frames("10.0.0.1", [80])
    frames.lengths[:] = 2000
    assert scanner.link.send(frames) == 1
    assert scanner.link.statistics.send_failures == 1


def test_frames_of_another_framing_are_our_own_mistake() -> None:
    scanner = Scanner(WORLD, "10.0.0.1")
    frames = scanner.tcp_frames("10.0.0.1", [80])
    with pytest.raises(LinkError, match="link header"):
        scanner.link.send(FrameBatch(frames.frames[:, 14:], frames.lengths - 14, frames.times, 0))


def test_a_closed_link_is_closed() -> None:
    scanner = Scanner(WORLD, "10.0.0.1")
    frames = scanner.tcp_frames("10.0.0.1", [80])
    scanner.link.send(frames)
    scanner.link.close()
    scanner.link.close()
    for use in (lambda: scanner.link.send(frames), scanner.link.receive, lambda: scanner.link.wait(1.0)):
        with pytest.raises(LinkError, match="closed"):
            use()


def test_ring_and_flight_are_bounded() -> None:
    world = simple_world([SimHost((ip_address("10.0.0.1"),), lie=Flood(factor=500))])
    scanner = Scanner(world, "10.0.0.1", ring=1000, in_flight=20_000)
    scanner.link.send(scanner.tcp_frames("10.0.0.1", list(range(1, 101))))
    scanner.network.clock.advance(5.0)
    assert len(scanner.link.receive()) == 1000
    statistics = scanner.link.statistics
    assert statistics.dropped > 30_000
    assert statistics.received == 1001


def test_every_link_has_its_own_filter() -> None:
    scanner = Scanner(WORLD, "10.0.0.1")
    second = scanner.network.open_link(scanner.route.interface, CaptureFilter(4, scanner.route.source, 50_000, 50_001))
    scanner.link.send(scanner.tcp_frames("10.0.0.1", [80]))
    scanner.link.send(scanner.tcp_frames("10.0.0.1", [80], source_port=50_000))
    scanner.network.clock.advance(1.0)
    assert (len(scanner.link.receive()), len(second.receive())) == (1, 1)
