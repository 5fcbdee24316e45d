"""A keyed permutation of ``range(n)``: a random order without memory, for any ``n`` up to 2**64.

A generalised Feistel cipher over mixed radices a * b >= n, a close to the root of n, with cycle walking for the few
values past n (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). Equal keys give equal orders on every
machine, so shards need only the key and their share of the indices.
"""

from __future__ import annotations

import hashlib
from math import isqrt

import numpy as np

from leadline.model.address import U64

_ROUNDS = 6
_U64 = np.uint64


class Permutation:
    """``at`` maps the indices ``0 .. size - 1`` onto themselves, one to one, in an order that ``key`` decides."""

    __slots__ = ("_keys", "_left", "_right", "size")

    def __init__(self, size: int, key: bytes) -> None:
        """``size``: 1 to 2**64. ``key``: any bytes up to 64."""
        if not 1 <= size <= 1 << 64:
            raise ValueError(f"a permutation of {size} values")
        self.size = size
        self._left = isqrt(size - 1) + 1
        self._right = -(-size // self._left)
        digest = hashlib.blake2b(b"leadline permutation", key=key, digest_size=8 * _ROUNDS).digest()
        self._keys = np.frombuffer(digest, "<u8").astype(_U64)

    def at(self, index: U64) -> U64:
        """The values at these indices; uint64 ``(N,)`` in and out."""
        value = self._round_trip(index.astype(_U64))
        last = _U64(self.size - 1)
        astray = np.flatnonzero(value > last)
        while len(astray):
            value[astray] = self._round_trip(value[astray])
            astray = astray[value[astray] > last]
        return value

    def _round_trip(self, value: U64) -> U64:
        """One pass of the cipher over ``range(left * right)``. Even rounds change the left half, odd ones the right."""
        left_size, right_size = _U64(self._left), _U64(self._right)
        right, left = np.divmod(value, left_size)
        for number, key in enumerate(self._keys):
            if number % 2:
                right = (right + _mixed(left, key) % right_size) % right_size
            else:
                left = (left + _mixed(right, key) % left_size) % left_size
        return right * left_size + left


def _mixed(value: U64, key: np.uint64) -> U64:
    """A keyed hash of each value: the finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    value = (value ^ key) * _U64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> _U64(30))) * _U64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> _U64(27))) * _U64(0x94D049BB133111EB)
    return value ^ (value >> _U64(31))
