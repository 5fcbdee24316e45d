"""Addresses, one by one and as columns.

A column of addresses is two ``uint64`` arrays ``hi`` and ``lo`` of the same shape ``(N,)``: the upper and the lower
half of the 128-bit value, in host byte order. IPv4 addresses have ``hi == 0`` and ``lo`` below 2**32; the family is
kept beside the columns, never guessed from them.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from leadline.model.ip import Address

__all__ = ["U64", "Address", "address_of", "columns_of"]

U64: TypeAlias = NDArray[np.uint64]

_LOW = (1 << 64) - 1


def address_of(family: int, hi: int, lo: int) -> Address:
    """The address object of one element of the columns. ``family`` is 4 or 6."""
    if family == 4:
        return IPv4Address(int(lo))
    return IPv6Address((int(hi) << 64) | int(lo))


def columns_of(addresses: list[Address]) -> tuple[U64, U64]:
    """``hi`` and ``lo`` columns, shape ``(N,)``, of addresses (one family or mixed)."""
    values = [int(address) for address in addresses]
    hi = np.array([value >> 64 for value in values], dtype=np.uint64)
    lo = np.array([value & _LOW for value in values], dtype=np.uint64)
    return hi, lo
