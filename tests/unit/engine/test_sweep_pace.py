"""The pace of a sweep on paths of several kinds."""

from __future__ import annotations

import pytest

from leadline.engine.sweep_pace import BURST, FIRST_RATE, SweepPace


class Path:
    """``capacity`` packets a second get through, of these a share is lost; 1 of 64 packets is a repeat."""

    def __init__(self, capacity: float, loss: float = 0.0, **bounds: float) -> None:
        self.capacity, self.loss = capacity, loss
        self.pace = SweepPace(0.0, **bounds)
        self.now, self.repeats, self.missed = 0.0, 0.0, 0.0

    def run(self, seconds: float) -> float:
        """The rate at the end; the sender itself is never the limit."""
        end, sent = self.now + seconds, 0
        while self.now < end:
            count = self.pace.room(self.now, 3072)
            if count:
                self.pace.sent(count)
                sent += count
                rate = self.pace.rate
                through = min(1.0, self.capacity / rate) * (1 - self.loss)
                self.repeats += count / 64
                self.missed += count / 64 * (1 - through)
                whole, lost = int(self.repeats), int(self.missed)
                self.pace.proofs(whole, lost)
                self.repeats, self.missed = self.repeats - whole, self.missed - lost
            self.pace.step(self.now, 0.01)
            self.now = max(self.pace.next_time(self.now), self.now + 0.0005)
        return sent / seconds


def test_it_doubles_while_nothing_is_lost() -> None:
    assert Path(1e9).run(0.5) > 10 * FIRST_RATE


def test_silence_is_not_loss() -> None:
    pace, now = SweepPace(0.0), 0.0
    while now < 0.5:
        pace.sent(pace.room(now, 3072))
        pace.step(now, None)
        now += 0.001
    assert pace.rate > 50 * FIRST_RATE


def test_an_overrun_path_is_brought_down_to_what_it_carries() -> None:
    path = Path(30_000.0)
    path.run(5.0)
    for _ in range(5):
        rate = path.run(1.0)
        assert 15_000 < rate < 45_000
    decisions = path.pace.decisions.fetch()
    assert any(made.new < made.old for made in decisions)
    assert all(made.cause for made in decisions)


def test_a_path_that_loses_by_nature_keeps_its_pace() -> None:
    path = Path(1e9, loss=0.05)
    path.run(5.0)
    assert path.run(3.0) > 5 * FIRST_RATE
    assert any("at any rate" in made.cause for made in path.pace.decisions.fetch())


def test_bounds_of_the_user_hold() -> None:
    assert Path(1e9, most=5000.0).run(2.0) <= 5050
    assert Path(100.0, least=2000.0).run(4.0) >= 1900
    assert SweepPace(0.0, 50.0).rate == 50.0


def test_our_own_ring_slows_it_down() -> None:
    pace = SweepPace(0.0)
    pace.overrun(17, 1.0)
    assert pace.rate == pytest.approx(FIRST_RATE * 0.7)
    (made,) = pace.decisions.fetch()
    assert made.cause.startswith("17 answers")


def test_bursts_are_bounded() -> None:
    pace = SweepPace(0.0, 1e6)
    pace.step(10.0, None)
    assert 0 < pace.room(100.0, 10_000) <= BURST
    assert pace.next_time(100.0) == 100.0
    pace.sent(10_000)
    assert pace.next_time(100.0) > 100.0
    slow = SweepPace(0.0, 100.0)
    assert slow.room(50.0, 3072) <= 10
