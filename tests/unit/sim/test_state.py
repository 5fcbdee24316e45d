from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import numpy as np

from leadline.sim.faults import LinkFaults
from leadline.sim.state import State
from leadline.sim.terrain import Terrain
from leadline.sim.world import BSD, LINUX, WINDOWS, SimHost, SimSubnet, simple_world

HOSTS = [
    SimHost((ip_address(f"10.0.0.{i}"),), personality=look) for i, look in enumerate((LINUX, WINDOWS, BSD, WINDOWS), 1)
]


def test_ip_ids_by_personality() -> None:
    state = State(Terrain(simple_world(HOSTS)), np.random.default_rng(1))
    host = np.array([1, 0, 3, 1, 2, 1, 3, 2], np.int32)
    first, second = state.ip_ids(host), state.ip_ids(host)
    assert first[1] == 0
    for ids in (first, second):
        assert np.diff(ids[[0, 3, 5]].astype(int) % 65536).tolist() == [1, 1]
    assert (second[0] - first[5]) & 0xFFFF == 1
    assert (second[2] - first[6]) & 0xFFFF == 1
    assert len({*first[[4, 7]].tolist(), *second[[4, 7]].tolist()}) == 4


def test_ip_ids_without_counters() -> None:
    state = State(Terrain(simple_world(HOSTS[:1])), np.random.default_rng(1))
    assert state.ip_ids(np.zeros(3, np.int32)).tolist() == [0, 0, 0]
    assert state.ip_ids(np.zeros(0, np.int32)).tolist() == []


def test_a_routers_bottleneck_is_shared_a_subnets_is_not() -> None:
    world = simple_world([], faults=LinkFaults(rate=5.0))
    router = replace(world.subnets[-1].routers[0], faults=LinkFaults(rate=10.0))
    far = tuple(SimSubnet(ip_network(f"10.{i}.0.0/16"), (router,), LinkFaults(rate=5.0)) for i in (1, 2))
    state = State(Terrain(replace(world, subnets=far)), np.random.default_rng(1))
    one, other, loopback = state.queues
    assert one[1] is other[1] is not None
    assert one[2] is not None
    assert one[2] is not other[2]
    assert one[0] is None
    assert loopback == [None]
