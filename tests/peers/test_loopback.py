"""A machine that scans itself: loopback addresses, and its own addresses, with rights and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.compare import assert_same
from tests.support.netns import Namespace, connect, namespaces
from tests.support.scan import LEADLINE, NMAP, both, scan

OPEN = (22, 80, 443, 8080, 40000, 50000, 65535)
TARGETS = {
    "loopback": (4, "127.0.0.1"),
    "loopback, another of its addresses": (4, "127.3.2.1"),
    "loopback over IPv6": (6, "::1"),
    "own address": (4, "10.77.0.1"),
    "own address over IPv6": (6, "fd77::1"),
}


@pytest.fixture(scope="module")
def machine() -> Iterator[Namespace]:
    """A namespace with an interface, its addresses, and servers."""
    with namespaces("self", "other") as (machine, other):
        connect(machine, "eth0", other, "eth0")
        machine.address("eth0", "10.77.0.1/24", "fd77::1/64")
        other.address("eth0", "10.77.0.2/24", "fd77::2/64")
        machine.listen(OPEN)
        yield machine


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("technique", "rights"), [("-sS", "root"), ("-sT", "root"), ("-sT", "ordinary user")])
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_all_ports(machine: Namespace, target: str, technique: str, rights: str) -> None:
    family, address = TARGETS[target]
    capabilities = None if rights == "root" else ()
    arguments = ("-n", f"-{family}", technique, "-p-", address)
    peer, ours = both(machine, *arguments, capabilities=capabilities)
    assert_same(peer.hosts, ours.hosts)
    found = {port for (_, port), result in ours.hosts[address].ports.items() if result.state == "open"}
    assert found == set(OPEN)


def test_without_rights_a_syn_scan_becomes_a_connect_scan_and_says_so(machine: Namespace) -> None:
    peer = scan(machine, NMAP, "-n", "-sT", "-p", "1-100", "127.0.0.1", capabilities=())
    ours = scan(machine, LEADLINE, "-n", "-sS", "-p", "1-100", "127.0.0.1", capabilities=())
    assert_same(peer.hosts, ours.hosts)
    assert "connect" in (ours.stdout + ours.stderr).lower()


def test_a_range_of_loopback(machine: Namespace) -> None:
    peer, ours = both(machine, "-n", "-p", "20-100", "127.0.0.0/28", "-v")
    assert_same(peer.hosts, ours.hosts)
    assert len(ours.hosts) == 16


def test_discovery_of_the_own_network(machine: Namespace) -> None:
    peer, ours = both(machine, "-n", "-sn", "10.77.0.0/30", "-v")
    assert_same(peer.hosts, ours.hosts)
