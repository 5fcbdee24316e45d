"""The order of the stages and what becomes of a scan that fails (whole scans are in tests/sim)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from leadline import __version__
from leadline.engine.control import Control
from leadline.errors import LinkError, NetworkError, PrivilegeError
from leadline.model.address import Address
from leadline.model.event import (
    Event,
    HostDone,
    HostFound,
    Notice,
    PortFound,
    ScanEnded,
    ScanInfo,
    ScanStarted,
    TargetSkipped,
    TaskEnded,
    TaskStarted,
)
from leadline.model.host import HostStatus
from leadline.model.port import Protocol, Reason
from leadline.pipeline import run
from leadline.plan.build import build_plan
from leadline.plan.options import Options
from leadline.sim.link import SimLink
from leadline.sim.network import SimNetwork
from leadline.sim.world import SimHost, SimInterface, SimSubnet, World, ports, simple_world
from tests.support.sim_scan import open_ports, sim_scan

NEAR = ("192.0.2.5", "192.0.2.6")


def world_of(*addresses: str, raw: bool = True) -> World:
    hosts = [
        SimHost((ip_address(one),), hostname=f"host-{one[-1]}.example", tcp=ports(22, 80)) for one in addresses or NEAR
    ]
    return replace(simple_world(hosts), raw=raw)


def collect(
    network: SimNetwork, *targets: str, resolver: Any = None, **options: Any
) -> tuple[list[Event], Exception | None]:
    """The events, and what was raised after the last one."""
    given = {"reverse": "never", "seed": 1} | options
    plan = build_plan(Options(targets=targets, **given), network.can_send_raw())
    events: list[Event] = []
    try:
        events.extend(run(plan, network, resolver or network.resolver(), Control()))
    except Exception as error:  # noqa: BLE001
        return events, error
    return events, None


def done(events: list[Event]) -> dict[str, Any]:
    return {str(event.host.address): event.host for event in events if isinstance(event, HostDone)}


def test_the_stages_come_in_their_order() -> None:
    scan = sim_scan(world_of(), *NEAR, ports="22-30", reverse=None)
    kinds = [type(event) for event in scan.events]
    assert kinds[0] is ScanStarted
    assert kinds[-1] is ScanEnded
    assert [event.task for event in scan.of(TaskStarted)] == [
        "ARP Ping Scan",
        "Parallel DNS resolution",
        "SYN Stealth Scan",
    ]
    assert len(scan.of(TaskEnded)) == 3
    order = [kinds.index(kind) for kind in (HostFound, PortFound, HostDone)]
    assert order == sorted(order)
    times = [event.at for event in scan.events if not isinstance(event, ScanStarted | HostFound | PortFound)]
    assert times == sorted(times)


def test_what_the_first_and_the_last_event_say() -> None:
    scan = sim_scan(world_of(), *NEAR, "192.0.2.7", ports="22-30", verbosity=2, arguments=("leadline", "x"))
    (started,) = scan.of(ScanStarted)
    assert (started.version, started.verbosity, started.arguments) == (__version__, 2, ("leadline", "x"))
    ended = scan.ended
    assert (ended.exit, ended.message) == ("success", "")
    assert (ended.hosts_up, ended.hosts_down, ended.hosts_total) == (2, 1, 3)
    assert ended.packets_sent >= 2 + 2 * 9
    assert ended.packets_received == 2 + 2 * 9
    assert ended.ended == pytest.approx(started.started + ended.at)


def test_a_list_asks_nobody_but_the_resolver() -> None:
    scan = sim_scan(world_of(), "192.0.2.4/30", list_scan=True, reverse=None)
    assert [host.name for host in scan.hosts.values()] == ["", "host-5.example", "host-6.example", ""]
    assert {(host.status, host.reason) for host in scan.hosts.values()} == {(HostStatus.UNKNOWN, Reason.USER_SET)}
    assert scan.network.tally.probes == 0
    assert scan.of(ScanStarted)[0].scans == ()


@pytest.mark.parametrize(("mode", "named"), [("never", 0), (None, 2), ("all", 3)])
def test_whose_names_are_asked_for(mode: str | None, named: int) -> None:
    world = world_of()
    mute = SimHost((ip_address("192.0.2.7"),), hostname="host-7.example", neighbor=False)
    scan = sim_scan(replace(world, hosts=(*world.hosts, mute)), "192.0.2.5-7", ping_scan=True, reverse=mode)
    assert sum(bool(host.name) for host in scan.hosts.values()) == named
    asked = [event.detail for event in scan.of(TaskStarted) if event.task == "Parallel DNS resolution"]
    assert asked == ([f"{named} hosts"] if named else [])


def test_nobody_up_is_nobody_to_name() -> None:
    scan = sim_scan(world_of(), "192.0.2.9", ping_scan=True, reverse=None)
    assert [event.task for event in scan.of(TaskStarted)] == ["ARP Ping Scan"]


def test_typed_names_and_their_other_addresses() -> None:
    world = world_of()
    both = SimHost((ip_address("192.0.2.8"), ip_address("2001:db8:ffff::8")), hostname="both.example", tcp=ports(22))
    world = replace(world, hosts=(*world.hosts, both))
    scan = sim_scan(world, "both.example", "nobody.example", ports="22", reverse=None)
    host = scan.host("192.0.2.8")
    assert [(name.name, name.kind) for name in host.hostnames] == [("both.example", "user"), ("both.example", "PTR")]
    assert host.other_addresses == (ip_address("2001:db8:ffff::8"),)
    (skipped,) = scan.of(TargetSkipped)
    assert skipped.expression == "nobody.example"


def test_notices_of_the_plan_come_first() -> None:
    events, _ = collect(SimNetwork(world_of(raw=False)), NEAR[0], techniques=("syn",), ports="22")
    assert isinstance(events[1], Notice)
    assert events[1].level == "warning"


def test_a_plan_for_a_network_with_more_rights_fails_before_the_first_packet() -> None:
    """A SYN scan has a substitute; the other techniques have none, and a connect scan says something else."""
    network = SimNetwork(world_of(raw=False))
    for options in (Options(targets=NEAR[:1], techniques=("fin",)), Options(targets=NEAR[:1], scan_flags="SYNFIN")):
        events: list[Event] = []
        steps = run(build_plan(options, True), network, network.resolver(), Control())
        with pytest.raises(PrivilegeError, match="raw packets cannot be sent"):
            events.extend(steps)
        assert isinstance(events[-1], ScanEnded)
        assert (events[-1].exit, events[-1].packets_sent) == ("error", 0)
    connect = build_plan(Options(targets=NEAR[:1], ports="22", reverse="never", skip_discovery=True), True)
    assert isinstance(list(run(connect, network, network.resolver(), Control()))[-1], ScanEnded)


def test_the_flags_that_were_chosen_are_told() -> None:
    scan = sim_scan(world_of(), NEAR[0], ports="22", techniques=("null",), scan_flags="PSHFIN")
    assert scan.of(ScanStarted)[0].scans == (ScanInfo("null", Protocol.TCP, 1, "22", "FINPSH"),)
    assert sim_scan(world_of(), NEAR[0], ports="22", techniques=("null",)).of(ScanStarted)[0].scans[0].flags == ""


def test_hosts_keep_what_discovery_measured() -> None:
    scan = sim_scan(world_of(), NEAR[0], ping_scan=True)
    host = scan.host(NEAR[0])
    assert host.latency is not None
    assert host.latency > 0
    assert host.rttvar is not None
    assert host.timeout is None
    assert host.evidence is not None
    assert host.evidence.rule == "arp: arp-response -> up"
    assert host.mac
    assert host.ended >= host.started


def test_a_host_without_ports_to_scan_is_complete() -> None:
    scan = sim_scan(world_of(), f"{NEAR[0]}:22", exclude_ports="22", ports="80")
    host = scan.host(NEAR[0])
    assert (host.status, host.ports, host.interrupted) == (HostStatus.UP, (), "")


# ---- failures -----------------------------------------------------------------------------------------------------


def break_links(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Links break as soon as ``limit`` frames were received over one."""
    wait = SimLink.wait

    def fail(link: SimLink, timeout: float) -> None:
        if link.statistics.received >= limit:
            raise LinkError("eth0: the interface is gone")
        wait(link, timeout)

    monkeypatch.setattr(SimLink, "wait", fail)


def check_failure(events: list[Event], error: Exception | None, kind: type[Exception], message: str) -> None:
    assert isinstance(error, kind)
    last = events[-1]
    assert isinstance(last, ScanEnded)
    assert (last.exit, last.message) == ("error", message)
    found = {str(event.address) for event in events if isinstance(event, HostFound)}
    assert found <= set(done(events))


def test_a_failure_in_the_port_scan_comes_after_all_that_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    break_links(monkeypatch, 30)
    events, error = collect(SimNetwork(world_of()), *NEAR, ports="1-1000", max_parallelism=4)
    check_failure(events, error, LinkError, "eth0: the interface is gone")
    hosts = done(events)
    assert {host.interrupted for host in hosts.values()} == {"SYN Stealth Scan"}
    for event in events:
        if isinstance(event, PortFound):
            assert event.port.number in open_ports(hosts[str(event.address)])


def test_a_failure_in_discovery_comes_after_all_that_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    break_links(monkeypatch, 1)
    events, error = collect(SimNetwork(world_of()), *NEAR, "192.0.2.9", ports="22")
    check_failure(events, error, LinkError, "eth0: the interface is gone")
    hosts = done(events)
    cut = {HostStatus.UNKNOWN: "discovery", HostStatus.UP: "SYN Stealth Scan"}
    assert all(host.interrupted == cut[host.status] for host in hosts.values())
    assert hosts["192.0.2.9"].status is HostStatus.UNKNOWN


def test_one_interface_that_breaks_takes_only_its_own_hosts_along(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = SimLink.wait

    def fail(link: SimLink, timeout: float) -> None:
        if link.interface.name == "eth1" and link.statistics.sent > 5:
            raise LinkError("eth1: the interface is gone")
        wait(link, timeout)

    monkeypatch.setattr(SimLink, "wait", fail)
    names = ("eth0", "eth1")
    world = World(
        interfaces=tuple(
            SimInterface(name, ((ip_address(f"198.51.{at}.1"), 24),), mac=bytes((2, 0, 0, 0, 0, at)))
            for at, name in enumerate(names)
        ),
        subnets=tuple(SimSubnet(ip_network(f"198.51.{at}.0/24"), interface=name) for at, name in enumerate(names)),
        hosts=tuple(SimHost((ip_address(f"198.51.{at}.7"),), tcp=ports(22)) for at in range(2)),
    )
    events, error = collect(SimNetwork(world), "198.51.1.7", "198.51.0.7", ports="1-1000")
    check_failure(events, error, LinkError, "eth1: the interface is gone")
    hosts = done(events)
    assert hosts["198.51.1.7"].interrupted == "SYN Stealth Scan"
    assert (hosts["198.51.0.7"].interrupted, open_ports(hosts["198.51.0.7"])) == ("", {22})
    assert "eth1: the interface is gone" in [one.text for one in events if isinstance(one, Notice)]


class FailingResolver:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def forward(
        self, names: Sequence[str], families: frozenset[int], stop: Callable[[], bool]
    ) -> dict[str, tuple[Address, ...]]:
        return {}

    def reverse(self, addresses: Sequence[Address], stop: Callable[[], bool]) -> dict[Address, str]:
        raise self._error


def test_a_failure_of_the_resolver() -> None:
    network = SimNetwork(world_of())
    resolver = FailingResolver(NetworkError("no name server can be reached"))
    events, error = collect(network, *NEAR, "192.0.2.9", resolver=resolver, reverse=None, ports="22")
    check_failure(events, error, NetworkError, "no name server can be reached")
    hosts = done(events)
    assert {str(address): host.interrupted for address, host in hosts.items()} == {
        NEAR[0]: "name resolution",
        NEAR[1]: "name resolution",
        "192.0.2.9": "",
    }


def test_an_internal_error_is_told_as_one() -> None:
    resolver = FailingResolver(ZeroDivisionError("by zero"))
    events, error = collect(SimNetwork(world_of()), *NEAR, resolver=resolver, reverse=None, ports="22")
    check_failure(events, error, ZeroDivisionError, "internal error: ZeroDivisionError: by zero")


def test_links_are_closed_whatever_happens() -> None:
    for options in ({"ports": "22"}, {"ports": "22", "resolver": FailingResolver(ValueError("x")), "reverse": None}):
        network = SimNetwork(world_of())
        collect(network, *NEAR, **options)
        assert network._links == []


def test_the_same_seed_gives_the_same_events() -> None:
    first, second = (collect(SimNetwork(world_of(), 3), *NEAR, ports="1-100", seed=3)[0] for _ in range(2))
    assert first == second
