"""Ways out by intervals of addresses."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import numpy as np

from leadline.engine.sweep_lanes import ELSEWHERE, NO_ROUTE, LaneTable, lane_table
from leadline.sim.network import SimNetwork
from leadline.sim.world import SimHost, simple_world


def columns(*texts: str) -> tuple[np.ndarray, np.ndarray]:
    values = [int(ip_address(text)) for text in texts]
    return (
        np.array([value >> 64 for value in values], np.uint64),
        np.array([value & (1 << 64) - 1 for value in values], np.uint64),
    )


def test_intervals_of_the_simulated_network() -> None:
    network = SimNetwork(simple_world([SimHost((ip_address("10.0.0.1"),))]))
    table, routes, last = lane_table(
        4, [(int(ip_address("192.0.0.0")), int(ip_address("192.0.255.255")), True)], network
    )
    assert len(routes) == 1
    lanes = table.of(*columns("192.0.0.1", "192.0.1.255", "192.0.2.1", "192.0.2.2", "192.0.2.255", "192.0.3.0"))
    assert lanes.tolist() == [0, 0, ELSEWHERE, ELSEWHERE, ELSEWHERE, 0]
    start = int(ip_address("192.0.2.0"))
    assert list(table.intervals(ELSEWHERE, last)) == [(start, start + 255)]
    assert table.only is None


def test_one_lane_for_all() -> None:
    network = SimNetwork(simple_world([]))
    table, routes, _ = lane_table(4, [(1 << 24, 1 << 25, True)], network)
    assert (table.only, len(routes)) == (0, 1)
    assert table.of(*columns("1.2.3.4")).tolist() == [0]


def test_no_way_out() -> None:
    world = simple_world([])
    world = replace(world, interfaces=(replace(world.interfaces[0], gateways=()),))
    table, routes, _ = lane_table(4, [(1 << 24, 1 << 25, True)], SimNetwork(world))
    assert (table.only, routes) == (NO_ROUTE, [])


def test_six() -> None:
    base = 0x20010DB8 << 96
    table = LaneTable([base, base + 100, base + (1 << 64)], [0, ELSEWHERE, 1])
    assert table.of(*columns("2001:db8::", "2001:db8::63", "2001:db8::64", "2001:db8:0:1::")).tolist() == [
        0, 0, ELSEWHERE, 1,
    ]  # fmt: skip
    assert list(table.intervals(1, base + (1 << 64) + 5)) == [(base + (1 << 64), base + (1 << 64) + 5)]
