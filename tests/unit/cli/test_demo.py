"""The demonstration: targets, seed, pace."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import pytest

from leadline.cli.demo import DEFAULT_SEED, demo_options, demo_speed, paced
from leadline.model.event import Event, Notice, ScanStarted
from leadline.plan.options import Options

TARGETS = ("10.20.0.0/22",)


def test_the_whole_network_where_nothing_is_named() -> None:
    options = demo_options(Options(), TARGETS)
    assert options.targets == TARGETS
    assert options.seed == DEFAULT_SEED


def test_named_targets_and_seed_stay() -> None:
    assert demo_options(Options(targets=("a",), seed=0), TARGETS).targets == ("a",)
    assert demo_options(Options(targets=("a",), seed=0), TARGETS).seed == 0
    assert demo_options(Options(input_files=("f",)), TARGETS).targets == ()
    assert demo_options(Options(random=3), TARGETS).targets == ()


def test_speed() -> None:
    assert demo_speed(None, True) == 2.0
    assert demo_speed(None, False) is None
    assert demo_speed(5.0, True) == demo_speed(5.0, False) == 5.0


@dataclass
class Control:
    stop: str = ""


class Wall:
    def __init__(self, control: Control, stop_at: float = 1e9) -> None:
        self.time, self.control, self.stop_at = 100.0, control, stop_at

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time += seconds
        if self.time - 100.0 >= self.stop_at:
            self.control.stop = "SIGINT"


def times(speed: float, stop_at: float = 1e9) -> list[float]:
    control = Control()
    wall = Wall(control, stop_at)

    def events() -> Iterator[Event]:
        yield ScanStarted(1e9, "0", ())
        for at in (0.5, 2.0, 2.0, 4.0):
            yield Notice(at, "info", "x")

    return [wall.time - 100.0 for _ in paced(events(), speed, control, wall.now, wall.sleep)]


def test_in_time() -> None:
    assert times(1.0) == pytest.approx([0.0, 0.5, 2.0, 2.0, 4.0])


def test_faster() -> None:
    assert times(4.0) == pytest.approx([0.0, 0.125, 0.5, 0.5, 1.0])


def test_a_stopped_scan_waits_no_more() -> None:
    assert times(1.0, stop_at=1.0) == pytest.approx([0.0, 0.5, 1.0, 1.0, 1.0], abs=0.06)


def test_the_scan_behind_is_closed_with_it() -> None:
    control, closed = Control(), []

    def events() -> Iterator[Event]:
        try:
            yield ScanStarted(1e9, "0", ())
        finally:
            closed.append(True)

    wall = Wall(control)
    shown = paced(events(), 1.0, control, wall.now, wall.sleep)
    next(shown)
    assert isinstance(shown, Generator)
    shown.close()
    assert closed


def test_lateness_is_not_slept_for() -> None:
    control = Control()
    wall = Wall(control)
    for _ in paced(iter([Notice(1.0, "info", "x")]), 1.0, control, wall.now, wall.sleep):
        assert wall.time == pytest.approx(101.0)
    wall.time = 500.0
    assert list(paced(iter([]), 1.0, control, wall.now, wall.sleep)) == []
