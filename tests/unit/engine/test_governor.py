"""The ceiling follows what a path carries, and a loss that is not ours is taken as given."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from leadline.engine.governor import ENOUGH_TOLD, LEAST_RATE, MOST_GIVEN, Governor, Overrun

T0 = 10.0
PATIENCE = 0.1
STEP = 0.01


class Path:
    """Sends as fast as ``wish`` and the ceiling allow; ``loss(rate)`` of it is lost; answers come at once."""

    def __init__(self, hosts: int, wish: float, loss: Callable[[float], float], seed: int = 1) -> None:
        self.governor = Governor(hosts, T0)
        self.hosts, self.wish, self.loss = hosts, wish, loss
        self.random = np.random.default_rng(seed)
        self.rates: list[float] = []
        self.now = T0
        self.owed = 0.0
        self.pending: list[tuple[float, np.ndarray[tuple[int], np.dtype[np.int64]]]] = []

    def run(self, seconds: float) -> float:
        """The mean rate of the last half."""
        turns = int(seconds / STEP)
        for _ in range(turns):
            self.now += STEP
            rate = min(self.wish, self.governor.ceiling or self.wish)
            self.rates.append(rate)
            self.owed += rate * STEP
            count, self.owed = int(self.owed), self.owed % 1
            self.governor.sent(count, self.now)
            hosts = self.random.integers(0, self.hosts, count)
            lost = self.random.random(count) < self.loss(rate)
            self.governor.answered(hosts[~lost], np.full(int((~lost).sum()), self.now))
            self.pending.append((self.now, hosts[lost]))
            while self.pending and self.pending[0][0] + PATIENCE <= self.now:
                at, late = self.pending.pop(0)
                self.governor.lost(late, np.full(len(late), at))
            self.governor.judge(self.now, PATIENCE)
        return float(np.mean(self.rates[-turns // 2 :]))


def bottleneck(capacity: float) -> Callable[[float], float]:
    return lambda rate: max(0.0, 1 - capacity / rate)


@pytest.mark.parametrize("hosts", [1, 2, 30])
@pytest.mark.parametrize("capacity", [200.0, 1000.0])
def test_the_rate_settles_near_what_a_bottleneck_carries(hosts: int, capacity: float) -> None:
    path = Path(hosts, 5000.0, bottleneck(capacity))
    assert 0.8 * capacity <= path.run(20) <= 1.25 * capacity
    assert path.governor.given < 0.1


def test_a_path_that_carries_everything_has_no_ceiling() -> None:
    path = Path(3, 5000.0, lambda rate: 0.0)
    path.run(3)
    assert path.governor.ceiling is None
    natural = Path(3, 5000.0, lambda rate: 0.04)
    natural.run(3)
    assert natural.governor.ceiling is None


def test_loss_that_does_not_depend_on_the_rate_is_taken_as_given() -> None:
    path = Path(4, 1000.0, lambda rate: 0.25)
    assert path.run(30) > 500
    assert path.governor.given == pytest.approx(0.25, abs=0.12)
    # It went down before, as with any loss.
    assert min(path.rates) < 500


@pytest.mark.parametrize("hosts", [1, 4, 30, 100])
@pytest.mark.parametrize(
    ("loss", "mean", "worst", "lowest"), [(0.12, 900, 880, 480), (0.19, 920, 820, 480), (0.28, 840, 540, 300)]
)
def test_a_loss_of_its_own_is_known_before_the_rate_has_fallen_far(
    hosts: int, loss: float, mean: int, worst: int, lowest: int
) -> None:
    paths = [Path(hosts, 1000.0, lambda rate: loss, seed) for seed in range(4)]
    for path in paths:
        path.run(8)
    means = [np.mean(path.rates) for path in paths]
    assert np.mean(means) > mean
    assert min(means) > worst
    assert np.median([min(path.rates) for path in paths]) > lowest


@pytest.mark.parametrize("hosts", [1, 4, 30, 100])
def test_a_bottleneck_behind_a_lossy_path_is_found_and_used(hosts: int) -> None:
    rates = [Path(hosts, 5000.0, lambda rate: 1 - 0.9 * min(1.0, 800 / rate), seed).run(30) for seed in range(3)]
    assert 600 < np.mean(rates) < 1000
    assert min(rates) > 400


@pytest.mark.parametrize("hosts", [1, 30])
def test_what_was_wrongly_taken_as_given_is_not_for_long(hosts: int) -> None:
    path = Path(hosts, 5000.0, bottleneck(800))
    path.governor.given, path.governor.ceiling = 0.3, 1200.0
    assert path.run(20) < 950
    assert path.governor.given < 0.1


def test_a_bottleneck_that_widens_is_used_again() -> None:
    path = Path(4, 5000.0, bottleneck(300))
    path.run(5)
    path.loss = bottleneck(900)
    assert path.run(25) > 700


@pytest.mark.parametrize("hosts", [1, 3])
def test_a_loss_in_doubt_keeps_the_pace_until_enough_is_told(hosts: int) -> None:
    governor = Governor(hosts, T0)

    def judge(turn: int, lost: int) -> Overrun | None:
        """Of seven probes that left now ``lost`` are lost; of what was told until now."""
        at = np.full(7, T0 + turn * 0.07)
        to = np.arange(7) % hosts
        governor.sent(7, at[0])
        governor.lost(to[:lost], at[:lost])
        governor.answered(to[lost:], at[lost:])
        return governor.judge(at[0], PATIENCE)

    turn = 0
    while governor.ceiling is None:
        judge(turn := turn + 1, 3)
    first = governor.ceiling
    # One of seven: of 24 answers and losses that may be chance, of two hundred it is not.
    began = turn
    while (told := judge(turn := turn + 1, 1)) is None:
        assert governor.ceiling == first
    assert 60 < 7 * (turn - began) < 400
    assert told.share == pytest.approx(1 / 7, abs=0.04)
    assert governor.ceiling < first


def test_what_an_overrun_means() -> None:
    first = Overrun(0.2, math.inf, 800.0)
    assert not first.heavy
    assert first.kept == 0.25
    assert first.cause == "20% of what can be answered is lost: the path is overrun"
    assert Overrun(0.2, 900.0, 800.0).kept == 1.0
    heavy = Overrun(0.31, 900.0, 800.0)
    assert heavy.heavy
    assert heavy.kept == 0.0
    back = Overrun(0.31, 300.0, 800.0)
    assert not back.heavy
    assert back.kept == 1.0
    assert "loses by itself" in back.cause


@pytest.mark.parametrize("limited", [1, 4])
def test_hosts_that_limit_their_answers_are_their_own_affair(limited: int) -> None:
    governor = Governor(10, T0)
    now = T0
    for _ in range(200):
        now += STEP
        governor.sent(20, now)
        governor.answered(np.repeat(np.arange(limited, 10), 2), np.full(2 * (10 - limited), now))
        governor.lost(np.repeat(np.arange(limited), 2), np.full(2 * limited, now))
        assert governor.judge(now, PATIENCE) is None
    assert governor.ceiling is None


def test_what_most_hosts_lose_is_the_paths() -> None:
    governor = Governor(10, T0)
    now = T0
    judged = None
    while judged is None and now < T0 + 5:
        now += STEP
        governor.sent(20, now)
        # Three hosts lose nothing: luck, or another path. The others lose every second probe.
        governor.answered(np.concatenate((np.arange(10), np.arange(3))), np.full(13, now))
        governor.lost(np.arange(3, 10), np.full(7, now))
        judged = governor.judge(now, PATIENCE)
    assert judged is not None
    assert governor.ceiling is not None


def test_nothing_is_judged_by_a_few_nor_by_what_left_before_the_last_change() -> None:
    governor = Governor(1, T0)
    one = np.zeros(1, dtype=np.int64)
    for turn in range(int(ENOUGH_TOLD) - 1):
        governor.lost(one, np.array([T0 + 0.001 * turn]))
    assert governor.judge(T0 + 2, PATIENCE) is None
    governor.lost(np.zeros(90, dtype=np.int64), np.full(90, T0 - 5))
    assert governor.judge(T0 + 2, PATIENCE) is None
    governor.forget(one)


def test_hosts_that_are_gone_are_no_measure() -> None:
    governor = Governor(2, T0)
    governor.sent(100, T0)
    governor.lost(np.zeros(50, dtype=np.int64), np.full(50, T0))
    governor.forget(np.array([0]))
    assert governor.judge(T0 + 1, PATIENCE) is None


def test_a_path_that_loses_everything_is_still_asked_now_and_then() -> None:
    path = Path(1, 100.0, lambda rate: 1.0)
    path.run(60)
    assert path.governor.ceiling is None or path.governor.ceiling >= LEAST_RATE
    assert path.governor.given <= MOST_GIVEN
