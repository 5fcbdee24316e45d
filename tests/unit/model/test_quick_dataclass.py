"""What the quick decorator makes behaves as what the standard one makes: both are held side by side."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, field, replace
from dataclasses import dataclass as standard

import numpy as np
import pytest

from leadline.model.quick_dataclass import dataclass as quick

Decorator = Callable[..., Callable[[type], type]]


def make(decorator: Decorator, **arguments: bool) -> type:
    class Plain:
        """A class with a field of each sort."""

        number: int
        name: str = "none"
        found: list[int] = field(default_factory=list)
        hidden: int = field(default=0, repr=False, compare=False)
        counted: dict[str, int] = field(init=False, default_factory=dict)

        @property
        def double(self) -> int:
            return 2 * self.number

    return decorator(slots=True, **arguments)(Plain)


@quick(frozen=True, slots=True)
class Point:
    """A point."""

    x: int
    y: int = 0


@quick(frozen=True, slots=True, kw_only=True)
class Named(Point):
    """A point with a name."""

    name: str


@pytest.fixture(params=[{}, {"frozen": True}, {"kw_only": True}, {"eq": False}], ids=str)
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[type, type]]:
    return make(quick, **request.param), make(standard, **request.param)


def test_values_read_and_compare_as_the_standard_ones_do(pair: tuple[type, type]) -> None:
    ours, theirs = pair
    for arguments in ({"number": 3}, {"number": 4, "name": "x", "found": [1], "hidden": 7}):
        made, wanted = ours(**arguments), theirs(**arguments)
        assert repr(made) == repr(wanted)
        assert made.double == wanted.double
        assert made.counted == wanted.counted == {}
        assert (made == ours(**arguments)) == (wanted == theirs(**arguments))
        assert (made == ours(**arguments | {"hidden": 8})) == (wanted == theirs(**arguments | {"hidden": 8}))
        assert made != ours(**arguments | {"number": 5})
        assert made != wanted
        assert made != 3
        assert repr(replace(made, number=9)) == repr(replace(wanted, number=9))
        assert dataclasses.asdict(made) == dataclasses.asdict(wanted)
    assert [each.name for each in dataclasses.fields(ours)] == [each.name for each in dataclasses.fields(theirs)]
    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__slots__ == theirs.__slots__
    assert (ours.__hash__ is None) == (theirs.__hash__ is None)


def test_wrong_arguments_are_refused_alike(pair: tuple[type, type]) -> None:
    for made in pair:
        for arguments in ({}, {"number": 1, "counted": {}}, {"number": 1, "more": 2}):
            with pytest.raises(TypeError):
                made(**arguments)


def test_arguments_may_be_named_only_where_that_is_asked_for() -> None:
    assert make(quick)(1, "a").name == "a"
    with pytest.raises(TypeError):
        make(quick, kw_only=True)(1)


def test_lists_are_not_shared() -> None:
    made = make(quick)
    first, second = made(1), made(1)
    first.found.append(1)
    assert second.found == []


def test_frozen_values_stay_as_they_are() -> None:
    point = Point(1, 2)
    for change in (lambda: setattr(point, "x", 3), lambda: setattr(point, "z", 3), lambda: delattr(point, "x")):
        with pytest.raises(FrozenInstanceError):
            change()
    assert point == Point(1, 2)
    assert hash(point) == hash(Point(1, 2))
    assert len({point, Point(1, 2), Point(2, 1)}) == 2
    assert not hasattr(point, "__dict__")
    changeable = make(quick)(1)
    changeable.number = 2
    assert changeable.number == 2


def test_fields_are_inherited() -> None:
    named = Named(1, name="n")
    assert (named.x, named.y, named.name) == (1, 0, "n")
    assert named != Point(1, 0)
    assert repr(named) == "Named(x=1, y=0, name='n')"


@pytest.mark.parametrize("value", [Point(1, 2), Named(3, name="n")])
def test_copies_are_equal(value: Point) -> None:
    assert pickle.loads(pickle.dumps(value)) == copy.copy(value) == copy.deepcopy(value) == value


def test_methods_of_the_author_stay() -> None:
    @quick(frozen=True, slots=True)
    class Odd:
        """Its own idea of everything."""

        value: int
        seen: list[int] = field(default_factory=list)

        def __post_init__(self) -> None:
            self.seen.append(self.value)

        def __repr__(self) -> str:
            return "odd"

        def __hash__(self) -> int:
            return 1

    assert repr(Odd(1)) == "odd"
    assert hash(Odd(1)) == 1
    assert Odd(1) == Odd(1) != Odd(2)
    assert Odd(5).seen == [5]


def test_one_array_is_equal_to_itself() -> None:
    @quick(frozen=True, slots=True)
    class Column:
        """A field that cannot be compared as a truth."""

        rows: object

    column = Column(np.arange(3))
    assert column == Column(column.rows)


def test_a_class_without_fields() -> None:
    @quick(frozen=True, slots=True)
    class Nothing:
        """Nothing."""

    assert Nothing() == Nothing()
    assert repr(Nothing()).endswith("Nothing()")


def test_classes_without_slots_are_not_made() -> None:
    with pytest.raises(ValueError, match="slots"):
        quick(slots=False)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_field_that_is_made_from_the_others_is_no_argument(frozen: bool) -> None:
    """Neither default nor factory: ``__post_init__`` fills it, and it counts as every other field."""

    def made_by(decorator: Decorator) -> type:
        class Plain:
            text: str
            length: int = field(init=False)

            def __post_init__(self) -> None:
                object.__setattr__(self, "length", len(self.text))

        return decorator(slots=True, frozen=frozen)(Plain)

    ours, theirs = made_by(quick), made_by(standard)
    assert repr(ours("four")).endswith("Plain(text='four', length=4)")
    assert repr(theirs("four")) == repr(ours("four"))
    assert ours("four") == ours("four") != ours("three")
    for each in (ours, theirs):
        with pytest.raises(TypeError):
            each("four", 4)
