"""The second look: sent, waited for, repeated, given up."""

from __future__ import annotations

import numpy as np

from leadline.engine.sweep_second_look import FIRST_SLOT, SecondLook

FINAL = 0x80


def test_items_are_asked_until_they_are_decided_or_given_up() -> None:
    marks = np.ones(10, np.uint8)
    look = SecondLook()
    assert look.settle(marks, FINAL)
    look.add(np.array([3, 4, 5]))
    look.add(np.zeros(0, np.int64))
    assert look.next_time(1.0) == -np.inf
    items, slot = look.take(2, 0.0)
    assert (items.tolist(), slot) == ([3, 4], FIRST_SLOT)
    items, slot = look.take(9, 0.5)
    assert (items.tolist(), slot) == ([5], FIRST_SLOT)
    assert look.next_time(1.0) == 1.0
    marks[3] |= FINAL
    assert look.due(1.0, 2, marks, FINAL, 1.0).tolist() == []
    items, slot = look.take(9, 1.0)
    assert (items.tolist(), slot) == ([4], FIRST_SLOT + 1)
    marks[5] |= FINAL
    assert not look.settle(marks, FINAL)
    assert look.due(1.0, 2, marks, FINAL, 2.0).tolist() == [4]
    assert look.settle(marks, FINAL)
    assert look.next_time(1.0) is None
    assert look.count == 0


def test_nothing_is_sent_without_room() -> None:
    look = SecondLook()
    look.add(np.array([1]))
    assert len(look.take(0, 0.0)[0]) == 0
    marks = np.full(2, FINAL, np.uint8)
    look.take(5, 0.0)
    assert look.settle(marks, FINAL)
