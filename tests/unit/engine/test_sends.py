"""The order of what leaves in one turn."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.sends import PING, Sends


def numbers(*each: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(each, dtype=np.int64)


def codes(*each: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.array(each, dtype=np.uint8)


@pytest.mark.parametrize(
    ("first", "hosts", "columns"), [(True, [5, 1, 2], [PING, 7, 8]), (False, [1, 2, 5], [7, 8, PING])]
)
def test_pings_are_at_the_head_or_at_the_end(first: bool, hosts: list[int], columns: list[int]) -> None:
    sends = Sends.of(numbers(5), codes(3), numbers(1, 2), numbers(7, 8), codes(0, 1), pings_first=first)
    assert sends.hosts.tolist() == hosts
    assert sends.columns.tolist() == columns
    assert sends.codes.tolist() == ([3, 0, 1] if first else [0, 1, 3])
    assert sends.ttls.tolist() == [0, 0, 0]


def test_probes_for_routers_go_before_all_others() -> None:
    sends = Sends.of(numbers(), codes(), numbers(1), numbers(7), codes(0), pings_first=True)
    all_of_them = sends.behind(codes(1, 2), codes(0, 1), 4, 9)
    assert all_of_them.hosts.tolist() == [4, 4, 1]
    assert all_of_them.columns.tolist() == [9, 9, 7]
    assert all_of_them.codes.tolist() == [0, 1, 0]
    assert all_of_them.ttls.tolist() == [1, 2, 0]
