"""Packets under way in columns: ``Probes`` towards the hosts, ``Answers`` back to the scanner.

All columns of one value have the same shape ``(N,)`` and belong to one family, which is kept beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]
F64 = NDArray[np.float64]
Rows = NDArray[np.bool_] | NDArray[np.intp] | NDArray[np.int32] | NDArray[np.int64] | slice

SYN, RST, ACK, FIN = 2, 4, 16, 1


@dataclass(slots=True)
class Probes:
    """What the scanner sends.

    ``frame``: row in the batch that was sent (negative: no frame, but connection attempt ``-1 - frame``); ``kind``: of
    ``wire.columns.Kind``; ``flags``: of TCP, of SCTP the first chunk's type and flags (two bytes; its initiate tag is
    in ``acknowledgment``); ``length``: transport payload in bytes; ``time``: when it was sent.
    Filled in on the way: ``host`` (index, -1 = nobody), ``path`` (index, -1 = no way), ``depth`` (routers between),
    ``arrival`` at the host, ``back``: when an answer reaches the scanner, ``survives``: its probability to do so,
    ``hops``: what the way takes from a TTL.
    """

    frame: I32
    kind: U8
    source_hi: U64
    source_lo: U64
    target_hi: U64
    target_lo: U64
    protocol: U8
    ttl: U8
    source_port: U16
    target_port: U16
    sequence: U32
    acknowledgment: U32
    flags: U16
    length: I32
    identifier: U16
    icmp_sequence: U16
    time: F64
    host: I32
    path: I32
    depth: I32
    arrival: F64
    back: F64
    survives: F64
    hops: U8

    def __len__(self) -> int:
        return len(self.time)


class AnswerKind(IntEnum):
    """What kind of packet an answer is."""

    TCP = 1
    UDP = 2
    ECHO = 3
    TIMESTAMP = 4
    MASK = 5
    ERROR = 6
    SCTP = 7
    BARE = 8
    """A packet without content, of the protocol that was probed."""


@dataclass(slots=True)
class Answers:
    """What comes back.

    ``frame``: row of the probe that it answers or quotes; ``host``: whose answer it is (decides lies and the MAC);
    ``source_*``: who it says it is from; ``target_*``: the scanner's address. ``flags``: of TCP, or type and flags of
    SCTP's chunk. ``style``: index of the personality; ``window``: of TCP, where the personality does not say it (that
    of SYN/ACKs is its own); ``payload``: index of a UDP payload, of a bare packet its protocol; ``ttl``: as the scanner
    receives it; ``quoted_ttl``: of the packet that an error quotes; ``path``: the way it takes; ``time``: when it
    reaches the scanner, ``survives``: its probability to.
    """

    kind: U8
    frame: I32
    host: I32
    source_hi: U64
    source_lo: U64
    target_hi: U64
    target_lo: U64
    source_port: U16
    target_port: U16
    sequence: U32
    acknowledgment: U32
    flags: U16
    window: U16
    style: I32
    payload: I32
    icmp_type: U8
    icmp_code: U8
    identifier: U16
    icmp_sequence: U16
    ttl: U8
    quoted_ttl: U8
    ip_id: U32
    path: I32
    time: F64
    survives: F64

    def __len__(self) -> int:
        return len(self.time)


Columns = TypeVar("Columns", Probes, Answers)
_NAMES = {made: tuple(field.name for field in fields(made)) for made in (Probes, Answers)}


def take(columns: Columns, rows: Rows) -> Columns:
    """The chosen rows (mask, indices or slice) as new columns."""
    if isinstance(rows, np.ndarray) and rows.dtype == np.bool_:
        # Once for all columns: two dozen masks cost more than one list of rows.
        rows = rows.nonzero()[0]
    made = type(columns)
    return made(*[getattr(columns, name)[rows] for name in _NAMES[made]])


def join(parts: list[Columns]) -> Columns:
    """All rows of several values (at least one), in order."""
    if len(parts) == 1:
        return parts[0]
    made = type(parts[0])
    return made(*[np.concatenate([getattr(part, name) for part in parts]) for name in _NAMES[made]])


def distinct(column: U8 | U16 | I32 | NDArray[np.int64]) -> list[int]:
    """The values of a column of integers, ascending; quick where all are the same, as they mostly are."""
    if len(column) and (column == column[0]).all():
        return [int(column[0])]
    return [int(value) for value in np.unique(column)]


def answers_to(probes: Probes, kind: AnswerKind) -> Answers:
    """An answer of this kind to each probe, as from the probed address, all undecided fields zero."""
    count = len(probes)
    zeros16, zeros32, index = np.zeros(count, np.uint16), np.zeros(count, np.uint32), np.zeros(count, np.int32)
    octets = np.zeros(count, np.uint8)
    return Answers(
        kind=np.full(count, kind, np.uint8),
        frame=probes.frame,
        host=probes.host,
        source_hi=probes.target_hi,
        source_lo=probes.target_lo,
        target_hi=probes.source_hi,
        target_lo=probes.source_lo,
        source_port=probes.target_port,
        target_port=probes.source_port,
        sequence=zeros32,
        acknowledgment=zeros32.copy(),
        flags=zeros16,
        window=zeros16.copy(),
        style=index,
        payload=index.copy(),
        icmp_type=octets,
        icmp_code=octets.copy(),
        identifier=probes.identifier,
        icmp_sequence=probes.icmp_sequence,
        ttl=octets.copy(),
        quoted_ttl=octets.copy(),
        ip_id=zeros32.copy(),
        path=probes.path,
        time=probes.back,
        survives=probes.survives,
    )
