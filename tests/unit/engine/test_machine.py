"""The protocol has no code of its own: what can be wrong is that the real machines no longer have its shape."""

from __future__ import annotations

import inspect

import pytest

from leadline.engine.machine import Machine
from leadline.engine.raw_machine import RawMachine

METHODS = ["poll", "receive", "next_timer", "events"]


@pytest.mark.parametrize("name", METHODS)
def test_raw_machines_take_and_give_what_the_protocol_says(name: str) -> None:
    asked, given = inspect.signature(getattr(Machine, name)), inspect.signature(getattr(RawMachine, name))
    assert list(asked.parameters) == list(given.parameters)
    assert asked.return_annotation == given.return_annotation
    assert [one.annotation for one in asked.parameters.values()] == [
        one.annotation for one in given.parameters.values()
    ]


def test_the_protocol_asks_for_nothing_else() -> None:
    public = {name for name in vars(Machine) if not name.startswith("_")}
    assert public == {*METHODS, "done"}
    assert isinstance(RawMachine.done, property)
