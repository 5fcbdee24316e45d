from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import numpy as np
import pytest

from leadline.model.address import columns_of
from leadline.sim.faults import LinkFaults, TokenBucket
from leadline.sim.terrain import AddressIndex, PortIndex, Terrain
from leadline.sim.world import Behaviour, PortTable, SimHost, SimRouter, SimSubnet, ports, simple_world


def test_address_index_finds_what_is_there_and_nothing_else() -> None:
    texts = ["2001:db8::1", "2001:db8:1::1", "::1", "fe80::2", "2001:db8::2"]
    index = AddressIndex([ip_address(text) for text in texts])
    hi, lo = columns_of([ip_address(text) for text in ("fe80::2", "::2", "2001:db8::1", "2001:db8:2::1", "::1")])
    assert index.find(hi, lo).tolist() == [3, -1, 0, -1, 2]


def test_address_index_of_nothing() -> None:
    hi, lo = columns_of([ip_address("10.0.0.1")])
    assert AddressIndex([]).find(hi, lo).tolist() == [-1]


def test_an_address_twice_is_a_contradiction() -> None:
    host = SimHost((ip_address("10.0.0.1"),))
    with pytest.raises(ValueError, match="twice"):
        Terrain(simple_world([host, replace(host, hostname="other")]))


def test_host_outside_of_every_subnet() -> None:
    with pytest.raises(ValueError, match=r"203\.0\.113\.1"):
        Terrain(simple_world([SimHost((ip_address("203.0.113.1"),))]))


def test_subnet_on_an_interface_that_is_not_there() -> None:
    world = simple_world([])
    with pytest.raises(ValueError, match="eth7"):
        Terrain(replace(world, subnets=(SimSubnet(ip_network("10.9.0.0/16"), interface="eth7"),)))


def test_port_index_is_the_tables() -> None:
    tables = [
        ports(22, 80),
        PortTable(Behaviour.FILTERED, open=frozenset({1}), closed=frozenset({1, 2}), rejected=frozenset({3})),
        PortTable(Behaviour.OPEN),
    ]
    index = PortIndex(tables)
    pairs = [(table, port) for table in range(3) for port in (0, 1, 2, 3, 22, 80, 65535)]
    found = index.behaviour(np.array([p[0] for p in pairs], np.int32), np.array([p[1] for p in pairs], np.uint16))
    assert found.tolist() == [tables[table].behaviour(port) for table, port in pairs]
    assert PortIndex([PortTable()]).behaviour(np.zeros(1, np.int32), np.array([5], np.uint16)).tolist() == [0]


def test_paths_add_up() -> None:
    routers = tuple(
        SimRouter(SimHost((ip_address(f"10.1.0.{i}"),)), LinkFaults(latency=0.01, loss=0.1), decrements=i != 2)
        for i in (1, 2)
    )
    world = simple_world([])
    world = replace(world, subnets=(SimSubnet(ip_network("10.1.0.0/16"), routers, LinkFaults(latency=0.1, loss=0.5)),))
    path = Terrain(world).paths[0]
    cable = world.interfaces[0].faults.latency
    assert path.latency == pytest.approx([0.01 + cable, 0.02 + cable, 0.12 + cable])
    assert path.survival == pytest.approx([0.9, 0.81, 0.405])
    assert path.decrements.tolist() == [0, 1, 1]


def test_routers_are_hosts_at_their_depth_and_shared() -> None:
    world = simple_world([SimHost((ip_address("10.0.0.5"),))])
    router = world.subnets[-1].routers[0]
    world = replace(world, subnets=(*world.subnets, SimSubnet(ip_network("10.7.0.0/24"), (router,))))
    terrain = Terrain(world)
    assert len(terrain.routers) == 1
    assert len(terrain.hosts) == 3
    endpoints = terrain.endpoints[4]
    row = endpoints.index.find(*columns_of([ip_address("192.0.2.1"), ip_address("10.0.0.5")]))
    assert endpoints.depth[row].tolist() == [0, 1]
    assert endpoints.host[row].tolist() == [terrain.router_host[0], 0]


def test_longest_prefix_is_the_way() -> None:
    world = simple_world([])
    narrow = SimSubnet(ip_network("10.0.0.128/25"), world.subnets[-1].routers)
    terrain = Terrain(replace(world, subnets=(narrow, *world.subnets)))
    hi, lo = columns_of([ip_address(text) for text in ("10.0.0.129", "10.0.0.1", "203.0.113.9")])
    assert terrain.path_towards(4, hi, lo).tolist() == [0, 3, -1]


def test_limits_and_equal_values_are_shared() -> None:
    limit = TokenBucket(5.0)
    hosts = [
        SimHost((ip_address(f"10.0.0.{i}"),), tcp=ports(80), reset_limit=limit if i > 1 else None) for i in (1, 2, 3)
    ]
    terrain = Terrain(simple_world(hosts))
    assert terrain.reset_bucket[:3].tolist() == [-1, 0, 1]
    assert len(set(terrain.tcp_table[:3].tolist())) == 1
    assert len(terrain.styles) == 1
