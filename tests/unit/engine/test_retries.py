"""What is sent again, how often, and what comes back from the bench."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.ledger import Items, Phase
from leadline.engine.retries import Retries

WIDTH = 10


def made(hosts: int = 2, most: int = 5) -> tuple[Items, Retries]:
    """Retries over items that were all sent once."""
    items = Items(hosts, WIDTH)
    items.mark_sent(np.arange(hosts * WIDTH), 1.0)
    return items, Retries(items, hosts, WIDTH, most)


def room(*each: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(each, dtype=np.int64)


def test_what_timed_out_is_tried_again_until_the_limit_and_benched_then() -> None:
    items, retries = made()
    retries.timed_out(room(0, 1, 12))
    assert retries.waiting.tolist() == [2, 1]
    allowed = room(1, 5)
    assert sorted(retries.take(allowed, 10).tolist()) == [0, 12]
    assert allowed.tolist() == [0, 4]
    assert retries.waiting.tolist() == [1, 0]
    items.mark_sent(room(0, 12), 2.0)
    retries.timed_out(room(0, 12))
    assert retries.benched.tolist() == [1, 1]
    assert (items.phase[[0, 12]] == Phase.BENCHED).all()


@pytest.mark.parametrize(("most", "first"), [(0, 0), (1, 1), (7, 1)])
def test_the_first_limit_is_one_at_most(most: int, first: int) -> None:
    assert made(most=most)[1].limit.tolist() == [first, first]


def test_no_room_takes_nothing() -> None:
    _, retries = made()
    assert not len(retries.take(room(9, 9), 9))
    retries.wait(room(3))
    assert not len(retries.take(room(9, 9), 0))
    assert retries.waiting.tolist() == [1, 0]


def test_answered_items_leave_the_queue_and_the_bench() -> None:
    items, retries = made(most=0)
    retries.wait(room(4, 5))
    retries.timed_out(room(11))
    assert retries.benched.tolist() == [0, 1]
    done = room(4, 11)
    retries.answered(done // WIDTH, items.phase[done])
    items.phase[done] = Phase.DECIDED
    assert retries.waiting.tolist() == [1, 0]
    assert retries.benched.tolist() == [0, 0]
    assert retries.take(room(9, 9), 9).tolist() == [5]


def test_a_grown_limit_takes_items_off_the_bench_of_active_hosts_only() -> None:
    items, retries = made()
    every = np.arange(2 * WIDTH)
    items.mark_sent(every, 2.0)
    retries.timed_out(every)
    grown, old = retries.grow(room(3, 3), np.array([True, False]))
    assert grown.tolist() == [0]
    assert old.tolist() == [1]
    assert retries.limit.tolist() == [3, 1]
    assert retries.waiting.tolist() == [WIDTH, 0]
    assert retries.benched.tolist() == [0, WIDTH]
    assert not len(retries.grow(room(2, 1), np.array([True, True]))[0])


def test_a_useful_retry_asks_for_one_more_within_what_is_allowed() -> None:
    _, retries = made(most=3)
    retries.of_use(room(1, 1), np.array([2, 9], dtype=np.uint8))
    retries.grow(room(0, 0), np.array([True, True]))
    assert retries.limit.tolist() == [1, 3]


def test_limits_fall_with_the_loss_only_where_they_may_and_never_below_what_was_insisted_on_or_of_use() -> None:
    _, retries = made(hosts=3, most=9)
    both = np.array([True, True, False])
    retries.grow(room(8, 8, 8), np.array([True, True, True]))
    retries.grow(room(2, 2, 2), both)
    assert retries.limit.tolist() == [8, 8, 8]
    retries.of_use(room(1), np.array([4], dtype=np.uint8))
    assert not len(retries.grow(room(2, 2, 2), both, fall=True)[0])
    assert retries.limit.tolist() == [2, 5, 8]
    retries.insist(3)
    retries.grow(room(1, 1, 1), both, fall=True)
    assert retries.limit.tolist() == [3, 5, 3]


def test_forgotten_hosts_wait_for_nothing() -> None:
    items, retries = made()
    retries.wait(room(1, 2, 14))
    items.phase[[1, 2]] = Phase.DECIDED
    retries.forget(room(0))
    assert retries.waiting.tolist() == [0, 1]
    assert retries.take(room(9, 9), 9).tolist() == [14]


def test_tries_on_an_overrun_path_do_not_count() -> None:
    items, retries = made(most=5)
    every = np.arange(2 * WIDTH)
    items.mark_sent(every, 2.0)
    retries.timed_out(every)
    retries.of_use(room(0), np.array([4], dtype=np.uint8))
    retries.grow(room(1, 1), np.array([True, False]))
    retries.timed_out(room(3))
    retries.void(np.array([True, False]))
    assert retries.limit.tolist() == [2, 1]
    assert retries.waiting[0] >= WIDTH
    assert retries.benched.tolist() == [0, WIDTH]
    codes = np.array([1, 2, 3], dtype=np.uint8)
    assert retries.counted(room(0, 1, 2), codes).tolist() == [0, 0, 1]
    for _ in range(8):
        items.mark_sent(room(0), 3.0)
        retries.timed_out(room(0))
    assert items.tries[0] == 10
    assert items.phase[0] == Phase.BENCHED


def test_all_tries_count_where_nothing_was_overrun() -> None:
    _, retries = made()
    assert retries.counted(room(0), np.array([3], dtype=np.uint8)).tolist() == [3]


def test_insisting_is_bounded_by_what_the_user_allows_and_kept() -> None:
    _, retries = made(most=3)
    retries.insist(9)
    assert retries.limit.tolist() == [3, 3]
    retries.void(np.array([True, True]))
    assert retries.limit.tolist() == [3, 3]
