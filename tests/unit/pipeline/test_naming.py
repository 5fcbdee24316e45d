"""Whose names are asked for, and what becomes of a scan whose resolver fails."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.errors import NetworkError
from leadline.model.event import (
    ScanStarted,
    TaskStarted,
)
from leadline.model.host import HostStatus
from leadline.model.port import Reason
from leadline.sim.network import SimNetwork
from leadline.sim.world import SimHost
from tests.support.pipelines import NEAR, FailingResolver, check_failure, collect, done, world_of
from tests.support.sim_scan import sim_scan


def test_a_list_asks_nobody_but_the_resolver() -> None:
    scan = sim_scan(world_of(), "192.0.2.4/30", list_scan=True, reverse=None)
    assert [host.name for host in scan.hosts.values()] == ["", "host-5.example", "host-6.example", ""]
    assert {(host.status, host.reason) for host in scan.hosts.values()} == {(HostStatus.UNKNOWN, Reason.USER_SET)}
    assert scan.network.tally.probes == 0
    assert scan.of(ScanStarted)[0].scans == ()


@pytest.mark.parametrize(("mode", "named"), [("never", 0), (None, 2), ("all", 3)])
def test_whose_names_are_asked_for(mode: str | None, named: int) -> None:
    world = world_of()
    mute = SimHost((ip_address("192.0.2.7"),), hostname="host-7.example", neighbor=False)
    scan = sim_scan(replace(world, hosts=(*world.hosts, mute)), "192.0.2.5-7", ping_scan=True, reverse=mode)
    assert sum(bool(host.name) for host in scan.hosts.values()) == named
    asked = [event.detail for event in scan.of(TaskStarted) if event.task == "Parallel DNS resolution"]
    assert asked == ([f"{named} hosts"] if named else [])


def test_nobody_up_is_nobody_to_name() -> None:
    scan = sim_scan(world_of(), "192.0.2.9", ping_scan=True, reverse=None)
    assert [event.task for event in scan.of(TaskStarted)] == ["ARP Ping Scan"]


def test_a_failure_of_the_resolver() -> None:
    network = SimNetwork(world_of())
    resolver = FailingResolver(NetworkError("no name server can be reached"))
    events, error = collect(network, *NEAR, "192.0.2.9", resolver=resolver, reverse=None, ports="22")
    check_failure(events, error, NetworkError, "no name server can be reached")
    hosts = done(events)
    assert {str(address): host.interrupted for address, host in hosts.items()} == {
        NEAR[0]: "name resolution",
        NEAR[1]: "name resolution",
        "192.0.2.9": "",
    }
