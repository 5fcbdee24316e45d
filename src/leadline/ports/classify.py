"""What an answer to a TCP probe or a connect attempt means: tables, spec sheet 2.8 (RFC 792, 4443, 9293)."""

from __future__ import annotations

import errno
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.model.port import PortState, Reason
from leadline.ports.techniques import RawTechnique

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]

# ICMP (family 4) and ICMPv6 (family 6) errors that decide a TCP port: all of them mean that something is in the way.
ICMP_REASONS: dict[tuple[int, int, int], Reason] = {
    (4, 3, 0): Reason.NET_UNREACH,
    (4, 3, 1): Reason.HOST_UNREACH,
    (4, 3, 2): Reason.PROTO_UNREACH,
    (4, 3, 3): Reason.PORT_UNREACH,
    (4, 3, 9): Reason.NET_PROHIBITED,
    (4, 3, 10): Reason.HOST_PROHIBITED,
    (4, 3, 13): Reason.ADMIN_PROHIBITED,
    (6, 1, 0): Reason.NO_ROUTE,
    (6, 1, 1): Reason.ADMIN_PROHIBITED,
    (6, 1, 2): Reason.BEYOND_SCOPE,
    (6, 1, 3): Reason.HOST_UNREACH,
    (6, 1, 4): Reason.PORT_UNREACH,
    (6, 1, 5): Reason.ADMIN_PROHIBITED,
    (6, 1, 6): Reason.REJECT_ROUTE,
}
TIME_EXCEEDED = {4: 11, 6: 3}


def _reason_table() -> U8:
    table = np.zeros(2 * 65_536, dtype=np.uint8)
    for (family, kind, code), reason in ICMP_REASONS.items():
        table[_slot(family, kind, code)] = reason
    for family, kind in TIME_EXCEEDED.items():
        for code in range(256):
            table[_slot(family, kind, code)] = Reason.TIME_EXCEEDED
    return table


def _slot(family: int, kind: int, code: int) -> int:
    return (family == 6) << 16 | kind << 8 | code


_REASONS = _reason_table()

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


def classify(
    technique: RawTechnique, error: NDArray[np.bool_], family: U8, flags: U16, window: U16, icmp_type: U8, icmp_code: U8
) -> Verdicts:
    """Verdicts on answers to a technique's probes; columns ``(N,)`` as ``wire.columns`` decodes them."""
    states = np.zeros(len(error), dtype=np.uint8)
    reasons = np.zeros(len(error), dtype=np.uint8)
    cause = _REASONS[((family == 6).astype(np.int64) << 16) | (icmp_type.astype(np.int64) << 8) | icmp_code]
    filtered = error & (cause != 0)
    states[filtered] = PortState.FILTERED
    reasons[filtered] = cause[filtered]
    for meaning in technique.meanings:
        fits = ~error & ((flags & meaning.mask) == meaning.value)
        if meaning.window is not None:
            fits &= (window > 0) == meaning.window
        states[fits] = meaning.state
        reasons[fits] = meaning.reason
    return Verdicts(states, reasons)


@dataclass(frozen=True, slots=True)
class ConnectMeaning:
    """``state`` ``UNKNOWN``: the port is not decided. ``up``: what it says of the host (``None``: nothing)."""

    state: PortState
    reason: Reason
    up: bool | None


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
# Silence after all: the attempt counts as timed out and is repeated.
SILENT_ERRORS = frozenset({errno.ETIMEDOUT, errno.EHOSTDOWN})


def icmp_words(family: int, kind: int, code: int) -> str:
    """An ICMP error as evidence names it."""
    return f"{'icmpv6' if family == 6 else 'icmp'} {kind}/{code}"


def flag_words(flags: int) -> str:
    """TCP flags as letters in the order of the header (``SA``, ``RA``); ``none`` for no flag."""
    letters = "".join(letter for bit, letter in enumerate("FSRPAUECN") if flags >> bit & 1)
    return f"tcp {letters or 'none'}"
