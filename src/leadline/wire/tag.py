"""The keyed tag: what a reply must echo, so that only answers to our own probes are believed.

Not a cryptographic code: it is three rounds of a 64-bit mixer keyed with 128 bits (a good SipHash costs ten times as
much per probe). Enough against strays, echoes of old scans and off-path guessing of 32 bits; the key is new each scan.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64

# Multipliers of David Stafford's "Mix13" finalizer and the 64-bit golden ratio: full avalanche of a 64-bit word.
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(state: U64) -> U64:
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))


def _column(value: U64 | int) -> U64:
    # Scalars become arrays of one element: arithmetic of arrays wraps around silently, that of numpy scalars warns.
    return np.atleast_1d(np.asarray(value, dtype=np.uint64))


class Tagger:
    """Tags of (address, salt) under a 16-byte key; ``ValueError`` for a key of another length.

    All methods take ``hi`` and ``lo`` (the address columns) and ``salt`` as uint64 arrays of one shape ``(N,)`` or
    scalars; the caller packs port, try and kind of probe into the salt.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != 16:
            raise ValueError("the key of the tags must have 16 bytes")
        self._first = np.array([int.from_bytes(key[:8], "little")], dtype=np.uint64)
        self._second = np.array([int.from_bytes(key[8:], "little")], dtype=np.uint64)

    def tag64(self, hi: U64 | int, lo: U64 | int, salt: U64 | int) -> U64:
        """The whole tag, uint64 ``(N,)``; ``tag32`` is its upper half."""
        state = _mix(_column(hi) ^ self._first)
        state = _mix((state + _column(lo)) ^ self._second)
        return _mix((state + _column(salt) * _GOLDEN) ^ self._first)

    def tag32(self, hi: U64 | int, lo: U64 | int, salt: U64 | int) -> NDArray[np.uint32]:
        """32 bits, uint32 ``(N,)``: for a TCP sequence number."""
        return (self.tag64(hi, lo, salt) >> 32).astype(np.uint32)
