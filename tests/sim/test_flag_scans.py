"""Whole scans with every raw technique over the simulator: personalities, loss, lies, reports."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from ipaddress import ip_address

import pytest
from lxml import etree

from leadline.cli import main
from leadline.model.event import Notice, ScanStarted, TaskStarted
from leadline.model.port import PortState, Reason
from leadline.sim.faults import LinkFaults, TokenBucket
from leadline.sim.firewall import ADMIN_PROHIBITED
from leadline.sim.liars import LIES, Lie, Tarpit
from leadline.sim.services import silent, ssh, wrapped
from leadline.sim.world import (
    BSD,
    EMBEDDED,
    LINUX,
    WINDOWS,
    Personality,
    PortTable,
    SimHost,
    World,
    simple_world,
)
from tests.support.sim_scan import SimScan, port_of, sim_scan, state_of, told_ports

OPEN, CLOSED, FILTERED = PortState.OPEN, PortState.CLOSED, PortState.FILTERED
UNFILTERED, MAYBE = PortState.UNFILTERED, PortState.OPEN_FILTERED
LISTENING, REFUSED, SILENT, REJECTED = 80, 81, 82, 83
SMALL = PortTable(
    open=frozenset({LISTENING}), filtered=frozenset({SILENT}), rejected=frozenset({REJECTED}), error=ADMIN_PROHIBITED
)
PREFIXES = {(4, True): "192.0.2.", (4, False): "10.0.0.", (6, True): "2001:db8:ffff::", (6, False): "2001:db8:1::"}
BY_SILENCE = ("maimon", "null", "fin", "xmas")


def world_of(host: SimHost, faults: LinkFaults | None = None) -> World:
    network = "10.0.0.0/24" if host.addresses[0].version == 4 else "2001:db8:1::/64"
    return simple_world([host], network=network, faults=faults or LinkFaults())


def host_of(
    family: int = 4, on_link: bool = False, look: Personality = LINUX, table: PortTable = SMALL, lie: Lie | None = None
) -> SimHost:
    return SimHost((ip_address(f"{PREFIXES[family, on_link]}9"),), tcp=table, personality=look, lie=lie)


def scan_of(host: SimHost, technique: str, faults: LinkFaults | None = None, **options: object) -> SimScan:
    return sim_scan(
        world_of(host, faults), str(host.addresses[0]), techniques=(technique,), **({"ports": "80-83"} | options)
    )


# What each stack's listening port looks like; closed ports answer alike everywhere.
LISTENERS = {
    "ack": (UNFILTERED, UNFILTERED, UNFILTERED, UNFILTERED),
    "window": (CLOSED, CLOSED, CLOSED, OPEN),
    "maimon": (CLOSED, CLOSED, MAYBE, CLOSED),
    "null": (MAYBE, CLOSED, MAYBE, MAYBE),
    "fin": (MAYBE, CLOSED, MAYBE, MAYBE),
    "xmas": (MAYBE, CLOSED, MAYBE, MAYBE),
}
LOOKS = (LINUX, WINDOWS, BSD, EMBEDDED)


@pytest.mark.parametrize("on_link", [True, False])
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("technique", LISTENERS)
def test_stacks_as_each_technique_sees_them(technique: str, family: int, on_link: bool) -> None:
    for look, listener in zip(LOOKS, LISTENERS[technique], strict=True):
        host = host_of(family, on_link, look)
        found = scan_of(host, technique).host(str(host.addresses[0]))
        silence = MAYBE if technique in BY_SILENCE else FILTERED
        closed = UNFILTERED if technique == "ack" else CLOSED
        assert {port.number: (port.state, port.reason) for port in found.ports} == {
            LISTENING: (listener, Reason.NO_RESPONSE if listener is MAYBE else Reason.RESET),
            REFUSED: (closed, Reason.RESET),
            SILENT: (silence, Reason.NO_RESPONSE),
            REJECTED: (FILTERED, Reason.ADMIN_PROHIBITED),
        }


@pytest.mark.parametrize(("look", "listener"), [(LINUX, FILTERED), (BSD, OPEN)])
def test_syn_and_fin_together(look: Personality, listener: PortState) -> None:
    host = host_of(look=look)
    scan = scan_of(host, "syn", scan_flags="SYNFIN")
    assert scan.of(ScanStarted)[0].scans[0].flags == "FINSYN"
    found = scan.host(str(host.addresses[0]))
    assert [state_of(found, port) for port in range(80, 84)] == [listener, CLOSED, FILTERED, FILTERED]


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("technique", LISTENERS)
def test_no_port_is_wrong_on_a_bad_line(technique: str, seed: int) -> None:
    """Silence means something here: a lost reset would make a closed port look open."""
    faults = LinkFaults(latency=0.005, jitter=0.003, loss=0.05, duplication=0.02, reordering=0.05, reorder_delay=0.01)
    listening = frozenset({22, 80, 443, 900})
    table = PortTable(open=listening, filtered=frozenset(range(300, 340)), rejected=frozenset(range(400, 420)))
    host = host_of(4 if seed % 2 else 6, table=table)
    found = scan_of(host, technique, faults, ports="1-1000", seed=seed).host(str(host.addresses[0]))
    assert told_ports(found) == list(range(1, 1001))
    silence = MAYBE if technique in BY_SILENCE else FILTERED
    answered = UNFILTERED if technique == "ack" else CLOSED
    wrong = [
        number
        for number in range(1, 1001)
        if state_of(found, number)
        is not (
            LISTENERS[technique][0]
            if number in listening
            else silence
            if number in table.filtered
            else FILTERED
            if number in table.rejected
            else answered
        )
    ]
    assert wrong == []


@pytest.mark.parametrize("technique", ["fin", "ack"])
def test_a_limit_of_resets_makes_no_port_look_open(technique: str) -> None:
    host = replace(host_of(table=PortTable()), reset_limit=TokenBucket(rate=200.0, burst=50.0))
    found = scan_of(host, technique, ports="1-600").host(str(host.addresses[0]))
    answered = UNFILTERED if technique == "ack" else CLOSED
    assert {state_of(found, number) for number in range(1, 601)} == {answered}


@pytest.mark.parametrize("lie", [*LIES, Tarpit()], ids=repr)
@pytest.mark.parametrize("technique", ["null", "window"])
def test_what_liars_say_proves_nothing(technique: str, lie: Lie) -> None:
    """A port is what it truly is, or what silence makes of it; nothing forged closes or opens one."""
    host = host_of(on_link=True, lie=lie)
    found = scan_of(host, technique, ports="80-83", host_timeout=60.0).host(str(host.addresses[0]))
    honest = dict(zip(range(80, 84), (LISTENERS[technique][0], CLOSED, MAYBE, FILTERED), strict=True))
    silence = MAYBE if technique == "null" else FILTERED
    for number in range(80, 84):
        assert state_of(found, number) in (honest[number], silence, FILTERED, PortState.UNKNOWN)


def test_versions_of_ports_that_may_be_open() -> None:
    """Only what may be open is asked; what answers is open, and the rest stays as it was."""
    service = ssh(22, "OpenSSH_9.2p1 Debian-2+deb12u3")
    table = PortTable(open=frozenset({22, 23, 24}), filtered=frozenset(range(100, 140)))
    host = replace(host_of(table=table), services=(service, silent(23), wrapped(24)))
    found = scan_of(host, "fin", ports="20-24,100-139", versions=True).host(str(host.addresses[0]))
    assert (port_of(found, 21).state, port_of(found, 100).state) == (CLOSED, MAYBE)
    # Who accepts a connection is open, though he says nothing.
    for number in (22, 23, 24):
        assert (port_of(found, number).state, port_of(found, number).reason) == (OPEN, Reason.TCP_RESPONSE)
    assert port_of(found, 22).service.product == "OpenSSH"
    assert port_of(found, 24).service.name == "tcpwrapped"
    assert {state_of(found, number) for number in range(100, 140)} == {MAYBE}
    unfiltered = scan_of(host, "ack", ports="20-22", versions=True).host(str(host.addresses[0]))
    assert {port.state for port in unfiltered.ports} == {UNFILTERED}


def test_names_of_the_tasks() -> None:
    for technique, task in (("xmas", "XMAS Scan"), ("null", "NULL Scan"), ("window", "Window Scan")):
        scan = scan_of(host_of(), technique)
        assert [event.task for event in scan.of(TaskStarted)][-1] == task
        assert scan.of(Notice) == []


@pytest.mark.parametrize("technique", ["-sF", "-sA"])
def test_every_report_of_the_demonstration(
    technique: str, tmp_path: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new states in text, XML, grepable and JSON: the same ports everywhere, what is many only counted."""
    monkeypatch.setattr("sys.stdin", StringIO(""))
    base = f"{tmp_path}/scan"
    target = "10.20.0.24" if technique == "-sF" else "10.20.0.21"
    arguments = ["demo", technique, "-n", "-F", "-oA", base, "-oJ", f"{base}.json", target]
    assert main.entry(arguments) == 0
    text = capsys.readouterr().out
    state = "open|filtered" if technique == "-sF" else "unfiltered"
    many = "Not shown: 97 closed tcp ports (reset)" if technique == "-sF" else "Not shown: 95 filtered tcp ports (no-"
    assert many in text
    listed = {22, 111} if technique == "-sF" else {135, 139, 445, 3389}
    rows = {int(line.split("/")[0]): line.split()[1] for line in text.splitlines() if "/tcp " in line}
    assert {number for number, word in rows.items() if word == state} == listed
    root = etree.parse(f"{base}.xml").getroot()
    assert root.find("scaninfo").get("type") == {"-sF": "fin", "-sA": "ack"}[technique]
    ports = {int(port.get("portid")): port.find("state").get("state") for port in root.iter("port")}
    assert {number for number, word in ports.items() if word == state} == listed
    with open(f"{base}.gnmap") as lines:
        grepable = lines.read()
    assert all(f"{number}/{state}/tcp//" in grepable for number in listed)
    with open(f"{base}.json") as lines:
        (host,) = (event["host"] for event in map(json.loads, lines) if event["event"] == "host_done")
    assert {port["number"] for port in host["ports"] if port["state"] == state} == listed
