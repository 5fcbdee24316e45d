"""Sweeps of large target sets over the simulated network, beside the ordinary scan of the same hosts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator

from leadline.engine.control import Control
from leadline.link.base import Interface
from leadline.model.event import HostDone, Notice, PacketTraced, TargetSkipped, TaskProgress, TimingDecision
from leadline.model.host import Host, HostStatus
from leadline.model.port import PortState, Reason
from leadline.model.swept import HostsSilent, HostsSwept
from leadline.ports import sweep
from leadline.sim.faults import LinkFaults
from leadline.sim.liars import Lie, WrongTag, syn_acks
from leadline.sim.network import SimNetwork
from leadline.sim.traffic import ACK, RST, Answers, Probes, take
from leadline.sim.world import PortTable, SimHost, SimInterface, World, ports, simple_world
from leadline.wire.batch import FrameBatch
from tests.support.sim_scan import SimScan, open_ports, sim_scan, stop_when

NETWORK = "10.32.0.0/19"
BASE = int(ip_address("10.32.0.0"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Sweeps begin at 101 hosts, a chunk is 2,048 items."""
    monkeypatch.setattr("leadline.pipeline.order.LARGEST_SCAN", 100)
    monkeypatch.setattr(sweep, "MOST_ITEMS", 2048)
    return monkeypatch


def world_of(count: int = 300, faults: LinkFaults | None = None, **fields: Any) -> World:
    """Every 19th address of the network is a host; a third have port 80 open, a third drop port 443."""
    hosts = []
    for number in range(count):
        table = PortTable(
            open=frozenset({80} if number % 3 == 0 else set()),
            filtered=frozenset({443} if number % 3 == 1 else set()),
            rejected=frozenset({22} if number % 7 == 2 else set()),
        )
        hosts.append(SimHost((ip_address(BASE + 19 * number + 3),), tcp=table, **fields))
    return simple_world(hosts, network=NETWORK, faults=faults or LinkFaults(latency=0.01))


def swept(scan: SimScan) -> dict[str, Host]:
    told = {str(host.address): host for event in scan.of(HostsSwept) for host in event.hosts()}
    return told | scan.hosts


def verdicts(hosts: dict[str, Host]) -> dict[tuple[str, int], tuple[PortState, Reason, str]]:
    return {
        (address, port.number): (port.state, port.reason, str(port.reason_address))
        for address, host in hosts.items()
        for port in host.ports
    }


OPTIONS: dict[str, Any] = {"techniques": ("syn",), "skip_discovery": True, "ports": "22,80,443"}


def test_a_sweep_tells_what_the_ordinary_scan_tells(small: pytest.MonkeyPatch) -> None:
    world = world_of()
    scan = sim_scan(world, NETWORK, **OPTIONS)
    assert scan.of(HostDone) == []
    assert all(len(event) <= 8192 for event in scan.of(HostsSwept))
    small.setattr("leadline.pipeline.order.LARGEST_SCAN", 1 << 20)
    ordinary = sim_scan(world, *(str(host.addresses[0]) for host in world.hosts), **OPTIONS)
    assert ordinary.of(HostsSwept) == []
    assert verdicts(swept(scan)) == verdicts(ordinary.hosts)
    assert len(swept(scan)) == 300
    silent = sum(event.count for event in scan.of(HostsSilent))
    assert silent == 8192 - 300
    assert (scan.ended.hosts_up, scan.ended.hosts_down, scan.ended.hosts_total) == (8192, 0, 8192)
    one, same = next(iter(swept(scan).values())), ordinary.hosts
    twin = same[str(one.address)]
    assert (one.status, one.reason, one.hostnames) == (twin.status, twin.reason, twin.hostnames)
    assert [port.service for port in one.ports] == [port.service for port in twin.ports]
    assert [event.text for event in scan.of(Notice)] == []
    assert scan.of(TaskProgress)[-1].percent > 50


def test_addresses_come_in_order_in_each_chunk(small: pytest.MonkeyPatch) -> None:
    scan = sim_scan(world_of(), NETWORK, **(OPTIONS | {"ports": "80"}))
    events = scan.of(HostsSwept)
    assert len(events) == 4
    for event in events:
        assert (np.diff(event.lo.astype(np.int64)) > 0).all()


def test_shards_share_the_work_without_overlap(small: pytest.MonkeyPatch) -> None:
    world = world_of()
    told: list[str] = []
    total = 0
    for part in range(1, 4):
        scan = sim_scan(world, NETWORK, shard=f"{part}/3", **OPTIONS)
        told += swept(scan)
        total += scan.ended.hosts_total
    assert sorted(told) == sorted(str(host.addresses[0]) for host in world.hosts)
    assert total == 8192


@pytest.mark.parametrize("seed", range(3))
def test_every_answering_host_is_found_on_a_lossy_path(small: pytest.MonkeyPatch, seed: int) -> None:
    small.setattr(sweep, "MOST_ITEMS", 1 << 14)
    world = world_of(faults=LinkFaults(latency=0.02, jitter=0.01, loss=0.05))
    scan = sim_scan(world, NETWORK, seed=seed, **(OPTIONS | {"ports": "80"}))
    assert len(swept(scan)) == 300
    assert sum(80 in open_ports(host) for host in swept(scan).values()) == 100
    # More passes than two: the loss was measured.
    assert 3 * 8192 < scan.ended.packets_sent < 9 * 8192


def test_without_loss_silence_is_asked_twice_and_no_more(small: pytest.MonkeyPatch) -> None:
    scan = sim_scan(world_of(), NETWORK, **(OPTIONS | {"ports": "80"}))
    silent = 8192 - 300
    assert 8192 + silent <= scan.ended.packets_sent < (8192 + silent) * 1.05
    once = sim_scan(world_of(), NETWORK, max_retries=0, **(OPTIONS | {"ports": "80"}))
    assert 8192 <= once.ended.packets_sent < 8192 * 1.1


@dataclass(frozen=True, slots=True)
class OpenOnce(Lie):
    """Every port opens once; later probes are answered by a RST (or not at all: ``mute``)."""

    mute: bool = False
    asked: set[tuple[int, int]] = field(default_factory=set, compare=False)

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        lies = syn_acks(probes, random)
        again = np.zeros(len(probes), bool)
        for row, key in enumerate(zip(probes.target_lo.tolist(), probes.target_port.tolist(), strict=True)):
            again[row] = key in self.asked
            self.asked.add(key)
        lies.flags = np.where(again, np.uint16(RST | ACK), lies.flags)
        return take(lies, ~again) if self.mute else lies


@pytest.mark.parametrize(
    ("mute", "state", "words"), [(False, PortState.CLOSED, "RST"), (True, PortState.FILTERED, "not again")]
)
def test_what_opens_once_only_is_not_open(small: pytest.MonkeyPatch, mute: bool, state: PortState, words: str) -> None:
    world = world_of(30)
    hosts = tuple(
        replace(host, lie=OpenOnce(mute=mute)) if row % 3 == 0 else host for row, host in enumerate(world.hosts)
    )
    scan = sim_scan(replace(world, hosts=hosts), NETWORK, **(OPTIONS | {"ports": "80"}))
    told = swept(scan)
    liars = {str(host.addresses[0]) for host in hosts[::3]}
    for address, host in told.items():
        (port,) = host.ports
        assert port.state is (state if address in liars else PortState.CLOSED), address
        assert port.evidence is not None
        assert (words in port.evidence.rule) == (address in liars)
    assert len(told) == 30


def test_strangers_and_wrong_tags_are_not_believed(small: pytest.MonkeyPatch) -> None:
    world = world_of(20)
    hosts = tuple(replace(host, lie=WrongTag()) for host in world.hosts)
    scan = sim_scan(replace(world, hosts=hosts), NETWORK, **(OPTIONS | {"ports": "80"}))
    assert swept(scan) == {}
    assert sum(event.count for event in scan.of(HostsSilent)) == 8192


def test_open_ports_are_confirmed_and_say_so(small: pytest.MonkeyPatch) -> None:
    scan = sim_scan(world_of(60), NETWORK, **(OPTIONS | {"ports": "80"}))
    rules = {port.evidence.rule for host in swept(scan).values() for port in host.ports if port.evidence is not None}
    assert rules == {"syn: tcp SA twice -> open", "syn: tcp RA -> closed"}


def test_a_bottleneck_is_not_overrun_for_long(small: pytest.MonkeyPatch) -> None:
    """8,192 closed hosts behind a path that takes 5,000 packets a second: loss is measured and the pace follows."""
    small.setattr(sweep, "MOST_ITEMS", 1 << 14)
    hosts = [SimHost((ip_address(BASE + number),)) for number in range(8192)]
    world = simple_world(hosts, network=NETWORK, faults=LinkFaults(latency=0.01, rate=5000.0, queue=200))
    scan = sim_scan(world, NETWORK, **(OPTIONS | {"ports": "80"}))
    assert len(swept(scan)) == 8192
    decisions = [event for event in scan.of(TimingDecision) if event.what == "rate"]
    assert decisions
    assert min(event.new for event in decisions) < 10_000
    assert scan.ended.packets_sent < 4 * 8192


def test_the_rate_is_bounded(small: pytest.MonkeyPatch) -> None:
    scan = sim_scan(world_of(20), NETWORK, max_rate=10_000.0, **(OPTIONS | {"ports": "80"}))
    assert 1_500 < scan.ended.packets_sent / scan.ended.at <= 10_100
    slower = sim_scan(world_of(20), NETWORK, bandwidth=13.44e6, **(OPTIONS | {"ports": "80"}))
    assert 1_500 < slower.ended.packets_sent / slower.ended.at <= 20_200


def test_hosts_are_up_by_their_answers_when_they_are_pinged_by_the_same_probes(small: pytest.MonkeyPatch) -> None:
    from leadline.plan.options import PingRequest

    options = {"techniques": ("syn",), "ports": "22,80", "pings": (PingRequest("tcp-syn", "22,80"),)}
    scan = sim_scan(world_of(), NETWORK, **options)
    told = swept(scan)
    assert scan.of(HostsSwept)
    assert {host.status for host in told.values()} == {HostStatus.UP}
    assert {host.reason for host in told.values()} == {Reason.SYN_ACK, Reason.RESET}
    assert (scan.ended.hosts_up, scan.ended.hosts_total) == (300, 8192)
    assert {event.status for event in scan.of(HostsSilent)} == {HostStatus.DOWN}
    ignoring = sim_scan(world_of(), NETWORK, discovery_ignore_rst=True, **options)
    assert ignoring.ended.hosts_up == 100


def test_with_v_the_silent_ones_are_told_too(small: pytest.MonkeyPatch) -> None:
    scan = sim_scan(world_of(10), NETWORK, verbosity=1, **(OPTIONS | {"ports": "80"}))
    told = swept(scan)
    assert len(told) == 8192
    assert scan.of(HostsSilent) == []
    assert sum(host.ports[0].reason is Reason.NO_RESPONSE for host in told.values()) == 8182


def test_an_interruption_tells_what_was_found(small: pytest.MonkeyPatch) -> None:
    scan = sim_scan(world_of(), NETWORK, watch=stop_when(lambda event: isinstance(event, HostsSilent)), **OPTIONS)
    assert scan.ended.exit == "interrupted"
    assert 0 < len(swept(scan)) < 300
    in_the_middle = sim_scan(
        world_of(), NETWORK, watch=stop_when(lambda event: isinstance(event, TaskProgress)), max_rate=2000.0, **OPTIONS
    )
    cut = in_the_middle.of(HostsSwept)
    assert {event.interrupted for event in cut} == {"SYN Stealth Scan"}
    assert {event.interrupted for event in in_the_middle.of(HostsSilent)} == {"SYN Stealth Scan"}
    assert all(port.state for host in swept(in_the_middle).values() for port in host.ports)


def test_what_is_on_the_link_is_scanned_in_the_ordinary_way(small: pytest.MonkeyPatch) -> None:
    near = SimHost((ip_address("192.0.2.77"),), tcp=ports(80))
    world = world_of(10)
    world = replace(world, hosts=(*world.hosts, near))
    scan = sim_scan(world, NETWORK, "192.0.2.64/27", **(OPTIONS | {"ports": "80"}))
    assert [str(event.host.address) for event in scan.of(HostDone) if event.host.status is HostStatus.UP] == [
        "192.0.2.77"
    ]
    assert len(swept(scan)) == 10 + 32
    assert scan.ended.hosts_total == 8192 + 32


def test_targets_without_a_route_are_counted(small: pytest.MonkeyPatch) -> None:
    world = world_of(10)
    inside = replace(world.interfaces[0], gateways=())
    scan = sim_scan(replace(world, interfaces=(inside,)), NETWORK, **(OPTIONS | {"ports": "80"}))
    assert scan.ended.hosts_down == scan.ended.hosts_total == 8192
    assert ["no route to 8192" in event.text for event in scan.of(Notice)] == [True]


def test_services_are_asked_behind_the_sweep(small: pytest.MonkeyPatch) -> None:
    scan = sim_scan(world_of(60), NETWORK, versions=True, **(OPTIONS | {"ports": "80"}))
    asked = [event.host for event in scan.of(HostDone)]
    assert len(asked) == 20
    assert all(host.ports[0].service is not None and host.ports[0].service.method for host in asked)
    assert len(swept(scan)) == 60


def test_names_are_asked_of_hosts_that_answered(small: pytest.MonkeyPatch) -> None:
    world = world_of(5)
    hosts = (replace(world.hosts[0], hostname="first.example"), *world.hosts[1:])
    scan = sim_scan(replace(world, hosts=hosts), NETWORK, reverse=None, **(OPTIONS | {"ports": "80"}))
    assert [host.name for host in swept(scan).values() if host.name] == ["first.example"]


def test_six(small: pytest.MonkeyPatch) -> None:
    hosts = [SimHost((ip_address(f"2001:db8:1::{number:x}"),), tcp=ports(80)) for number in range(1, 200, 3)]
    world = simple_world(hosts, network="2001:db8:1::/64", faults=LinkFaults(latency=0.01))
    scan = sim_scan(world, "2001:db8:1::/117", **(OPTIONS | {"ports": "80"}))
    assert len(swept(scan)) == len(hosts)
    assert scan.ended.hosts_total == 2048
    assert {port.state for host in swept(scan).values() for port in host.ports} == {PortState.OPEN}


@pytest.mark.parametrize(
    "options",
    [
        {"techniques": ("fin",)},
        {"scan_delay": 0.001},
        {"max_parallelism": 10},
        {"max_hostgroup": 64},
        {"sequential": True},
        {"host_timeout": 1000.0},
    ],
)
def test_what_asks_for_one_host_at_a_time_is_no_sweep(small: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
    scan = sim_scan(world_of(3), "10.32.0.0/25", **(OPTIONS | {"ports": "80"} | options))
    assert scan.of(HostsSwept) == []
    assert len(scan.hosts) == 128


def test_small_sets_stay_as_they_are() -> None:
    scan = sim_scan(world_of(3), "10.32.0.0/23", **(OPTIONS | {"ports": "80"}))
    assert scan.of(HostsSwept) == []
    assert len(scan.of(HostDone)) == 512
    assert scan.of(TargetSkipped) == []


def test_the_pace_survives_a_ring_that_is_too_small(small: pytest.MonkeyPatch) -> None:
    small.setattr(sweep, "MOST_ITEMS", 1 << 14)
    hosts = [SimHost((ip_address(BASE + number),)) for number in range(4096)]
    world = simple_world(hosts, network=NETWORK, faults=LinkFaults(latency=0.001))
    network = SimNetwork(world, 1, ring=100)
    scan = sim_scan(world, "10.32.0.0/20", network=network, **(OPTIONS | {"ports": "80"}))
    assert len(swept(scan)) == 4096
    assert any("receive ring" in event.cause for event in scan.of(TimingDecision))


def test_a_link_that_takes_little_at_a_time(small: pytest.MonkeyPatch) -> None:
    network = SimNetwork(world_of(20), 1, send_room=100)
    scan = sim_scan(world_of(20), "10.32.0.0/23", network=network, **(OPTIONS | {"ports": "80"}))
    assert len(swept(scan)) == 20
    full = SimNetwork(world_of(20), 1)
    refusals, transmit = iter(range(3)), full.transmit

    def stuck(interface: Interface, batch: FrameBatch) -> int:
        return transmit(interface, batch) if next(refusals, None) is None else 0

    small.setattr(full, "transmit", stuck)
    scan = sim_scan(world_of(20), "10.32.0.0/23", network=full, **(OPTIONS | {"ports": "80"}))
    assert len(swept(scan)) == 20


def test_every_packet_can_be_shown(small: pytest.MonkeyPatch) -> None:
    control = Control()
    control.packet_trace = True
    scan = sim_scan(world_of(5), "10.32.0.0/25", control=control, **(OPTIONS | {"ports": "80"}))
    traced = [event.direction for event in scan.of(PacketTraced)]
    assert traced.count("SENT") == scan.ended.packets_sent
    assert traced.count("RCVD") == scan.ended.packets_received


def test_several_ways_out(small: pytest.MonkeyPatch) -> None:
    """Half of the network lies behind another interface."""
    world = world_of(300)
    second = SimInterface(
        "eth1", ((ip_address("10.32.16.1"), 20),), mac=b"\x02\x4c\x44\x00\x00\x07", kind="point", link_header=0
    )
    far = replace(world.subnets[-1], network=ip_network("10.32.16.0/20"), routers=(), interface="eth1")
    world = replace(world, interfaces=(*world.interfaces, second), subnets=(*world.subnets, far))
    scan = sim_scan(world, NETWORK, **(OPTIONS | {"ports": "80"}))
    assert {str(host.addresses[0]) for host in world.hosts} <= set(swept(scan))
    assert scan.ended.hosts_total == 8192
