import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.wire.crc32c import adler32, adler32_rows, crc32c, crc32c_rows


def bit_by_bit(data: bytes) -> int:
    """As the definition says: a division of polynomials."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "value"),
    # The check value of the algorithm, and the vectors of RFC 3720 appendix B.4.
    [
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (b"", 0),
    ],
)
def test_known_values(data: bytes, value: int) -> None:
    assert crc32c(data) == value


@given(st.integers(0, 3), st.integers(0, 200), st.randoms(use_true_random=False))
def test_rows_are_what_each_of_them_is_alone(count: int, width: int, random: object) -> None:
    rows = np.frombuffer(random.randbytes(count * width), np.uint8).reshape(count, width)  # type: ignore[attr-defined]
    assert crc32c_rows(rows).tolist() == [bit_by_bit(row.tobytes()) for row in rows]
    assert adler32_rows(rows).tolist() == [zlib.adler32(row.tobytes()) for row in rows]


@given(st.binary(max_size=80))
def test_one_packet(data: bytes) -> None:
    assert crc32c(data) == bit_by_bit(data)
    assert adler32(data) == zlib.adler32(data)


def test_rows_are_not_changed() -> None:
    rows = np.arange(64, dtype=np.uint8).reshape(2, 32)
    crc32c_rows(rows)
    assert np.array_equal(rows, np.arange(64, dtype=np.uint8).reshape(2, 32))
