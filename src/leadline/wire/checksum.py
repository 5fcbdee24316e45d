"""The Internet checksum (RFC 1071), of bytes and of columns.

One's complement addition of 16-bit words is addition modulo 65535, and 2**16 is 1 modulo 65535: words of 32 or 64
bits may be added as they are, in any order, and the sum is reduced once at the end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64

_MODULUS = 65535


def word_sum(data: bytes) -> int:
    """The bytes as big-endian 16-bit words (odd length: padded with a zero byte), added up: any size of result that
    is congruent to the sum modulo 65535 and zero only when all bytes are zero.
    """
    value = int.from_bytes(data, "big") << (8 * (len(data) & 1))
    reduced = value % _MODULUS
    return _MODULUS if value and not reduced else reduced


def finish(total: int) -> int:
    """The checksum field that belongs to a sum of words (RFC 1071 section 1)."""
    return _MODULUS - 1 - (total - 1) % _MODULUS if total else _MODULUS


def checksum(data: bytes) -> int:
    """The Internet checksum of the bytes, 0..65535. Zero for data that carries its own correct checksum."""
    return finish(word_sum(data))


def pseudo_sum(source: bytes, destination: bytes, protocol: int, length: int) -> int:
    """Word sum of the pseudo header of TCP, UDP and ICMPv6 (RFC 9293 section 3.1, RFC 8200 section 8.1).

    Addresses in network order, 4 or 16 bytes each; ``length`` in bytes, of the transport header and payload.
    """
    return word_sum(source) + word_sum(destination) + protocol + length


def transport_checksum(source: bytes, destination: bytes, protocol: int, segment: bytes) -> int:
    """Checksum of a transport segment under its pseudo header; 0 when the segment carries a correct one."""
    return finish(pseudo_sum(source, destination, protocol, len(segment)) + word_sum(segment))


def half_sums(values: U64) -> U64:
    """Upper and lower 32 bits added: what a 64-bit word brings to a checksum, small enough to add up many of them."""
    return (values & 0xFFFFFFFF) + (values >> 32)


def finish_columns(totals: U64) -> U64:
    """``finish`` for a column of sums, shape ``(N,)``."""
    result = _MODULUS - 1 - (totals - 1) % _MODULUS
    result[totals == 0] = _MODULUS
    return result


def finish_udp_columns(totals: U64) -> U64:
    """``finish_columns`` for UDP, where a checksum of zero is sent as 65535 (RFC 768)."""
    return _MODULUS - totals % _MODULUS


def sum_rows(rows: NDArray[np.uint8]) -> U64:
    """Word sums of the rows of a matrix, uint8 ``(N, width)`` -> uint64 ``(N,)``; an odd width counts as padded."""
    width = rows.shape[1]
    even = np.ascontiguousarray(rows[:, : width & ~1]).view(">u2")
    totals: U64 = even.sum(axis=1, dtype=np.uint64)
    if width & 1:
        totals += rows[:, -1].astype(np.uint64) << 8
    return totals
