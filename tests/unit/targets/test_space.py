"""Large sets of targets as spaces: every host once, shards apart, every address found again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.plan import Shard
from leadline.targets.address_set import AddressSet
from leadline.targets.shape import Octets, Span
from leadline.targets.space import HostSpace
from leadline.targets.window import Item

KEY = b"a key"
PATTERN = Octets(((10,), (1, 7), tuple(range(20)), (1, 2, 9)))


def walked(space: HostSpace) -> list[int]:
    hi, lo, keep = space.addresses(np.arange(space.size, dtype=np.uint64))
    return [(high << 64) | low for high, low in zip(hi[keep].tolist(), lo[keep].tolist(), strict=True)]


def found(space: HostSpace, addresses: list[int]) -> list[int]:
    hi = np.array([one >> 64 for one in addresses], np.uint64)
    lo = np.array([one & (1 << 64) - 1 for one in addresses], np.uint64)
    return space.find(hi, lo).tolist()


@given(
    spans=st.lists(st.tuples(st.integers(1, 50), st.integers(1, 40)), min_size=1, max_size=5),
    base=st.sampled_from([0, 1 << 31, (1 << 64) - 60, 0x20010DB8 << 96]),
    count=st.integers(1, 5),
    key=st.binary(max_size=16),
)
def test_shards_cover_every_host_exactly_once(spans: list[tuple[int, int]], base: int, count: int, key: bytes) -> None:
    family = 4 if base < 1 << 32 else 6
    items, start = [], base
    for gap, size in spans:
        start += gap
        items.append(Item(Span(family, start, size)))
        start += size
    expected = sorted(one for item in items for one in range(item.shape.start, item.shape.end + 1))
    parts = [HostSpace(items, key, Shard(index, count)) for index in range(count)]
    told = [walked(part) for part in parts]
    assert sorted(one for part in told for one in part) == expected
    for number, part in enumerate(parts):
        assert part.size == len(told[number])
        assert found(part, told[number]) == list(range(part.size))
        others = [one for other, mine in enumerate(told) if other != number for one in mine]
        assert found(part, [*others, base, start, start + 1000]) == [-1] * (len(others) + 3)


def test_octets_that_vary_are_found_as_well() -> None:
    space = HostSpace([Item(Span(4, 5, 100)), Item(PATTERN)], KEY)
    addresses = walked(space)
    assert len(set(addresses)) == 100 + PATTERN.count == space.size
    assert found(space, addresses) == list(range(space.size))
    assert found(space, [0x0A010003, 0x0A020001, 4, 105]) == [-1] * 4
    assert list(space.spans()) == [(5, 104, True), (0x0A010001, 0x0A071309, False)]


def test_what_is_left_out_of_a_pattern_is_not_walked() -> None:
    without = AddressSet()
    without.add(Span(4, 0x0A010000, 256))
    space = HostSpace([Item(PATTERN, without=(without,))], KEY)
    assert len(walked(space)) == PATTERN.count - 3
    assert space.size == PATTERN.count


def test_the_order_is_no_order_of_addresses() -> None:
    addresses = walked(HostSpace([Item(Span(4, 0, 1 << 14))], KEY))
    assert np.abs(np.diff(addresses)).mean() > 1 << 12
    assert addresses != walked(HostSpace([Item(Span(4, 0, 1 << 14))], b"another"))


def test_the_whole_internet_is_as_easy() -> None:
    space = HostSpace([Item(Span(4, 0, 1 << 32))], KEY, Shard(3, 16))
    assert space.size == 1 << 28
    index = np.array([0, 1, 12_345_678, (1 << 28) - 1], np.uint64)
    hi, lo, _ = space.addresses(index)
    assert space.find(hi, lo).tolist() == index.tolist()


def test_a_space_has_hosts() -> None:
    with pytest.raises(ValueError, match="a space of"):
        HostSpace([Item(Span(6, 0, 1 << 63))], KEY)
