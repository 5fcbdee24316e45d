from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.host_clock import HostClocks


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def test_a_clock_runs_only_while_its_host_is_worked_on() -> None:
    clocks = HostClocks(3, 5.0)
    clocks.start(rows(0, 1), 100.0)
    assert clocks.overdue(105.0).tolist() == []
    clocks.stop(rows(1, 2), 102.0)
    clocks.start(rows(0), 104.0)
    assert clocks.overdue(105.1).tolist() == [0], "starting again is no new beginning"
    assert clocks.overdue(1000.0).tolist() == [0]
    clocks.start(rows(1), 200.0)
    clocks.stop(rows(0), 106.0)
    assert clocks.overdue(203.0).tolist() == []
    assert clocks.overdue(203.1).tolist() == [1]
    clocks.stop(rows(1), 204.0)
    assert clocks.spent.tolist() == pytest.approx([6.0, 6.0, 0.0])


def test_without_a_limit_nobody_is_late() -> None:
    clocks = HostClocks(1, None)
    clocks.start(rows(0), 0.0)
    assert clocks.overdue(1e9).tolist() == []
    clocks.stop(rows(0), 7.0)
    assert clocks.spent.tolist() == [7.0]
