"""What a sweep learns of its path: how often silence is asked, and how often the open."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.sweep_path import SweepPath
from leadline.model.plan import TimingPlan


def path_of(*answers: tuple[int, int]) -> SweepPath:
    """``(pass, count)``: so many probes were first answered in that pass."""
    path = SweepPath(TimingPlan(), 0.0)
    for number, count in answers:
        path.answered(np.full(count, number))
    return path


def test_without_loss_two_passes_are_enough() -> None:
    assert path_of((0, 10_000)).is_enough(2)
    assert SweepPath(TimingPlan(), 0.0).is_enough(2)


def test_loss_asks_for_more() -> None:
    path = path_of((0, 900), (1, 90), (2, 9))
    assert path.loss == pytest.approx(0.1, rel=0.1)
    assert not path.is_enough(4)
    assert path.is_enough(7)
    assert path.second_tries() == 6


def test_a_pass_that_was_lost_nearly_whole_counts_for_little() -> None:
    path = path_of((0, 20), (1, 980))
    assert not path.is_enough(2)
    path.answered(np.full(3000, 2))
    assert path.loss > 0.3


def test_earlier_chunks_are_remembered_a_little() -> None:
    path = path_of((0, 5000), (1, 5000))
    path.begin_chunk()
    assert path.loss == pytest.approx(1 / 3, rel=0.05)
    path.answered(np.zeros(100_000, np.int64))
    assert path.loss < 0.05


def test_repeats_tell_of_the_pass_under_way() -> None:
    path = SweepPath(TimingPlan(), 0.0)
    lo = np.arange(200, dtype=np.uint64)
    path.proofs.teach(np.zeros_like(lo), lo, np.full(200, 80))
    assert len(path.proofs.take(64 * 100, 1.0)[1]) == 200
    path.step(10.0, 3)
    assert path.loss > 0.5
    assert path.pace.rate < 20_000
    assert path.timeout == 1.0
