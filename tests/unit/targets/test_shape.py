import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.targets.shape import Octets, Span


def addresses(shape: Span | Octets) -> list[int]:
    hi, lo = shape.columns(np.arange(shape.count, dtype=np.uint64))
    return [int(h) << 64 | int(low) for h, low in zip(hi, lo, strict=True)]


octet = st.sets(st.integers(0, 255), min_size=1, max_size=3).map(lambda values: tuple(sorted(values)))


def test_a_span_counts_upwards() -> None:
    span = Span(4, 0x0A000000, 3)
    assert addresses(span) == [0x0A000000, 0x0A000001, 0x0A000002]
    assert span.end == 0x0A000002


def test_a_span_carries_into_the_upper_half() -> None:
    start = (5 << 64) + (1 << 64) - 2
    assert addresses(Span(6, start, 4)) == [start, start + 1, start + 2, start + 3]


@given(st.integers(0, (1 << 128) - 100), st.integers(1, 99))
def test_span_columns_are_the_integers(start: int, count: int) -> None:
    assert addresses(Span(6, start, count)) == list(range(start, start + count))


def test_pieces_of_a_span() -> None:
    assert list(Span(4, 10, 7).pieces(3)) == [Span(4, 10, 3), Span(4, 13, 3), Span(4, 16, 1)]
    first = next(iter(Span(6, 0, 1 << 128).pieces(1 << 62)))
    assert first == Span(6, 0, 1 << 62)


@given(st.tuples(octet, octet, octet, octet))
def test_octets_agree_with_counting_by_hand(values: tuple[tuple[int, ...], ...]) -> None:
    shape = Octets(values)
    a, b, c, d = values
    expected = [w << 24 | x << 16 | y << 8 | z for w in a for x in b for y in c for z in d]
    assert addresses(shape) == expected
    assert shape.family == 4
    spans = list(shape.spans())
    assert len(spans) == shape.span_count()
    assert [address for span in spans for address in addresses(span)] == expected
    probes = np.array([*expected, expected[0] ^ 1, expected[-1] ^ (1 << 31)], np.uint64)
    assert list(shape.contains(probes)) == [int(probe) in set(expected) for probe in probes]


ALL = tuple(range(256))


@pytest.mark.parametrize(
    ("values", "spans"),
    [
        ((ALL, ALL, ALL, ALL), [Span(4, 0, 1 << 32)]),
        (((10,), ALL, ALL, ALL), [Span(4, 10 << 24, 1 << 24)]),
        (((10,), (0,), (0, 1, 2), ALL), [Span(4, 10 << 24, 3 * 256)]),
        (((10,), (0,), (0, 2), ALL), [Span(4, 10 << 24, 256), Span(4, (10 << 24) + 512, 256)]),
        (((10,), (0,), (0, 1), (5,)), [Span(4, (10 << 24) + 5), Span(4, (10 << 24) + 256 + 5)]),
    ],
)
def test_neighbouring_octets_are_joined(values: tuple[tuple[int, ...], ...], spans: list[Span]) -> None:
    shape = Octets(values)
    assert list(shape.spans()) == spans
    assert shape.span_count() == len(spans)
    assert shape.count == sum(span.count for span in spans)


def test_the_whole_of_ipv4_has_its_ends() -> None:
    hi, lo = Octets((ALL, ALL, ALL, ALL)).columns(np.array([0, (1 << 32) - 1], np.uint64))
    assert lo.tolist() == [0, (1 << 32) - 1]
    assert hi.tolist() == [0, 0]
