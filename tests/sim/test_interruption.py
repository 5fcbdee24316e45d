"""A scan that is told to stop: whatever was found until then is told, and each host says where it was cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address

import pytest

from leadline.engine.control import Control
from leadline.model.address import Address
from leadline.model.event import Event, HostDone, HostFound, PortFound, ScanEnded, TaskProgress, TaskStarted
from leadline.model.host import HostStatus
from leadline.model.port import PortState
from leadline.pipeline import BLOCK
from leadline.sim.faults import LinkFaults
from leadline.sim.network import SimNetwork
from leadline.sim.world import Behaviour, SimHost, World, ports, simple_world
from tests.support.sim_scan import SimScan, open_ports, sim_scan, stop_when, told_ports

UP = 6


def far_world(default: Behaviour = Behaviour.CLOSED, *, raw: bool = True, latency: float = 0.02) -> World:
    hosts = [
        SimHost(
            (ip_address(f"10.0.0.{last}"),),
            hostname=f"host-{last}.example",
            tcp=ports(22, 80, 443, default=default),
            faults=LinkFaults(latency=latency * last),
        )
        for last in range(1, UP + 1)
    ]
    world = simple_world(hosts)
    return World(world.interfaces, world.subnets, world.hosts, world.local, raw=raw)


def check_the_end(scan: SimScan) -> None:
    assert scan.ended.exit == "interrupted"
    assert scan.ended.message == "interrupted by SIGINT"
    done = [event.host.address for event in scan.of(HostDone)]
    assert len(done) == len(set(done))
    assert {event.address for event in scan.of(HostFound)} <= set(done)
    assert scan.ended.hosts_total == len(done)
    assert scan.ended.hosts_up == sum(host.status is HostStatus.UP for host in scan.hosts.values())
    for found in scan.of(PortFound):
        assert found.port.number in open_ports(scan.host(str(found.address)))
    assert not scan.network._links, "every link is closed"


def counted(kind: type, number: int) -> Callable[[Event], bool]:
    seen = 0

    def fits(event: Event) -> bool:
        nonlocal seen
        seen += isinstance(event, kind)
        return seen >= number

    return fits


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "connect"])
def test_during_discovery(raw: bool) -> None:
    scan = sim_scan(far_world(raw=raw), "10.0.0.0/28", watch=stop_when(counted(HostFound, 2)))
    check_the_end(scan)
    up = {address for address, host in scan.hosts.items() if host.status is HostStatus.UP}
    assert 2 <= len(up) < UP
    assert len(scan.hosts) == 16
    # Neither those whose ports were still to be scanned, nor those that nobody can tell anything of, are complete.
    assert {host.interrupted for host in scan.hosts.values()} == {"discovery"}
    unknown = [host for host in scan.hosts.values() if host.status is HostStatus.UNKNOWN]
    assert len(unknown) == 16 - len(up)
    assert all("cut" in host.evidence.rule for host in unknown if host.evidence)
    assert all(not host.ports and not host.summaries for host in scan.hosts.values())


def test_a_host_that_needs_nothing_more_than_discovery_is_complete() -> None:
    watch = stop_when(counted(HostFound, 2))
    scan = sim_scan(far_world(), "10.0.0.0/28", ping_scan=True, watch=watch)
    check_the_end(scan)
    for host in scan.hosts.values():
        assert host.interrupted == ("" if host.status is HostStatus.UP else "discovery")


def test_a_host_whose_name_was_still_wanted_is_not() -> None:
    watch = stop_when(counted(HostFound, 2))
    scan = sim_scan(far_world(), "10.0.0.0/28", ping_scan=True, reverse=None, watch=watch)
    check_the_end(scan)
    assert {host.interrupted for host in scan.hosts.values()} == {"discovery"}


class SlowNames:
    """Gives the first ``known`` names; then somebody presses Ctrl-C."""

    def __init__(self, control: Control, known: int) -> None:
        self._control, self._known = control, known

    def forward(
        self, names: Sequence[str], families: frozenset[int], stop: Callable[[], bool]
    ) -> dict[str, tuple[Address, ...]]:
        return {}

    def reverse(self, addresses: Sequence[Address], stop: Callable[[], bool]) -> dict[Address, str]:
        self._control.stop = "SIGINT"
        assert stop()
        return {address: f"name-{address}" for address in addresses[: self._known]}


@pytest.mark.parametrize("ping_scan", [True, False])
def test_during_the_resolution_of_names(ping_scan: bool) -> None:
    control = Control()
    resolver = SlowNames(control, 2)
    scan = sim_scan(
        far_world(), "10.0.0.1-6", ping_scan=ping_scan, reverse=None, control=control, resolver=resolver
    )  # fmt: skip
    check_the_end(scan)
    assert len(scan.hosts) == UP
    named = [host for host in scan.hosts.values() if host.name]
    assert [host.name for host in named] == ["name-10.0.0.1", "name-10.0.0.2"]
    for host in scan.hosts.values():
        assert host.interrupted == ("" if ping_scan and host in named else "name resolution")
        assert host.status is HostStatus.UP


def test_during_the_names_of_a_list() -> None:
    control = Control()
    scan = sim_scan(
        far_world(), "10.0.0.0/29", list_scan=True, reverse=None, control=control, resolver=SlowNames(control, 3)
    )
    check_the_end(scan)
    assert len(scan.hosts) == 8
    assert sum(host.interrupted == "name resolution" for host in scan.hosts.values()) == 5
    assert sum(bool(host.name) for host in scan.hosts.values()) == 3
    assert scan.network.tally.probes == 0


def test_during_a_list_no_further_block_is_begun() -> None:
    scan = sim_scan(far_world(), "10.0.0.0/8", list_scan=True, watch=stop_when(counted(HostDone, 5)))
    check_the_end(scan)
    assert len(scan.hosts) == BLOCK


@pytest.mark.parametrize(("raw", "task"), [(True, "SYN Stealth Scan"), (False, "Connect Scan")])
def test_during_the_port_scan(raw: bool, task: str) -> None:
    def fits(event: Event) -> bool:
        return isinstance(event, PortFound) and event.port.number == 443

    scan = sim_scan(far_world(raw=raw), "10.0.0.1-6", watch=stop_when(fits))
    check_the_end(scan)
    assert len(scan.hosts) == UP
    assert {host.interrupted for host in scan.hosts.values()} == {task}
    told = [len(told_ports(host)) for host in scan.hosts.values()]
    assert 0 < sum(told) < 1000 * UP
    states = {port.state for host in scan.hosts.values() for port in host.ports}
    # Silence is no answer yet: no port is called filtered.
    assert PortState.FILTERED not in states
    assert all(not host.timed_out for host in scan.hosts.values())


@pytest.mark.parametrize("raw", [True, False], ids=["syn", "connect"])
def test_a_host_that_was_finished_before_is_complete(raw: bool) -> None:
    scan = sim_scan(
        far_world(raw=raw, latency=0.06), "10.0.0.1-6", ports="1-300", watch=stop_when(counted(HostDone, 1))
    )
    check_the_end(scan)
    complete = [host for host in scan.hosts.values() if not host.interrupted]
    assert 1 <= len(complete) < UP
    assert all(len(told_ports(host)) == 300 for host in complete)


def test_groups_that_were_not_begun_are_told_too() -> None:
    watch = stop_when(counted(HostDone, 1))
    scan = sim_scan(far_world(), "10.0.0.1-6", ports="1-50", max_hostgroup=1, watch=watch)
    check_the_end(scan)
    assert [host.interrupted for host in scan.hosts.values()] == [""] + ["SYN Stealth Scan"] * (UP - 1)
    assert [len(told_ports(host)) for host in scan.hosts.values()] == [50] + [0] * (UP - 1)


def test_before_anything_was_sent() -> None:
    control = Control()
    control.stop = "SIGINT"
    scan = sim_scan(far_world(), "10.0.0.1-6", control=control)
    check_the_end(scan)
    assert scan.hosts == {}
    assert scan.network.tally.probes == 0


def test_a_stop_is_noticed_soon() -> None:
    """However long the next probe may take: T1 sends one in fifteen seconds."""
    at: list[float] = []

    def watch(event: Event, control: Control) -> None:
        if isinstance(event, TaskProgress) and not control.stop:
            control.stop = "SIGINT"
            at.append(event.at)

    scan = sim_scan(far_world(), "10.0.0.1", skip_discovery=True, timing=1, watch=watch)
    check_the_end(scan)
    assert scan.seconds - at[0] < 0.2


def test_leaving_early_closes_the_links() -> None:
    from leadline.pipeline import run
    from leadline.plan.build import build_plan
    from leadline.plan.options import Options

    network = SimNetwork(far_world())
    plan = build_plan(Options(targets=("10.0.0.1",), reverse="never", seed=1), True)
    events = run(plan, network, network.resolver(), Control())
    for event in events:
        if isinstance(event, TaskStarted):
            break
    assert network._links
    events.close()
    assert not network._links
    assert not any(isinstance(event, ScanEnded) for event in events)
