"""What every value of the model must be: frozen, slotted, compared by what it holds."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, is_dataclass
from types import ModuleType

import pytest


def values_of(module: ModuleType) -> list[type]:
    """The dataclasses that a module defines."""
    return [
        one
        for one in vars(module).values()
        if isinstance(one, type) and is_dataclass(one) and one.__module__ == module.__name__
    ]


def check_frozen(value: object) -> None:
    """No field can be set, no attribute added: a value that was given away stays what it was."""
    assert is_dataclass(value)
    assert not hasattr(value, "__dict__")
    for field in fields(value):
        with pytest.raises(FrozenInstanceError):
            setattr(value, field.name, None)
    # A slotted frozen class of Python 3.11 says TypeError to a name that is no field.
    with pytest.raises((AttributeError, TypeError)):
        setattr(value, "nothing_of_the_kind", 1)  # noqa: B010 - no checker shall look at it


def loads(module: str, other: str) -> bool:
    """Whether importing ``module`` in a fresh interpreter loads ``other`` too."""
    code = f"import {module}, sys; sys.exit(3 if {other!r} in sys.modules else 0)"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode in (0, 3)
    return done.returncode == 3
