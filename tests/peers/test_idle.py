"""The idle scan beside Nmap's: the same simulated zombies and targets behind a tap, the same ports, the same states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.sim.world import BSD, EMBEDDED, IpIdentity, PortTable, SimHost
from tests.support.compare import assert_same
from tests.support.scan import LEADLINE, Run, both
from tests.support.tap import SimLab, simulated_lab, tap_world

TARGET = PortTable(open=frozenset({22, 80}), filtered=frozenset({25, 26}), rejected=frozenset({27}))
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
    with simulated_lab(tap_world(HOSTS), seed=4) as made:
        yield made


def patiently(lab: SimLab, *arguments: str) -> tuple[Run, Run]:
    """Both scanners. Nmap gives a zombie up at once when a busy machine delays its answers: it may try three times."""
    for _ in range(2):
        try:
            return both(lab.scanner, *arguments)
        except AssertionError as error:
            if "unable to obtain meaningful results" not in str(error):
                raise
    return both(lab.scanner, *arguments)


@pytest.mark.parametrize("host", ["10.66.0.10", "10.66.0.11"])
def test_both_see_the_same_ports(lab: SimLab, host: str) -> None:
    peer, ours = patiently(lab, "-n", "-Pn", "-sI", f"{host}:81", "-p", "20-29,80", "10.67.0.2")
    assert_same(peer.hosts, ours.hosts)
    ports = ours.hosts["10.67.0.2"].ports
    assert {port for (_, port), said in ports.items() if said.state == "open"} == {22, 80}
    assert ports["tcp", 25].reason == "no-ipid-change"
    # The schema of Nmap's output has no name for this technique: both leave it out.
    assert b"<scaninfo" not in peer.xml
    assert b"<scaninfo" not in ours.xml


def test_over_ipv6(lab: SimLab) -> None:
    peer, ours = patiently(lab, "-6", "-n", "-Pn", "-sI", "[fd66::10]:81", "-p", "22-25", "fd67::2")
    assert_same(peer.hosts, ours.hosts)


def test_both_refuse_a_zombie_without_a_counter(lab: SimLab) -> None:
    for program in (LEADLINE, ("nmap",)):
        done = lab.scanner.run(*program, "-n", "-Pn", "-sI", "10.66.0.20", "-p", "22", "10.67.0.2", check=False)
        assert done.returncode == 1
        assert "zombie" in (done.stdout + done.stderr).lower()
