"""Stages side by side: who has a turn when, and what all of them wait for."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from leadline.engine.turns import GO_ON, Pause, Turns, awake
from tests.support.machines import FakeClock, FakeNetwork


class Something:
    descriptor = -1

    def next_look(self, until: float) -> float:
        return until


def stage(name: str, *pauses: Pause) -> Generator[str | Pause, None, None]:
    for number, pause in enumerate(pauses):
        yield f"{name}{number}"
        yield pause
    yield f"{name} ends"


def test_each_stage_works_until_it_has_to_wait() -> None:
    turns: Turns[str] = Turns()
    turns.add(stage("a", GO_ON, GO_ON))
    turns.add(stage("b", GO_ON))
    assert len(turns) == 2
    assert list(turns.round()) == ["a0", "b0"]
    assert list(turns.round()) == ["a1", "b ends"]
    assert list(turns.round()) == ["a ends"]
    assert len(turns) == 0
    assert list(turns.round()) == []
    assert turns.pause() is GO_ON


def test_the_pause_of_all_is_for_everything_and_as_short_as_the_shortest() -> None:
    one, two = Something(), Something()
    turns: Turns[str] = Turns()
    turns.add(stage("a", Pause((one,), 7.0)))
    turns.add(stage("b", Pause((two, one), 5.0)))
    list(turns.round())
    assert turns.pause() == Pause((one, two), 5.0)
    turns.add(stage("c", GO_ON))
    turns.add(stage("d", Pause((one,), 9.0), Pause((one,), 9.0)))
    list(turns.round())
    assert turns.pause().until == 0.0, "one of them has something to do: nobody sleeps"
    list(turns.round())
    assert turns.pause() == Pause((one,), 9.0)


def test_a_stage_that_joins_while_others_work_has_its_turn_at_once() -> None:
    turns: Turns[str] = Turns()
    turns.add(stage("a", GO_ON))
    told = []
    for item in turns.round():
        told.append(item)
        if item == "a0":
            turns.add(stage("b", GO_ON))
    assert told == ["a0", "b0"]


def test_what_a_stage_raises_is_raised_and_the_others_can_be_ended() -> None:
    ended = []

    def failing() -> Generator[str | Pause, None, None]:
        yield GO_ON
        raise ValueError("gone")

    def careful() -> Generator[str | Pause, None, None]:
        try:
            while True:
                yield GO_ON
        finally:
            ended.append("careful")

    turns: Turns[str] = Turns()
    turns.add(careful())
    turns.add(failing())
    list(turns.round())
    with pytest.raises(ValueError, match="gone"):
        list(turns.round())
    turns.close()
    assert ended == ["careful"]
    assert len(turns) == 0


def test_a_stage_alone_sleeps_where_it_waits_and_keeps_what_it_returns() -> None:
    clock = FakeClock()
    network = FakeNetwork(clock)
    source = Something()

    def work() -> Generator[str | Pause, None, int]:
        yield "begun"
        yield GO_ON
        yield Pause((source,), clock.now() + 2)
        yield "slept"
        return 7

    def whole() -> Generator[str, None, None]:
        result = yield from awake(work(), network)
        yield f"returned {result}"

    before = clock.now()
    assert list(whole()) == ["begun", "slept", "returned 7"]
    assert clock.now() == pytest.approx(before + 2)
    assert network.rests == [(source,)]
