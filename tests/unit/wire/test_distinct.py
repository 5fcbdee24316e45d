from __future__ import annotations

import numpy as np
import pytest

from leadline.wire.distinct import distinct, distinct_rows, first_of_run


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.uint64])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 500])
def test_the_same_as_unique(kind: type, count: int) -> None:
    values = np.random.default_rng(count).integers(0, 100, count).astype(kind)
    wanted, rows = np.unique(values, return_index=True)
    assert distinct(values).tolist() == wanted.tolist()
    assert distinct(values).dtype == kind
    found, first = distinct_rows(values)
    assert found.tolist() == wanted.tolist()
    assert first.tolist() == rows.tolist()


def test_runs_of_equal_values() -> None:
    assert first_of_run(np.array([4, 4, 9, 4, 4, 4])).tolist() == [True, False, True, True, False, False]
    assert not len(first_of_run(np.zeros(0, np.int64)))
