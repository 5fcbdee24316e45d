"""Replies in columns: all columns are picked, joined and ordered alike."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from leadline.engine.probe_kind import ProbeKind
from leadline.engine.replies import Replies, direct_replies, in_order, joined, no_replies


def replies(*rows: int) -> Replies:
    """Each column tells its row in another way."""
    at = np.array(rows, dtype=np.int64)
    return Replies(at, at + 100, (at % 7).astype(np.uint8), at + 1000, at % 32, at % 2 == 0, at % 3 == 0)


def columns(found: Replies) -> list[list[int]]:
    return [getattr(found, field.name).tolist() for field in fields(Replies)]


def test_picking_by_mask_and_by_numbers() -> None:
    some = replies(3, 4, 8, 9)
    assert columns(some.pick(np.array([False, True, False, True]))) == columns(replies(4, 9))
    assert columns(some.pick(np.array([3, 0]))) == columns(replies(9, 3))


def test_parts_are_joined_as_they_come_and_ordered_by_row() -> None:
    parts = [replies(5, 9), replies(), replies(1, 7)]
    assert columns(joined(parts)) == columns(replies(5, 9, 1, 7))
    assert columns(in_order(parts)) == columns(replies(1, 5, 7, 9))
    assert [column.dtype for column in (getattr(in_order(parts), field.name) for field in fields(Replies))] == [
        np.int64, np.int64, np.uint8, np.int64, np.int64, np.bool_, np.bool_
    ]  # fmt: skip


def test_one_part_alone_is_not_copied() -> None:
    alone = replies(2, 6)
    assert in_order([replies(), alone]) is alone


def test_nothing_is_an_answer_too() -> None:
    assert len(in_order([])) == len(in_order([replies()])) == len(no_replies()) == 0


def test_direct_replies_come_from_the_target_and_are_no_errors() -> None:
    at = np.arange(3)
    one_kind = direct_replies(ProbeKind.UDP, at, at, at, at)
    assert one_kind.kinds.tolist() == [ProbeKind.UDP] * 3
    assert one_kind.kinds.dtype == np.uint8
    kinds = np.array([1, 2, 3], dtype=np.uint8)
    assert direct_replies(kinds, at, at, at, at).kinds is kinds
    assert (one_kind.error.any(), one_kind.from_target.all()) == (False, True)
