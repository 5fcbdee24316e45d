from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from lxml import etree

from leadline.model.host import Host, Hostname, HostStatus
from leadline.model.plan import OutputPlan
from leadline.model.port import Port, PortState, Protocol, Reason
from leadline.model.service import Service
from leadline.report.host_xml import (
    address_element,
    host_element,
    hostnames_element,
    service_element,
    status_element,
)
from leadline.report.view import port_view
from tests.support.report_events import ROUTER, port, silent_host, web_host
from tests.support.service_events import FINGERPRINT, server, ssh, unknown, web

UP = Host(ip_address("10.0.0.1"), HostStatus.UP, Reason.ECHO_REPLY, 64)


def element(host: Host, plan: OutputPlan | None = None) -> etree._Element:
    return etree.fromstring(host_element(host, port_view(host, plan or OutputPlan())).encode())


def test_the_least_a_host_can_be() -> None:
    assert host_element(UP, port_view(UP, OutputPlan())) == (
        '<host><status state="up" reason="echo-reply" reason_ttl="64"/>\n'
        '<address addr="10.0.0.1" addrtype="ipv4"/>\n<hostnames>\n</hostnames>\n</host>\n'
    )


def test_times_are_microseconds() -> None:
    times = element(web_host()).find("times")
    assert dict(times.attrib) == {"srtt": "870", "rttvar": "100", "to": "100000"}
    only_latency = element(replace(UP, latency=1.5)).find("times")
    assert dict(only_latency.attrib) == {"srtt": "1500000", "rttvar": "0", "to": "0"}
    assert element(UP).find("times") is None


@pytest.mark.parametrize(
    ("interrupted", "timed_out", "attributes"),
    [
        ("", False, {}),
        ("Ping Scan", False, {"comment": "interrupted during Ping Scan; the results are partial"}),
        ("X", True, {"timedout": "true", "comment": "host timeout during X; the results are partial"}),
    ],
)
def test_marks_of_a_cut(interrupted: str, timed_out: bool, attributes: dict[str, str]) -> None:
    assert dict(element(replace(UP, interrupted=interrupted, timed_out=timed_out)).attrib) == attributes


def test_partial_ports_of_a_timed_out_host_are_kept() -> None:
    cut = replace(UP, interrupted="X", timed_out=True, ports=(port(22),))
    assert [found.get("portid") for found in element(cut).iter("port")] == ["22"]


def test_ignored_ports_are_grouped_by_state() -> None:
    states = element(silent_host()).findall("ports/extraports")
    assert [(state.get("state"), state.get("count")) for state in states] == [("filtered", "940"), ("closed", "60")]
    assert dict(states[1][0].attrib) == {"reason": "reset", "count": "60", "proto": "tcp", "ports": "941-1000"}


def test_a_port_names_who_answered() -> None:
    answered = Port(110, Protocol.UDP, PortState.FILTERED, Reason.ADMIN_PROHIBITED, 63, ROUTER)
    found = element(replace(UP, ports=(answered,))).find("ports/port")
    assert dict(found.attrib) == {"protocol": "udp", "portid": "110"}
    assert dict(found[0].attrib) == {
        "state": "filtered",
        "reason": "admin-prohibited",
        "reason_ttl": "63",
        "reason_ip": "10.0.0.254",
    }


@pytest.mark.parametrize(
    ("service", "attributes"),
    [
        (None, {"name": "unknown", "method": "table", "conf": "3"}),
        (Service("http"), {"name": "http", "method": "table", "conf": "3"}),
        (Service("http", "probed", 10), {"name": "http", "method": "probed", "conf": "10"}),
        (Service("a<b", "guess", 99), {"name": "a<b", "method": "table", "conf": "10"}),
    ],
)
def test_services(service: Service | None, attributes: dict[str, str]) -> None:
    found = element(replace(UP, ports=(replace(port(1), service=service), replace(port(2), service=service))))
    assert [dict(each.attrib) for each in found.iter("service")] == [attributes] * 2


def test_addresses() -> None:
    assert address_element(ip_address("2001:db8::1"), "", "") == '<address addr="2001:db8::1" addrtype="ipv6"/>\n'
    with_owner = address_element(ip_address("10.0.0.1"), "02:00:00:00:00:01", 'A "B" & C')
    assert '<address addr="02:00:00:00:00:01" addrtype="mac" vendor="A &quot;B&quot; &amp; C"/>\n' in with_owner


def test_names_have_one_of_two_kinds() -> None:
    names = etree.fromstring(hostnames_element((Hostname("a", "PTR"), Hostname("b", "user"), Hostname("c", "odd"))))
    assert [name.get("type") for name in names] == ["PTR", "user", "user"]


def test_status() -> None:
    assert status_element(HostStatus.DOWN, Reason.NO_RESPONSE, 0) == (
        '<status state="down" reason="no-response" reason_ttl="0"/>'
    )


def test_all_that_is_known_of_a_service() -> None:
    service = etree.fromstring(service_element(web()))
    assert dict(service.attrib) == {
        "name": "http", "product": "nginx", "version": "1.22.1", "hostname": "www.example.org", "tunnel": "ssl",
        "method": "probed", "conf": "10",
    }  # fmt: skip
    assert [name.text for name in service] == ["cpe:/a:f5:nginx:1.22.1"]
    assert etree.fromstring(service_element(unknown())).get("servicefp") == FINGERPRINT
    assert service_element(None) == '<service name="unknown" method="table" conf="3"/>'


def test_empty_names_of_platforms_are_left_out() -> None:
    assert len(etree.fromstring(service_element(replace(ssh(), cpe=("", "cpe:/a:b"))))) == 1
    assert len(etree.fromstring(service_element(replace(ssh(), cpe=("",))))) == 0


def test_each_port_has_its_own_service() -> None:
    found = [port.find("service").get("name") for port in element(server()).iter("port")]
    assert found == ["ssh", "smtp", "hosts2-ns", "http", "ppp", "http", "cslistener", "tcpwrapped", "unknown",
                     "tungsten-https"]  # fmt: skip


def test_remarks_share_the_comment() -> None:
    told = replace(UP, remarks=("it answers <everywhere>", "twice"))
    assert element(told).get("comment") == "it answers <everywhere>; twice"
    cut = replace(told, interrupted="Ping Scan")
    assert (
        element(cut).get("comment", "").startswith("interrupted during Ping Scan; the results are partial; it answers")
    )
