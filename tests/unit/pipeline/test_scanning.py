"""Ports group by group, and links that break meanwhile."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from leadline.errors import LinkError
from leadline.model.event import (
    Notice,
    PortFound,
)
from leadline.model.host import HostStatus
from leadline.sim.link import SimLink
from leadline.sim.network import SimNetwork
from leadline.sim.world import SimHost, SimInterface, SimSubnet, World, ports
from tests.support.pipelines import NEAR, break_links, check_failure, collect, done, world_of
from tests.support.sim_scan import open_ports, sim_scan


def test_a_host_without_ports_to_scan_is_complete() -> None:
    scan = sim_scan(world_of(), f"{NEAR[0]}:22", exclude_ports="22", ports="80")
    host = scan.host(NEAR[0])
    assert (host.status, host.ports, host.interrupted) == (HostStatus.UP, (), "")


def test_a_failure_in_the_port_scan_comes_after_all_that_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    break_links(monkeypatch, 30)
    events, error = collect(SimNetwork(world_of()), *NEAR, ports="1-1000", max_parallelism=4)
    check_failure(events, error, LinkError, "eth0: the interface is gone")
    hosts = done(events)
    assert {host.interrupted for host in hosts.values()} == {"SYN Stealth Scan"}
    for event in events:
        if isinstance(event, PortFound):
            assert event.port.number in open_ports(hosts[str(event.address)])


def test_one_interface_that_breaks_takes_only_its_own_hosts_along(monkeypatch: pytest.MonkeyPatch) -> None:
    look = SimLink.next_look

    def fail(link: SimLink, until: float) -> float:
        if link.interface.name == "eth1" and link.statistics.sent > 5:
            raise LinkError("eth1: the interface is gone")
        return look(link, until)

    monkeypatch.setattr(SimLink, "next_look", fail)
    names = ("eth0", "eth1")
    world = World(
        interfaces=tuple(
            SimInterface(name, ((ip_address(f"198.51.{at}.1"), 24),), mac=bytes((2, 0, 0, 0, 0, at)))
            for at, name in enumerate(names)
        ),
        subnets=tuple(SimSubnet(ip_network(f"198.51.{at}.0/24"), interface=name) for at, name in enumerate(names)),
        hosts=tuple(SimHost((ip_address(f"198.51.{at}.7"),), tcp=ports(22)) for at in range(2)),
    )
    events, error = collect(SimNetwork(world), "198.51.1.7", "198.51.0.7", ports="1-1000")
    check_failure(events, error, LinkError, "eth1: the interface is gone")
    hosts = done(events)
    assert hosts["198.51.1.7"].interrupted == "SYN Stealth Scan"
    assert (hosts["198.51.0.7"].interrupted, open_ports(hosts["198.51.0.7"])) == ("", {22})
    assert "eth1: the interface is gone" in [one.text for one in events if isinstance(one, Notice)]
