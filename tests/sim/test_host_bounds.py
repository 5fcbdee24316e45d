"""Hosts that reach a bound (--host-timeout, --max-open-ports): what was found is kept, and every report says why."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from leadline.model.event import TaskStarted
from leadline.model.host import Host
from leadline.model.plan import OutputPlan
from leadline.model.port import PortState, Protocol
from leadline.report.grepable import Grepable
from leadline.report.text import NormalText
from leadline.report.xml_doc import XmlDocument
from leadline.sim.faults import LinkFaults
from leadline.sim.services import silent, ssh
from leadline.sim.world import Behaviour, SimHost, World, ports, simple_world
from tests.support.nmap_xml import read_by_libnmap, validated
from tests.support.sim_scan import SimScan, open_ports, sim_scan, told_ports

SLOW, QUICK = "10.0.0.5", "10.0.0.6"


def report(scan: SimScan, kind: Any) -> str:
    view = kind(OutputPlan())
    return "".join(view.feed(event) for event in scan.events)


def numbers(host: Host, protocol: Protocol) -> set[int]:
    return {port.number for port in host.ports if port.protocol is protocol and port.state is PortState.OPEN}


def test_partial_results_are_in_every_report() -> None:
    far = SimHost((ip_address(SLOW),), tcp=ports(22, 443, default=Behaviour.FILTERED), faults=LinkFaults(latency=0.3))
    near = SimHost((ip_address(QUICK),), tcp=ports(22))
    scan = sim_scan(simple_world([far, near]), SLOW, QUICK, ports="1-1000", host_timeout=3.0)
    host = scan.host(SLOW)
    assert (host.timed_out, host.interrupted) == (True, "SYN Stealth Scan")
    assert open_ports(host) == {22, 443}
    assert not scan.host(QUICK).timed_out
    text, grepable, xml = (report(scan, kind) for kind in (NormalText, Grepable, XmlDocument))
    assert "The scan of this host is incomplete: host timeout during SYN Stealth Scan." in text
    assert "443/tcp open  https" in text
    assert f"Host: {SLOW} ()\tStatus: Timeout" in grepable
    assert "443/open/tcp//https" in grepable
    (element,) = [one for one in validated(xml).iter("host") if one.get("timedout") == "true"]
    assert {port.get("portid") for port in element.iter("port")} == {"22", "443"}
    assert {one.address for one in read_by_libnmap(xml).hosts} == {SLOW, QUICK}


def test_the_clock_stands_still_while_a_host_waits_for_its_neighbours() -> None:
    """The slow host's TCP takes its whole time; the quick one's UDP begins after that and is not charged for it."""
    slow = SimHost((ip_address(SLOW),), tcp=ports(22, default=Behaviour.FILTERED), faults=LinkFaults(latency=0.25))
    quick = SimHost((ip_address(QUICK),), tcp=ports(22), udp=ports(53))
    scan = sim_scan(
        simple_world([slow, quick]), SLOW, QUICK, ports="T:1-400,U:53,67,68", techniques=("syn", "udp"),
        host_timeout=1.0,
    )  # fmt: skip
    host = scan.host(QUICK)
    udp = next(event.at for event in scan.of(TaskStarted) if event.task == "UDP Scan")
    began = next(event.at for event in scan.of(TaskStarted) if event.task == "SYN Stealth Scan")
    assert udp - began > 1.0, "longer than the host is granted"
    assert not host.timed_out
    assert numbers(host, Protocol.TCP) == {22}
    assert 53 in {port.number for port in host.ports if port.protocol is Protocol.UDP}


def test_time_runs_on_over_techniques_and_what_the_first_one_found_is_kept() -> None:
    late = SimHost(
        (ip_address(SLOW),), tcp=ports(22), udp=ports(53, default=Behaviour.FILTERED), faults=LinkFaults(latency=0.2)
    )
    scan = sim_scan(
        simple_world([late]), SLOW, ports="T:1-100,U:1-300", techniques=("syn", "udp"), skip_discovery=True,
        host_timeout=4.0,
    )  # fmt: skip
    host = scan.host(SLOW)
    assert (host.timed_out, host.interrupted) == (True, "UDP Scan")
    assert numbers(host, Protocol.TCP) == {22}
    assert len([number for number in told_ports(host) if number <= 100]) >= 100
    assert scan.seconds < 7


def test_the_service_stage_goes_on_with_the_clock_of_the_port_scan() -> None:
    def world(latency: float) -> World:
        host = SimHost(
            (ip_address(SLOW),), tcp=ports(22, 80, default=Behaviour.FILTERED),
            services=(ssh(22, "OpenSSH_9.2p1"), silent(80)), faults=LinkFaults(latency=latency),
        )  # fmt: skip
        return simple_world([host])

    scan = sim_scan(world(0.2), SLOW, ports="1-200", versions=True, skip_discovery=True, host_timeout=15.0)
    host = scan.host(SLOW)
    assert (host.timed_out, host.interrupted) == (True, "Service scan")
    assert open_ports(host) == {22, 80}
    by_number = {port.number: port.service for port in host.ports}
    assert by_number[22] is not None
    assert by_number[22].product == "OpenSSH", "what was known by then"
    began = next(event.at for event in scan.of(TaskStarted) if event.task == "Service scan")
    assert began > 1.0
    assert scan.seconds == pytest.approx(15.0, abs=0.8), "both stages together"


@pytest.mark.parametrize("raw", [True, False], ids=["syn", "connect"])
def test_a_host_with_too_many_open_ports_is_given_up(raw: bool) -> None:
    many = SimHost((ip_address(SLOW),), tcp=ports(*range(1, 900)))
    few = SimHost((ip_address(QUICK),), tcp=ports(22, 80))
    world = replace(simple_world([many, few]), raw=raw)
    scan = sim_scan(world, SLOW, QUICK, ports="1-1000", max_open_ports=50, versions=True)
    host = scan.host(SLOW)
    task = "SYN Stealth Scan" if raw else "Connect Scan"
    assert (host.gave_up, host.timed_out, host.interrupted) == (True, False, task)
    assert 50 <= len(open_ports(host)) < 500, "a batch of answers may bring more at once"
    assert all(port.service is None or port.service.method == "table" for port in host.ports)
    other = scan.host(QUICK)
    assert (other.gave_up, other.interrupted, len(told_ports(other))) == (False, "", 1000)
    assert scan.ended.exit == "success"
    text = report(scan, NormalText)
    assert f"incomplete: given up during {task}: so many ports are open (--max-open-ports)" in text
    assert "--max-open-ports" in report(scan, XmlDocument)
    assert "--max-open-ports" in report(scan, Grepable)


def test_enough_open_ports_to_be_allowed_change_nothing() -> None:
    world = simple_world([SimHost((ip_address(QUICK),), tcp=ports(22, 80))])
    plain, bounded = (sim_scan(world, QUICK, ports="1-100", max_open_ports=most) for most in (None, 3))
    assert plain.events[1:] == bounded.events[1:]
