"""``--route-dst`` over the simulated network."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from leadline.cli.route import routing_decisions
from leadline.model.plan import PacketShape
from leadline.sim.network import SimNetwork
from tests.support.pipelines import world_of


def test_each_way_is_told() -> None:
    network = SimNetwork(world_of())
    text = routing_decisions(
        ["192.0.2.5", "127.0.0.1", "host-6.example", "nobody.example", "2001:db8:9::1"],
        PacketShape(), network, network.resolver(),
    )  # fmt: skip
    source = next(address for address, _ in network.world.interfaces[0].addresses if address.version == 4)
    near = f"interface eth0, from {source}, on the link itself"
    paragraphs = text.splitlines()
    assert paragraphs[:8] == [
        "192.0.2.5", f"  192.0.2.5: {near}",
        "127.0.0.1", "  127.0.0.1: interface lo, from 127.0.0.1, this machine itself",
        "host-6.example", f"  192.0.2.6: {near}",
        "nobody.example", "  the name has no address",
    ]  # fmt: skip
    assert paragraphs[8] == "2001:db8:9::1"


def test_gateways_sources_and_interfaces() -> None:
    world = world_of()
    gateway = ip_address("192.0.2.254")
    eth0 = replace(world.interfaces[0], gateways=(gateway,))
    network = SimNetwork(replace(world, interfaces=(eth0,)))
    shape = PacketShape(source=ip_address("198.51.100.7"))
    text = routing_decisions(["203.0.113.9"], shape, network, network.resolver())
    assert text.splitlines()[1] == f"  203.0.113.9: interface eth0, from 198.51.100.7, by the gateway {gateway}"
    lost = routing_decisions(["203.0.113.9"], PacketShape(interface="eth9"), network, network.resolver())
    assert lost.splitlines()[1] == "  203.0.113.9: no route"
