"""What one group teaches the next one on the same path."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.path_memory import LOSS_KEPT, recall, remember
from leadline.engine.prober import Prober
from leadline.model.plan import TimingPlan


def prober() -> Prober:
    return Prober(4, 10, np.arange(10), TimingPlan(), 100.0)


def test_a_new_group_begins_where_the_last_one_ended() -> None:
    old, new = prober(), prober()
    old.trips.sample(np.array([0, 1]), np.array([0.2, 0.3]))
    old.windows.cwnd[-1], old.windows.ssthresh[-1] = 700.0, 800.0
    old.loss.count(np.array([0, 1]), np.array([40.0, 60.0]), np.array([4.0, 0.0]))
    recall(new, remember(old))
    assert new.trips.srtt[-1] == old.trips.srtt[-1]
    assert (new.trips.timeout == old.trips.timeout[-1]).all()
    assert (new.trips.srtt[:-1] < 0).all()
    assert new.windows.cwnd[-1] == 700.0
    assert new.windows.ssthresh[-1] == 800.0
    assert new.loss.sent[-1] == pytest.approx(100 * LOSS_KEPT)
    assert new.loss.lost[-1] == pytest.approx(4 * LOSS_KEPT)
    assert new.loss.sent[0] == 0


def test_nothing_is_recalled_where_nothing_is_remembered() -> None:
    new, untouched = prober(), prober()
    recall(new, None)
    assert remember(new) == remember(untouched)


def test_memory_never_narrows_a_window_nor_overrules_what_the_group_knows() -> None:
    old, new = prober(), prober()
    old.windows.cwnd[-1], old.windows.ssthresh[-1] = 2.0, 2.0
    old.trips.sample(np.array([0]), np.array([0.4]))
    new.trips.sample(np.array([0]), np.array([0.01]))
    before = new.trips.srtt[-1]
    recall(new, remember(old))
    assert new.windows.cwnd[-1] == 10.0
    assert new.windows.ssthresh[-1] >= 10.0
    assert new.trips.srtt[-1] == before


def test_the_window_stays_below_the_limit_of_the_user() -> None:
    old = prober()
    old.windows.cwnd[-1] = 5000.0
    new = Prober(4, 10, np.arange(10), TimingPlan(max_parallelism=3), 100.0)
    recall(new, remember(old))
    assert new.windows.cwnd[-1] == 3.0
