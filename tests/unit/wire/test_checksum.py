import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.wire import checksum as sums

# RFC 1071 section 3 adds up these bytes to ddf2.
EXAMPLE = bytes.fromhex("0001 f203 f4f5 f6f7")


def slowly(data: bytes) -> int:
    """RFC 1071 section 4.1 word for word."""
    total = 0
    data += bytes(len(data) & 1)
    for at in range(0, len(data), 2):
        total += data[at] << 8 | data[at + 1]
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def test_the_example_of_the_rfc() -> None:
    assert sums.word_sum(EXAMPLE) == 0xDDF2
    assert sums.checksum(EXAMPLE) == 0xFFFF - 0xDDF2


@given(st.binary(max_size=50))
def test_the_same_as_adding_word_by_word(data: bytes) -> None:
    assert sums.checksum(data) == slowly(data)


@pytest.mark.parametrize("data", [b"", bytes(4), b"\xff\xff", b"\xff\xff" * 3, b"\x00\x01\xff\xfe"])
def test_both_zeros_of_ones_complement(data: bytes) -> None:
    assert sums.checksum(data) == slowly(data)
    column = np.array([sums.word_sum(data)], dtype=np.uint64)
    assert sums.finish_columns(column).tolist() == [slowly(data)]


@given(st.lists(st.integers(0, (1 << 60) - 1), max_size=8))
def test_columns_finish_like_integers(totals: list[int]) -> None:
    column = np.array(totals, dtype=np.uint64)
    assert sums.finish_columns(column).tolist() == [sums.finish(total) for total in totals]
    assert sums.finish_udp_columns(column).tolist() == [sums.finish(total) or 0xFFFF for total in totals]


@given(st.integers(0, (1 << 64) - 1))
def test_halves_add_up_to_the_words(value: int) -> None:
    halves = int(sums.half_sums(np.array([value], dtype=np.uint64))[0])
    assert sums.finish(halves) == slowly(value.to_bytes(8, "big"))


@given(st.integers(0, 9), st.data())
def test_rows_of_any_width(width: int, data: st.DataObject) -> None:
    rows = [data.draw(st.binary(min_size=width, max_size=width)) for _ in range(3)]
    matrix = np.array([list(row) for row in rows], dtype=np.uint8).reshape(3, width)
    assert sums.finish_columns(sums.sum_rows(matrix)).tolist() == [slowly(row) for row in rows]


def test_rows_need_not_be_contiguous() -> None:
    matrix = np.arange(48, dtype=np.uint8).reshape(4, 12)[::2, 3:8]
    assert sums.finish_columns(sums.sum_rows(matrix)).tolist() == [slowly(row.tobytes()) for row in matrix]


def test_a_segment_with_its_checksum_sums_to_nothing_left() -> None:
    source, destination = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
    value = sums.transport_checksum(source, destination, 6, EXAMPLE + bytes(2))
    assert value == slowly(source + destination + bytes([0, 6, 0, 10]) + EXAMPLE)
    assert sums.transport_checksum(source, destination, 6, EXAMPLE + value.to_bytes(2, "big")) == 0
