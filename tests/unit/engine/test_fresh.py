"""The order of first probes: hosts in turns, each in its own order."""

from __future__ import annotations

import numpy as np

from leadline.engine.fresh import Fresh


def pairs(items: np.ndarray, width: int) -> list[tuple[int, int]]:
    return [divmod(int(item), width) for item in items]


def test_hosts_take_turns_in_the_common_order() -> None:
    fresh = Fresh(2, 3, np.array([2, 0, 1]), None)
    assert fresh.counts.tolist() == [3, 3]
    assert fresh.first_of(1) == 2
    assert pairs(fresh.take(np.array([5, 5]), 100), 3) == [(0, 2), (1, 2), (0, 0), (1, 0), (0, 1), (1, 1)]
    assert fresh.used_up.all()
    assert not len(fresh.take(np.array([5, 5]), 100))


def test_each_host_has_an_order_and_an_allowance_of_its_own() -> None:
    fresh = Fresh(3, 4, np.array([3, 1, 0, 1, 2]), np.array([0, 2, 2, 5]))
    assert fresh.counts.tolist() == [2, 0, 3]
    assert [fresh.first_of(host) for host in (0, 2)] == [3, 0]
    assert pairs(fresh.take(np.array([1, 9, 2]), 100), 4) == [(0, 3), (2, 0), (2, 1)]
    assert fresh.left.tolist() == [1, 0, 1]
    assert fresh.used_up.tolist() == [False, True, False]


def test_room_for_fewer_serves_those_behind() -> None:
    fresh = Fresh(3, 2, np.array([0, 1]), None)
    taken = [pairs(fresh.take(np.full(3, 9), 2), 2) for _ in range(4)]
    assert taken == [[(0, 0), (1, 0)], [(2, 0), (0, 1)], [(1, 1), (2, 1)], []]


def test_no_room_takes_nothing() -> None:
    fresh = Fresh(1, 2, np.array([0, 1]), None)
    assert not len(fresh.take(np.array([2]), 0))
    assert not len(fresh.take(np.array([0]), 5))
    assert fresh.cursor.tolist() == [0]


def test_what_is_skipped_is_counted_once() -> None:
    fresh = Fresh(2, 3, np.array([0, 1, 2]), None)
    fresh.take(np.array([1, 0]), 5)
    assert fresh.skip(np.array([0])) == 2
    assert fresh.skip(np.array([0])) == 0
    assert fresh.left.tolist() == [0, 3]
