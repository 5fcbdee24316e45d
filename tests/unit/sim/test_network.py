from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import numpy as np
import pytest

from leadline.errors import LinkError, PrivilegeError
from leadline.link.base import CaptureFilter
from leadline.model.address import columns_of
from leadline.sim.clock import VirtualClock
from leadline.sim.faults import LinkFaults
from leadline.sim.network import SimNetwork
from leadline.sim.world import SimHost, SimInterface, SimSubnet, ports, simple_world
from leadline.wire.columns import Kind
from tests.support.sim_scanner import Scanner, states

HOSTS = [SimHost((ip_address(f"10.0.0.{i}"),), tcp=ports(22, 80), hostname=f"h{i}.example") for i in range(1, 6)]
BAD_LINE = LinkFaults(latency=0.02, jitter=0.01, loss=0.1, duplication=0.1, reordering=0.1)


def test_same_seed_same_bytes() -> None:
    def scan(seed: int) -> tuple[bytes, list[float]]:
        scanner = Scanner(simple_world(HOSTS, faults=BAD_LINE), "10.0.0.1", seed)
        scanner.tcp("10.0.0.1", list(range(1, 300)))
        return scanner.frames.frames.tobytes(), scanner.frames.times.tolist()

    assert scan(1) == scan(1)
    assert scan(1) != scan(2)


def test_a_generator_and_a_clock_may_be_given() -> None:
    clock = VirtualClock(start=3.0)
    network = SimNetwork(simple_world(HOSTS), random=np.random.default_rng(5), clock=clock)
    assert network.clock is clock
    assert network.clock.now() == 3.0


def test_interfaces_and_routes() -> None:
    network = SimNetwork(simple_world(HOSTS))
    assert [one.name for one in network.interfaces()] == ["lo", "eth0"]
    texts = ["192.0.2.77", "10.0.0.1", "192.0.2.2", "127.0.0.5", "10.0.0.2"]
    routed = network.routes(4, *columns_of([ip_address(text) for text in texts]), {})
    gateways = [str(routed.routes[number].gateway) for number in routed.route_of]
    assert gateways == ["None", "192.0.2.1", "None", "None", "192.0.2.1"]
    assert [routed.routes[number].local for number in routed.route_of] == [False, False, True, True, False]
    assert [routed.routes[number].on_link for number in routed.route_of] == [True, False, False, False, False]
    assert len(routed.routes) == 4
    assert network.neighbor(network.interfaces()[1], ip_address("192.0.2.1")) is None


def test_interface_that_is_down_and_scopes() -> None:
    world = simple_world(HOSTS)
    extra = SimInterface("eth1", ((ip_address("fe80::1"), 64), (ip_address("172.16.0.1"), 16)), up=False)
    network = SimNetwork(replace(world, interfaces=(*world.interfaces, extra)))
    routed = network.routes(4, *columns_of([ip_address("172.16.0.9")]), {})
    assert routed.routes[routed.route_of[0]].gateway == ip_address("192.0.2.1")
    scoped = network.routes(6, *columns_of([ip_address("fe80::9")]), {0: "eth1"})
    assert scoped.route_of.tolist() == [-1]
    with pytest.raises(LinkError, match="eth1"):
        network.open_link(network.interfaces()[2], CaptureFilter(4, ip_address("172.16.0.1"), 1, 2))


def test_without_rights() -> None:
    network = SimNetwork(replace(simple_world(HOSTS), raw=False))
    assert not network.can_send_raw()
    with pytest.raises(PrivilegeError):
        network.open_link(network.interfaces()[1], CaptureFilter(4, ip_address("192.0.2.2"), 1, 2))


@pytest.mark.parametrize("target", ["127.0.0.1", "192.0.2.2", "::1", "2001:db8:ffff::2"])
def test_loopback_answers_and_shows_our_own_frames(target: str) -> None:
    world = replace(simple_world(HOSTS), local=SimHost((), tcp=ports(631)))
    scanner = Scanner(world, target)
    assert scanner.route.local
    answer = scanner.tcp(target, [631, 632])
    assert states(answer) == {631: "open", 632: "closed"}
    # The probe to a port in the capture's range comes back as its own copy, too.
    mirrored = scanner.tcp(target, [40_500])
    assert sorted(mirrored.tcp_flags.tolist()) == [2, 0x14]
    assert len(answer) == 2


def test_frames_without_link_header() -> None:
    tun = SimInterface("tun0", ((ip_address("10.99.0.2"), 30),), (ip_address("10.99.0.1"),), bytes(6), "point", 0, 1400)
    base = simple_world(HOSTS)
    router = base.subnets[-1].routers[0]
    world = replace(
        base, interfaces=(tun,), subnets=(SimSubnet(ip_network("10.0.0.0/24"), (router,), interface="tun0"),)
    )
    scanner = Scanner(
        replace(world, subnets=(*world.subnets, SimSubnet(ip_network("192.0.2.0/24"), interface="tun0"))), "10.0.0.1"
    )
    assert scanner.framing.offset == 0
    answer = scanner.tcp("10.0.0.1", [22, 23])
    assert states(answer) == {22: "open", 23: "closed"}
    assert scanner.frames.offset == 0


def test_the_wrong_next_hop_gets_no_answer() -> None:
    scanner = Scanner(simple_world(HOSTS), "10.0.0.1")
    scanner.mac = b"\x02\x00\x00\x00\x99\x99"
    assert len(scanner.tcp("10.0.0.1", [80])) == 0
    assert scanner.network.tally.misdirected == 1


def test_damaged_probes_get_no_answer() -> None:
    scanner = Scanner(simple_world(HOSTS), "10.0.0.1")
    frames = scanner.tcp_frames("10.0.0.1", [80, 81])
    frames.frames[0, 50] ^= 1
    assert states(scanner.exchange(frames)) == {81: "closed"}
    assert scanner.network.tally.damaged == 1


def test_answers_to_somebody_elses_address_do_not_come() -> None:
    scanner = Scanner(simple_world(HOSTS), "10.0.0.1")
    mac = scanner.next_hop("10.0.0.1")
    scanner.mac = mac
    object.__setattr__(scanner.framing, "source_lo", int(ip_address("192.0.2.200")))
    assert len(scanner.tcp("10.0.0.1", [80])) == 0
    assert scanner.network.tally.lost_answers == 1


def test_duplicates_and_reordering() -> None:
    line = LinkFaults(latency=0.01, duplication=0.5, reordering=0.5, reorder_delay=1.0)
    scanner = Scanner(simple_world(HOSTS, faults=line), "10.0.0.1")
    answer = scanner.tcp("10.0.0.1", list(range(1, 401)))
    assert 540 < len(answer) < 660
    late = answer.times - answer.times.min() > 0.9
    assert 0.4 < late.mean() < 0.6


def test_many_hosts_in_one_batch() -> None:
    scanner = Scanner(simple_world(HOSTS), "10.0.0.1")
    mac = scanner.macs("10.0.0.1", 1)
    assert len(mac) == 1
    seen = {}
    for host in HOSTS:
        answer = scanner.tcp(str(host.addresses[0]), [22, 23])
        seen[str(host.addresses[0])] = states(answer)
        assert set(answer.kind.tolist()) == {Kind.TCP}
    assert list(seen.values()) == [{22: "open", 23: "closed"}] * 5


def test_names() -> None:
    resolver = SimNetwork(simple_world(HOSTS)).resolver()
    assert resolver.reverse([ip_address("10.0.0.3")], lambda: False) == {ip_address("10.0.0.3"): "h3.example"}
