"""Hosts that seem to have every port open: looked at again, told as what they are, in every report."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from leadline.model.event import TaskStarted
from leadline.model.plan import OutputPlan
from leadline.model.port import PortState
from leadline.ports.second_look import TASK
from leadline.report.grepable import Grepable
from leadline.report.text import NormalText
from leadline.report.xml_doc import XmlDocument
from leadline.sim.liars import Tarpit
from leadline.sim.services import silent, ssh, wrapped
from leadline.sim.world import Behaviour, SimHost, World, ports, simple_world
from tests.support.nmap_xml import validated
from tests.support.sim_scan import SimScan, open_ports, sim_scan, stop_when

TAR, PROXY, MANY, PLAIN = (f"10.0.0.{last}" for last in (5, 6, 7, 8))
EVERY = range(1, 65_536)


def world(raw: bool = True) -> World:
    """A tarpit with one service behind it, a SYN proxy before two, a host with many open ports, and an ordinary one."""
    proxied = tuple(wrapped(port) for port in EVERY if port not in (22, 80))
    hosts = [
        SimHost((ip_address(TAR),), tcp=ports(22), services=(ssh(22, "OpenSSH_9.2p1"),), lie=Tarpit()),
        SimHost((ip_address(PROXY),), tcp=ports(*EVERY), services=(ssh(22, "OpenSSH_9.2p1"), silent(80), *proxied)),
        SimHost((ip_address(MANY),), tcp=ports(*range(1, 101))),
        SimHost((ip_address(PLAIN),), tcp=ports(22, default=Behaviour.CLOSED)),
    ]
    made = simple_world(hosts)
    return World(made.interfaces, made.subnets, made.hosts, made.local, raw=raw)


@pytest.fixture(scope="module", params=[True, False], ids=["syn", "connect"])
def scan(request: pytest.FixtureRequest) -> SimScan:
    return sim_scan(world(request.param), "10.0.0.5-8", ports="1-100")


def test_a_host_that_answers_on_every_port_is_recognised(scan: SimScan) -> None:
    tarpit, proxy = scan.host(TAR), scan.host(PROXY)
    assert len(tarpit.remarks) == len(proxy.remarks) == 1
    assert "a tarpit" in tarpit.remarks[0]
    assert "but 22 behaves differently" in tarpit.remarks[0]
    assert "a SYN proxy or firewall" in proxy.remarks[0]
    assert "but 22, 80 behave differently" in proxy.remarks[0]
    assert open_ports(tarpit) == {22}
    assert open_ports(proxy) == {22, 80}
    assert [(one.state, one.count) for one in tarpit.summaries] == [(PortState.OPEN, 99)]
    assert [event.detail for event in scan.of(TaskStarted) if event.task == TASK]


def test_honest_hosts_are_told_as_before(scan: SimScan) -> None:
    assert scan.host(MANY).remarks == scan.host(PLAIN).remarks == ()
    assert len(open_ports(scan.host(MANY))) == 100
    assert open_ports(scan.host(PLAIN)) == {22}


def test_every_report_tells(scan: SimScan) -> None:
    text, grepable, xml = (
        "".join(view.feed(event) for event in scan.events)
        for view in (NormalText(OutputPlan()), Grepable(OutputPlan()), XmlDocument(OutputPlan()))
    )
    block = text[text.index(f"report for {TAR}") :].partition("\n\n")[0]
    assert "Note: it answers on every port: 8 of 8 random ones" in block
    assert "Not shown: 99 open tcp ports (syn-ack)" in block
    assert [line for line in block.splitlines() if "/tcp" in line] == ["22/tcp open  ssh"]
    assert f"Host: {TAR} ()\tRemark: it answers on every port" in grepable
    comments = [host.get("comment", "") for host in validated(xml).iter("host")]
    assert sum("it answers on every port" in comment for comment in comments) == 2


def test_services_are_asked_only_where_somebody_listens() -> None:
    scan = sim_scan(world(), TAR, PLAIN, ports="1-100", versions=True)
    products = {port.number: port.service.product for port in scan.host(TAR).ports if port.service is not None}
    assert products == {22: "OpenSSH"}
    assert scan.seconds < 60
    assert any("a tarpit" in remark for remark in scan.host(TAR).remarks)


def test_a_host_that_was_given_up_is_looked_at_too() -> None:
    host = sim_scan(world(), TAR, ports="1-1000", max_open_ports=40, versions=True).host(TAR)
    assert host.gave_up
    assert any("a tarpit" in remark for remark in host.remarks)
    assert host.interrupted == "SYN Stealth Scan"


@pytest.mark.parametrize("options", [{"decoys": ("10.0.0.99", "ME")}])
def test_who_hides_his_address_makes_no_connection(options: dict[str, Any]) -> None:
    scan = sim_scan(world(), TAR, ports="1-100", **options)
    assert TASK not in [event.task for event in scan.of(TaskStarted)]
    (remark,) = scan.host(TAR).remarks
    assert "not verified" in remark
    assert len(open_ports(scan.host(TAR))) == 100


def test_a_look_that_was_cut_leaves_a_doubt() -> None:
    watch = stop_when(lambda event: isinstance(event, TaskStarted) and event.task == TASK)
    scan = sim_scan(world(), TAR, ports="1-100", watch=watch)
    (remark,) = scan.host(TAR).remarks
    assert "not verified" in remark
    assert scan.ended.exit == "interrupted"


def test_with_much_debugging_all_ports_are_listed_but_none_is_asked() -> None:
    scan = sim_scan(world(), TAR, ports="1-100", versions=True, debugging=3)
    host = scan.host(TAR)
    assert len(open_ports(host)) == 100
    assert any("a tarpit" in remark for remark in host.remarks)
    assert scan.seconds < 10
