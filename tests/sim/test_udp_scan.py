"""UDP scans of simulated hosts on a virtual clock: limits of ICMP errors, loss, silence, cuts, versions."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.engine.control import Control
from leadline.model.event import Event, PortFound, TaskProgress, TimingDecision
from leadline.model.host import Host
from leadline.model.port import PortState, Protocol
from leadline.sim.faults import LinkFaults, TokenBucket
from leadline.sim.world import PortTable, SimHost, SimService, World, simple_world
from tests.support.sim_scan import SimScan, sim_scan

ADDRESSES = {4: "10.0.0.9", 6: "2001:db8:1::9"}
OPEN, CLOSED, MAYBE = PortState.OPEN, PortState.CLOSED, PortState.OPEN_FILTERED
MEMCACHED = b"\0L\0\0\0\x01\0\0VERSION 1.6.18\r\n"
TABLE = PortTable(open=frozenset({53, 123, 11211}), filtered=frozenset({7, 9}))
PORTS = "U:1-25,53,123,11211"
LINUX_LIMIT = TokenBucket(1.0, 6)


def host_of(family: int = 4, limit: TokenBucket | None = LINUX_LIMIT, table: PortTable = TABLE) -> SimHost:
    services = (SimService(11211, 17, banner=MEMCACHED),)
    return SimHost((ip_address(ADDRESSES[family]),), udp=table, icmp_limit=limit, services=services)


def world_of(host: SimHost, loss: float = 0.0) -> World:
    network = "10.0.0.0/24" if host.addresses[0].version == 4 else "2001:db8:1::/64"
    return simple_world([host], network=network, faults=LinkFaults(latency=0.005, loss=loss))


def scan_of(host: SimHost, loss: float = 0.0, **options: object) -> SimScan:
    given: dict[str, object] = {"ports": PORTS, "techniques": ("udp",), "skip_discovery": True}
    return sim_scan(world_of(host, loss), str(host.addresses[0]), **(given | options))


def states(host: Host) -> dict[int, PortState]:
    ranges = ((each.state, *pair) for each in host.summaries for pair in each.ranges)
    return {number: state for state, first, last in ranges for number in range(first, last + 1)} | {
        port.number: port.state for port in host.ports
    }


def truth(table: PortTable = TABLE) -> dict[int, PortState]:
    wanted = dict.fromkeys((*range(1, 26), 53, 123, 11211), CLOSED)
    wanted |= dict.fromkeys(table.filtered & set(wanted), MAYBE)
    return wanted | dict.fromkeys(table.open & set(wanted), OPEN)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("loss", [0.0, 0.05])
def test_a_host_that_limits_its_errors_is_told_port_by_port(family: int, loss: float) -> None:
    done = scan_of(host_of(family), loss)
    (host,) = done.hosts.values()
    assert states(host) == truth()
    assert done.seconds < 30
    found = {event.port.number: event.at for event in done.of(PortFound)}
    assert max(found.values()) < (1.0 if not loss else 3.0)
    for remark in host.remarks:
        told = re.fullmatch(r"it limits its ICMP errors to about ([\d.]+) a second, \d at once; .*", remark)
        assert told is not None
        # With loss a few answers are a poor measure.
        assert float(told[1]) == pytest.approx(1.0, rel=0.4 if loss else 0.1)
    assert host.remarks or loss
    first = next(event for event in done.of(TimingDecision) if event.what == "pace")
    assert first.cause == "its answers come at this rate"
    assert first.new == pytest.approx(1.0, rel=0.1)


def test_the_time_left_is_told() -> None:
    done = scan_of(host_of())
    left = [(event.at, event.remaining) for event in done.of(TaskProgress) if event.at > 8]
    assert len(left) > 10
    for at, remaining in left[:-8]:
        assert remaining is not None
        assert at + remaining == pytest.approx(done.seconds, rel=0.3)


def test_without_a_limit_it_takes_a_moment() -> None:
    done = scan_of(host_of(limit=None))
    (host,) = done.hosts.values()
    assert states(host) == truth()
    assert host.remarks == ()
    assert done.seconds < 4


def test_who_does_not_want_to_wait_gets_closed_or_filtered() -> None:
    done = scan_of(host_of(), defeat_icmp_ratelimit=True)
    (host,) = done.hosts.values()
    seen = states(host)
    assert {number for number, state in seen.items() if state is OPEN} == {53, 123, 11211}
    assert set(seen.values()) == {OPEN, CLOSED, PortState.CLOSED_FILTERED}
    assert done.seconds < 3
    assert host.remarks == ()


def test_a_scan_that_is_cut_tells_what_it_knows() -> None:
    def cut(event: Event, control: Control) -> None:
        if isinstance(event, TaskProgress) and event.at > 9:
            control.stop = "SIGINT"

    done = scan_of(host_of(), watch=cut)
    (host,) = done.hosts.values()
    assert host.interrupted == "UDP Scan"
    seen = states(host)
    assert {number for number, state in seen.items() if state is OPEN} == {53, 123, 11211}
    assert set(seen.values()) == {OPEN, CLOSED}, "what was not told apart yet is not called anything"
    assert 12 <= len(seen) < 25
    assert host.remarks[0].startswith("it limits its ICMP errors")


def test_tcp_and_udp_of_one_host() -> None:
    host = replace(host_of(limit=None), tcp=PortTable(open=frozenset({22})))
    done = scan_of(host, techniques=("syn", "udp"), ports="T:21-23,U:52-54")
    (found,) = done.hosts.values()
    tcp, udp = Protocol.TCP, Protocol.UDP
    assert [(port.protocol, port.number, port.state) for port in found.ports] == [
        (tcp, 21, CLOSED), (tcp, 22, OPEN), (tcp, 23, CLOSED), (udp, 52, CLOSED), (udp, 53, OPEN), (udp, 54, CLOSED),
    ]  # fmt: skip


def test_an_answer_to_the_port_scan_is_enough_for_its_version() -> None:
    done = scan_of(host_of(limit=None), ports="U:11211", versions=True)
    (host,) = done.hosts.values()
    (port,) = host.ports
    assert port.heard == (MEMCACHED,)
    assert port.service is not None
    assert (port.service.name, port.service.product, port.service.version) == ("memcached", "Memcached", "1.6.18")
    assert port.service.evidence is not None
    assert port.service.evidence.reason == "recognised by an answer to the port scan, to memcachedUDP"


@pytest.mark.parametrize("loss", [0.0, 0.03])
def test_closed_tcp_ports_are_told_at_the_pace_of_their_resets(loss: float) -> None:
    table = PortTable(open=frozenset({22, 80}), filtered=frozenset(range(300, 310)))
    host = replace(host_of(), tcp=table, reset_limit=TokenBucket(50.0, 50))
    done = scan_of(host, loss, techniques=("syn",), ports="1-600")
    (found,) = done.hosts.values()
    wanted = dict.fromkeys(range(1, 601), CLOSED) | dict.fromkeys(table.filtered, PortState.FILTERED)
    assert states(found) == wanted | dict.fromkeys(table.open, OPEN)
    assert done.seconds < 25


def test_few_silent_ports_of_a_host_without_a_limit_cost_no_long_second_look() -> None:
    table = PortTable(filtered=frozenset({7, 30}))
    done = scan_of(host_of(limit=None, table=table), 0.03, ports="U:1-60", seed=4)
    (host,) = done.hosts.values()
    assert states(host) == {number: MAYBE if number in {7, 30} else CLOSED for number in range(1, 61)}
    assert done.seconds < 1.2
    assert done.ended.packets_sent < 90
