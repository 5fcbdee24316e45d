from __future__ import annotations

import pytest

from leadline.sim.clock import VirtualClock


def test_time_moves_only_when_moved() -> None:
    clock = VirtualClock(start=5.0, epoch_start=100.0)
    assert (clock.now(), clock.epoch()) == (5.0, 100.0)
    clock.advance(2.5)
    assert (clock.now(), clock.epoch()) == (7.5, 102.5)


def test_advance_to_never_goes_back() -> None:
    clock = VirtualClock(start=5.0)
    clock.advance_to(4.0)
    assert clock.now() == 5.0
    clock.advance_to(6.0)
    assert clock.now() == 6.0


@pytest.mark.parametrize("seconds", [-0.001, float("nan")])
def test_time_does_not_run_backwards(seconds: float) -> None:
    clock = VirtualClock()
    with pytest.raises(ValueError, match="cannot move"):
        clock.advance(seconds)
