from __future__ import annotations

from ipaddress import ip_address

import numpy as np
import pytest

from leadline.sim.faults import LinkFaults
from leadline.sim.line import Line, Way, way_to
from leadline.sim.terrain import Terrain
from leadline.sim.world import CABLE, SimHost, simple_world

HOST = ip_address("10.0.0.1")


def test_the_way_is_the_sum_of_its_stretches() -> None:
    host = SimHost((HOST,), faults=LinkFaults(latency=0.001, jitter=0.002, loss=0.5))
    terrain = Terrain(simple_world([host], faults=LinkFaults(latency=0.01, jitter=0.003, loss=0.2)))
    way = way_to(terrain, HOST, local=False)
    assert way is not None
    assert (way.host, way.latency) == (0, pytest.approx(0.011 + CABLE.latency))
    assert (way.jitter, way.loss) == (pytest.approx(0.005), pytest.approx(0.6))


def test_nobody_and_oneself() -> None:
    terrain = Terrain(simple_world([SimHost((HOST,))]))
    assert way_to(terrain, ip_address("10.0.0.2"), local=False) is None
    own = way_to(terrain, ip_address("127.0.0.1"), local=True)
    assert own is not None
    assert own.host == terrain.local_host
    assert 0.0 < own.latency < 0.001


def test_bytes_stay_in_order() -> None:
    line = Line(Way(0, 0.01, 0.5, 0.3), np.random.default_rng(1))
    arrivals = [line.arrival(0.001 * number) for number in range(200)]
    assert arrivals == sorted(arrivals)
    assert all(at >= 0.01 + 0.001 * number for number, at in enumerate(arrivals))


def test_loss_is_lateness() -> None:
    late = [Line(Way(0, 0.01, 0.0, 0.3), np.random.default_rng(seed)).arrival(0.0) for seed in range(400)]
    share = sum(at > 0.1 for at in late) / len(late)
    assert 0.2 < share < 0.4
    assert min(at for at in late if at > 0.1) == pytest.approx(0.01 + 0.2 + 0.02)


def test_even_a_dead_line_delivers_in_the_end() -> None:
    assert Line(Way(0, 0.01, 0.0, 1.0), np.random.default_rng(1)).arrival(0.0) < 120.0
