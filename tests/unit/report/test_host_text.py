from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.evidence import Evidence
from leadline.model.host import Host, Hostname, HostStatus
from leadline.model.plan import OutputPlan
from leadline.model.port import Port, PortState, PortSummary, Protocol, Reason
from leadline.model.service import Service
from leadline.report.host_text import display_name, host_lines, port_table, reverse_name, typed_name
from leadline.report.view import port_view
from tests.support.report_events import ROUTER, STARTED, port, web_host
from tests.support.service_events import server
from tests.support.timezone import utc

__all__ = ["utc"]  # the fixture

UP = Host(ip_address("10.0.0.1"), HostStatus.UP, Reason.ECHO_REPLY, 64)


def lines_of(host: Host, plan: OutputPlan | None = None, colour: bool = False) -> list[str]:
    plan = plan or OutputPlan()
    return host_lines(host, port_view(host, plan), plan, colour)


def test_ping_scan_block_has_no_empty_line() -> None:
    assert lines_of(UP) == ["Leadline scan report for 10.0.0.1", "Host is up."]
    assert lines_of(replace(UP, latency=0.0123, mac="02:00:00:00:00:01")) == [
        "Leadline scan report for 10.0.0.1",
        "Host is up (0.012s latency).",
        "MAC Address: 02:00:00:00:00:01 (Unknown)",
    ]


def test_ports_without_ignored_ones_follow_an_empty_line() -> None:
    assert lines_of(replace(UP, ports=(port(22, name="ssh"),))) == [
        "Leadline scan report for 10.0.0.1",
        "Host is up.",
        "",
        "PORT   STATE SERVICE",
        "22/tcp open  ssh",
        "",
    ]


def test_one_ignored_port_is_told_in_the_singular() -> None:
    summary = PortSummary(Protocol.TCP, PortState.CLOSED, Reason.RESET, ((9, 9),), 1)
    assert lines_of(replace(UP, summaries=(summary,)), OutputPlan(open_only=True))[2:] == [
        "All 1 scanned port on 10.0.0.1 is in ignored states.",
        "Not shown: 1 closed tcp port (reset)",
        "",
    ]


@pytest.mark.parametrize("plan", [OutputPlan(reason=True), OutputPlan(verbosity=2), OutputPlan(debugging=1)])
def test_reasons_come_with_the_option_and_with_much_verbosity(plan: OutputPlan) -> None:
    lines = lines_of(replace(UP, ports=(port(22, name="ssh"),)), plan)
    assert "Host is up, received echo-reply ttl 64." in lines
    assert "22/tcp open  ssh     syn-ack ttl 64" in lines


@pytest.mark.usefixtures("utc")
def test_scan_time_from_vv() -> None:
    timed = replace(UP, started=STARTED, ended=STARTED + 3.4)
    assert "Scanned at 2026-11-23 12:25:44 UTC for 3s" in lines_of(timed, OutputPlan(verbosity=2))
    assert not any("Scanned" in line for line in lines_of(timed, OutputPlan(verbosity=1)))
    assert not any("Scanned" in line for line in lines_of(UP, OutputPlan(verbosity=2)))


def test_evidence_comes_with_debugging() -> None:
    assert not any("vidence" in line for line in lines_of(web_host(), OutputPlan(verbosity=2)))
    text = "\n".join(lines_of(web_host(), OutputPlan(debugging=1)))
    assert "Host evidence: icmp-echo sent 1 time, try 1 answered by icmp 0/0" in text
    assert "\n  25/tcp: syn sent 2 times, no answer; syn: silence -> filtered" in text
    assert "110/tcp:" not in text  # it has none
    assert "Evidence:" not in "\n".join(lines_of(replace(UP, ports=(port(22),)), OutputPlan(debugging=1)))


def test_the_block_tells_where_a_host_was_cut() -> None:
    cut = replace(UP, interrupted="SYN Stealth Scan", ports=(port(22),))
    assert lines_of(cut)[2] == "The scan of this host is incomplete: interrupted during SYN Stealth Scan."


@pytest.mark.parametrize(
    ("hostnames", "shown"),
    [
        ((), "10.0.0.1"),
        ((Hostname("web1.example.net", "PTR"),), "web1.example.net (10.0.0.1)"),
        (
            (Hostname("web1.example.net", "PTR"), Hostname("www.example.org", "user")),
            "www.example.org (10.0.0.1)",
        ),
        ((Hostname("\x1b]0;x\x07", "PTR"),), "\\x1b]0;x\\x07 (10.0.0.1)"),
    ],
)
def test_names(hostnames: tuple[Hostname, ...], shown: str) -> None:
    assert display_name(replace(UP, hostnames=hostnames)) == shown


def test_which_name_is_which() -> None:
    assert (typed_name(web_host()), reverse_name(web_host())) == ("www.example.org", "web1.example.net")
    assert (typed_name(UP), reverse_name(UP)) == ("", "")


def test_reverse_record_only_when_it_differs() -> None:
    same = (Hostname("www.example.org", "user"), Hostname("WWW.example.org", "PTR"))
    assert not any("rDNS" in line for line in lines_of(replace(UP, hostnames=same)))
    assert any("rDNS record for 10.0.0.1: web1.example.net" in line for line in lines_of(web_host()))


def test_other_addresses_without_any_name() -> None:
    lines = lines_of(replace(UP, other_addresses=(ip_address("10.0.0.2"),)))
    assert "Other addresses for 10.0.0.1 (not scanned): 10.0.0.2" in lines


DOWN = Host(ip_address("10.0.0.9"), HostStatus.DOWN, Reason.HOST_UNREACH, 63, ROUTER, evidence=Evidence("arp", 2))


def test_hosts_that_are_not_up() -> None:
    head = "Leadline scan report for 10.0.0.9"
    assert lines_of(DOWN) == [f"{head} [host down]"]
    assert lines_of(DOWN, OutputPlan(reason=True)) == [
        f"{head} [host down, received host-unreach from 10.0.0.254 ttl 63]"
    ]
    assert lines_of(DOWN, OutputPlan(debugging=1))[1] == "Host evidence: arp sent 2 times, no answer"
    listed = Host(DOWN.address, HostStatus.UNKNOWN, Reason.USER_SET, hostnames=(Hostname("a.example", "PTR"),))
    assert lines_of(listed) == ["Leadline scan report for a.example (10.0.0.9)"]
    cut = replace(listed, hostnames=(), interrupted="Ping Scan")
    assert lines_of(cut) == [f"{head} [not known whether the host is up: interrupted during Ping Scan]"]


def test_table_of_ip_protocols() -> None:
    ports = (
        Port(1, Protocol.IP, PortState.OPEN, Reason.PROTO_RESPONSE, service=Service("icmp")),
        Port(132, Protocol.IP, PortState.OPEN_FILTERED, Reason.NO_RESPONSE),
    )
    assert port_table(ports, reasons=False) == [
        "PROTOCOL STATE         SERVICE",
        "1        open          icmp",
        "132      open|filtered unknown",
    ]


def test_colours_change_nothing_but_colour() -> None:
    plain, painted = lines_of(web_host()), lines_of(web_host(), colour=True)
    assert any("\x1b[32mopen" in line for line in painted)
    assert [re.sub("\x1b\\[[0-9]*m", "", line) for line in painted] == plain


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_nothing_from_the_network_leaves_its_line(name: str, vendor: str, service: str) -> None:
    host = replace(
        UP,
        hostnames=(Hostname(name, "PTR"), Hostname("typed.example", "user")),
        mac="02:00:00:00:00:01",
        vendor=vendor,
        ports=(port(22, name=service),),
        evidence=Evidence("syn", 1, 1, name),
    )
    assert all(line.isprintable() for line in lines_of(host, OutputPlan(verbosity=2, debugging=1)))


def test_the_column_of_versions_comes_when_it_was_asked_for() -> None:
    table = port_table(server().ports[:4], reasons=False, versions=True)
    assert table == [
        "PORT    STATE  SERVICE   VERSION",
        "22/tcp  open   ssh       OpenSSH 9.2p1 Debian 2+deb12u3 (protocol 2.0)",
        "25/tcp  open   smtp      Postfix smtpd",
        "81/tcp  closed hosts2-ns",
        "443/tcp open   ssl/http  nginx 1.22.1",
    ]
    both = port_table(server().ports[:4], reasons=True, versions=True)
    assert both[0] == "PORT    STATE  SERVICE   REASON         VERSION"
    assert both[3] == "81/tcp  closed hosts2-ns reset ttl 64"
    assert "VERSION" not in port_table(server().ports[:4], reasons=False)[0]


def test_what_follows_the_table_of_services() -> None:
    lines = lines_of(server(), OutputPlan(versions=True))
    assert lines[-1] == ""
    assert lines[-2].startswith("Service Info: Hosts: mail.example.org, www.example.org")
    assert lines[-3].startswith("MAC Address: ")
    assert any(line.startswith("SF-Port9000-TCP:") for line in lines)
    assert not any("TLS" in line or "byte" in line for line in lines)


def test_tls_follows_its_port_from_v_on_and_dialogues_from_d_on() -> None:
    lines = lines_of(server(), OutputPlan(versions=True, verbosity=1))
    row = next(index for index, line in enumerate(lines) if line.startswith("443/tcp"))
    assert lines[row + 1] == "    TLS: TLSv1.3 TLS_AES_256_GCM_SHA384"
    assert lines[row + 2].startswith("    Certificate: for www.example.org")
    assert lines[row + 3].startswith("3000/tcp")
    lines = lines_of(server(), OutputPlan(versions=True, debugging=1))
    assert "    NULL at 1.500s: only listened, 40 bytes received in 0.021s: match" in lines
    assert not any("received: " in line for line in lines)
    assert any("      received: SSH-2.0-" in line for line in lines_of(server(), OutputPlan(debugging=2)))


def test_remarks_follow_what_was_cut() -> None:
    told = replace(UP, interrupted="SYN Stealth Scan", remarks=("it answers on every port", "evil \x1b[2J"))
    assert lines_of(told)[3:5] == ["Note: it answers on every port.", "Note: evil \\x1b[2J."]
