"""A keyed permutation of ``range(n)``: a random order without memory, for any ``n`` up to 2**64, and its inverse.

A Feistel cipher over the next power of two, with cycle walking for the values past n (Black and Rogaway, "Ciphers with
arbitrary finite domains", 2002): at most two passes for a value on average. Equal keys give equal orders on every
machine, so shards need only the key and their share of the indices; the inverse tells where in the order a value comes,
so that an answer finds its probe without anything being kept of it.
"""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64

_ROUNDS = 6
# Halves of at most 16 bits are mixed in 32-bit words: twice as fast (15 ns a value instead of 30).
_NARROW_BITS = 32
Word: TypeAlias = NDArray[np.uint32] | NDArray[np.uint64]


class Permutation:
    """``at`` maps the indices ``0 .. size - 1`` onto themselves, one to one, in an order that ``key`` decides;
    ``index_of`` maps them back.
    """

    __slots__ = ("_keys", "_left_bits", "_right_bits", "_word", "size")

    def __init__(self, size: int, key: bytes) -> None:
        """``size``: 1 to 2**64. ``key``: any bytes up to 64."""
        if not 1 <= size <= 1 << 64:
            raise ValueError(f"a permutation of {size} values")
        self.size = size
        bits = (size - 1).bit_length()
        self._left_bits, self._right_bits = bits // 2, bits - bits // 2
        self._word = np.uint32 if bits <= _NARROW_BITS else np.uint64
        digest = hashlib.blake2b(b"leadline permutation", key=key, digest_size=8 * _ROUNDS).digest()
        self._keys = np.frombuffer(digest, "<u8").astype(self._word)

    def at(self, index: U64) -> U64:
        """The values at these indices; uint64 ``(N,)`` in and out."""
        return self._walked(index, range(_ROUNDS))

    def index_of(self, value: U64) -> U64:
        """The indices at which these values come; uint64 ``(N,)`` in and out."""
        return self._walked(value, range(_ROUNDS - 1, -1, -1))

    def _walked(self, start: U64, rounds: range) -> U64:
        narrow = self._word is np.uint32
        value: Word = start.astype(np.uint32) if narrow else start.astype(np.uint64)
        value = self._round_trip(value, rounds)
        if self.size == 1 << (self._left_bits + self._right_bits):
            return value.astype(np.uint64)
        last = self._word(self.size - 1)
        astray = np.flatnonzero(value > last)
        while len(astray):
            value[astray] = self._round_trip(value[astray], rounds)
            astray = astray[value[astray] > last]
        return value.astype(np.uint64)

    def _round_trip(self, value: Word, rounds: range) -> Word:
        """One pass of the cipher over ``range(2 ** bits)``. Even rounds change the left half, odd ones the right.

        Each round undoes itself: the inverse is the same rounds backwards.
        """
        left = value >> self._word(self._right_bits)
        right = value & self._word((1 << self._right_bits) - 1)
        for number in rounds:
            if number % 2:
                right ^= self._mixed(left, number, self._right_bits)
            elif self._left_bits:
                left ^= self._mixed(right, number, self._left_bits)
        joined: Word = (left << self._word(self._right_bits)) | right
        return joined

    def _mixed(self, half: Word, number: int, bits: int) -> Word:
        """A keyed hash of each half, ``bits`` wide: the upper bits of finalisers (MurmurHash3's, SplitMix64's)."""
        wide = self._word is np.uint64
        first, second = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB) if wide else (0x85EBCA6B, 0xC2B2AE35)
        mixed: Word = half ^ self._keys[number]
        mixed *= self._word(first)
        mixed ^= mixed >> self._word(29 if wide else 13)
        mixed *= self._word(second)
        mixed >>= self._word((64 if wide else 32) - bits)
        return mixed
