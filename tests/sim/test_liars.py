"""Hosts that lie: no false open port, nothing raised, bounded memory and time, and honest neighbours are not harmed."""

from __future__ import annotations

import tracemalloc
from ipaddress import ip_address

import pytest

from leadline.model.host import HostStatus
from leadline.model.port import PortState, Reason
from leadline.sim.liars import (
    BELIEVABLE,
    LIES,
    Absurd,
    Chorus,
    Contradiction,
    FalseQuotes,
    Flood,
    Late,
    Lie,
    Mirror,
    OddFlags,
    Shuffled,
    Tarpit,
    Truncated,
    Unasked,
    WrongPorts,
    WrongSource,
    WrongTag,
)
from leadline.sim.world import Behaviour, SimHost, World, ports, simple_world
from tests.support.sim_scan import SimScan, open_ports, sim_scan, state_of, told_ports

PORTS = 100
SCANNED = f"1-{PORTS}"
TRULY_OPEN = {22, 80}
EVERY = (*LIES, Tarpit(), Contradiction())
# Lies that are told beside the truth: what such a host says of its open ports can be found.
TOLD_TOO = (Unasked, Flood, FalseQuotes)
# No answer to a SYN scan of 100 ports, however often it is told, may take more than this: bytes that Python allocates,
# the simulator's own packets on their way included. (Measured: 6 MiB, and 4 MiB without a flood.)
MOST_MEMORY = 32 << 20
# Who answers a probe in twenty only, or only probes that come alone, looks like a rate limit: at most the greatest scan
# delay (a second) for each port, its retransmission and another look at the silent ones.
MOST_SECONDS = 3.0 * PORTS
PREFIXES = {(4, False): "10.0.0.", (4, True): "192.0.2.", (6, False): "2001:db8:1::", (6, True): "2001:db8:ffff::"}


def name_of(lie: Lie) -> str:
    settings = "-".join(str(getattr(lie, name)) for name in lie.__slots__)
    return f"{type(lie).__name__}-{settings}" if not isinstance(lie, Chorus) else "Chorus"


def liar_world(
    *lies: Lie | None, family: int = 4, on_link: bool = False, default: Behaviour = Behaviour.CLOSED
) -> World:
    """One host a lie from the tenth address on; ``None`` is honest."""
    prefix = PREFIXES[family, on_link]
    hosts = [
        SimHost((ip_address(f"{prefix}{last}"),), tcp=ports(*TRULY_OPEN, default=default), lie=lie)
        for last, lie in enumerate(lies, 10)
    ]
    return simple_world(hosts, network="10.0.0.0/24" if family == 4 else "2001:db8:1::/64")


def scan_liars(world: World, **options: object) -> SimScan:
    addresses = [str(host.addresses[0]) for host in world.hosts]
    scan = sim_scan(world, *addresses, ports=SCANNED, **options)
    assert set(scan.hosts) == set(addresses)
    assert scan.ended.exit == "success"
    return scan


def check_truth(world: World, scan: SimScan) -> None:
    """What may be believed is told, what may not is not."""
    for sim_host in world.hosts:
        host = scan.host(str(sim_host.addresses[0]))
        found = open_ports(host)
        assert host.interrupted == ""
        if isinstance(sim_host.lie, BELIEVABLE):
            # The right number acknowledges the probe: nobody can tell. (A reset that came first may end the scan.)
            # Who answers on every port is told as such, and his open ports are counted.
            counted = sum(one.count for one in host.summaries if one.state is PortState.OPEN)
            assert len(found) + counted > (PORTS - 1 if isinstance(sim_host.lie, Tarpit) else 0.85 * PORTS)
            if isinstance(sim_host.lie, Tarpit):
                assert any("it answers on every port" in remark for remark in host.remarks)
            continue
        assert found <= TRULY_OPEN
        if host.status is HostStatus.UP:
            assert told_ports(host) == list(range(1, PORTS + 1))
        if sim_host.lie is None or isinstance(sim_host.lie, TOLD_TOO):
            assert host.status is HostStatus.UP
            assert found == TRULY_OPEN


@pytest.mark.parametrize("lie", EVERY, ids=name_of)
@pytest.mark.parametrize(("family", "on_link"), [(4, False), (6, True)], ids=["v4-routed", "v6-on-link"])
def test_each_liar_alone(lie: Lie, family: int, on_link: bool) -> None:
    world = liar_world(lie, family=family, on_link=on_link)
    scan = scan_liars(world)
    check_truth(world, scan)
    assert scan.seconds < MOST_SECONDS


@pytest.mark.parametrize("lie", EVERY, ids=name_of)
def test_each_liar_between_honest_hosts(lie: Lie) -> None:
    world = liar_world(None, lie, None)
    scan = scan_liars(world)
    check_truth(world, scan)
    for address in ("10.0.0.10", "10.0.0.12"):
        host = scan.host(address)
        assert all(state_of(host, number) is PortState.CLOSED for number in set(range(1, PORTS + 1)) - TRULY_OPEN)


@pytest.mark.parametrize("raw", [True, False], ids=["syn", "connect"])
def test_all_liars_together(raw: bool) -> None:
    world = liar_world(None, *EVERY, None, default=Behaviour.CLOSED)
    world = World(world.interfaces, world.subnets, world.hosts, world.local, raw=raw)
    scan = scan_liars(world)
    if raw:
        check_truth(world, scan)
    assert open_ports(scan.host("10.0.0.10")) == TRULY_OPEN
    assert open_ports(scan.host(f"10.0.0.{11 + len(EVERY)}")) == TRULY_OPEN
    assert scan.seconds < MOST_SECONDS


@pytest.mark.parametrize("lie", EVERY, ids=name_of)
def test_a_silent_address_stays_down_beside_a_liar(lie: Lie) -> None:
    """``WrongSource`` answers in its name, ``Unasked`` in anybody's."""
    world = liar_world(lie)
    scan = sim_scan(world, "10.0.0.10-12", ports="80")
    assert scan.host("10.0.0.11").status is HostStatus.DOWN
    assert scan.host("10.0.0.12").status is HostStatus.DOWN


@pytest.mark.parametrize(
    "lie",
    [WrongTag(), WrongTag(offset=1), WrongPorts(), WrongPorts(ours=True), WrongSource(), Mirror()],
    ids=name_of,
)
def test_a_port_of_which_only_lies_are_told_is_filtered(lie: Lie) -> None:
    """None of them carries the tag of the probe: it is as if nothing had been said."""
    host = scan_liars(liar_world(lie)).host("10.0.0.10")
    assert host.status is HostStatus.UP
    (summary,) = host.summaries
    assert (summary.state, summary.reason, summary.count) == (PortState.FILTERED, Reason.NO_RESPONSE, PORTS)


def test_a_wrong_tag_whose_offset_is_minus_one_is_not_taken_for_a_reset() -> None:
    """A reset may acknowledge our number itself (some stacks do); a SYN/ACK may not."""
    host = scan_liars(liar_world(WrongTag(offset=-1))).host("10.0.0.10")
    assert {summary.state for summary in host.summaries} == {PortState.FILTERED}


def test_odd_flags_open_nothing_but_a_reset_among_them_closes() -> None:
    host = scan_liars(liar_world(OddFlags())).host("10.0.0.10")
    states = {summary.state for summary in host.summaries} | {port.state for port in host.ports}
    assert states == {PortState.CLOSED, PortState.FILTERED} or states == {PortState.CLOSED}


def test_shuffled_answers_with_a_tag_of_another_port_are_not_believed() -> None:
    assert open_ports(scan_liars(liar_world(Shuffled())).host("10.0.0.10")) <= TRULY_OPEN


def test_a_contradiction_is_open_whichever_answer_came_first() -> None:
    """Only who listens acknowledges; a firewall may have sent the reset."""
    host = scan_liars(liar_world(Contradiction()), debugging=3).host("10.0.0.10")
    opened = [port for port in host.ports if port.state is PortState.OPEN]
    assert len(opened) > 0.9 * PORTS
    assert {port.evidence.reply for port in opened if port.evidence} == {"tcp SA"}
    assert {port.evidence.reply for port in host.ports if port not in opened and port.evidence} <= {"tcp RA"}


def test_a_tarpit_tells_the_time_of_its_answers() -> None:
    host = scan_liars(liar_world(Tarpit()), debugging=3).host("10.0.0.10")
    assert len(host.ports) == PORTS
    for port in host.ports:
        assert port.evidence is not None
        assert 0 < port.evidence.at <= host.ended - host.started
        assert port.evidence.answered_try == 1


def test_late_answers_are_true_but_nobody_waits_for_them() -> None:
    scan = scan_liars(liar_world(Late(seconds=30.0)))
    assert open_ports(scan.host("10.0.0.10")) <= TRULY_OPEN
    assert scan.seconds < 30


@pytest.mark.parametrize("lie", [Truncated(), Absurd(), FalseQuotes()], ids=name_of)
def test_packets_that_make_no_sense_decide_nothing_wrong(lie: Lie) -> None:
    for family in (4, 6):
        world = liar_world(None, lie, family=family, default=Behaviour.FILTERED)
        scan = scan_liars(world)
        check_truth(world, scan)
        for host in scan.hosts.values():
            assert all(state_of(host, number) is not PortState.CLOSED for number in range(90, PORTS + 1))


@pytest.mark.parametrize("lie", [Flood(factor=300), Unasked(count=300)], ids=name_of)
def test_memory_is_bounded_in_a_flood(lie: Lie) -> None:
    world = liar_world(lie, None, default=Behaviour.FILTERED)
    tracemalloc.start()
    try:
        scan = scan_liars(world)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    check_truth(world, scan)
    assert scan.ended.packets_received > 20_000
    assert peak < MOST_MEMORY
