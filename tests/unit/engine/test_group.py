from __future__ import annotations

from ipaddress import ip_address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.engine.group import AddressIndex, HostGroup
from leadline.model.address import columns_of
from tests.support.groups import MAC, SOURCES, group_of

words = st.integers(0, 2**64 - 1)


@given(st.lists(st.tuples(words, words), unique=True, max_size=30), st.lists(st.tuples(words, words), max_size=10))
def test_the_index_finds_each_address_and_no_other(known: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    columns = np.array(known, dtype=np.uint64).reshape(-1, 2)
    index = AddressIndex(columns[:, 0], columns[:, 1])
    asked = np.array(known + others, dtype=np.uint64).reshape(-1, 2)
    rows = index.find(asked[:, 0], asked[:, 1])
    assert rows.tolist() == [known.index(one) if one in known else -1 for one in known + others]


def test_halves_of_addresses_are_not_mixed_up() -> None:
    index = AddressIndex(np.array([1, 2], dtype=np.uint64), np.array([2, 1], dtype=np.uint64))
    assert index.find(np.array([2, 1, 1], dtype=np.uint64), np.array([1, 2, 1], dtype=np.uint64)).tolist() == [1, 0, -1]


def test_a_stranger_with_the_same_key_is_still_a_stranger() -> None:
    golden = 0x9E3779B97F4A7C15
    hi, lo = 0x20010DB800000000, 0x1234
    stranger = (hi + 1, (hi * golden ^ lo ^ (hi + 1) * golden) % 2**64)
    index = AddressIndex(np.array([hi], dtype=np.uint64), np.array([lo], dtype=np.uint64))
    asked = np.array([(hi, lo), stranger, (hi, lo + 1)], dtype=np.uint64)
    assert AddressIndex._keys(asked[:2, 0], asked[:2, 1]).tolist()[0] == index._sorted[0]
    assert len(set(AddressIndex._keys(asked[:2, 0], asked[:2, 1]).tolist())) == 1
    assert index.find(asked[:, 0], asked[:, 1]).tolist() == [0, -1, -1]
    twin = AddressIndex(np.array([hi], dtype=np.uint64), np.array([stranger[1]], dtype=np.uint64))
    assert twin.find(asked[1:2, 0], asked[1:2, 1]).tolist() == [-1]


def test_columns_that_are_not_given_say_nothing_is_known() -> None:
    hi, lo = columns_of([ip_address("10.0.0.1"), ip_address("10.0.0.2")])
    group = HostGroup(4, hi, lo, group_of(4).route)
    assert len(group) == 2
    assert group.macs.tolist() == [[0] * 6] * 2
    assert group.srtt.tolist() == group.rttvar.tolist() == [-1, -1]
    assert group.ping_kind.tolist() == group.ping_port.tolist() == [0, 0]


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("header", [0, 14])
def test_framing_and_addresses(family: int, header: int) -> None:
    group = group_of(family, header=header)
    framing = group.framing()
    assert (framing.family, framing.offset) == (family, header)
    assert framing.source_mac == bytes.fromhex(MAC.replace(":", ""))
    assert framing.source == ip_address(SOURCES[family]).packed
    assert group.address(2) == ip_address({4: "10.9.0.12", 6: "fd09::12"}[family])


def test_a_subset_keeps_every_column() -> None:
    group = group_of(4, 4)
    group.macs[:, 5] = np.arange(4)
    group.srtt[:] = group.rttvar[:] = np.arange(4) / 10
    group.ping_kind[:], group.ping_port[:] = np.arange(4), np.arange(4) * 100
    part = group.subset(np.array([3, 1]))
    assert [str(part.address(row)) for row in range(2)] == ["10.9.0.13", "10.9.0.11"]
    assert part.macs[:, 5].tolist() == [3, 1]
    assert part.srtt.tolist() == part.rttvar.tolist() == [0.3, 0.1]
    assert (part.ping_kind.tolist(), part.ping_port.tolist()) == ([3, 1], [300, 100])
    assert part.route is group.route
