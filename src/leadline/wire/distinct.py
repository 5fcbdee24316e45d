"""Distinct values of a column, as ``numpy.unique`` finds them.

That function loads numpy's masked arrays when it is first called, a module as large as any other of numpy's: a short
scan would notice.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


def distinct(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """Each value of ``(N,)`` once, ascending."""
    ordered = np.sort(values)
    return ordered[first_of_run(ordered)]


def distinct_rows(values: NDArray[Scalar]) -> tuple[NDArray[Scalar], NDArray[np.int64]]:
    """Each value of ``(N,)`` once, ascending, and the row in which it appears first."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = first_of_run(ordered)
    return ordered[first], order[first]


def first_of_run(ordered: NDArray[Scalar]) -> NDArray[np.bool_]:
    """Which values of ``(N,)`` are other ones than those before them; bool ``(N,)``."""
    first = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first
