"""Checksums of simulated ICMP messages, in columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64
from leadline.wire.checksum import finish_columns, half_sums, sum_rows


def seal_icmp(family: int, segments: NDArray[np.uint8], source: tuple[U64, U64], target: tuple[U64, U64]) -> None:
    """Write the checksums of ICMP messages, uint8 ``(N, L)``, in place (ICMPv6: with pseudo header, RFC 4443 2.3)."""
    segments[:, 2:4] = 0
    sums = sum_rows(segments)
    if family == 6:
        for column in (*source, *target):
            sums = sums + half_sums(column)
        sums = sums + np.uint64(58 + segments.shape[1])
    segments[:, 2:4] = octets(finish_columns(sums))


def octets(values: U64) -> NDArray[np.uint8]:
    """Numbers below 65536 in network order, uint64 ``(N,)`` -> uint8 ``(N, 2)``."""
    return values.astype(">u2").view(np.uint8).reshape(-1, 2)
