"""A path that drops what it cannot carry is never driven into collapse: most of what is sent gets through."""

from __future__ import annotations

import numpy as np
import pytest

from bench.overload import Path, measure
from leadline.sim.world import Behaviour


@pytest.mark.parametrize(
    "path",
    [
        Path("closed", 8, 150, Behaviour.CLOSED, 1000, 20, 0.0001),
        Path("filtered", 6, 60, Behaviour.FILTERED, 400, 20, 0.01),
    ],
    ids=lambda path: path.name,
)
def test_a_bottleneck_carries_most_of_what_is_sent_and_nothing_is_missed(path: Path) -> None:
    one = measure(path)
    assert one.missed == one.false == 0
    assert np.mean(one.shares[5:]) > 0.75
    assert max(one.rates[5:]) < 2 * path.rate


def test_what_was_lost_at_the_first_pace_does_not_multiply_the_tries_of_all_that_is_silent() -> None:
    one = measure(Path("silent ports", 4, 100, Behaviour.FILTERED, 400, 20, 0.01))
    assert one.missed == one.false == 0
    # Six times what is to be asked; it was eleven times, and nine seconds.
    assert one.packets < 6.5 * 400
    assert one.seconds < 6.5
    assert np.mean(one.shares[3:]) > 0.9
