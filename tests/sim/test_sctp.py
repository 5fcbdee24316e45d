"""Whole SCTP scans over the simulator: both techniques, both families, loss, firewalls, TCP beside it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.model.event import Notice, ScanStarted, TaskStarted
from leadline.model.host import HostStatus
from leadline.model.port import PortState, Protocol, Reason
from leadline.plan.options import PingRequest
from leadline.sim.faults import LinkFaults, TokenBucket
from leadline.sim.firewall import HOST_PROHIBITED, Action, Rule
from leadline.sim.world import EMBEDDED, LINUX, Personality, PortTable, SimHost, World, ports, simple_world
from tests.support.sim_scan import SimScan, port_of, sim_scan

OPEN, CLOSED, FILTERED, MAYBE = PortState.OPEN, PortState.CLOSED, PortState.FILTERED, PortState.OPEN_FILTERED
TABLE = PortTable(
    open=frozenset({2905}), filtered=frozenset({2907}), rejected=frozenset({2908}), error=HOST_PROHIBITED
)  # fmt: skip
ADDRESSES = {(4, True): "192.0.2.9", (4, False): "10.0.0.9", (6, True): "2001:db8:ffff::9", (6, False): "2001:db8:1::9"}
LOSSY = LinkFaults(latency=0.005, jitter=0.003, loss=0.05, duplication=0.02, reordering=0.05, reorder_delay=0.01)


def world_of(host: SimHost, faults: LinkFaults | None = None) -> World:
    network = "10.0.0.0/24" if host.addresses[0].version == 4 else "2001:db8:1::/64"
    return simple_world([host], network=network, faults=faults or LinkFaults())


def host_of(family: int = 4, on_link: bool = False, look: Personality = LINUX, table: PortTable = TABLE) -> SimHost:
    return SimHost((ip_address(ADDRESSES[family, on_link]),), sctp=table, personality=look)


def scan_of(world: World, technique: str = "sctpinit", **options: object) -> SimScan:
    return sim_scan(
        world, str(world.hosts[0].addresses[0]), techniques=(technique,), **({"ports": "2905-2908"} | options)
    )


@pytest.mark.parametrize("look", [LINUX, EMBEDDED])
@pytest.mark.parametrize("on_link", [True, False])
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("technique", ["sctpinit", "sctpcookieecho"])
def test_both_techniques(technique: str, family: int, on_link: bool, look: Personality) -> None:
    """An embedded stack quotes 8 bytes only of what it refuses: no tag of an INIT is among them."""
    found = scan_of(world_of(host_of(family, on_link, look)), technique).host(ADDRESSES[family, on_link])
    listener = (OPEN, Reason.INIT_ACK) if technique == "sctpinit" else (MAYBE, Reason.NO_RESPONSE)
    refused = Reason.HOST_PROHIBITED if family == 4 else Reason.ADMIN_PROHIBITED
    assert {(port.number, port.protocol): (port.state, port.reason) for port in found.ports} == {
        (2905, Protocol.SCTP): listener,
        (2906, Protocol.SCTP): (CLOSED, Reason.ABORT),
        (2907, Protocol.SCTP): (FILTERED if technique == "sctpinit" else MAYBE, Reason.NO_RESPONSE),
        (2908, Protocol.SCTP): (FILTERED, refused),
    }


def test_evidence_and_names() -> None:
    scan = scan_of(world_of(host_of()))
    port = port_of(scan.host("10.0.0.9"), 2905)
    assert port.service is not None
    assert (port.service.name, port.evidence.reply if port.evidence else "") == ("m3ua", "sctp init-ack")
    assert port.evidence is not None
    assert port.evidence.rule == "sctp-init: sctp init-ack -> open"
    (info,) = scan.of(ScanStarted)[0].scans
    assert (info.technique, info.protocol, info.count) == ("sctpinit", Protocol.SCTP, 4)
    assert [task.task for task in scan.of(TaskStarted) if "SCTP" in task.task] == ["SCTP INIT Scan"]


@pytest.mark.parametrize("family", [4, 6])
def test_nothing_is_missed_with_loss(family: int) -> None:
    table = PortTable(open=frozenset({2905, 36412, 3868}), filtered=frozenset(range(9000, 9010)))
    for seed in range(3):
        world = world_of(host_of(family, table=table), LOSSY)
        found = scan_of(world, ports="2900-2950,3868,9000-9010,36412", seed=seed).host(ADDRESSES[family, False])
        assert {port.number for port in found.ports if port.state is OPEN} == {2905, 36412, 3868}
        closed = sum(summary.count for summary in found.summaries if summary.state is CLOSED)
        closed += sum(port.state is CLOSED for port in found.ports)
        assert closed == 51


def test_few_aborts_a_second_are_waited_for() -> None:
    host = replace(host_of(table=ports(80)), reset_limit=TokenBucket(rate=50.0, burst=5.0))
    found = scan_of(world_of(host), ports="60-110").host("10.0.0.9")
    states = [port.state for port in found.ports] + [s.state for s in found.summaries for _ in range(s.count)]
    assert (states.count(OPEN), states.count(CLOSED)) == (1, 50)


def test_a_firewall_refuses_for_its_router() -> None:
    world = world_of(host_of(table=ports(2905)))
    rule = Rule(Action.REJECT, protocol=132, ports=((2905, 2905),))
    subnet = world.subnets[-1]
    guarded = replace(subnet, routers=(replace(subnet.routers[0], firewall=(rule,)),))
    found = scan_of(replace(world, subnets=(*world.subnets[:-1], guarded)), ports="2905,2906").host("10.0.0.9")
    port = port_of(found, 2905)
    assert (port.state, port.reason, str(port.reason_address)) == (FILTERED, Reason.ADMIN_PROHIBITED, "192.0.2.1")
    assert port_of(found, 2906).state is CLOSED


def test_a_host_without_sctp() -> None:
    host = replace(host_of(), protocols=frozenset())
    found = scan_of(world_of(host)).host("10.0.0.9")
    assert {(port.state, port.reason) for port in found.ports} == {(FILTERED, Reason.PROTO_UNREACH)}


@pytest.mark.parametrize("family", [4, 6])
def test_tcp_udp_and_sctp_in_one_run(family: int) -> None:
    host = replace(host_of(family), tcp=ports(22), udp=ports(53))
    chosen = "T:22-23,U:53-54,S:2905-2906"
    scan = sim_scan(world_of(host), ADDRESSES[family, False], techniques=("sctpinit", "syn", "udp"), ports=chosen)
    found = scan.host(ADDRESSES[family, False])
    assert [(port.protocol, port.number, port.state) for port in found.ports] == [
        (Protocol.TCP, 22, OPEN),
        (Protocol.TCP, 23, CLOSED),
        (Protocol.UDP, 53, OPEN),
        (Protocol.UDP, 54, CLOSED),
        (Protocol.SCTP, 2905, OPEN),
        (Protocol.SCTP, 2906, CLOSED),
    ]
    assert [info.technique for info in scan.of(ScanStarted)[0].scans] == ["syn", "udp", "sctpinit"]


def test_ports_without_a_choice_are_those_with_a_use() -> None:
    scan = scan_of(world_of(host_of()), ports=None)
    (info,) = scan.of(ScanStarted)[0].scans
    assert 80 < info.count < 120
    assert port_of(scan.host("10.0.0.9"), 2905).state is OPEN
    assert scan_of(world_of(host_of()), ports=None, top_ports=3).of(ScanStarted)[0].scans[0].count == 3


def test_old_checksums_are_dropped_by_hosts_of_today() -> None:
    found = scan_of(world_of(host_of()), adler32=True).host("10.0.0.9")
    assert {(port.state, port.reason) for port in found.ports} == {(FILTERED, Reason.NO_RESPONSE)}
    scan = sim_scan(world_of(host_of()), "10.0.0.9", techniques=("syn",), ports="80", adler32=True)
    assert any("--adler32 has no effect" in notice.text for notice in scan.of(Notice))


def test_versions_are_of_tcp_and_udp() -> None:
    scan = scan_of(world_of(host_of()), versions=True)
    assert any("SCTP ports is not asked" in notice.text for notice in scan.of(Notice))
    assert port_of(scan.host("10.0.0.9"), 2905).state is OPEN


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(("port", "reason"), [("2905", Reason.INIT_ACK), ("2906", Reason.ABORT)])
def test_hosts_are_found_by_init(family: int, port: str, reason: Reason) -> None:
    world = world_of(host_of(family))
    scan = sim_scan(world, ADDRESSES[family, False], ping_scan=True, pings=(PingRequest("sctp-init", port),))
    found = scan.host(ADDRESSES[family, False])
    assert (found.status, found.reason) == (HostStatus.UP, reason)


def test_a_silent_port_proves_no_host() -> None:
    scan = sim_scan(world_of(host_of()), "10.0.0.9", ping_scan=True, pings=(PingRequest("sctp-init", "2907"),))
    assert scan.host("10.0.0.9").status is HostStatus.DOWN
