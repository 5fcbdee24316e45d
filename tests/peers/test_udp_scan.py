"""UDP scans through a firewall that does everything to a port, and of a host that limits its ICMP errors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree

from tests.support.compare import assert_same
from tests.support.netns import REJECT_V4, REJECT_V6, Lab, firewall_rules
from tests.support.scan import both

OPEN = (53, 123, 161, 7777)
SILENT = (30_001, 30_002)
# Every kind of port: open, closed, dropped, and a block for each reject code of either family.
QUICK = ("-n", "-T4", "--initial-rtt-timeout", "150ms", "--max-rtt-timeout", "200ms")
PORTS = "52-54,122-124,161,7777,30000-30003," + ",".join(f"{first}-{first + 1}" for first in range(2000, 2800, 100))


@pytest.fixture(scope="module")
def guarded(lab: Lab) -> Iterator[Lab]:
    """The lab with servers on the target and a firewall before it."""
    where, hook = lab.firewall
    where.firewall(hook, *firewall_rules(width=2, transport="udp"))
    lab.target.listen(OPEN, udp=True)
    lab.target.listen(SILENT, udp=True)
    lab.target.firewall("output", f"udp sport {{ {SILENT[0]}, {SILENT[1]} }} drop")
    lab.target.listen([22])
    if lab.router is not None:
        # Answers come from the address that was asked.
        lab.target.ip(
            f"route replace default via 10.99.0.1 src {lab.target_v4}",
            f"-6 route replace default via fd99::1 src {lab.target_v6}",
        )
    return lab


@pytest.mark.parametrize("family", [4, 6])
def test_every_port_is_what_nmap_says(guarded: Lab, family: int) -> None:
    target = guarded.target_v4 if family == 4 else guarded.target_v6
    peer, ours = both(guarded.scanner, *QUICK, f"-{family}", "-vv", "-sU", "-p", PORTS, target)
    assert_same(peer.hosts, ours.hosts)
    found = ours.hosts[target].ports
    expected = set(REJECT_V4) if family == 4 else set(REJECT_V6) - {"addr-unreach", "failed-policy"} | {"host-unreach"}
    assert expected | {"no-response", "udp-response"} <= {port.reason for port in found.values()}
    assert {number for (_, number), port in found.items() if port.state == "open"} == set(OPEN)
    assert {port.state for port in found.values() if port.reason == "no-response"} == {"open|filtered"}
    for run in (peer, ours):
        (info,) = etree.fromstring(run.xml).iter("scaninfo")
        assert (info.get("type"), info.get("protocol")) == ("udp", "udp")


@pytest.mark.parametrize("family", [4, 6])
def test_tcp_and_udp_in_one_scan(guarded: Lab, family: int) -> None:
    target = guarded.target_v4 if family == 4 else guarded.target_v6
    peer, ours = both(guarded.scanner, *QUICK, f"-{family}", "-v", "-sSU", "-p", "T:21-23,U:52-54,2100-2101", target)
    assert_same(peer.hosts, ours.hosts)
    assert {protocol for protocol, _ in ours.hosts[target].ports} == {"tcp", "udp"}


def test_pings_with_payloads(guarded: Lab) -> None:
    arguments = ("-n", "-sn", "--disable-arp-ping", "-PU53,7777")
    peer, ours = both(guarded.scanner, *arguments, guarded.target_v4)
    assert_same(peer.hosts, ours.hosts)
    assert ours.hosts[guarded.target_v4].reason == "udp-response"
