"""Whether what the scanner sent is intact: hosts and routers drop packets whose checksums are wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.sim.traffic import distinct
from leadline.wire.batch import FrameBatch
from leadline.wire.checksum import half_sums, sum_rows
from leadline.wire.columns import Decoded
from leadline.wire.crc32c import crc32c_rows

_MODULUS = np.uint64(65535)


def intact(batch: FrameBatch, decoded: Decoded, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Checks IPv4 header, TCP, UDP, ICMP (RFC 1071) and SCTP (RFC 9260 6.8) checksums, bool ``(len(rows),)``.

    Packets with IP options or extension headers, or shorter than they say, are judged by the header alone.
    """
    good = np.ones(len(rows), np.bool_)
    at = batch.offset
    first = batch.frames[rows, at]
    lengths = np.minimum(decoded.total_length[rows] + at, np.minimum(batch.lengths[rows], batch.frames.shape[1]))
    for family, version, header in ((4, 0x45, 20), (6, 0x60, 40)):
        usual = first == version if family == 4 else first >> 4 == 6
        plain = np.flatnonzero((decoded.family[rows] == family) & usual)
        if not len(plain):
            continue
        if family == 4:
            sums = sum_rows(batch.frames[rows[plain], at : at + 20])
            good[plain] &= sums % _MODULUS == 0
        else:
            direct = batch.frames[rows[plain], at + 6] == decoded.protocol[rows[plain]]
            plain = plain[direct]
        for length in distinct(lengths[plain]):
            same = plain[lengths[plain] == length]
            good[same] &= _transport_intact(batch, decoded, rows[same], family, at + header, length)
    return good


def _transport_intact(
    batch: FrameBatch, decoded: Decoded, rows: NDArray[np.intp], family: int, start: int, end: int
) -> NDArray[np.bool_]:
    protocol = decoded.protocol[rows]
    checked = (protocol == 6) | (protocol == 17) | (protocol == (1 if family == 4 else 58))
    sctp = protocol == 132
    if end - start < 8 or not (checked | sctp).any():
        return np.ones(len(rows), np.bool_)
    segments = batch.frames[rows, start:end]
    sums = sum_rows(segments)
    with_pseudo = protocol != 1
    pseudo = np.zeros(len(rows), np.uint64)
    for column in (decoded.source_hi, decoded.source_lo, decoded.destination_hi, decoded.destination_lo):
        pseudo += half_sums(column[rows])
    pseudo += protocol.astype(np.uint64) + np.uint64(end - start)
    sums += np.where(with_pseudo, pseudo, np.uint64(0))
    # UDP over IPv4 may go without a checksum (RFC 768).
    without = (protocol == 17) & (family == 4) & (segments[:, 6] == 0) & (segments[:, 7] == 0)
    good = np.asarray(~checked | without | (sums % _MODULUS == 0))
    if sctp.any():
        good[sctp] = _crc_holds(segments[sctp])
    return good


def _crc_holds(packets: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Of SCTP packets, uint8 ``(N, L)``, which are changed. The least significant byte of a CRC goes first."""
    told = packets[:, 8:12].copy().view("<u4")[:, 0]
    packets[:, 8:12] = 0
    return np.asarray(crc32c_rows(packets) == told)
