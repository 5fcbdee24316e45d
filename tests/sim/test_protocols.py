"""Whole IP protocol scans over the simulator: real headers, both families, loss, firewalls, what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.errors import PrivilegeError, UsageError
from leadline.model.event import Notice, ScanStarted
from leadline.model.host import Host
from leadline.model.port import EXTENSION_HEADERS, PortState, Protocol, Reason
from leadline.sim.faults import LinkFaults, TokenBucket
from leadline.sim.firewall import HOST_PROHIBITED, Action, Rule
from leadline.sim.world import EMBEDDED, LINUX, Personality, PortTable, SimHost, World, ports, simple_world
from tests.support.sim_scan import SimScan, port_of, sim_scan, state_of

OPEN, CLOSED, FILTERED, MAYBE = PortState.OPEN, PortState.CLOSED, PortState.FILTERED, PortState.OPEN_FILTERED
ADDRESSES = {(4, True): "192.0.2.9", (4, False): "10.0.0.9", (6, True): "2001:db8:ffff::9", (6, False): "2001:db8:1::9"}
LOSSY = LinkFaults(latency=0.005, jitter=0.003, loss=0.05, duplication=0.02, reordering=0.05, reorder_delay=0.01)


def world_of(host: SimHost, faults: LinkFaults | None = None) -> World:
    network = "10.0.0.0/24" if host.addresses[0].version == 4 else "2001:db8:1::/64"
    return simple_world([host], network=network, faults=faults or LinkFaults())


def host_of(family: int = 4, on_link: bool = False, look: Personality = LINUX) -> SimHost:
    address = ip_address(ADDRESSES[family, on_link])
    return SimHost((address,), personality=look, answered_protocols=frozenset({47}), sctp=ports(80))


def scan_of(world: World, **options: object) -> SimScan:
    return sim_scan(world, str(world.hosts[0].addresses[0]), techniques=("ipproto",), **options)


def verdict(host: Host, number: int) -> tuple[PortState, Reason]:
    port = port_of(host, number)
    assert port.protocol is Protocol.IP
    return port.state, port.reason


@pytest.mark.parametrize("look", [LINUX, EMBEDDED])
@pytest.mark.parametrize("on_link", [True, False])
@pytest.mark.parametrize("family", [4, 6])
def test_every_kind_of_answer(family: int, on_link: bool, look: Personality) -> None:
    world = world_of(host_of(family, on_link, look))
    found = scan_of(world, ports="1,2,6,17,47,58,89,132").host(ADDRESSES[family, on_link])
    icmp, other = (1, 58) if family == 4 else (58, 1)
    refused = Reason.PROTO_UNREACH if family == 4 else Reason.PARAM_PROBLEM
    assert {port.number: (port.state, port.reason) for port in found.ports} == {
        icmp: (OPEN, Reason.PROTO_RESPONSE),
        other: (CLOSED, refused),
        2: (MAYBE, Reason.NO_RESPONSE),
        6: (OPEN, Reason.PROTO_RESPONSE),
        17: (OPEN, Reason.PORT_UNREACH),
        47: (OPEN, Reason.PROTO_RESPONSE),
        89: (CLOSED, refused),
        132: (OPEN, Reason.PROTO_RESPONSE),
    }


@pytest.mark.parametrize("family", [4, 6])
def test_all_protocols(family: int) -> None:
    scan = scan_of(world_of(host_of(family)))
    found = scan.host(ADDRESSES[family, False])
    states = [state_of(found, number) for number in range(256)]
    unknown = {number for number, state in enumerate(states) if state is PortState.UNKNOWN}
    assert unknown == (set() if family == 4 else EXTENSION_HEADERS)
    assert {number for number, state in enumerate(states) if state is OPEN} == {
        1 if family == 4 else 58,
        6,
        17,
        47,
        132,
    }
    (info,) = scan.of(ScanStarted)[0].scans
    assert (info.technique, info.protocol, info.count) == ("ipproto", Protocol.IP, 256)
    names = scan_of(world_of(host_of(family)), fast=True).of(ScanStarted)[0].scans[0]
    assert names.count == 150


@pytest.mark.parametrize("family", [4, 6])
def test_a_host_without_echo_speaks_icmp_all_the_same(family: int) -> None:
    host = replace(host_of(family), echo=False)
    icmp = 1 if family == 4 else 58
    found = scan_of(world_of(host), ports=f"{icmp},6,89").host(ADDRESSES[family, False])
    refused = Reason.PROTO_UNREACH if family == 4 else Reason.PARAM_PROBLEM
    assert verdict(found, icmp) == (OPEN, refused)
    proof = port_of(found, icmp).evidence
    assert proof is not None
    assert proof.rule == f"ip-protocol: {'icmp 3/2' if family == 4 else 'icmpv6 4/1'} -> open"
    silent = replace(host, refuses_protocols=False)
    assert verdict(scan_of(world_of(silent), ports=f"{icmp},6").host(ADDRESSES[family, False]), icmp)[0] is MAYBE


@pytest.mark.parametrize("family", [4, 6])
def test_what_a_router_refuses_is_filtered(family: int) -> None:
    world = world_of(host_of(family))
    rules = (
        Rule(Action.REJECT, protocol=17),
        Rule(Action.REJECT, protocol=50, error=HOST_PROHIBITED),
        Rule(Action.DROP, protocol=89),
    )
    subnet = world.subnets[-1]
    guarded = replace(subnet, routers=(replace(subnet.routers[0], firewall=rules),))
    world = replace(world, subnets=(*world.subnets[:-1], guarded))
    found = scan_of(world, ports="17,50,89,90").host(ADDRESSES[family, False])
    assert verdict(found, 17) == (FILTERED, Reason.ADMIN_PROHIBITED)
    assert verdict(found, 50)[0] is FILTERED
    assert verdict(found, 89) == (MAYBE, Reason.NO_RESPONSE)
    assert verdict(found, 90)[0] is CLOSED
    assert port_of(found, 17).reason_address is not None


@pytest.mark.parametrize("family", [4, 6])
def test_nothing_is_missed_with_loss(family: int) -> None:
    for seed in range(3):
        found = scan_of(world_of(host_of(family), LOSSY), ports="1-60,132", seed=seed).host(ADDRESSES[family, False])
        spoken = {number for number in range(256) if state_of(found, number) is OPEN}
        assert spoken == {1 if family == 4 else 58, 6, 17, 47, 132}
        silent = {number for number in range(256) if state_of(found, number) is MAYBE}
        # Extension headers without content are damaged packets: these were asked for by number.
        assert silent <= ({2} if family == 4 else {2, 59, *EXTENSION_HEADERS})


@pytest.mark.parametrize("family", [4, 6])
def test_a_host_that_refuses_one_protocol_a_second(family: int) -> None:
    """As Linux does unless it is told otherwise: without patience most protocols would look as if they were spoken."""
    host = replace(host_of(family), icmp_limit=TokenBucket(rate=1.0, burst=6.0))
    scan = scan_of(world_of(host), ports="1-42,61-100")
    found = scan.host(ADDRESSES[family, False])
    assert {number for number in range(256) if state_of(found, number) is MAYBE} == {2}
    assert {number for number in range(256) if state_of(found, number) is OPEN} == ({1} if family == 4 else set()) | {
        6,
        17,
    }
    assert any(re.search(r"limits its ICMP errors to about (0\.9\d|1) a second", remark) for remark in found.remarks)
    assert scan.seconds < 110


def test_a_tcp_that_keeps_silent() -> None:
    host = replace(host_of(), tcp=PortTable(filtered=frozenset({80})), sctp=PortTable(filtered=frozenset({80})))
    found = scan_of(world_of(host), ports="6,132").host("10.0.0.9")
    assert {verdict(found, number)[0] for number in (6, 132)} == {MAYBE}


def test_names_of_protocols() -> None:
    found = scan_of(world_of(host_of()), ports="gre,ospf*").host("10.0.0.9")
    assert [(port.number, port.service.name if port.service else "") for port in found.ports] == [
        (47, "gre"),
        (89, "ospfigp"),
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"techniques": ("ipproto", "syn")}, "-sO scans IP protocols, not ports, and cannot be combined with -sS"),
        ({"ports": "300"}, "IP protocol numbers end at 255"),
        ({"ports": "T:80"}, "names no IP protocol to scan"),
        ({"top_ports": 10}, "--top-ports needs ports"),
        ({"ports": "6", "exclude_ports": "6"}, "--exclude-ports leaves no IP protocol to scan"),
    ],
)
def test_mistakes(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        sim_scan(world_of(host_of()), "10.0.0.9", **({"techniques": ("ipproto",)} | options))


def test_versions_are_not_looked_for() -> None:
    scan = scan_of(world_of(host_of()), ports="6,47", versions=True)
    assert any("no services whose versions" in notice.text for notice in scan.of(Notice))
    assert verdict(scan.host("10.0.0.9"), 47)[0] is OPEN


def test_it_needs_rights() -> None:
    with pytest.raises(PrivilegeError, match="-sO needs the right to send raw packets"):
        scan_of(replace(world_of(host_of()), raw=False))
