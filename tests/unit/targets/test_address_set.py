import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.address import U64
from leadline.targets.address_set import AddressSet
from leadline.targets.shape import Octets, Span

ALL = tuple(range(256))
spans = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 30)), max_size=12)


def columns(values: list[int]) -> tuple[U64, U64]:
    return (
        np.array([value >> 64 for value in values], np.uint64),
        np.array([value & ((1 << 64) - 1) for value in values], np.uint64),
    )


def set_of(family: int, members: list[tuple[int, int]], base: int = 0) -> AddressSet:
    built = AddressSet()
    for start, count in members:
        built.add(Span(family, base + start, count))
    return built


@pytest.mark.parametrize(("family", "base"), [(4, 0), (4, (1 << 32) - 300), (6, (1 << 64) - 100), (6, 7 << 100)])
@given(members=spans, taken=st.tuples(st.integers(0, 200), st.integers(1, 80)))
def test_agrees_with_a_plain_set(
    family: int, base: int, members: list[tuple[int, int]], taken: tuple[int, int]
) -> None:
    built = set_of(family, members, base)
    plain = {base + start + offset for start, count in members for offset in range(count)}
    assert bool(built) == bool(plain)
    everything = [base + value for value in range(260)]
    assert built.contains(family, *columns(everything)).tolist() == [value in plain for value in everything]
    assert not built.contains(10 - family, *columns(everything)).any()
    span = Span(family, base + taken[0], taken[1])
    left = [value for part in built.subtract(span) for value in range(part.start, part.end + 1)]
    assert left == [value for value in range(base + taken[0], base + sum(taken)) if value not in plain]


@given(members=spans)
def test_questions_between_additions_are_answered_anew(members: list[tuple[int, int]]) -> None:
    built = AddressSet()
    plain: set[int] = set()
    for start, count in members:
        built.add(Span(4, start, count))
        plain.update(range(start, start + count))
        assert built.contains(4, *columns(list(range(240)))).tolist() == [value in plain for value in range(240)]
        left = [value for part in built.subtract(Span(4, 0, 240)) for value in range(part.start, part.end + 1)]
        assert left == [value for value in range(240) if value not in plain]


def test_a_whole_family() -> None:
    built = set_of(6, [(0, 1 << 128)])
    assert list(built.subtract(Span(6, 5, 10))) == []
    assert built.contains(6, *columns([0, (1 << 128) - 1])).all()


def test_few_octet_spans_are_intervals() -> None:
    built = AddressSet()
    built.add(Octets(((10,), (0,), (0, 2), ALL)))
    assert not built.has_patterns
    assert list(built.subtract(Span(4, 10 << 24, 1024))) == [
        Span(4, (10 << 24) + 256, 256),
        Span(4, (10 << 24) + 768, 256),
    ]


def test_many_octet_spans_stay_a_pattern() -> None:
    built = AddressSet()
    built.add(Octets((ALL, ALL, ALL, (1,))))
    built.add(Span(4, 8))
    assert built
    assert built.has_patterns
    assert built.contains(4, *columns([1, 2, 257, 8])).tolist() == [True, False, True, True]
    assert not built.contains(6, *columns([1])).any()
    assert list(built.subtract(Span(4, 0, 4))) == [Span(4, 0, 4)]
    assert built.patterns.contains(4, *columns([1, 8])).tolist() == [True, False]


def test_a_copy_is_not_changed_by_additions() -> None:
    built = set_of(4, [(5, 1), (10, 5)])
    copy = built.copy()
    built.add(Span(4, 6))
    built.add(Span(4, 20, 5))
    assert copy.contains(4, *columns([5, 6, 12, 22])).tolist() == [True, False, True, False]
