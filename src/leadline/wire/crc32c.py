"""The checksums of SCTP: CRC32C (RFC 9260 section 6.8 and appendix A), and Adler-32 as in its first version (RFC 2960).

A CRC is linear: what a byte brings to it depends only on its value and on how many bytes follow. One table for each
number of following bytes turns the checksums of N packets into look-ups in columns, without a loop over packets.
"""

from __future__ import annotations

import zlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]

# Castagnoli's polynomial with its bits reversed.
_POLYNOMIAL = 0x82F63B78
_ONES = np.uint32(0xFFFFFFFF)
# Bytes taken at a time: as many tables of 1 KB are kept.
_BLOCK = 64
_ADLER_MODULUS = 65521


def crc32c(data: bytes) -> int:
    """CRC32C of the bytes."""
    return int(crc32c_rows(np.frombuffer(data, np.uint8).reshape(1, -1))[0])


def adler32(data: bytes) -> int:
    """Adler-32 of the bytes (RFC 2960 appendix B)."""
    return zlib.adler32(data)


@cache
def _tables() -> U32:
    """``[k, b]``: what byte ``b`` brings to a CRC when ``k`` bytes follow it, uint32 ``(_BLOCK, 256)``."""
    first = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        first = np.where(first & 1, np.uint32(_POLYNOMIAL), np.uint32(0)) ^ (first >> np.uint32(1))
    tables = np.empty((_BLOCK, 256), np.uint32)
    tables[0] = first
    for following in range(1, _BLOCK):
        before = tables[following - 1]
        tables[following] = first[before & np.uint32(0xFF)] ^ (before >> np.uint32(8))
    return tables


def crc32c_rows(rows: U8) -> U32:
    """CRC32C of each row of a matrix, uint8 ``(N, width)`` -> uint32 ``(N,)``."""
    count, width = rows.shape
    tables = _tables()
    state = np.full(count, _ONES, np.uint32)
    for start in range(0, width, _BLOCK):
        block = rows[:, start : start + _BLOCK].copy()
        length = block.shape[1]
        # The state so far acts on the next four bytes as if it were added to them.
        carried = state.astype("<u4").view(np.uint8).reshape(count, 4)
        taken = min(4, length)
        block[:, :taken] ^= carried[:, :taken]
        following = np.arange(length - 1, -1, -1)
        brought: U32 = np.bitwise_xor.reduce(tables[following[None, :], block], axis=1)
        state = brought ^ (state >> np.uint32(8 * length)) if length < 4 else brought
    return state ^ _ONES


def adler32_rows(rows: U8) -> U32:
    """Adler-32 of each row of a matrix, uint8 ``(N, width)`` -> uint32 ``(N,)``; rows of at most 64 KB."""
    width = rows.shape[1]
    wide = rows.astype(np.uint64)
    low = (1 + wide.sum(axis=1, dtype=np.uint64)) % _ADLER_MODULUS
    high = (width + wide @ np.arange(width, 0, -1, dtype=np.uint64)) % _ADLER_MODULUS
    result: U32 = (high << np.uint64(16) | low).astype(np.uint32)
    return result
