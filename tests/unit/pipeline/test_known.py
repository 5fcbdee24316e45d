"""What hosts are told to be, from what the stages found."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from leadline.model.event import (
    TargetSkipped,
)
from leadline.sim.world import SimHost, ports
from tests.support.pipelines import NEAR, world_of
from tests.support.sim_scan import sim_scan


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
