"""How many hosts are at work at once, and when more begin."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.model.plan import TimingPlan
from leadline.pipeline.room import KEPT, MOST_GROUPS, Running, has_room, meets, next_size
from leadline.ports.stage import MOST_ITEMS

FULL = MOST_ITEMS // 1000


def group(hosts: int, active: int, each: int = 1000, first: int = 0) -> Running:
    lo = np.arange(first, first + hosts, dtype=np.uint64)
    return Running(each, active, np.zeros(hosts, dtype=np.uint64), lo)


@pytest.mark.parametrize(
    ("waiting", "each", "timing", "size"),
    [
        (10, 1000, TimingPlan(), 10),
        (40_000, 1000, TimingPlan(), FULL),
        (40, 65_535, TimingPlan(), MOST_ITEMS // 65_535),
        (2, 1 << 21, TimingPlan(), 1),
        (5, 0, TimingPlan(), 5),
        (5, 10, TimingPlan(max_hostgroup=2), 2),
        (40, 65_535, TimingPlan(min_hostgroup=30), 30),
    ],
)
def test_the_first_group_takes_all_the_room(waiting: int, each: int, timing: TimingPlan, size: int) -> None:
    assert next_size(waiting, each, [], timing) == size
    assert next_size(waiting, each, [group(7, 0)], timing) == size, "who is finished takes no room"


def test_the_next_group_begins_when_half_of_the_room_is_free() -> None:
    timing = TimingPlan()
    assert next_size(5000, 1000, [group(FULL, FULL)], timing) == 0
    assert next_size(5000, 1000, [group(FULL, FULL // 2 + 1)], timing) == 0
    assert next_size(5000, 1000, [group(FULL, FULL // 2)], timing) == FULL - FULL // 2
    assert next_size(5000, 1000, [group(FULL, 1)], timing) == FULL - 1
    assert next_size(3, 1000, [group(FULL, FULL // 2 + 1)], timing) == 3, "so few find room at once"


def test_the_slow_hosts_of_many_groups_do_not_fill_the_memory() -> None:
    running = [group(FULL, 1, first=at * FULL) for at in range(KEPT)]
    assert next_size(5000, 1000, running, TimingPlan()) == 0
    assert sum(one.items for one in running) <= KEPT * MOST_ITEMS
    running[0].active = 0
    assert next_size(5000, 1000, running, TimingPlan()) == 0, "its columns go when its last host is told"
    assert next_size(5000, 1000, running[1:], TimingPlan()) == FULL - 1
    small = [group(2, 1, first=at * 9) for at in range(MOST_GROUPS)]
    assert next_size(5000, 1000, small, TimingPlan()) == 0
    assert next_size(5000, 1000, small[1:], TimingPlan()) > 0


def test_the_limits_of_a_user_hold_for_all_groups_together() -> None:
    one = TimingPlan(max_hostgroup=1)
    assert next_size(5, 10, [group(1, 1, 10)], one) == 0
    four = TimingPlan(max_hostgroup=4)
    assert next_size(9, 10, [group(4, 3, 10)], four) == 0
    assert next_size(9, 10, [group(4, 2, 10)], four) == 2
    large = TimingPlan(min_hostgroup=60)
    assert next_size(200, 65_535, [group(60, 30, 65_535)], large) == 0
    assert next_size(200, 65_535, [group(60, 0, 65_535)], large) == 60


def test_more_targets_are_looked_for_when_half_of_the_room_is_free() -> None:
    assert has_room([], TimingPlan())
    assert not has_room([group(FULL, FULL)], TimingPlan())
    assert has_room([group(FULL, FULL // 2)], TimingPlan())
    assert not has_room([group(1, 1)], TimingPlan(max_hostgroup=1))
    assert not has_room([group(2, 1)] * MOST_GROUPS, TimingPlan())


def test_an_address_is_not_scanned_twice_at_the_same_time() -> None:
    running = [group(4, 1, first=10), group(4, 1, first=20)]
    zero = np.zeros(1, dtype=np.uint64)
    assert meets(zero, np.array([23], dtype=np.uint64), running)
    assert not meets(zero, np.array([24], dtype=np.uint64), running)
    assert not meets(np.ones(1, dtype=np.uint64), np.array([23], dtype=np.uint64), running), "another network"
    assert not meets(zero, zero, [])
