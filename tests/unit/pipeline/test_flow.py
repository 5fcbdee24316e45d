"""Stages that overlap, and what becomes of all of them when one fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

import pytest

from leadline.model.event import HostDone, TaskEnded, TaskProgress, TaskStarted
from leadline.model.host import HostStatus
from leadline.pipeline import flow, order
from leadline.pipeline.flow import SERVICES
from leadline.services.stage import TASK, ServiceStage
from leadline.sim.faults import LinkFaults
from leadline.sim.network import SimNetwork
from leadline.sim.services import ssh
from leadline.sim.world import Behaviour, SimHost, World, ports, simple_world
from tests.support.pipelines import collect, done
from tests.support.sim_scan import open_ports, sim_scan, told_ports

SLOW = "10.0.0.3"


def world(count: int = 12, *, services: bool = False) -> World:
    """Quick hosts, and one that is far away."""
    hosts = [
        SimHost(
            (ip_address(f"10.0.0.{last}"),),
            tcp=ports(22, 80, default=Behaviour.CLOSED),
            services=(ssh(22, "OpenSSH_9.2p1"),) if services else (),
            faults=LinkFaults(latency=0.2 if f"10.0.0.{last}" == SLOW else 0.001),
        )
        for last in range(1, count + 1)
    ]
    return simple_world(hosts)


def order_of(scan: Any) -> list[str]:
    return [str(event.host.address) for event in scan.of(HostDone)]


def test_hosts_of_later_groups_do_not_wait_for_a_slow_one() -> None:
    scan = sim_scan(world(), "10.0.0.1-12", ports="1-200", max_hostgroup=4)
    told = order_of(scan)
    assert told[-1] == SLOW
    assert len(told) == len(set(told)) == 12
    at = {str(event.host.address): event.at for event in scan.of(HostDone)}
    assert max(when for address, when in at.items() if address != SLOW) < 0.5 < at[SLOW]
    assert all(open_ports(host) == {22, 80} and len(told_ports(host)) == 200 for host in scan.hosts.values())
    groups = [event.detail for event in scan.of(TaskStarted) if event.task == "SYN Stealth Scan"]
    assert len(groups) >= 3
    assert groups[0].startswith("4 hosts")


def test_services_are_asked_while_ports_of_others_are_scanned() -> None:
    scan = sim_scan(world(6, services=True), "10.0.0.1-6", ports="1-200", versions=True)
    begun = {event.task: event.at for event in scan.of(TaskStarted)}
    ended = {event.task: event.at for event in scan.of(TaskEnded)}
    assert begun[TASK] < ended["SYN Stealth Scan"] < ended[TASK]
    products = {port.service.product for host in scan.hosts.values() for port in host.ports if port.number == 22}
    assert products == {"OpenSSH"}
    assert order_of(scan)[-1] == SLOW
    assert [event.detail for event in scan.of(TaskEnded) if event.task == TASK] == ["12 services on 6 hosts"]


def test_the_next_block_is_looked_at_while_a_slow_host_is_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "BLOCK", 4)
    scan = sim_scan(world(), "10.0.0.1-12", ports="1-200")
    pings = [event.at for event in scan.of(TaskStarted) if event.task == "Ping Scan"]
    assert len(pings) == 3
    told = order_of(scan)
    assert told[-1] == SLOW
    assert len(told) == 12
    slow = next(event.at for event in scan.of(HostDone) if str(event.host.address) == SLOW)
    assert pings[-1] < slow


def test_the_same_address_twice_is_scanned_one_after_the_other() -> None:
    scan = sim_scan(world(2), "10.0.0.1:20-30", "10.0.0.1:75-85", ports="22")
    steps = [event for event in scan.events if isinstance(event, TaskStarted | TaskEnded) and "SYN" in event.task]
    hosts = [event.host for event in scan.of(HostDone)]
    assert {number for host in hosts for number in open_ports(host)} == {22, 80}
    assert [type(step) for step in steps] == [TaskStarted, TaskEnded] * (len(steps) // 2)


def test_overlap_changes_no_result_and_a_seed_repeats_all_of_it() -> None:
    def results(**options: Any) -> dict[str, Any]:
        hosts = sim_scan(world(), "10.0.0.1-12", ports="1-100", **options).hosts
        return {
            address: [(port.number, port.state, port.reason) for port in host.ports] for address, host in hosts.items()
        }

    assert results() == results(max_hostgroup=3) == results(max_hostgroup=1)
    first, second = (
        collect(SimNetwork(world(), 3), "10.0.0.1-12", ports="1-100", max_hostgroup=3, seed=3)[0] for _ in range(2)
    )
    assert first == second


def test_a_failure_of_one_stage_lets_all_others_tell_what_they_know(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = ServiceStage.steps

    def failing(stage: ServiceStage) -> Iterator[Any]:
        for step in steps(stage):
            yield step
            if stage.machine.opened >= 3:
                raise ValueError("boom")

    monkeypatch.setattr(ServiceStage, "steps", failing)
    network = SimNetwork(world(8, services=True))
    events, error = collect(network, "10.0.0.1-8", ports="1-200", max_hostgroup=2, versions=True)
    assert isinstance(error, ValueError)
    hosts = done(events)
    assert len(hosts) == sum(isinstance(event, HostDone) for event in events) == 8
    cut = {address: host.interrupted for address, host in hosts.items()}
    assert {cut[address] for address in cut if address != SLOW} <= {SERVICES, "SYN Stealth Scan", ""}
    assert SERVICES in cut.values(), "their ports are known, their services are not"
    assert "SYN Stealth Scan" in cut.values()
    for host in hosts.values():
        assert host.status is HostStatus.UP
        assert host.interrupted != SERVICES or open_ports(host) == {22, 80}
    assert network._links == []


def test_a_host_whose_ports_are_done_as_the_user_stops_is_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    found = flow.has_open

    def stop(host: Any) -> bool:
        control.stop = "SIGINT"
        return found(host)

    from leadline.engine.control import Control

    control = Control()
    monkeypatch.setattr(flow, "has_open", stop)
    scan = sim_scan(world(1, services=True), "10.0.0.1", ports="22", versions=True, control=control)
    assert scan.host("10.0.0.1").interrupted == SERVICES == TASK
    assert open_ports(replace(scan.host("10.0.0.1"))) == {22}


def test_progress_counts_hosts_that_wait_for_their_turn() -> None:
    scan = sim_scan(world(), "10.0.0.1-12", ports="1-60", max_hostgroup=3, max_rate=100.0)
    percents = [event.percent for event in scan.of(TaskProgress) if event.task == "SYN Stealth Scan"]
    assert len(percents) > 10
    assert percents[0] < 10
    assert all(later >= earlier - 1e-6 for earlier, later in pairwise(percents)), "nobody's end sets it back"
    assert percents[-1] > 90
