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
