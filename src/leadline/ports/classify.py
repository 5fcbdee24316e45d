"""What an answer to a raw probe or a connect attempt means: tables, spec sheet 2.8."""

from __future__ import annotations

import errno

import numpy as np
from numpy.typing import NDArray

from leadline.engine.replies import Replies
from leadline.model.port import PortState, Protocol, Reason
from leadline.model.quick_dataclass import dataclass
from leadline.ports.techniques import RawTechnique
from leadline.wire.columns import Decoded

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]

# New states that may replace an old one (row: old, column: new); spec sheet 2.8, "Transition rules".
TRANSITIONS = np.zeros((len(PortState), len(PortState)), dtype=bool)
TRANSITIONS[PortState.UNKNOWN, 1:] = True
TRANSITIONS[PortState.CLOSED, PortState.OPEN] = True
TRANSITIONS[PortState.FILTERED, [PortState.OPEN, PortState.CLOSED, PortState.UNFILTERED]] = True
TRANSITIONS[PortState.UNFILTERED, [PortState.OPEN, PortState.CLOSED]] = True
TRANSITIONS[PortState.OPEN_FILTERED, 1:] = True


@dataclass(frozen=True, slots=True)
class Verdicts:
    """``states``/``reasons``: uint8 ``(N,)``, state ``UNKNOWN`` where the answer decides nothing."""

    states: U8
    reasons: U8


def classify(technique: RawTechnique, frames: Decoded, replies: Replies) -> Verdicts:
    """Verdicts on answers to a technique's probes, in the order of ``replies`` (whose rows are those of ``frames``)."""
    rows, error = replies.rows, replies.error
    states, reasons = technique.errors.find(
        frames.family[rows], frames.icmp_type[rows], frames.icmp_code[rows], replies.from_target
    )
    told = error & (states != PortState.UNKNOWN)
    states, reasons = np.where(told, states, np.uint8(0)), np.where(told, reasons, np.uint8(0))
    told_by = answer_values(technique.protocol, frames, rows)
    for meaning in technique.meanings:
        fits = ~error & ((told_by & meaning.mask) == meaning.value)
        if meaning.window is not None:
            fits &= (frames.window[rows] > 0) == meaning.window
        states[fits] = meaning.state
        reasons[fits] = meaning.reason
    return Verdicts(states, reasons)


def answer_values(protocol: Protocol, frames: Decoded, rows: I64) -> U16:
    """What tells direct answers of a protocol apart: the flags of TCP, type and flags of SCTP's first chunk (a byte
    each); of others each answer means the same (0).
    """
    if protocol is Protocol.TCP:
        return frames.tcp_flags[rows]
    if protocol is Protocol.SCTP:
        kind: U16 = np.left_shift(frames.chunk_type[rows], 8, dtype=np.uint16)
        return kind | frames.chunk_flags[rows]
    return np.zeros(len(rows), dtype=np.uint16)


@dataclass(frozen=True, slots=True)
class ConnectMeaning:
    """``state`` ``UNKNOWN``: the port is not decided. ``up``: what it says of the host (``None``: nothing)."""

    state: PortState
    reason: Reason
    up: bool | None


# Every other error (ETIMEDOUT, EHOSTDOWN) is silence after all: the attempt is left to its timer, and repeated.
CONNECT_MEANINGS: dict[int, ConnectMeaning] = {
    0: ConnectMeaning(PortState.OPEN, Reason.SYN_ACK, True),
    errno.ECONNREFUSED: ConnectMeaning(PortState.CLOSED, Reason.CONN_REFUSED, True),
    errno.EACCES: ConnectMeaning(PortState.FILTERED, Reason.ADMIN_PROHIBITED, False),
    errno.EPERM: ConnectMeaning(PortState.FILTERED, Reason.ADMIN_PROHIBITED, False),
    errno.ENOPROTOOPT: ConnectMeaning(PortState.FILTERED, Reason.PROTO_UNREACH, False),
    errno.EHOSTUNREACH: ConnectMeaning(PortState.FILTERED, Reason.HOST_UNREACH, False),
    errno.ENETUNREACH: ConnectMeaning(PortState.FILTERED, Reason.NET_UNREACH, False),
    errno.ENONET: ConnectMeaning(PortState.FILTERED, Reason.DEST_UNREACH, False),
}


def icmp_words(family: int, kind: int, code: int) -> str:
    """An ICMP error as evidence names it."""
    return f"{'icmpv6' if family == 6 else 'icmp'} {kind}/{code}"


def flag_words(flags: int) -> str:
    """TCP flags as letters in the order of the header (``SA``, ``RA``); ``none`` for no flag."""
    letters = "".join(letter for bit, letter in enumerate("FSRPAUECN") if flags >> bit & 1)
    return f"tcp {letters or 'none'}"
