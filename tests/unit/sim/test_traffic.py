from __future__ import annotations

from dataclasses import fields

import numpy as np

from leadline.sim.traffic import AnswerKind, answers_to, distinct, join, take
from tests.support.sim_columns import probes


def test_take_and_join_are_inverse() -> None:
    whole = probes(["10.0.0.1"] * 5, list(range(5)))
    parts = [take(whole, whole.target_port < 2), take(whole, np.array([2, 3])), take(whole, slice(4, 5))]
    again = join(parts)
    for field in fields(whole):
        assert getattr(again, field.name).tolist() == getattr(whole, field.name).tolist(), field.name
    assert join([whole]) is whole


def test_answers_go_the_other_way() -> None:
    asked = probes(["10.0.0.1"], [80])
    answer = answers_to(asked, AnswerKind.UDP)
    assert (answer.source_port[0], answer.target_port[0]) == (80, asked.source_port[0])
    assert answer.source_lo[0] == asked.target_lo[0]
    assert answer.target_lo[0] == asked.source_lo[0]
    assert answer.kind[0] == AnswerKind.UDP
    assert len(answer) == 1


def test_distinct() -> None:
    assert distinct(np.array([3, 1, 3, 2], np.uint8)) == [1, 2, 3]
    assert distinct(np.array([7, 7], np.int32)) == [7]
    assert distinct(np.zeros(0, np.int32)) == []


def test_undecided_columns_are_not_shared() -> None:
    answer = answers_to(probes(["10.0.0.1"], [80]), AnswerKind.TCP)
    answer.sequence[0] = 7
    answer.icmp_type[0] = 3
    assert (answer.acknowledgment[0], answer.ip_id[0], answer.icmp_code[0], answer.ttl[0]) == (0, 0, 0, 0)
