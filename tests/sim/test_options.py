"""What options of timing, order, targets and discovery change on the wire and in the events."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.engine.control import Control
from leadline.model.event import HostDone, HostFound, Notice, PacketTraced, ScanStarted, TaskStarted, TimingDecision
from leadline.model.host import HostStatus
from leadline.model.port import PortState, Reason
from leadline.plan.options import PingRequest
from leadline.sim.faults import LinkFaults, TokenBucket
from leadline.sim.firewall import Action, Rule
from leadline.sim.world import Behaviour, PortTable, SimHost, SimInterface, World, ports, simple_world
from tests.support.sim_scan import SimScan, open_ports, sim_scan, state_of, told_ports

TARGET, NEIGHBOUR, SIXTH = "10.0.0.5", "192.0.2.5", "2001:db8:ffff::5"
FAR = LinkFaults(latency=0.02)


def one_host(default: Behaviour = Behaviour.CLOSED, *, address: str = TARGET, **fields: object) -> World:
    tcp = ports(22, 80, default=default)
    return simple_world([SimHost((ip_address(address),), **({"tcp": tcp, "faults": FAR} | fields))])


def traced(world: World, *targets: str, **options: object) -> SimScan:
    control = Control()
    control.packet_trace = True
    return sim_scan(world, *targets, control=control, **options)


def sent(scan: SimScan, pattern: str) -> list[tuple[float, re.Match[str]]]:
    """Times and matches of the packets that we sent."""
    found = []
    for event in scan.of(PacketTraced):
        match = re.match(pattern, event.summary)
        if event.direction == "SENT" and match:
            found.append((event.at, match))
    return found


def syns(scan: SimScan) -> list[tuple[float, str, int]]:
    """Time, target and port of SYNs that may arrive there: those for routers have a small TTL."""
    pairs = sent(scan, r"TCP \S+ > (\S+):(\d+) S .* ttl=(?!\d |[12]\d |3[0-2] )")
    return [(at, match[1], int(match[2])) for at, match in pairs]


def dropped_by_firewall(world: World) -> World:
    """Not one packet reaches the far subnet."""
    far = world.subnets[-1]
    guarded = replace(far, routers=(replace(far.routers[0], firewall=(Rule(Action.DROP),)),))
    return replace(world, subnets=(*world.subnets[:-1], guarded))


# ---- rates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("default", [Behaviour.CLOSED, Behaviour.FILTERED])
def test_no_more_than_the_maximum_rate(default: Behaviour) -> None:
    scan = traced(one_host(default), TARGET, ports="1-200", max_rate=50.0)
    times = np.array([at for at, _ in sent(scan, ".")])
    assert len(times) == scan.ended.packets_sent >= 200
    # In any second of the scan; a tenth of a second's packets may be caught up.
    within = np.searchsorted(times, times + 1.0, side="left") - np.arange(len(times))
    assert within.max() <= 50 * 1.1 + 1
    assert (len(times) - 1) / (times[-1] - times[0]) <= 51
    assert open_ports(scan.host(TARGET)) == {22, 80}


def test_the_maximum_rate_is_used_up_while_there_is_work() -> None:
    scan = traced(one_host(), TARGET, ports="1-200", max_rate=50.0)
    assert scan.ended.packets_sent / scan.seconds > 45


def test_the_maximum_rate_is_one_for_all_hosts() -> None:
    hosts = [SimHost((ip_address(f"10.0.0.{last}"),), tcp=ports(22)) for last in range(1, 9)]
    scan = sim_scan(simple_world(hosts), "10.0.0.1-8", ports="1-50", max_rate=200.0)
    assert 180 < scan.ended.packets_sent / scan.seconds < 210


def test_at_least_the_minimum_rate_while_there_is_something_to_send() -> None:
    world = one_host(Behaviour.FILTERED, faults=LinkFaults(latency=0.2))
    slow, fast = (
        traced(world, TARGET, ports="1-1000", max_retries=0, min_rate=rate) for rate in (None, 2000.0)
    )  # fmt: skip

    def needed(scan: SimScan) -> float:
        times = [at for at, _, port in syns(scan) if port not in (22, 80, 443)]
        return times[-1] - times[0]

    assert needed(slow) > 1.0
    assert needed(fast) <= 1000 / 2000 + 0.05
    assert open_ports(fast.host(TARGET)) == {22, 80}


# ---- timing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("template", "least"), [(0, 300.0), (1, 15.0), (2, 0.4), (3, 0.0), (4, 0.0), (5, 0.0)])
def test_a_template_waits_between_two_probes_to_a_host(template: int, least: float) -> None:
    scan = traced(one_host(), TARGET, ports="21-25", skip_discovery=True, timing=template)
    times = [at for at, _, _ in syns(scan)]
    assert len(times) == 5
    gaps = np.diff(times)
    if least:
        assert gaps.min() >= least - 1e-9
        assert gaps.max() < least * 1.1
    else:
        assert gaps.max() == 0
    assert open_ports(scan.host(TARGET)) == {22}


@pytest.mark.parametrize("template", [0, 1, 2])
def test_the_polite_templates_have_one_probe_on_its_way_at_a_time(template: int) -> None:
    hosts = [SimHost((ip_address(f"10.0.0.{last}"),), tcp=ports(22), faults=FAR) for last in (1, 2)]
    scan = traced(simple_world(hosts), "10.0.0.1-2", ports="22,23", skip_discovery=True, timing=template)
    on_way, most = 0, 0
    for event in scan.of(PacketTraced):
        if event.summary.startswith("TCP"):
            on_way += 1 if event.direction == "SENT" else -1
            most = max(most, on_way)
    assert most == 1


def test_a_scan_delay_of_ones_own() -> None:
    scan = traced(one_host(), TARGET, ports="21-30", skip_discovery=True, scan_delay=1.0)
    assert np.diff([at for at, _, _ in syns(scan)]).min() >= 1.0 - 1e-9


def test_a_delay_holds_for_each_host_not_for_all() -> None:
    hosts = [SimHost((ip_address(f"10.0.0.{last}"),)) for last in range(1, 6)]
    scan = traced(simple_world(hosts), "10.0.0.1-5", ports="21-24", skip_discovery=True, scan_delay=1.0)
    for last in range(1, 6):
        times = [at for at, address, _ in syns(scan) if address == f"10.0.0.{last}"]
        assert len(times) == 4
        assert np.diff(times).min() >= 1.0 - 1e-9
    assert scan.seconds < 5


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_no_port_is_sent_more_often_than_its_retries_allow(retries: int) -> None:
    world = one_host(Behaviour.FILTERED, faults=LinkFaults(latency=0.02, loss=0.3))
    scan = traced(world, TARGET, ports="1000-1099", skip_discovery=True, max_retries=retries)
    counts = Counter(port for _, _, port in syns(scan))
    assert set(counts) == set(range(1000, 1100))
    assert max(counts.values()) <= retries + 1
    if retries == 0:
        assert set(counts.values()) == {1}
    assert told_ports(scan.host(TARGET)) == list(range(1000, 1100))


def test_without_retries_a_dead_host_gets_each_probe_once() -> None:
    scan = traced(one_host(), "10.0.0.9", max_retries=0)
    assert scan.host("10.0.0.9").status is HostStatus.DOWN
    assert len([at for at, match in sent(scan, ".") if "10.0.0.9" in match.string]) == 4


def test_fast_neighbours_do_not_rush_a_slow_host() -> None:
    """Whose timeout is a tenth of a second, learnt from the others: its answer needs six tenths."""
    hosts = [SimHost((ip_address(f"10.0.0.{last}"),)) for last in range(1, 9)]
    slow = SimHost((ip_address(TARGET.replace(".5", ".99")),), tcp=ports(22), faults=LinkFaults(latency=0.3))
    scan = sim_scan(simple_world([*hosts, slow]), "10.0.0.1-8", "10.0.0.99", ports="22-25")
    assert scan.ended.hosts_up == 9
    # An answer to the first of three tries tells no round trip: only the last two send times are kept.
    assert scan.host("10.0.0.99").latency in (None, pytest.approx(0.6, abs=0.05))
    assert open_ports(scan.host("10.0.0.99")) == {22}


@pytest.mark.parametrize("raw", [True, False], ids=["syn", "connect"])
def test_a_host_timeout_cuts_what_is_late_and_keeps_what_was_found(raw: bool) -> None:
    late = LinkFaults(latency=0.3)
    hosts = [
        SimHost((ip_address("10.0.0.5"),), tcp=ports(22), faults=late),
        SimHost((ip_address("10.0.0.6"),), tcp=ports(22, 443, default=Behaviour.FILTERED), faults=late),
    ]
    world = replace(simple_world(hosts), raw=raw)
    scan = sim_scan(world, "10.0.0.5:22,23", "10.0.0.6", ports="1-1000", skip_discovery=True, host_timeout=3.0)
    quick, slow = scan.host("10.0.0.5"), scan.host("10.0.0.6")
    assert (quick.timed_out, quick.interrupted) == (False, "")
    assert told_ports(quick) == [22, 23]
    assert slow.timed_out
    assert slow.interrupted == ("SYN Stealth Scan" if raw else "Connect Scan")
    assert open_ports(slow) == {22, 443}
    # Silence was not waited for to its end.
    assert PortState.FILTERED not in {port.state for port in slow.ports} | {one.state for one in slow.summaries}
    assert scan.ended.exit == "success"
    assert scan.seconds < 5


def test_a_host_timeout_that_is_long_enough_changes_nothing() -> None:
    plain, patient = (sim_scan(one_host(), TARGET, ports="1-100", host_timeout=limit) for limit in (None, 60.0))
    assert plain.events[1:] == patient.events[1:]


@pytest.mark.parametrize("limit", ["reset_limit", "icmp_limit"])
def test_a_host_that_limits_its_answers_is_told_from_a_lossy_one(limit: str) -> None:
    """A hundred answers a second: the open ports are found whatever the others seem to be."""
    default = Behaviour.CLOSED if limit == "reset_limit" else Behaviour.REJECTED
    world = one_host(default, **{limit: TokenBucket(rate=100.0, burst=10.0)})
    scan = sim_scan(world, TARGET, ports="1-400")
    assert open_ports(scan.host(TARGET)) == {22, 80}
    if limit == "reset_limit":
        wrong = sum(state_of(scan.host(TARGET), number) is not PortState.CLOSED for number in range(100, 401))
        assert wrong <= 3
        assert scan.of(TimingDecision)


# ---- order and targets --------------------------------------------------------------------------------------------


def test_in_sequence_ports_go_out_in_ascending_order() -> None:
    scan = traced(one_host(), TARGET, ports="1-300", skip_discovery=True, sequential=True)
    # A port may come again as a timing ping.
    assert list(dict.fromkeys(port for _, _, port in syns(scan))) == list(range(1, 301))


def test_otherwise_the_common_ports_go_first_and_the_others_are_shuffled() -> None:
    scan = traced(one_host(), TARGET, ports="1-300", skip_discovery=True)
    order = list(dict.fromkeys(port for _, _, port in syns(scan)))
    assert sorted(order) == list(range(1, 301))
    assert {22, 80, 21} <= set(order[:28])
    assert (np.diff(order[28:]) == 1).sum() < 20


@pytest.mark.parametrize("raw", [True, False], ids=["syn", "connect"])
def test_ports_of_a_target_alone(raw: bool) -> None:
    hosts = [SimHost((ip_address(f"10.0.0.{last}"),), tcp=ports(22, 80, 443)) for last in (1, 2, 3)]
    world = replace(simple_world(hosts), raw=raw)
    scan = sim_scan(world, "10.0.0.1:80,443", "10.0.0.2", "10.0.0.3:22", ports="20-25")
    told = {address: told_ports(host) for address, host in scan.hosts.items()}
    assert told == {"10.0.0.1": [80, 443], "10.0.0.2": [20, 21, 22, 23, 24, 25], "10.0.0.3": [22]}
    assert open_ports(scan.host("10.0.0.1")) == {80, 443}


def test_excluded_ports_are_excluded_for_every_target() -> None:
    scan = traced(one_host(), f"{TARGET}:22,80", ports="1-9", exclude_ports="80", skip_discovery=True)
    assert [port for _, _, port in syns(scan)] == [22]


def test_a_target_named_twice_is_scanned_twice_unless_unique() -> None:
    twice = traced(one_host(), TARGET, TARGET, ports="22")
    assert [str(event.host.address) for event in twice.of(HostDone)] == [TARGET, TARGET]
    assert all(open_ports(event.host) == {22} for event in twice.of(HostDone))
    assert twice.ended.hosts_total == 2
    once = sim_scan(one_host(), TARGET, TARGET, ports="22", unique=True)
    assert len(once.of(HostDone)) == 1


def test_both_families_in_one_scan() -> None:
    world = simple_world([SimHost((ip_address(NEIGHBOUR), ip_address(SIXTH)), tcp=ports(22))])
    scan = sim_scan(world, SIXTH, NEIGHBOUR, ports="22-23")
    assert {address: open_ports(host) for address, host in scan.hosts.items()} == {SIXTH: {22}, NEIGHBOUR: {22}}
    assert scan.host(SIXTH).reason is Reason.ND_RESPONSE


def test_targets_without_a_route_are_down_and_a_notice_says_so() -> None:
    interface = SimInterface(addresses=((ip_address("192.0.2.2"), 24),))
    plain = simple_world([SimHost((ip_address(NEIGHBOUR),), tcp=ports(22))])
    world = World((interface,), plain.subnets[:1], plain.hosts)
    scan = sim_scan(world, NEIGHBOUR, "10.9.9.0/30", ports="22")
    lost = [host for address, host in scan.hosts.items() if address != NEIGHBOUR]
    assert len(lost) == 4
    assert {(host.status, host.reason, host.interrupted) for host in lost} == {(HostStatus.DOWN, Reason.NO_ROUTE, "")}
    (notice,) = scan.of(Notice)
    assert notice.text == "no route to 4 targets: 10.9.9.0, 10.9.9.1, 10.9.9.2 ..."
    assert open_ports(scan.host(NEIGHBOUR)) == {22}


# ---- discovery ----------------------------------------------------------------------------------------------------


def test_without_discovery_a_silent_host_is_scanned() -> None:
    scan = sim_scan(dropped_by_firewall(one_host()), TARGET, ports="1-30", skip_discovery=True)
    host = scan.host(TARGET)
    assert (host.status, host.reason) == (HostStatus.UP, Reason.USER_SET)
    (summary,) = host.summaries
    assert (summary.state, summary.count) == (PortState.FILTERED, 30)
    assert not [event for event in scan.of(TaskStarted) if "Ping" in event.task]


def test_without_discovery_the_own_link_is_asked_by_arp_all_the_same() -> None:
    scan = sim_scan(one_host(address=NEIGHBOUR), NEIGHBOUR, "192.0.2.6", ports="22", skip_discovery=True)
    assert scan.host("192.0.2.6").status is HostStatus.DOWN
    host = scan.host(NEIGHBOUR)
    assert (host.reason, open_ports(host)) == (Reason.ARP_RESPONSE, {22})


@pytest.mark.parametrize(("address", "reason"), [(NEIGHBOUR, Reason.ARP_RESPONSE), (SIXTH, Reason.ND_RESPONSE)])
def test_on_the_own_link_neighbours_are_asked_alone(address: str, reason: Reason) -> None:
    scan = traced(one_host(address=address, mac=b"\x00\x0c\x29\x01\x02\x03"), address, ping_scan=True)
    host = scan.host(address)
    assert (host.status, host.reason, host.mac) == (HostStatus.UP, reason, "00:0C:29:01:02:03")
    assert host.vendor
    assert scan.ended.packets_sent == 1
    (found,) = scan.of(HostFound)
    assert (found.mac, found.vendor) == (host.mac, host.vendor)


@pytest.mark.parametrize("address", [NEIGHBOUR, SIXTH])
def test_without_arp_pings_the_own_link_is_asked_like_any_other(address: str) -> None:
    scan = traced(one_host(address=address), address, ports="22-23", disable_arp_ping=True)
    host = scan.host(address)
    assert host.status is HostStatus.UP
    assert host.reason in (Reason.ECHO_REPLY, Reason.RESET, Reason.SYN_ACK)
    assert open_ports(host) == {22}
    # Frames still need a MAC, so somebody had to be asked for it.
    assert len(sent(scan, r"ARP|.*neighbor solicitation")) >= 1


def test_a_gateway_that_does_not_answer_is_told() -> None:
    world = one_host()
    far = world.subnets[-1]
    router = far.routers[0]
    mute = replace(far, routers=(replace(router, host=replace(router.host, neighbor=False)),))
    scan = sim_scan(replace(world, subnets=(*world.subnets[:-1], mute)), TARGET)
    assert [event.text for event in scan.of(Notice)] == ["the gateway 192.0.2.1 does not answer on eth0"]
    assert scan.host(TARGET).status is HostStatus.DOWN


def test_a_reset_may_be_ignored() -> None:
    only_resets = one_host(echo=False, timestamp=False, tcp=PortTable())
    assert sim_scan(only_resets, TARGET, ping_scan=True).host(TARGET).reason is Reason.RESET
    ignored = sim_scan(only_resets, TARGET, ping_scan=True, discovery_ignore_rst=True)
    assert ignored.host(TARGET).status is HostStatus.DOWN
    listening = one_host(echo=False, timestamp=False, tcp=ports(443))
    found = sim_scan(listening, TARGET, ping_scan=True, discovery_ignore_rst=True).host(TARGET)
    assert (found.status, found.reason) == (HostStatus.UP, Reason.SYN_ACK)


@pytest.mark.parametrize("address", [TARGET, "10.0.0.6"])
def test_a_refused_connection_may_be_ignored_as_well(address: str) -> None:
    world = replace(one_host(tcp=PortTable()), raw=False)
    assert sim_scan(world, TARGET, ping_scan=True).host(TARGET).reason is Reason.CONN_REFUSED
    assert sim_scan(world, address, ping_scan=True, discovery_ignore_rst=True).host(address).status is HostStatus.DOWN


PINGS = [
    ("icmp-echo", "", Reason.ECHO_REPLY),
    ("icmp-timestamp", "", Reason.TIMESTAMP_REPLY),
    ("icmp-address-mask", "", Reason.ADDRESSMASK_REPLY),
    ("tcp-syn", "22", Reason.SYN_ACK),
    ("tcp-syn", "23", Reason.RESET),
    ("tcp-ack", "80", Reason.RESET),
    ("udp", "", Reason.PORT_UNREACH),
    ("udp", "53", Reason.UDP_RESPONSE),
    ("ip-protocol", "99", Reason.PROTO_UNREACH),
    ("ip-protocol", "1", Reason.PROTO_RESPONSE),
    ("ip-protocol", "6", Reason.PROTO_RESPONSE),
    ("ip-protocol", "17", Reason.PORT_UNREACH),
]


@pytest.mark.parametrize(("kind", "numbers", "reason"), PINGS, ids=[f"{kind}-{number}" for kind, number, _ in PINGS])
def test_each_ping_finds_a_host_in_its_own_way(kind: str, numbers: str, reason: Reason) -> None:
    world = one_host(mask=True, udp=ports(53))
    scan = traced(world, TARGET, "10.0.0.9", ping_scan=True, pings=(PingRequest(kind, numbers),))
    host = scan.host(TARGET)
    assert (host.status, host.reason) == (HostStatus.UP, reason)
    assert host.evidence is not None
    assert host.evidence.rule.endswith("-> up")
    assert scan.host("10.0.0.9").status is HostStatus.DOWN
    if kind != "ip-protocol":
        assert scan.host("10.0.0.9").evidence.tries == 3
    assert [str(event.address) for event in scan.of(HostFound)] == [TARGET]


def test_each_ping_is_lost_on_a_host_that_does_not_know_it() -> None:
    mute = one_host(
        Behaviour.FILTERED, echo=False, timestamp=False, refuses_protocols=False, tcp=PortTable(Behaviour.FILTERED)
    )
    pings = tuple(PingRequest(kind) for kind in ("icmp-echo", "icmp-timestamp", "icmp-address-mask", "tcp-syn"))
    scan = sim_scan(mute, TARGET, ping_scan=True, pings=pings)
    host = scan.host(TARGET)
    assert (host.status, host.reason) == (HostStatus.DOWN, Reason.NO_RESPONSE)
    assert host.evidence is not None
    assert host.evidence.rule == "no reply to any probe -> down"
    assert host.evidence.tries == 12


def test_a_loop_on_the_way_means_down() -> None:
    world = one_host()
    far = world.subnets[-1]
    exceeded = replace(far, routers=(far.routers[0],) * 60)
    scan = sim_scan(replace(world, subnets=(*world.subnets[:-1], exceeded)), TARGET, ping_scan=True)
    host = scan.host(TARGET)
    assert (host.status, host.reason) == (HostStatus.DOWN, Reason.TIME_EXCEEDED)
    assert str(host.reason_address) == "192.0.2.1"


def test_this_machine_itself_needs_no_discovery() -> None:
    world = replace(one_host(), local=SimHost((), tcp=ports(22)))
    scan = sim_scan(world, "127.0.0.1", "192.0.2.2", ports="22-24")
    for address in ("127.0.0.1", "192.0.2.2"):
        host = scan.host(address)
        assert (host.reason, open_ports(host)) == (Reason.LOCALHOST_RESPONSE, {22})


def test_what_the_scan_says_of_itself() -> None:
    started = sim_scan(one_host(), TARGET, ports="1-3,7,9-10").of(ScanStarted)[0]
    (info,) = started.scans
    assert (info.technique, info.count, info.services) == ("syn", 6, "1-3,7,9-10")
    connect = sim_scan(replace(one_host(), raw=False), TARGET, ports="22", techniques=("syn",))
    assert connect.of(ScanStarted)[0].scans[0].technique == "connect"
    assert "connect scan" in connect.of(Notice)[0].text
    assert sim_scan(one_host(), TARGET, ping_scan=True).of(ScanStarted)[0].scans == ()


def test_a_slow_host_among_fast_ones_is_found_by_connections_too() -> None:
    """An attempt that was given up cannot be answered late: it must not be given up at the neighbours' pace."""
    hosts = [SimHost((ip_address(f"10.0.0.{last}"),), tcp=ports(80)) for last in range(1, 9)]
    slow = SimHost((ip_address(TARGET.replace(".5", ".99")),), tcp=ports(22, 80), faults=LinkFaults(latency=0.3))
    world = replace(simple_world([*hosts, slow]), raw=False)
    scan = sim_scan(world, "10.0.0.1-8", "10.0.0.99", ports="22-25,80")
    assert scan.ended.hosts_up == 9
    assert open_ports(scan.host("10.0.0.99")) == {22, 80}


def test_a_link_local_target_without_its_interface_is_named_with_it() -> None:
    scan = sim_scan(one_host(), "fe80::1%nosuch", ping_scan=True)
    (notice,) = [event for event in scan.events if isinstance(event, Notice)]
    assert notice.text == "no route to 1 target: fe80::1%nosuch"
