"""Positions instead of memory: every item once, and its time from its position."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leadline.engine.sweep_walk import Rounds, SendTimes


@given(st.integers(1, 60), st.integers(1, 9))
def test_each_item_has_one_position_and_no_host_comes_twice_in_a_row(hosts: int, ports: int) -> None:
    rounds = Rounds(hosts, ports)
    items = rounds.items(0, rounds.size)
    assert sorted(items.tolist()) == list(range(hosts * ports))
    assert rounds.positions(items).tolist() == list(range(rounds.size))
    for turn in range(ports):
        visited = items[turn * hosts : (turn + 1) * hosts] // ports
        assert visited.tolist() == list(range(hosts))


def test_times_follow_from_positions() -> None:
    times = SendTimes()
    for batch in range(600):
        times.book(batch * 10, 5.0 + batch)
    assert times.at(np.array([0, 9, 10, 5995])).tolist() == [5.0, 5.0, 6.0, 604.0]
    assert times.ripe(1.0, 5.9, 6000) == 0
    assert times.ripe(1.0, 6.0, 6000) == 10
    assert times.ripe(1.0, 1000.0, 6000) == 6000
    assert times.next_ripe(1.0, 6.0) == 7.0
    assert times.next_ripe(1.0, 1000.0) is None
