from __future__ import annotations

import pytest

from leadline.model.plan import TimingPlan
from leadline.ports.idle_pace import LONGEST_DELAY, LONGEST_WAIT, SHORTEST_WAIT, Pace


def begun(srtt: float = 0.1, rttvar: float = 0.01, **timing: float) -> Pace:
    pace = Pace(TimingPlan(**timing))  # type: ignore[arg-type]
    pace.begin(srtt, rttvar)
    return pace


def test_the_first_wait_follows_from_the_targets_round_trip() -> None:
    assert begun(0.1, 0.01).wait == pytest.approx(0.14)
    assert begun(0.001, 0.001).wait == SHORTEST_WAIT
    assert begun(9.0, 1.0).wait == LONGEST_WAIT
    assert begun(-1.0, -1.0, initial_rtt_timeout=2.0).wait == pytest.approx(0.6)


def test_late_answers_lengthen_the_wait() -> None:
    pace = begun()
    for _ in range(20):
        pace.late()
    assert pace.wait == LONGEST_WAIT


def test_the_delay_grows_and_fades() -> None:
    pace = begun()
    pace.misfits()
    pace.misfits()
    assert pace.delay == pytest.approx(0.02)
    for _ in range(100):
        pace.misfits()
    assert pace.delay == LONGEST_DELAY
    for _ in range(100):
        pace.fits()
    assert pace.delay == 0.0


def test_a_scan_delay_of_the_user_is_kept() -> None:
    pace = begun(scan_delay=0.5)
    for _ in range(100):
        pace.misfits()
    assert pace.delay == 0.5
    pace.fits()
    assert pace.delay == 0.5


def test_patience_follows_the_zombie() -> None:
    pace = begun(initial_rtt_timeout=1.5)
    assert pace.patience == 1.5
    pace.sample(0.4)
    assert pace.patience == pytest.approx(1.2)
    for _ in range(200):
        pace.sample(0.2)
    assert pace.srtt == pytest.approx(0.2, rel=0.01)
    assert pace.patience == pytest.approx(0.2, rel=0.05)
    before = pace.srtt
    pace.sample(-1.0)
    pace.sample(9.0)
    assert pace.srtt == before
    for _ in range(500):
        pace.sample(0.001)
    assert pace.patience == pytest.approx(0.1)


def test_a_wait_that_noise_has_lengthened_becomes_shorter() -> None:
    pace = begun()
    pace.late()
    pace.in_time()
    assert pace.wait == pytest.approx(0.14 * 2 * 0.9)
    for _ in range(20):
        pace.in_time()
    assert pace.wait == pytest.approx(0.14)
