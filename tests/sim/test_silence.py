"""Hosts that answer nothing: their path is measured all the same, by neighbours or by a router."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.model.event import TimingDecision
from leadline.sim.faults import LinkFaults, TokenBucket
from leadline.sim.world import Behaviour, PortTable, SimHost, World, simple_world
from tests.support.sim_scan import open_ports, sim_scan

FAULTS = LinkFaults(latency=0.005, jitter=0.002)
# What Linux does by default: one message a second, six at once.
ICMP_LIMIT = TokenBucket(1.0, 6)
HOSTS, PORTS = 16, 1000
OPTIONS = {"ports": f"1-{PORTS}", "skip_discovery": True, "timing": 4}


def silent_world(
    hidden: dict[int, frozenset[int]], faults: LinkFaults = FAULTS, limit: TokenBucket = ICMP_LIMIT
) -> World:
    """``HOSTS`` hosts from 10.0.0.1 on that drop everything but what is asked of their ``hidden`` ports."""
    hosts = [
        SimHost(
            (ip_address(f"10.0.0.{1 + row}"),),
            tcp=PortTable(Behaviour.FILTERED, hidden.get(row, frozenset())),
            udp=PortTable(Behaviour.FILTERED),
            echo=False,
        )
        for row in range(HOSTS)
    ]
    world = simple_world(hosts, faults=faults)
    far = world.subnets[-1]
    router = replace(far.routers[0], host=replace(far.routers[0].host, icmp_limit=limit))
    return replace(world, subnets=(*world.subnets[:-1], replace(far, routers=(router,))))


@pytest.mark.parametrize("limit", [ICMP_LIMIT, TokenBucket(1000.0, 1000)])
def test_sixteen_silent_hosts_take_seconds_where_a_router_answers(limit: TokenBucket) -> None:
    scan = sim_scan(silent_world({}, limit=limit), "10.0.0.1-16", **OPTIONS)
    assert scan.seconds < 10
    assert len(scan.hosts) == HOSTS
    assert 2 * HOSTS * PORTS <= scan.ended.packets_sent < 2.1 * HOSTS * PORTS
    told = scan.of(TimingDecision)
    assert {one.what for one in told} >= {"proof_hop", "cwnd"}
    # The limit of its messages is not taken for loss.
    assert not [one for one in told if one.what == "cwnd" and one.new < one.old]


def test_where_no_router_answers_the_pace_is_bounded() -> None:
    world = silent_world({})
    far = world.subnets[-1]
    mute = replace(far.routers[0], time_exceeded=False)
    world = replace(world, subnets=(*world.subnets[:-1], replace(far, routers=(mute,))))
    scan = sim_scan(world, "10.0.0.1-4", **OPTIONS)
    # At most 1,024 every half second.
    assert 5 < scan.seconds < 10
    assert "neither a host nor a router answers" in {one.cause for one in scan.of(TimingDecision)}


def test_what_is_hidden_behind_silence_and_loss_is_found() -> None:
    hidden = {row: frozenset({100 + 37 * row, 900 - row}) for row in range(0, 16, 3)}
    scan = sim_scan(silent_world(hidden, replace(FAULTS, loss=0.03)), "10.0.0.1-16", **OPTIONS)
    for row in range(HOSTS):
        assert open_ports(scan.host(f"10.0.0.{1 + row}")) == hidden.get(row, frozenset())
    assert scan.seconds < 20


def test_how_near_the_gateway_is_says_nothing_of_the_hosts_behind_it() -> None:
    far_away = LinkFaults(latency=0.35)
    scan = sim_scan(silent_world({0: frozenset({80})}, far_away), "10.0.0.1", ports="80", skip_discovery=True)
    assert open_ports(scan.host("10.0.0.1")) == {80}
