"""The port scan of one group over the simulator: tasks, groups, cut hosts (whole scans are in tests/sim)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.data.ranking import top_ports
from leadline.engine.control import Control
from leadline.engine.partition import partition
from leadline.engine.rate import RateLimiter
from leadline.engine.session import Session
from leadline.engine.turns import awake
from leadline.errors import LinkError
from leadline.model.address import columns_of
from leadline.model.event import Event, PortFound, TaskEnded, TaskStarted
from leadline.model.plan import OutputPlan, Plan, PortPlan, ServicePlan, Technique, TimingPlan
from leadline.model.port import PortState, Protocol
from leadline.model.port_set import PortSet
from leadline.model.target import TargetBlock
from leadline.ports.stage import CONNECT_TASK, HostPorts, scan_ports, task_of, techniques_of
from leadline.sim.faults import LinkFaults
from leadline.sim.link import SimLink
from leadline.sim.network import SimNetwork
from leadline.sim.world import Behaviour, SimHost, ports, simple_world

SYN_TASK = "SYN Stealth Scan"
ADDRESSES = ("192.0.2.5", "192.0.2.6")


def network_of(*hosts: SimHost) -> SimNetwork:
    return SimNetwork(simple_world(hosts or [SimHost((ip_address(one),), tcp=ports(22)) for one in ADDRESSES]))


def session_of(
    network: SimNetwork, technique: Technique = Technique.SYN, *, raw: bool = True, output: OutputPlan | None = None,
    flags: int | None = None, versions: bool = False, **timing: object,
) -> Session:  # fmt: skip
    plan = Plan(
        ports=PortPlan((technique,), scan_flags=flags), timing=TimingPlan(**timing), output=output or OutputPlan(),
        services=ServicePlan(enabled=versions),
    )  # fmt: skip
    return Session(
        plan, network, Control(), raw, bytes(16), 40_000, np.random.default_rng(1), RateLimiter(None, None, 0.0),
        network.clock.now(),
    )  # fmt: skip


def run(
    network: SimNetwork, session: Session, per_host: list[tuple[int, ...]], stop_at: type | None = None,
    **more: list[tuple[int, ...]],
) -> list[Event | HostPorts]:  # fmt: skip
    """``more``: ports of other protocols, by their names."""
    sets = [
        PortSet({Protocol.TCP: numbers} | {Protocol[name.upper()]: each[row] for name, each in more.items()})
        for row, numbers in enumerate(per_host)
    ]
    addresses = [host.addresses[0] for host in network.world.hosts]
    hi, lo = columns_of(addresses)
    (part,), _ = partition(TargetBlock(4, hi, lo), network)
    for row, address in enumerate(addresses):
        part.group.macs[row] = np.frombuffer(b"\x02" + (int(address) & 0xFF_FFFF_FFFF).to_bytes(5, "big"), np.uint8)
    events: list[Event | HostPorts] = []
    steps = scan_ports(
        part.group, sets, {}, session, lambda number, protocol: "", lambda protocol: top_ports(protocol, 32)
    )
    for event in awake(steps, network):
        events.append(event)
        if stop_at is not None and isinstance(event, stop_at):
            session.control.stop = "SIGINT"
    return events


def results(events: list[Event | HostPorts]) -> dict[int, HostPorts]:
    return {event.row: event for event in events if isinstance(event, HostPorts)}


@pytest.mark.parametrize(
    ("technique", "raw"), [(Technique.SYN, True), (Technique.CONNECT, True), (Technique.SYN, False)]
)
def test_a_group(technique: Technique, raw: bool) -> None:
    network = network_of()
    session = session_of(network, technique, raw=raw)
    wanted = tuple(range(20, 60))
    events = run(network, session, [wanted, wanted])
    task = SYN_TASK if technique is Technique.SYN and raw else CONNECT_TASK
    assert task_of(techniques_of(session)[0]) == task
    started, ended = events[0], events[-1]
    assert isinstance(started, TaskStarted)
    assert isinstance(ended, TaskEnded)
    assert (started.task, started.detail) == (task, "2 hosts [40 ports/host]")
    assert (ended.task, ended.detail) == (task, "80 total ports")
    found = results(events)
    assert sorted(found) == [0, 1]
    for host in found.values():
        assert [port.number for port in host.ports if port.state is PortState.OPEN] == [22]
        assert sum(summary.count for summary in host.summaries) == 39
        assert (host.interrupted, host.timed_out) == ("", False)
        assert host.srtt > 0
        assert host.timeout >= 0.1
    assert sum(isinstance(event, PortFound) for event in events) == 2


@pytest.mark.parametrize(
    ("technique", "flags", "task", "state", "others"),
    [
        (Technique.ACK, None, "ACK Scan", PortState.UNFILTERED, PortState.UNFILTERED),
        (Technique.FIN, None, "FIN Scan", PortState.OPEN_FILTERED, PortState.CLOSED),
        (Technique.SYN, 0x01, SYN_TASK, PortState.FILTERED, PortState.CLOSED),
        (Technique.XMAS, 0x10, "XMAS Scan", PortState.CLOSED, PortState.CLOSED),
    ],
)
def test_other_techniques(
    technique: Technique, flags: int | None, task: str, state: PortState, others: PortState
) -> None:
    network = network_of()
    session = session_of(network, technique, flags=flags)
    events = run(network, session, [(21, 22, 23)] * 2)
    assert task_of(techniques_of(session)[0]) == task
    assert {event.task for event in events if isinstance(event, TaskStarted | TaskEnded)} == {task}
    for host in results(events).values():
        assert {port.number: port.state for port in host.ports} == {21: others, 22: state, 23: others}


@pytest.mark.parametrize("versions", [False, True])
def test_ports_that_may_be_open_stay_apart_for_version_detection(versions: bool) -> None:
    network = network_of(SimHost((ip_address("192.0.2.5"),), tcp=ports(default=Behaviour.FILTERED)))
    session = session_of(network, Technique.FIN, versions=versions)
    (host,) = results(run(network, session, [tuple(range(1, 61))])).values()
    assert (len(host.ports), len(host.summaries)) == ((60, 0) if versions else (0, 1))


def test_one_host_and_hosts_with_ports_of_their_own_are_told_in_the_task() -> None:
    network = network_of(SimHost((ip_address("192.0.2.5"),)))
    (started, *_) = run(network, session_of(network), [(1, 2, 3)])
    assert isinstance(started, TaskStarted)
    assert started.detail == "192.0.2.5 [3 ports]"
    network = network_of()
    (started, *rest) = run(network, session_of(network), [(22,), (22, 23, 24)])
    assert isinstance(started, TaskStarted)
    assert started.detail == "2 hosts [1-3 ports/host]"
    assert [len(results(rest)[row].ports) for row in (0, 1)] == [1, 3]


def test_a_host_without_ports_is_finished_at_once() -> None:
    network = network_of()
    found = results(run(network, session_of(network), [(), (22,)]))
    assert (found[0].ports, found[0].interrupted, found[0].srtt) == ((), "", -1.0)
    assert len(found[1].ports) == 1


@pytest.mark.parametrize(("debugging", "ranges"), [(0, True), (3, False)])
def test_how_much_is_told_port_by_port(debugging: int, ranges: bool) -> None:
    network = network_of()
    session = session_of(network, output=OutputPlan(debugging=debugging))
    wanted = tuple(range(1, 700))
    assert all(bool(host.summaries) is ranges for host in results(run(network, session, [wanted, wanted])).values())


@pytest.mark.parametrize("technique", [Technique.SYN, Technique.CONNECT])
def test_a_stop_leaves_what_is_known(technique: Technique) -> None:
    network = network_of()
    session = session_of(network, technique, max_parallelism=5)
    wanted = tuple(range(1, 300))
    found = results(run(network, session, [wanted, wanted], stop_at=PortFound))
    assert sorted(found) == [0, 1]
    assert {host.interrupted for host in found.values()} == {task_of(techniques_of(session)[0])}
    assert any(port.state is PortState.OPEN for host in found.values() for port in host.ports)
    assert not any(port.state is PortState.FILTERED for host in found.values() for port in host.ports)


def test_a_host_that_ends_with_the_time_of_the_others_is_complete() -> None:
    """Its end and the end of the time may come in one turn: it was finished all the same."""
    silent = SimHost((ip_address("192.0.2.6"),), tcp=ports(22, default=Behaviour.FILTERED))
    quick = SimHost((ip_address("192.0.2.5"),), faults=LinkFaults(latency=0.05))
    for limit in np.arange(0.09, 0.14, 0.002).tolist():
        network = network_of(quick, silent)
        found = results(run(network, session_of(network, host_timeout=limit), [(22, 23), tuple(range(22, 60))]))
        whole = len(found[0].ports) == 2
        assert whole is not found[0].timed_out
        assert found[0].interrupted == ("" if whole else SYN_TASK)
        assert found[1].timed_out


def test_what_was_found_before_a_failure_is_told_first(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of()
    session = session_of(network, max_parallelism=5)
    told: list[Event | HostPorts] = []
    look = SimLink.next_look

    def fail(link: SimLink, until: float) -> float:
        if link.statistics.received > 50:
            raise LinkError("eth0: the interface is gone")
        return look(link, until)

    monkeypatch.setattr(SimLink, "next_look", fail)
    hi, lo = columns_of([ip_address(one) for one in ADDRESSES])
    (part,), _ = partition(TargetBlock(4, hi, lo), network)
    for row, address in enumerate(ADDRESSES):
        part.group.macs[row] = np.frombuffer(b"\x02" + int(ip_address(address)).to_bytes(5, "big"), np.uint8)
    wanted = PortSet({Protocol.TCP: tuple(range(1, 300))})
    steps = scan_ports(part.group, [wanted, wanted], {}, session, lambda number, protocol: "", lambda protocol: (22,))
    with pytest.raises(LinkError, match="gone"):
        told.extend(awake(steps, network))
    found = results(told)
    assert {host.interrupted for host in found.values()} == {SYN_TASK}
    assert sorted(found) == [0, 1]


def several(network: SimNetwork, **timing: object) -> Session:
    session = session_of(network, **timing)
    session.plan = replace(session.plan, ports=PortPlan((Technique.SYN, Technique.UDP)))
    return session


def test_several_techniques_one_after_the_other() -> None:
    network = network_of()
    events = run(network, several(network), [(22, 23)] * 2, udp=[(7, 9), ()])
    tasks = [event.task for event in events if isinstance(event, TaskStarted)]
    assert tasks == [SYN_TASK, "UDP Scan"]
    found = results(events)
    assert [(port.protocol, port.number) for port in found[0].ports] == [
        (Protocol.TCP, 22), (Protocol.TCP, 23), (Protocol.UDP, 7), (Protocol.UDP, 9),
    ]  # fmt: skip
    assert [port.number for port in found[1].ports] == [22, 23]
    # The second host has no UDP ports: it is given before the others' are scanned.
    order = [event.row if isinstance(event, HostPorts) else event.task for event in events
             if isinstance(event, HostPorts | TaskStarted)]  # fmt: skip
    assert order == [SYN_TASK, 1, "UDP Scan", 0]
    assert not any(host.interrupted for host in found.values())


def test_cut_between_techniques() -> None:
    network = network_of()
    events = run(network, several(network), [(22,)] * 2, udp=[(7,), (7,)], stop_at=TaskEnded)
    found = results(events)
    assert {host.interrupted for host in found.values()} == {"UDP Scan"}
    assert [[port.number for port in host.ports] for host in found.values()] == [[22], [22]]


def test_cut_in_the_first_technique_of_several() -> None:
    network = network_of()
    session = several(network, max_parallelism=2)
    found = results(run(network, session, [tuple(range(1, 60))] * 2, udp=[(7,), (7,)], stop_at=PortFound))
    assert {host.interrupted for host in found.values()} == {SYN_TASK}
