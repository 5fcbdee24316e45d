"""SYN and connect scans of all 65,535 ports through a firewall that does everything a firewall can do to a port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.compare import assert_same
from tests.support.netns import REJECT_V4, REJECT_V6, Lab, firewall_rules
from tests.support.scan import RAW_RIGHTS, both

OPEN = (22, 25, 53, 80, 443, 3306, 5432, 6000, 8080, 9999, 20000, 33333, 65535)

# On a cable of no length the ICMPv6 error arrives while connect() still holds the socket; the kernel then reports it
# only after its own retransmission, one second later. Both scanners get the time to see it.
PATIENT = ("--min-rtt-timeout", "1500ms", "--initial-rtt-timeout", "1500ms", "--max-rtt-timeout", "3s")


@pytest.fixture(scope="module")
def guarded(lab: Lab) -> Iterator[Lab]:
    """The lab with servers on the target and a firewall before it."""
    where, hook = lab.firewall
    where.firewall(hook, *firewall_rules())
    network = network_of(lab)
    lab.target.answers_for(f"{network}.3.3/32", f"{network}.5.0/26")
    lab.target.firewall("prerouting", f"ip daddr {network}.3.3 meta l4proto tcp drop")
    lab.target.listen(OPEN)
    return lab


def network_of(lab: Lab) -> str:
    """The first two numbers of the target's IPv4 network."""
    return "10.77" if lab.router is None else "10.88"


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.timeout(300)
def test_syn_scan_of_all_ports(guarded: Lab, family: int) -> None:
    target = guarded.target_v4 if family == 4 else guarded.target_v6
    peer, ours = both(guarded.scanner, "-n", f"-{family}", "-sS", "-p-", target)
    assert_same(peer.hosts, ours.hosts)
    seen = {port.reason for port in ours.hosts[target].ports.values()}
    expected = (
        set(REJECT_V4) if family == 4 else (set(REJECT_V6) - {"addr-unreach", "failed-policy"}) | {"host-unreach"}
    )
    assert expected | {"syn-ack", "reset", "no-response"} <= seen


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.timeout(300)
def test_connect_scan_of_all_ports(guarded: Lab, family: int) -> None:
    target = guarded.target_v4 if family == 4 else guarded.target_v6
    peer, ours = both(guarded.scanner, "-n", f"-{family}", "-sT", "-p-", *PATIENT, target)
    assert_same(peer.hosts, ours.hosts)
    assert {port for (_, port), result in ours.hosts[target].ports.items() if result.state == "open"} == set(OPEN)


@pytest.mark.parametrize("family", [4, 6])
def test_connect_scan_as_an_ordinary_user(guarded: Lab, family: int) -> None:
    target = guarded.target_v4 if family == 4 else guarded.target_v6
    peer, ours = both(guarded.scanner, "-n", f"-{family}", "-p", "1-3000", *PATIENT, target, capabilities=())
    assert_same(peer.hosts, ours.hosts)


def test_a_capability_is_enough_for_a_syn_scan(guarded: Lab) -> None:
    arguments = ("-n", "-sS", "-p", "1-3000", "--privileged", guarded.target_v4)
    peer, ours = both(guarded.scanner, *arguments, capabilities=RAW_RIGHTS)
    assert_same(peer.hosts, ours.hosts)


@pytest.mark.parametrize("technique", ["-sS", "-sT"])
def test_a_host_that_drops_everything(guarded: Lab, technique: str) -> None:
    silent = f"{network_of(guarded)}.3.3"
    peer, ours = both(guarded.scanner, "-n", technique, "-Pn", "-T4", "-p", "1-50", silent)
    assert_same(peer.hosts, ours.hosts)
    assert {port.state for port in ours.hosts[silent].ports.values()} == {"filtered"}


@pytest.mark.parametrize("technique", ["-sS", "-sT"])
def test_many_hosts_at_once(guarded: Lab, technique: str) -> None:
    arguments = ("-n", technique, "-v", "-T4", "-p", "1-100,2000-2019,2100-2119,2200-2219")
    peer, ours = both(guarded.scanner, *arguments, f"{network_of(guarded)}.5.0/25")
    assert_same(peer.hosts, ours.hosts)
    assert sum(host.status == "up" for host in ours.hosts.values()) == 64
