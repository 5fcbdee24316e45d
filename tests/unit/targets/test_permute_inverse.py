"""Where a value comes in the order: what finds the probe of an answer."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leadline.targets.permute import Permutation


@given(st.integers(1, 3000), st.binary(max_size=64))
def test_the_inverse_undoes_the_order(size: int, key: bytes) -> None:
    permutation = Permutation(size, key)
    index = np.arange(size, dtype=np.uint64)
    assert permutation.index_of(permutation.at(index)).tolist() == index.tolist()


@given(st.integers(1, 1 << 64), st.data())
def test_of_huge_ranges_too(size: int, data: st.DataObject) -> None:
    index = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=50))
    permutation = Permutation(size, b"any")
    assert permutation.index_of(permutation.at(np.array(index, np.uint64))).tolist() == index


def test_orders_of_two_keys_have_little_in_common() -> None:
    index = np.arange(1 << 16, dtype=np.uint64)
    first, second = Permutation(1 << 16, b"one").at(index), Permutation(1 << 16, b"two").at(index)
    assert np.count_nonzero(first == second) < 10
    # Neither do neighbours of one order: differences of successive values hardly repeat.
    assert len(np.unique(np.diff(first.astype(np.int64)))) > 40_000
