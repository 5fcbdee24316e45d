"""``dataclass`` that is made ten times as fast: for classes that every scan loads.

The standard decorator writes and compiles the text of up to eight methods a class, about a millisecond for a frozen
one with slots (Python 3.11), and a scan needs a hundred such classes before its first packet. Here one method is
compiled, ``__init__``; the others need no text. What comes out behaves the same: fields, ``replace``, equality, hash,
``repr``, pickling.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

__all__ = ["dataclass"]

T = TypeVar("T")
_Getter = Callable[[object], object]


class _Unset:
    def __repr__(self) -> str:
        return "<factory>"


_UNSET = _Unset()


def _dataclass(
    *, slots: bool, frozen: bool = False, eq: bool = True, kw_only: bool = False
) -> Callable[[type[T]], type[T]]:
    """As ``dataclasses.dataclass`` with these arguments; ``slots`` must be true (``ValueError``).

    A class and those that inherit from it must be made by the same decorator, as the standard one cannot see which of
    these are frozen.
    """
    if not slots:
        raise ValueError("only classes with slots are made here")

    def make(plain: type[T]) -> type[T]:
        written = set(vars(plain))
        made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(plain)
        fields = dataclasses.fields(made)  # type: ignore[arg-type]
        methods: dict[str, object] = {"__init__": _initializer(made, fields, frozen)}
        methods["__repr__"] = _representation(tuple(each.name for each in fields if each.repr))
        if eq:
            compared = _getter(tuple(each.name for each in fields if each.compare))
            methods["__eq__"] = _equality(compared)
            methods["__hash__"] = _hash(compared) if frozen else None
        if frozen:
            methods |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
            methods |= {"__getstate__": _state, "__setstate__": _restore}
        for name, method in methods.items():
            if name not in written:
                setattr(made, name, method)
        return made

    return make


def _initializer(made: type, fields: tuple[dataclasses.Field[object], ...], frozen: bool) -> object:
    """``__init__``; in frozen classes the slots are written past ``__setattr__``."""
    names: dict[str, object] = {"_unset": _UNSET}
    arguments, by_name, lines = [], [], []
    for each in fields:
        name = each.name
        text, value = name, name
        if each.default is not dataclasses.MISSING:
            names[f"_default_{name}"] = each.default
            text = f"{name}=_default_{name}"
        elif each.default_factory is not dataclasses.MISSING:
            names[f"_make_{name}"] = each.default_factory
            text, value = f"{name}=_unset", f"_make_{name}() if {name} is _unset else {name}"
        if not each.init:
            if text == name:
                continue
            value = f"_make_{name}()" if f"_make_{name}" in names else f"_default_{name}"
        elif each.kw_only:
            by_name.append(text)
        else:
            arguments.append(text)
        if frozen:
            names[f"_set_{name}"] = getattr(made, name).__set__
            lines.append(f"_set_{name}(self, {value})")
        else:
            lines.append(f"self.{name} = {value}")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    heading = ", ".join(["self", *arguments, *(["*", *by_name] if by_name else [])])
    space: dict[str, object] = {}
    exec(f"def __init__({heading}):\n  " + "\n  ".join(lines or ["pass"]), names, space)
    method = space["__init__"]
    method.__qualname__ = f"{made.__qualname__}.__init__"  # type: ignore[attr-defined]
    return method


def _getter(names: tuple[str, ...]) -> _Getter:
    """The values of these attributes, comparable and hashable as a tuple of them would be."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _equality(compared: _Getter) -> object:
    def equals(self: object, other: object) -> object:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return compared(self) == compared(other)

    return equals


def _hash(compared: _Getter) -> object:
    def hash_of(self: object) -> int:
        return hash(compared(self))

    return hash_of


def _representation(names: tuple[str, ...]) -> object:
    def text_of(self: object) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({shown})"

    return text_of


def _refuse_to_set(self: object, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: object) -> list[object]:
    return [getattr(self, each.name) for each in dataclasses.fields(self)]  # type: ignore[arg-type]


def _restore(self: object, state: list[object]) -> None:
    for each, value in zip(dataclasses.fields(self), state, strict=True):  # type: ignore[arg-type]
        object.__setattr__(self, each.name, value)


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _dataclass
