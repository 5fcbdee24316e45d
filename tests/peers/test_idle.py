"""The idle scan beside Nmap's: the same simulated zombies and targets behind a tap, the same ports, the same states."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.sim.firewall import (
    ADMIN_PROHIBITED,
    HOST_PROHIBITED,
    HOST_UNREACHABLE,
    NET_PROHIBITED,
    NET_UNREACHABLE,
    PORT_UNREACHABLE,
    PROTOCOL_UNREACHABLE,
    TIME_EXCEEDED,
    Action,
    IcmpError,
    Rule,
)
from leadline.sim.world import BSD, EMBEDDED, IpIdentity, PortTable, SimHost, SimRouter
from tests.support.compare import assert_same
from tests.support.packet_looks import checksum_look, network_look
from tests.support.scan import LEADLINE, NMAP, Run, scan
from tests.support.tap import SimLab, simulated_lab, tap_world
from tests.support.watch import Datagram, datagrams

TARGET = PortTable(open=frozenset({22, 80}), filtered=frozenset({25, 26}), rejected=frozenset({27}))
ERRORS = (
    NET_UNREACHABLE, HOST_UNREACHABLE, PROTOCOL_UNREACHABLE, PORT_UNREACHABLE, NET_PROHIBITED, HOST_PROHIBITED,
    ADMIN_PROHIBITED, TIME_EXCEEDED, IcmpError((3, 5), (1, 2)),
)  # fmt: skip
# What the target's firewall says the zombie gets, which has no use for it.
RULES = (
    Rule(Action.DROP, 6, ((2000, 2000),)),
    Rule(Action.RESET, 6, ((2001, 2001),)),
    *(Rule(Action.REJECT, 6, ((port, port),), error=error) for port, error in enumerate(ERRORS, 2100)),
)
PORTS = "20-29,80,2000-2001,2100-2108"
ZOMBIE_PORT = 81
Looks = set[tuple[object, ...]]
KINDS = (IpIdentity.INCREMENT, IpIdentity.SWAPPED)


def zombie(number: int, identity: IpIdentity) -> SimHost:
    look = replace(EMBEDDED, identity=identity, atomic_fragments=True)
    return SimHost((ip_address(f"10.66.0.{number}"), ip_address(f"fd66::{number}")), personality=look)


HOSTS = (
    SimHost((ip_address("10.67.0.2"), ip_address("fd67::2")), tcp=TARGET),
    *(zombie(10 + place, identity) for place, identity in enumerate(KINDS)),
    SimHost((ip_address("10.66.0.20"),), personality=BSD),
)


@pytest.fixture(scope="module")
def lab() -> Iterator[SimLab]:
    """Zombies on the link, the target behind a router with a firewall."""
    gateways = ip_address("10.66.255.254"), ip_address("fd66::fffe")
    router = SimRouter(SimHost(gateways, mac=b"\x02\x66\x00\x00\x00\xfe"), firewall=RULES)
    with simulated_lab(tap_world(HOSTS, router=router), seed=4) as made:
        yield made


def patiently(lab: SimLab, *arguments: str) -> tuple[Run, Run, list[Looks]]:
    """Both scanners and what they sent. Nmap gives a zombie up when a busy machine delays its answers, takes a late one
    for an open port, or waits for ever: it may try three times.
    """
    told: Exception | None = None
    for _ in range(3):
        try:
            runs, sent = [], []
            for program in (NMAP, LEADLINE):
                lab.frames()
                runs.append(scan(lab.scanner, program, *arguments, timeout=28.0))
                sent.append(looks(datagrams(lab.frames())))
            assert_same(runs[0].hosts, runs[1].hosts)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            told = error
        else:
            return runs[0], runs[1], sent
    raise told or AssertionError


def looks(found: list[Datagram]) -> Looks:
    """Everything by which packets could be told apart, each kind once: how many there are is a matter of chance."""
    seen = set()
    for one in found:
        if one.protocol == 6:
            network = (*network_look(one, ""), one.source_port == ZOMBIE_PORT, one.port == ZOMBIE_PORT)
            checksum = checksum_look(one, one.destination)
            numbers = any(one.payload[4:8]), any(one.payload[8:12])
            seen.add((*network, checksum, *numbers, one.payload[12:16], one.payload[18:]))
        elif one.protocol == 58 and one.port in (128, 2):
            # Of what their own echo holds, and how much of the answer to it they quote, the scanners have their own
            # ideas: ours quotes as much as fits (RFC 4443 section 3.2).
            head = one.payload[4:8] if one.port == 2 else len(one.payload)
            seen.add((*network_look(one, "")[:-2], one.port, one.payload[1], head, checksum_look(one, one.destination)))
    return seen


@pytest.mark.parametrize(
    ("host", "asked"), [("10.66.0.10", PORTS), ("10.66.0.11", "22-26"), ("[fd66::10]", "22-25,2000-2001,2100-2108")]
)
def test_both_see_the_same_ports(lab: SimLab, host: str, asked: str) -> None:
    target = "fd67::2" if host.startswith("[") else "10.67.0.2"
    family = "-6" if target == "fd67::2" else "-4"
    peer, ours, sent = patiently(lab, family, "-n", "-Pn", "-sI", f"{host}:{ZOMBIE_PORT}", "-p", asked, target)
    ports = ours.hosts[target].ports
    assert {port for (_, port), said in ports.items() if said.state == "open"} == {22, 80} & {port for _, port in ports}
    assert {said.state for said in ports.values()} == {"open", "closed|filtered"}
    assert ports["tcp", 25].reason == "no-ipid-change"
    assert sent[1] == sent[0]
    assert len(sent[1]) == (3 if family == "-4" else 7)
    # The schema of Nmap's output has no name for this technique: both leave it out.
    assert b"<scaninfo" not in peer.xml
    assert b"<scaninfo" not in ours.xml


def test_both_refuse_a_zombie_without_a_counter(lab: SimLab) -> None:
    for program in (LEADLINE, ("nmap",)):
        done = lab.scanner.run(*program, "-n", "-Pn", "-sI", "10.66.0.20", "-p", "22", "10.67.0.2", check=False)
        assert done.returncode == 1
        assert "zombie" in (done.stdout + done.stderr).lower()
