"""Routers, firewalls and bottlenecks, seen from the wire."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import numpy as np
import pytest

from leadline.sim.faults import LinkFaults, TokenBucket
from leadline.sim.firewall import Action, Rule
from leadline.sim.traffic import AnswerKind, answers_to
from leadline.sim.walk import refusal
from leadline.sim.world import Behaviour, PortTable, SimHost, SimRouter, SimSubnet, World, ports, simple_world
from leadline.wire.columns import Kind
from tests.support.sim_columns import probes
from tests.support.sim_scanner import Scanner, states

TARGET = "10.9.0.5"
TEN_MILLISECONDS = LinkFaults(latency=0.01)


def far_world(faults: LinkFaults = TEN_MILLISECONDS, **second: object) -> World:
    """The target behind three routers; the second one as told."""
    base = simple_world([SimHost((ip_address(TARGET), ip_address("2001:db8:9::5")), tcp=ports(80))])
    first = base.subnets[-1].routers[0]
    addresses = [(ip_address(f"10.8.0.{i}"), ip_address(f"2001:db8:8::{i}")) for i in (2, 3)]
    middle = SimRouter(SimHost(addresses[0]), LinkFaults(latency=0.001), **second)  # type: ignore[arg-type]
    last = SimRouter(SimHost(addresses[1]), dead_host_delay=3.0)
    way = (first, middle, last)
    return replace(
        base,
        subnets=(
            *base.subnets,
            SimSubnet(ip_network("10.9.0.0/24"), way, faults),
            SimSubnet(ip_network("2001:db8:9::/64"), way, faults),
            SimSubnet(ip_network("10.8.0.0/24"), way[:2]),
            SimSubnet(ip_network("2001:db8:8::/64"), way[:2]),
        ),
    )


@pytest.mark.parametrize("ttl", [1, 2, 3])
def test_time_exceeded_names_each_router(ttl: int) -> None:
    answer = Scanner(far_world(), TARGET).tcp(TARGET, [80], ttl=ttl)
    assert answer.kind.tolist() == [Kind.ICMP_ERROR]
    assert (answer.icmp_type[0], answer.icmp_code[0]) == (11, 0)
    assert (
        ip_address(int(answer.source_lo[0]))
        == [None, ip_address("192.0.2.1"), ip_address("10.8.0.2"), ip_address("10.8.0.3")][ttl]
    )
    assert answer.ttl[0] == 64 - (ttl - 1)
    assert (answer.quoted_ttl[0], answer.quoted_destination_port[0], answer.quoted_sequence[0]) == (1, 80, 7)


def test_time_exceeded_ipv6() -> None:
    answer = Scanner(far_world(), "2001:db8:9::5").tcp("2001:db8:9::5", [80], ttl=2)
    assert (answer.icmp_type[0], answer.icmp_code[0]) == (3, 0)
    assert answer.source_lo[0] == 2
    assert answer.quoted_valid[0]


def test_ttl_four_arrives_and_comes_back_three_lower() -> None:
    answer = Scanner(far_world(), TARGET).tcp(TARGET, [80, 81], ttl=4)
    assert states(answer) == {80: "open", 81: "closed"}
    assert answer.ttl.tolist() == [61, 61]


def test_a_router_that_does_not_count_or_does_not_speak() -> None:
    scanner = Scanner(far_world(decrements=False), TARGET)
    assert scanner.tcp(TARGET, [80], ttl=3).ttl.tolist() == [62]
    assert len(Scanner(far_world(time_exceeded=False), TARGET).tcp(TARGET, [80], ttl=2)) == 0


def test_firewall_actions() -> None:
    rules = (
        Rule(Action.ACCEPT, protocol=6, ports=((443, 443),)),
        Rule(Action.DROP, protocol=6, ports=((80, 80),)),
        Rule(Action.RESET, protocol=6, ports=((90, 100),)),
        Rule(Action.REJECT, protocol=6, ports=((443, 445),)),
    )
    scanner = Scanner(far_world(firewall=rules), TARGET)
    answer = scanner.tcp(TARGET, [80, 95, 443, 444])
    assert states(answer) == {95: "closed", 443: "closed"}
    # The firewall's RST comes from one router behind the first: its TTL betrays it.
    ttl = {int(port): int(value) for port, value in zip(answer.source_port, answer.ttl, strict=True) if port}
    assert ttl == {95: 63, 443: 61}
    errors = answer.kind == Kind.ICMP_ERROR
    assert answer.quoted_destination_port[errors].tolist() == [444]
    assert (answer.icmp_type[errors][0], answer.icmp_code[errors][0]) == (3, 13)
    assert ip_address(int(answer.source_lo[errors][0])) == ip_address("10.8.0.2")


def test_firewall_is_not_for_the_router_itself() -> None:
    scanner = Scanner(far_world(firewall=(Rule(Action.DROP),)), TARGET)
    assert states(scanner.tcp("10.8.0.2", [80])) == {80: "closed"}
    assert len(scanner.tcp("10.8.0.3", [80])) == 0


def test_dead_hosts_behind_a_router_cost_three_seconds() -> None:
    scanner = Scanner(far_world(), TARGET)
    frames = scanner.tcp_frames("10.9.0.77", [80])
    sent = scanner.network.clock.now()
    answer = scanner.exchange(frames)
    assert (answer.icmp_type[0], answer.icmp_code[0]) == (3, 1)
    assert answer.times[0] - sent == pytest.approx(3.0, abs=0.1)
    assert len(Scanner(far_world(), "10.0.0.9").tcp("10.0.0.9", [80])) == 0


def test_unknown_network_is_refused_by_the_gateway() -> None:
    world = far_world()
    answer = Scanner(world, TARGET).tcp("203.0.113.5", [80])
    assert (answer.icmp_type[0], answer.icmp_code[0], answer.source_lo[0]) == (3, 0, int(ip_address("192.0.2.1")))
    router = world.subnets[2].routers[0]
    quiet = replace(router, unknown_network=False)
    subnets = tuple(replace(s, routers=tuple(quiet if r == router else r for r in s.routers)) for s in world.subnets)
    assert len(Scanner(replace(world, subnets=subnets), TARGET).tcp("203.0.113.5", [80])) == 0


def test_loss_is_what_it_says() -> None:
    scanner = Scanner(far_world(LinkFaults(latency=0.01, loss=0.2)), TARGET)
    answered = len(scanner.tcp(TARGET, list(range(1, 4001))))
    assert answered == pytest.approx(4000 * 0.64, rel=0.06)


def test_latency_adds_up_both_ways_and_jitter_stays_within() -> None:
    scanner = Scanner(far_world(LinkFaults(latency=0.05, jitter=0.01)), TARGET, frame_cost=0.0)
    frames = scanner.tcp_frames(TARGET, list(range(1, 200)))
    sent = scanner.network.clock.now()
    rtt = scanner.exchange(frames).times - sent
    floor = 2 * (0.05 + 0.001 + 0.000_05)
    assert rtt.min() >= floor
    assert rtt.max() <= floor + 0.02
    assert rtt.max() - rtt.min() > 0.01


def test_a_bottleneck_spaces_packets_and_drops_the_rest() -> None:
    scanner = Scanner(far_world(LinkFaults(rate=1000.0, queue=19)), TARGET)
    times = np.sort(scanner.tcp(TARGET, list(range(1, 101))).times)
    assert len(times) == 20
    assert np.diff(times) == pytest.approx(np.full(19, 0.001), rel=0.01)


def test_routers_limit_their_errors() -> None:
    world = far_world()
    last = world.subnets[3].routers[2]
    limited = replace(last, host=replace(last.host, icmp_limit=TokenBucket(rate=1.0, burst=4.0)))
    subnets = tuple(replace(s, routers=tuple(limited if r == last else r for r in s.routers)) for s in world.subnets)
    scanner = Scanner(replace(world, subnets=subnets), TARGET)
    assert len(scanner.tcp(TARGET, list(range(1, 50)), ttl=3)) == 4


def test_a_router_without_an_address_of_the_family_says_nothing() -> None:
    world = far_world()
    middle = world.subnets[3].routers[1]
    mute = replace(middle, host=replace(middle.host, addresses=middle.host.addresses[1:]))
    subnets = tuple(replace(s, routers=tuple(mute if r == middle else r for r in s.routers)) for s in world.subnets)
    assert len(Scanner(replace(world, subnets=subnets), TARGET).tcp(TARGET, [80], ttl=2)) == 0


def test_hosts_may_take_in_less_than_they_get() -> None:
    host = SimHost((ip_address("10.0.0.1"),), probe_limit=TokenBucket(rate=1.0, burst=7.0), faults=LinkFaults(loss=0.0))
    assert len(Scanner(simple_world([host]), "10.0.0.1").tcp("10.0.0.1", list(range(1, 50)))) == 7


def test_a_lossy_host() -> None:
    host = SimHost((ip_address("10.0.0.1"),), faults=LinkFaults(loss=0.5), tcp=PortTable(Behaviour.OPEN))
    answered = len(Scanner(simple_world([host]), "10.0.0.1").tcp("10.0.0.1", list(range(1, 2001))))
    assert answered == pytest.approx(500, rel=0.15)


def test_refusals_are_by_the_book() -> None:
    asked = probes(["10.0.0.1"] * 2, [1, 1], flags=2)
    asked.flags[1] = 16
    answers = answers_to(asked, AnswerKind.TCP)
    refusal(asked, answers)
    assert list(zip(answers.flags, answers.sequence, answers.acknowledgment, strict=True)) == [(20, 0, 1001), (4, 5, 0)]
