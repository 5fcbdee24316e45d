import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.targets.permute import Permutation

KEY = b"a key of sixteen"


@given(st.integers(1, 3000), st.binary(max_size=64))
def test_every_value_comes_exactly_once(size: int, key: bytes) -> None:
    values = Permutation(size, key).at(np.arange(size, dtype=np.uint64))
    assert sorted(values.tolist()) == list(range(size))


@given(st.integers(1, 1 << 64), st.data())
def test_huge_ranges_stay_in_range_and_apart(size: int, data: st.DataObject) -> None:
    index = data.draw(st.lists(st.integers(0, size - 1), unique=True, min_size=1, max_size=50))
    values = Permutation(size, KEY).at(np.array(index, np.uint64))
    assert len(set(values.tolist())) == len(index)
    assert max(values.tolist()) < size


def test_parts_give_the_same_order_as_the_whole() -> None:
    permutation = Permutation(1000, KEY)
    whole = permutation.at(np.arange(1000, dtype=np.uint64))
    assert permutation.at(np.arange(3, 1000, 7, dtype=np.uint64)).tolist() == whole[3::7].tolist()


def test_the_key_decides_the_order() -> None:
    index = np.arange(1000, dtype=np.uint64)
    first, again, other = (Permutation(1000, key).at(index).tolist() for key in (KEY, KEY, b"another"))
    assert first == again
    assert first != other
    assert first != list(range(1000))


def test_neighbours_are_torn_apart() -> None:
    size = 1 << 20
    values = Permutation(size, KEY).at(np.arange(4096, dtype=np.uint64)).astype(np.int64)
    steps = np.abs(np.diff(values))
    assert size * 0.28 < steps.mean() < size * 0.38  # a third of the range for independent values
    counts = np.bincount(values * 16 // size, minlength=16)
    assert counts.min() > 180
    assert counts.max() < 340


def test_one_value() -> None:
    assert Permutation(1, KEY).at(np.zeros(1, np.uint64)).tolist() == [0]


@pytest.mark.parametrize("size", [0, -1, (1 << 64) + 1])
def test_impossible_sizes(size: int) -> None:
    with pytest.raises(ValueError, match="a permutation of"):
        Permutation(size, KEY)
