"""How long silence is waited for."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.sweep_trips import RoundTripSpread


def test_the_initial_timeout_holds_until_enough_is_known() -> None:
    spread = RoundTripSpread(0.1, 1.0, 10.0)
    spread.take(np.full(15, 0.3))
    assert (spread.timeout, spread.median) == (1.0, None)
    spread.take(np.array([0.3, 9.0, -1.0]))
    assert spread.timeout == pytest.approx(0.6, rel=0.1)
    assert spread.median == pytest.approx(0.3, rel=0.1)


def test_nearly_all_answers_would_have_come() -> None:
    spread = RoundTripSpread(0.1, 1.0, 10.0)
    trips = np.concatenate((np.full(9900, 0.05), np.full(100, 1.0)))
    spread.take(trips)
    assert spread.timeout == pytest.approx(2.0, rel=0.1)
    assert spread.median == pytest.approx(0.05, rel=0.1)


@pytest.mark.parametrize(("trip", "timeout"), [(0.0001, 0.1), (7.9, 10.0)])
def test_it_has_bounds(trip: float, timeout: float) -> None:
    spread = RoundTripSpread(0.1, 1.0, 10.0)
    spread.take(np.full(100, trip))
    assert spread.timeout == timeout
