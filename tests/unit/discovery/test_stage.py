"""Discovery of one part over the simulator: what it yields, what it returns (whole scans are in tests/sim)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.discovery.stage import FEW, Outcome, discover
from leadline.engine.control import Control
from leadline.engine.partition import partition
from leadline.engine.rate import RateLimiter
from leadline.engine.session import Session
from leadline.engine.turns import awake
from leadline.errors import LinkError
from leadline.link.base import Interface
from leadline.model.address import Address, columns_of
from leadline.model.event import Event, Notice, PacketTraced, TaskEnded, TaskStarted
from leadline.model.host import HostStatus
from leadline.model.plan import DiscoveryPlan, PingKind, PingProbe, Plan, TimingPlan
from leadline.model.port import Reason
from leadline.model.target import TargetBlock
from leadline.sim.link import SimLink
from leadline.sim.network import SimNetwork
from leadline.sim.world import SimHost, World, simple_world

UP, DOWN, UNKNOWN = HostStatus.UP, HostStatus.DOWN, HostStatus.UNKNOWN
ECHO = (PingProbe(PingKind.ICMP_ECHO),)
CONNECT = (PingProbe(PingKind.TCP_CONNECT, 80),)
FAR, NEAR = "10.0.0.5", "192.0.2.5"


def world_of(*addresses: str, raw: bool = True) -> World:
    return replace(simple_world([SimHost((ip_address(one),)) for one in addresses]), raw=raw)


def session_of(network: SimNetwork, plan: DiscoveryPlan, *, raw: bool = True, **timing: object) -> Session:
    whole = Plan(discovery=plan, timing=TimingPlan(**timing))
    return Session(
        whole, network, Control(), raw, bytes(16), 40_000, np.random.default_rng(1), RateLimiter(None, None, 0.0),
        network.clock.now(),
    )  # fmt: skip


def run(network: SimNetwork, session: Session, *targets: str) -> tuple[list[Event], Outcome]:
    hi, lo = columns_of([ip_address(one) for one in targets])
    block = TargetBlock(ip_address(targets[0]).version, hi, lo)
    (part,), lost = partition(block, network)
    assert not len(lost)
    events: list[Event] = []
    steps = awake(discover(part, block, session, lambda mac: ""), network)
    while True:
        try:
            events.append(next(steps))
        except StopIteration as done:
            return events, done.value


def tasks(events: list[Event]) -> list[str]:
    return [event.task for event in events if isinstance(event, TaskStarted)]


def test_a_routed_part() -> None:
    network = SimNetwork(world_of(FAR))
    events, outcome = run(network, session_of(network, DiscoveryPlan(probes_v4=ECHO)), FAR, "10.0.0.6")
    assert tasks(events) == ["Ping Scan"]
    assert outcome.status.tolist() == [UP, DOWN]
    assert outcome.reasons.tolist() == [Reason.ECHO_REPLY, Reason.NO_RESPONSE]
    assert outcome.group.macs.any(axis=1).all(), "the gateway's MAC serves for all"
    assert outcome.group.srtt[0] > 0 > outcome.group.srtt[1]
    assert outcome.failure is None
    evidence = outcome.evidence(1)
    assert evidence is not None
    assert evidence.rule == "no reply to any probe -> down"


@pytest.mark.parametrize(("target", "task"), [(NEAR, "ARP Ping Scan"), ("2001:db8:ffff::5", "ND Ping Scan")])
def test_a_part_on_the_own_link(target: str, task: str) -> None:
    network = SimNetwork(world_of(target))
    events, outcome = run(network, session_of(network, DiscoveryPlan(probes_v4=ECHO, probes_v6=ECHO)), target)
    assert tasks(events) == [task]
    assert outcome.status.tolist() == [UP]
    assert outcome.mac(0) == ":".join(f"{byte:02X}" for byte in outcome.group.macs[0])
    ended = [event for event in events if isinstance(event, TaskEnded)]
    assert ended[0].detail == "1 total hosts"


def test_without_link_probes_the_own_link_gets_those_of_the_plan() -> None:
    network = SimNetwork(world_of(NEAR))
    plan = DiscoveryPlan(probes_v4=ECHO, link_probes=False)
    events, outcome = run(network, session_of(network, plan), NEAR, "192.0.2.6")
    assert tasks(events) == ["Ping Scan"]
    assert outcome.status.tolist() == [UP, DOWN]
    assert outcome.reasons[0] == Reason.ECHO_REPLY
    assert outcome.group.macs.any(axis=1).tolist() == [True, False]


def test_all_are_believed_up_without_discovery_but_next_hops_are_found() -> None:
    network = SimNetwork(world_of(FAR))
    events, outcome = run(network, session_of(network, DiscoveryPlan(mode="none")), FAR, "10.0.0.6")
    assert events == []
    assert outcome.status.tolist() == [UP, UP]
    assert outcome.reasons.tolist() == [Reason.USER_SET] * 2
    assert outcome.group.macs.any(axis=1).all()
    assert (outcome.mac(0), outcome.responder(0), outcome.evidence(0)) == ("", None, None)


def test_nor_is_anything_sent_without_the_right_to() -> None:
    network = SimNetwork(world_of(FAR, raw=False))
    _, outcome = run(network, session_of(network, DiscoveryPlan(mode="none"), raw=False), FAR)
    assert outcome.status.tolist() == [UP]
    assert network.tally.probes == 0


@pytest.mark.parametrize("target", ["127.0.0.1", "192.0.2.2"])
def test_this_machine_is_up(target: str) -> None:
    network = SimNetwork(world_of())
    events, outcome = run(network, session_of(network, DiscoveryPlan(probes_v4=ECHO)), target)
    assert (events, outcome.reasons.tolist()) == ([], [Reason.LOCALHOST_RESPONSE])


@pytest.mark.parametrize("raw", [True, False])
def test_connect_pings(raw: bool) -> None:
    """Also with rights, when the plan has no other probe."""
    network = SimNetwork(world_of(FAR))
    session = session_of(network, DiscoveryPlan(probes_v4=CONNECT), raw=raw)
    events, outcome = run(network, session, FAR, "10.0.0.6")
    assert tasks(events) == ["Ping Scan"]
    assert outcome.status.tolist() == [UP, DOWN]
    assert outcome.reasons.tolist() == [Reason.CONN_REFUSED, Reason.NO_RESPONSE]
    evidence = outcome.evidence(0)
    assert evidence is not None
    assert evidence.probe == "tcp-connect 80"


def test_what_is_asked_of_a_gateway_is_traced_and_nothing_else_told() -> None:
    network = SimNetwork(world_of(FAR))
    session = session_of(network, DiscoveryPlan(probes_v4=ECHO))
    session.control.packet_trace = True
    events, _ = run(network, session, FAR)
    first = next(index for index, event in enumerate(events) if isinstance(event, TaskStarted))
    assert [event.summary.split()[:2] for event in events[:first] if isinstance(event, PacketTraced)] == [
        ["ARP", "who-has"],
        ["ARP", "reply"],
    ]
    assert all(isinstance(event, PacketTraced) for event in events[:first])


def test_a_gateway_that_the_kernel_knows_is_not_asked() -> None:
    class Knowing(SimNetwork):
        def neighbor(self, interface: Interface, address: Address) -> bytes | None:
            return b"\x02\x4c\x44\x00\x00\xfe"

    network = Knowing(world_of(FAR))
    session = session_of(network, DiscoveryPlan(probes_v4=ECHO))
    _, outcome = run(network, session, FAR)
    assert outcome.status.tolist() == [UP]
    assert session.close().sent == 1


def test_a_silent_gateway_is_told() -> None:
    world = world_of(FAR)
    far = world.subnets[-1]
    router = far.routers[0]
    mute = replace(far, routers=(replace(router, host=replace(router.host, neighbor=False)),))
    network = SimNetwork(replace(world, subnets=(*world.subnets[:-1], mute)))
    events, outcome = run(network, session_of(network, DiscoveryPlan(mode="none")), FAR)
    assert [event.text for event in events if isinstance(event, Notice)] == [
        "the gateway 192.0.2.1 does not answer on eth0"
    ]
    assert not outcome.group.macs.any()


@pytest.mark.parametrize(("hosts", "tries"), [(1, 3), (FEW, 3), (FEW + 1, 2)])
def test_few_hosts_are_asked_once_more(hosts: int, tries: int) -> None:
    network = SimNetwork(world_of())
    targets = [f"10.0.0.{last}" for last in range(1, hosts + 1)]
    _, outcome = run(network, session_of(network, DiscoveryPlan(probes_v4=ECHO)), *targets)
    evidence = outcome.evidence(0)
    assert evidence is not None
    assert evidence.tries == tries


def test_no_more_retries_than_the_plan_allows() -> None:
    network = SimNetwork(world_of())
    _, outcome = run(network, session_of(network, DiscoveryPlan(probes_v4=ECHO), max_retries=0), FAR)
    evidence = outcome.evidence(0)
    assert evidence is not None
    assert evidence.tries == 1


@pytest.mark.parametrize("raw", [True, False])
def test_what_was_found_before_a_failure_is_kept(raw: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    network = SimNetwork(world_of(FAR))
    session = session_of(network, DiscoveryPlan(probes_v4=ECHO if raw else CONNECT), raw=raw)
    broken = LinkError("eth0: the interface is gone")

    def fail(*_: object) -> None:
        if network.clock.now() > session.epoch + 0.15:
            raise broken

    if raw:
        look = SimLink.next_look
        monkeypatch.setattr(SimLink, "next_look", lambda link, until: (fail(), look(link, until))[1])
    else:
        from leadline.sim.connector import SimConnector

        poll = SimConnector.poll
        monkeypatch.setattr(SimConnector, "poll", lambda one, timeout: (fail(), poll(one, timeout))[1])
    _, outcome = run(network, session, FAR, "10.0.0.6")
    assert outcome.failure is broken
    assert outcome.status.tolist() == [UP, UNKNOWN]


def test_a_failure_while_next_hops_are_sought_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    network = SimNetwork(world_of(FAR))
    broken = LinkError("eth0: the interface is gone")

    def fail(*_: object) -> None:
        raise broken

    monkeypatch.setattr(SimLink, "send", fail)
    with pytest.raises(LinkError, match="gone"):
        run(network, session_of(network, DiscoveryPlan(probes_v4=ECHO)), FAR)
