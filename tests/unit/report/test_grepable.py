from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.model.event import Event, HostDone, Notice, ScanEnded, ScanInfo, ScanStarted
from leadline.model.host import Host, Hostname, HostStatus
from leadline.model.plan import OutputPlan
from leadline.model.port import Port, PortState, PortSummary, Protocol, Reason
from leadline.model.service import Service
from leadline.report.grepable import Grepable
from tests.support.report_events import STARTED, port, silent_host, web_host
from tests.support.service_events import server
from tests.support.timezone import utc

__all__ = ["utc"]  # the fixture

pytestmark = pytest.mark.usefixtures("utc")

UP = Host(ip_address("10.0.0.1"), HostStatus.UP, Reason.ECHO_REPLY, hostnames=(Hostname("typed.example", "user"),))
SCANS = (ScanInfo("syn", Protocol.TCP, 2, "22,80"), ScanInfo("udp", Protocol.UDP, 1, "53"))


def line_of(event: Event, plan: OutputPlan | None = None) -> str:
    return Grepable(plan or OutputPlan()).feed(event)


def fields(host: Host, plan: OutputPlan | None = None) -> list[list[str]]:
    return [line.split("\t") for line in line_of(HostDone(1.0, host), plan).splitlines()]


def test_ports_scanned_are_told_with_verbosity() -> None:
    start = ScanStarted(STARTED, "0.1.0", ("leadline", "-v"), SCANS)
    first = "# Leadline 0.1.0 scan initiated Mon Nov 23 12:25:44 2026 as: leadline -v\n"
    assert line_of(start) == first
    assert line_of(start, OutputPlan(verbosity=1)) == (
        first + "# Ports scanned: TCP(2;22,80) UDP(1;53) SCTP(0;) PROTOCOLS(0;)\n"
    )


@pytest.mark.parametrize(
    ("exit_word", "message", "line"),
    [
        ("success", "", "# Leadline done at {} -- 2 IP addresses (1 host up) scanned in 2.50 seconds\n"),
        (
            "interrupted",
            "interrupted by SIGTERM",
            "# Leadline interrupted by SIGTERM at {} -- 2 IP addresses (1 host up) scanned in 2.50 seconds\n",
        ),
        (
            "error",
            "no\tway",
            "# Leadline stopped by an error at {} -- 2 IP addresses (1 host up) scanned in 2.50 seconds; no\\x09way\n",
        ),
    ],
)
def test_last_line(exit_word: str, message: str, line: str) -> None:
    end = ScanEnded(2.5, STARTED, exit_word, message, 1, 1, 2)
    assert line_of(end) == line.format("Mon Nov 23 12:25:44 2026")


@pytest.mark.parametrize(
    ("status", "timed_out", "word"),
    [
        (HostStatus.UP, False, "Up"),
        (HostStatus.DOWN, False, "Down"),
        (HostStatus.UNKNOWN, False, "Unknown"),
        (HostStatus.UP, True, "Timeout"),
    ],
)
def test_status_words(status: HostStatus, timed_out: bool, word: str) -> None:
    host = replace(UP, status=status, timed_out=timed_out)
    assert fields(host, OutputPlan(verbosity=1))[0] == ["Host: 10.0.0.1 ()", f"Status: {word}"]


def test_the_name_is_the_one_from_reverse_lookup() -> None:
    assert fields(web_host())[0][0] == "Host: 10.0.0.1 (web1.example.net)"


def test_exactly_one_ignored_state_is_told() -> None:
    assert fields(web_host())[1][1:] == [
        "Ports: 22/open/tcp//ssh///, 25/filtered/tcp//smtp///, 110/filtered/tcp//pop3///, 8080/open/tcp//http-alt///",
        "Ignored State: closed (996)",
    ]
    assert fields(silent_host())[1][1:] == ["Ports: "]


def test_ip_protocols_have_entries_of_their_own() -> None:
    ports = (
        Port(6, Protocol.IP, PortState.OPEN, Reason.PROTO_RESPONSE, service=Service("tcp")),
        Port(255, Protocol.IP, PortState.CLOSED, Reason.PROTO_UNREACH),
    )
    rest = PortSummary(Protocol.IP, PortState.OPEN_FILTERED, Reason.NO_RESPONSE, ((7, 254),), 248)
    assert fields(replace(UP, ports=ports, summaries=(rest,)))[1][1:] == [
        "Protocols: 6/open/tcp/, 255/closed//",
        "Ignored State: open|filtered (248)",
    ]


def test_hostile_names_forge_no_fields() -> None:
    host = replace(UP, hostnames=(Hostname("a\tPorts: 1/open\n", "PTR"),), ports=(port(22, name="x/y\tz"), port(23)))
    assert fields(host)[1] == [
        "Host: 10.0.0.1 (a\\x09Ports: 1/open\\x0a)",
        "Ports: 22/open/tcp//x|y\\x09z///, 23/open/tcp//unknown///",
    ]


def test_a_cut_host_has_a_third_line() -> None:
    cut = replace(UP, interrupted="SYN/ACK Scan", ports=(port(22),))
    assert [line[1].split(":")[0] for line in fields(cut)] == ["Status", "Ports", "Incomplete"]
    assert fields(cut)[2][1] == "Incomplete: interrupted during SYN|ACK Scan"


def test_what_is_not_shown_gives_no_line() -> None:
    assert line_of(HostDone(1.0, replace(UP, status=HostStatus.DOWN))) == ""
    assert line_of(Notice(0.0, "error", "x")) == ""


def test_versions_stand_in_their_field() -> None:
    _, ports = fields(server(), OutputPlan(versions=True))
    entries = ports[1].removeprefix("Ports: ").split(", ")
    assert entries[:5] == [
        "22/open/tcp//ssh//OpenSSH 9.2p1 Debian 2+deb12u3 (protocol 2.0)/",
        "25/open/tcp//smtp//Postfix smtpd/",
        "81/closed/tcp//hosts2-ns///",
        "443/open/tcp//ssl|http//nginx 1.22.1/",
        "3000/open/tcp//ppp?///",
    ]
    assert [entry.count("/") for entry in entries] == [7] * len(entries)
    assert "//ppp///" in line_of(HostDone(1.0, server()))


def test_each_remark_is_a_line_of_its_own() -> None:
    told = replace(UP, interrupted="x", remarks=("a/b", "c"))
    assert [line[1] for line in fields(told)] == [
        "Status: Up",
        "Incomplete: interrupted during x",
        "Remark: a|b",
        "Remark: c",
    ]
