"""The IP protocol scan beside Nmap's: on a real kernel, and over a tap on hosts that a kernel is not."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from ipaddress import ip_address

import pytest
from lxml import etree

from leadline.sim.firewall import HOST_PROHIBITED, Action, Rule
from leadline.sim.world import EMBEDDED, SimHost, SimRouter
from tests.support.compare import Results, assert_same
from tests.support.netns import Lab, on_link_lab
from tests.support.scan import LEADLINE, Run, both, scan
from tests.support.tap import SimLab, simulated_lab, tap_world

NEAR, FAR, QUIET = ("10.66.0.2", "fd66::2"), ("10.67.0.2", "fd67::2"), ("10.66.0.3", "fd66::3")
PROBED = "1,2,6,17,41,47,50,58,59,89,132,255"


def addresses(pair: tuple[str, str]) -> tuple[object, ...]:
    return tuple(map(ip_address, pair))


@pytest.fixture(scope="module")
def kernel() -> Iterator[Lab]:
    with on_link_lab() as made:
        yield made


@pytest.fixture(scope="module")
def tapped() -> Iterator[SimLab]:
    """A host that answers by GRE, one that refuses nothing, and one behind a firewall with an opinion."""
    gateways = ip_address("10.66.255.254"), ip_address("fd66::fffe")
    rules = (
        Rule(Action.DROP, protocol=89),
        Rule(Action.REJECT, protocol=50, error=HOST_PROHIBITED),
        Rule(Action.REJECT, protocol=17),
    )
    router = SimRouter(SimHost(gateways, mac=b"\x02\x66\x00\x00\x00\xfe"), firewall=rules)
    hosts = (
        SimHost(addresses(NEAR), answered_protocols=frozenset({47})),
        SimHost(addresses(FAR), personality=EMBEDDED),
        SimHost(addresses(QUIET), refuses_protocols=False, protocols=frozenset()),
    )
    with simulated_lab(tap_world(hosts, router=router), seed=3) as made:
        yield made


def without_icmps_reason(results: Results, icmp: int) -> Results:
    """That a host speaks ICMP is told by its first message: an echo or an error, whichever came first."""
    for host in results.values():
        if ("ip", icmp) in host.ports and host.ports["ip", icmp].state == "open":
            del host.ports["ip", icmp]
    return results


def assert_alike(peer: Run, ours: Run, family: int, silent: Collection[int] = ()) -> Results:
    """``silent``: protocols whose answers the peer does not see over IPv6."""
    icmp = 1 if family == 4 else 58
    found = ours.hosts
    spoken = {address: host.ports["ip", icmp].state for address, host in found.items()}
    assert spoken == {address: host.ports["ip", icmp].state for address, host in peer.hosts.items()}
    theirs, mine = without_icmps_reason(peer.hosts, icmp), without_icmps_reason(ours.hosts, icmp)
    for results in (theirs, mine):
        for host in results.values():
            for number in silent:
                host.ports.pop(("ip", number), None)
    assert_same(theirs, mine)
    return found


@pytest.mark.parametrize("family", [4, 6])
def test_a_linux_kernel(kernel: Lab, family: int) -> None:
    """All protocols; of IPv6 without extension headers, which this peer still sends (spec sheet 1.4)."""
    target = kernel.target_v4 if family == 4 else kernel.target_v6
    ports = () if family == 4 else ("-p", "1-42,45-49,52-59,61-134,136-138,141-252,255")
    peer, ours = both(kernel.scanner, "-n", f"-{family}", "-PE", "-sO", *ports, target)
    found = assert_alike(peer, ours, family)[target]
    assert len(found.ports) == (256 if family == 4 else 245)
    assert {number for (_, number), said in found.ports.items() if said.state == "open"} == {
        1 if family == 4 else 58,
        6,
        17,
    }
    (theirs,), (mine,) = (list(etree.fromstring(run.xml).iter("scaninfo")) for run in (peer, ours))
    assert dict(mine.attrib) == dict(theirs.attrib)
    if family == 6:
        (info,) = etree.fromstring(scan(kernel.scanner, LEADLINE, "-n", "-6", "-sO", "-Pn", target).xml).iter(
            "scaninfo"
        )
        assert info.get("services") == ports[1]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_machine_that_scans_itself(kernel: Lab, address: str) -> None:
    """On loopback our probes come back to us: they are no answers."""
    family = 6 if ":" in address else 4
    peer, ours = both(kernel.scanner, "-n", f"-{family}", "-sO", "-p", "1,2,6,17,47,58,132", address)
    found = assert_alike(peer, ours, family)[address]
    assert found.ports["ip", 47].state == "closed"


@pytest.mark.parametrize("family", [4, 6])
def test_simulated_hosts(tapped: SimLab, family: int) -> None:
    targets = [pair[family == 6] for pair in (NEAR, FAR, QUIET)]
    arguments = ("-n", f"-{family}", "-PE", "-Pn", "-sO", "-p", PROBED, *targets, "-oG", "-")
    peer, ours = both(tapped.scanner, *arguments)
    near, far, quiet = (assert_alike(peer, ours, family, (47,) if family == 6 else ())[each].ports for each in targets)
    assert near["ip", 47].state == "open"
    assert (near["ip", 89].state, far["ip", 89].state) == ("closed", "open|filtered")
    assert (far["ip", 50].state, far["ip", 17].state) == ("filtered", "filtered")
    assert quiet["ip", 89].state == "open|filtered"
    assert family == 6 or fields(ours) == fields(peer)


def fields(run: Run) -> set[str]:
    """What the grepable lines say of protocols."""
    return {line.split("\t")[1] for line in run.stdout.splitlines() if "Protocols:" in line}


@pytest.mark.parametrize("protocols", ["2,6,17,132", "255"])
def test_discovery_by_protocols(tapped: SimLab, protocols: str) -> None:
    arguments = ("-n", "-sn", f"-PO{protocols}", "--disable-arp-ping", NEAR[0], FAR[0])
    peer, ours = both(tapped.scanner, *arguments)
    assert_same(peer.hosts, ours.hosts, alike=("proto-response", "proto-unreach", "port-unreach", "echo-reply"))
    assert {host.status for host in ours.hosts.values()} == {"up"}
