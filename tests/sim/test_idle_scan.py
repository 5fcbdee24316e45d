"""Idle scans over the simulated network, from options to the report: targets, zombies of all kinds, lossy ways."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from leadline.errors import NetworkError
from leadline.model.event import Event, HostDone, Notice, PacketTraced, PortFound, TaskEnded, TaskStarted
from leadline.model.host import HostStatus
from leadline.model.port import PortState, Reason
from leadline.sim.faults import LinkFaults
from leadline.sim.liars import LIES, Flood, Lie
from leadline.sim.network import SimNetwork
from leadline.sim.world import EMBEDDED, IpIdentity, PortTable, SimHost, World, simple_world
from tests.support.sim_scan import SimScan, open_ports, port_of, sim_scan, state_of, stop_when

OPEN = frozenset({22, 80, 443})
ADDRESSES = {4: ("10.0.0.9", "10.0.0.5", "10.0.0.0/24"), 6: ("2001:db8::9", "2001:db8::5", "2001:db8::/64")}


def world(
    identity: IpIdentity = IpIdentity.INCREMENT, *, family: int = 4, loss: float = 0.0, chatter: float = 0.0,
    latency: float = 0.01, lie: Lie | None = None, target_lie: Lie | None = None, spoofed: bool = True,
) -> World:  # fmt: skip
    zombie_address, target_address, network = ADDRESSES[family]
    look = replace(EMBEDDED, identity=identity, chatter=chatter, atomic_fragments=True)
    zombie = SimHost((ip_address(zombie_address),), personality=look, lie=lie)
    table = PortTable(open=OPEN, filtered=frozenset({25}), rejected=frozenset({26}))
    target = SimHost((ip_address(target_address),), tcp=table, lie=target_lie)
    made = simple_world([zombie, target], network=network, faults=LinkFaults(latency=latency, loss=loss))
    far = made.subnets[-1]
    router = replace(far.routers[0], refuses_spoofed=not spoofed)
    return replace(made, subnets=(*made.subnets[:-1], replace(far, routers=(router,))))


def scan(made: World, *, family: int = 4, **options: Any) -> SimScan:
    given = {"zombie": ADDRESSES[family][0], "skip_discovery": True, "ports": "20-60,80,443"} | options
    return sim_scan(made, ADDRESSES[family][1], **given)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("identity", [IpIdentity.INCREMENT, IpIdentity.SWAPPED, IpIdentity.BY_TWO])
def test_finds_open_ports(identity: IpIdentity, family: int) -> None:
    done = scan(world(identity, family=family), family=family)
    host = done.host(ADDRESSES[family][1])
    assert open_ports(host) == OPEN
    assert {state_of(host, port) for port in (21, 25, 26)} == {PortState.CLOSED_FILTERED}
    port = port_of(host, 22)
    assert port.reason is Reason.IPID_CHANGE
    assert port.evidence is not None
    assert "besides the answer to us" in port.evidence.rule
    assert {event.port.number for event in done.of(PortFound)} == OPEN
    assert host.interrupted == ""
    assert [event.task for event in done.of(TaskStarted)] == [f"idle scan against {ADDRESSES[family][1]}"]


def test_the_target_never_sees_us() -> None:
    traced = scan(world(), packet_trace=True, watch=_trace_all)
    sent = [
        event.summary
        for event in traced.of(PacketTraced)
        if event.direction == "SENT" and "> 10.0.0.5" in event.summary
    ]
    assert sent
    assert all("TCP 10.0.0.9:80 > 10.0.0.5:" in line for line in sent)


def _trace_all(_: Event, control: Any) -> None:
    control.packet_trace = True


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (world(IpIdentity.RANDOM), "random"),
        (world(IpIdentity.ZERO), "always 0"),
        (world(IpIdentity.PER_HOST), "for each destination"),
        (world(spoofed=False), "false source"),
        (world(chatter=60.0), "too busy"),
        (world(IpIdentity.ZERO, family=6), "fragment headers"),
    ],
)
def test_unsuitable_zombies(made: World, words: str) -> None:
    family = made.hosts[0].addresses[0].version
    network, events = SimNetwork(made, 1), []
    with pytest.raises(NetworkError, match=words):
        scan(made, family=family, network=network, watch=lambda event, _: events.append(event))
    (done,) = [event.host for event in events if isinstance(event, HostDone)]
    # Nothing is said of ports that nobody was asked about.
    assert done.ports == ()
    assert done.interrupted
    assert network.tally.probes < 120


def test_loss_is_made_up_for() -> None:
    assert open_ports(scan(world(loss=0.04), seed=3).host("10.0.0.5")) == OPEN


def test_a_zombie_with_traffic_of_its_own() -> None:
    assert open_ports(scan(world(chatter=1.0), seed=2).host("10.0.0.5")) == OPEN


def test_a_slow_way() -> None:
    assert open_ports(scan(world(latency=0.12)).host("10.0.0.5")) == OPEN


def test_zombie_and_target_are_one() -> None:
    done = scan(world(), zombie="10.0.0.5", watch=None)
    assert done.host("10.0.0.5").ports == ()
    assert any("it is the zombie itself" in notice.text for notice in done.of(Notice))


def test_this_machine_is_no_target() -> None:
    done = sim_scan(world(), "127.0.0.1", "10.0.0.5", zombie="10.0.0.9", skip_discovery=True, ports="22")
    assert done.host("127.0.0.1").ports == ()
    assert any("this machine itself" in notice.text for notice in done.of(Notice))
    assert open_ports(done.host("10.0.0.5")) == {22}


def test_targets_of_another_family_are_left_out() -> None:
    made = world()
    six = world(family=6)
    made = replace(made, subnets=(*made.subnets, six.subnets[-1]), hosts=(*made.hosts, *six.hosts))
    done = sim_scan(made, "2001:db8::5", "10.0.0.5", zombie="10.0.0.9", skip_discovery=True, ports="22")
    assert any("no IPv6 address" in notice.text for notice in done.of(Notice))
    assert open_ports(done.host("10.0.0.5")) == {22}


@pytest.mark.parametrize(
    ("zombie", "words"), [("127.0.0.1", "this machine itself"), ("nobody.example", "has no address")]
)
def test_zombies_that_cannot_be_asked(zombie: str, words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        scan(world(), zombie=zombie)


def test_a_zombie_that_is_not_there() -> None:
    with pytest.raises(NetworkError, match="does not answer SYN/ACK packets to its port 99"):
        scan(world(), zombie="10.0.0.77:99")


def test_interrupted() -> None:
    done = scan(world(), ports="1-2000", watch=stop_when(lambda event: isinstance(event, PortFound)))
    host = done.host("10.0.0.5")
    assert host.interrupted == "idle scan against 10.0.0.5"
    assert open_ports(host) <= OPEN
    assert done.ended.exit == "interrupted"


def test_host_timeout() -> None:
    host = scan(world(), ports="1-4000", host_timeout=2.0).host("10.0.0.5")
    assert host.timed_out
    assert host.status is HostStatus.UP


def test_given_up_after_so_many_open_ports() -> None:
    host = scan(world(), ports="1-2000", max_open_ports=1).host("10.0.0.5")
    assert (host.gave_up, host.timed_out) == (True, False)
    assert len(open_ports(host)) >= 1
    assert len(host.ports) + sum(one.count for one in host.summaries) < 2000


@pytest.mark.parametrize(
    "lie", [lie for lie in LIES[::2] if not isinstance(lie, Flood)], ids=lambda lie: type(lie).__name__
)
def test_lying_zombies_and_targets_end(lie: Lie) -> None:
    for made in (world(lie=lie), world(target_lie=lie)):
        try:
            done = scan(made, ports="20-30")
        except NetworkError:
            continue
        assert done.ended.exit == "success"
        assert done.seconds < 400


def test_many_targets_are_asked_one_after_the_other() -> None:
    made = world()
    others = [
        SimHost((ip_address(f"10.0.0.{number}"),), tcp=PortTable(open=frozenset({22, number})))
        for number in range(20, 26)
    ]
    made = replace(made, hosts=(*made.hosts, *others))
    done = sim_scan(made, "10.0.0.20-25", zombie="10.0.0.9", skip_discovery=True, ports="20-30", max_hostgroup=2)
    for number in range(20, 26):
        assert open_ports(done.host(f"10.0.0.{number}")) == {22, number}
    at_work = 0
    for event in done.events:
        at_work += isinstance(event, TaskStarted)
        assert at_work <= 1
        at_work -= isinstance(event, TaskEnded)
