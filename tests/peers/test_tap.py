"""Nmap and we see the same simulated hosts through a tap device: the ground that other comparisons stand on."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from leadline.sim.world import WINDOWS, PortTable, SimHost, ports
from tests.support.compare import assert_same
from tests.support.scan import LEADLINE, both, scan
from tests.support.tap import SimLab, simulated_lab, tap_world

GUARDED = PortTable(
    open=frozenset({22, 80}), filtered=frozenset(range(2000, 2003)), rejected=frozenset(range(2100, 2103))
)
HOSTS = (
    SimHost((ip_address("10.66.0.2"), ip_address("fd66::2")), tcp=GUARDED),
    SimHost((ip_address("10.66.0.3"), ip_address("fd66::3")), tcp=ports(25), personality=WINDOWS),
    SimHost((ip_address("10.67.0.2"), ip_address("fd67::2")), tcp=GUARDED),
)
EXPECTED = (
    {"10.66.0.3": {25}, "10.67.0.2": {22, 80}},
    {"fd66::3": {25}, "fd67::2": {22, 80}},
)
PORTS = "22-25,80,2000-2002,2100-2102"


@pytest.fixture(scope="module")
def lab() -> Iterator[SimLab]:
    with simulated_lab(tap_world(HOSTS), seed=4) as made:
        yield made


@pytest.mark.parametrize("targets", [("-4", "10.66.0.3", "10.67.0.2"), ("-6", "fd66::3", "fd67::2")])
def test_both_see_the_same_ports(lab: SimLab, targets: tuple[str, ...]) -> None:
    peer, ours = both(lab.scanner, "-n", "-sS", "-Pn", "-p", PORTS, *targets)
    assert_same(peer.hosts, ours.hosts)
    found = {host: {port for (_, port), said in result.ports.items() if said.state == "open"}
             for host, result in ours.hosts.items() if result.status == "up"}  # fmt: skip
    assert found in EXPECTED
    tally = lab.tally()
    assert tally["arrived"] > 4 * len(found)
    assert tally["damaged"] == 0


def test_the_kernel_connects_to_a_simulated_host(lab: SimLab) -> None:
    peer, ours = both(lab.scanner, "-n", "-sT", "-Pn", "-p", "22-25", "10.66.0.2")
    assert_same(peer.hosts, ours.hosts)
    assert ours.hosts["10.66.0.2"].ports["tcp", 22].state == "open"


def test_thousands_of_frames_get_through(lab: SimLab) -> None:
    run = scan(lab.scanner, LEADLINE, "-n", "-sS", "-Pn", "-p-", "10.66.0.2")
    ports = run.hosts["10.66.0.2"].ports
    assert len(ports) == 65_535
    assert sum(said.state == "closed" for said in ports.values()) == 65_535 - 8
