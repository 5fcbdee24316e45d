"""What ICMP and ICMPv6 errors say of a port, for each transport: tables, spec sheet 2.8 (RFC 792, 4443)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from leadline.model.port import PortState, Reason
from leadline.model.quick_dataclass import dataclass

U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]
Error = tuple[int, int, int]
"""Address family (4 or 6), type and code."""

TIME_EXCEEDED = {4: 11, 6: 3}


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """``from_target``: the state when the probed address itself sent the error, ``state``: when another one did."""

    reason: Reason
    state: PortState = PortState.FILTERED
    from_target: PortState = PortState.FILTERED


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """``states``/``own_states``/``reasons``: uint8 ``(131072,)``, indexed by family, type and code (see ``find``).

    State ``UNKNOWN``: the error decides nothing. ``own_states``: for errors from the target itself.
    """

    states: U8
    own_states: U8
    reasons: U8

    def find(self, family: U8, kind: U8, code: U8, from_target: Bool) -> tuple[U8, U8]:
        """States and reasons of errors, columns ``(N,)``."""
        slots = ((family == 6).astype(np.int64) << 16) | (kind.astype(np.int64) << 8) | code
        return np.where(from_target, self.own_states[slots], self.states[slots]), self.reasons[slots]


def error_table(meanings: Mapping[Error, ErrorMeaning]) -> ErrorTable:
    """The table of these errors, and of time exceeded with any code."""
    size = 2 * 65_536
    table = ErrorTable(np.zeros(size, dtype=np.uint8), np.zeros(size, dtype=np.uint8), np.zeros(size, dtype=np.uint8))
    late = ErrorMeaning(Reason.TIME_EXCEEDED)
    every = {(family, kind, code): late for family, kind in TIME_EXCEEDED.items() for code in range(256)}
    every.update(meanings)
    for (family, kind, code), meaning in every.items():
        slot = (family == 6) << 16 | kind << 8 | code
        table.states[slot], table.own_states[slot] = meaning.state, meaning.from_target
        table.reasons[slot] = meaning.reason
    return table


IN_THE_WAY: dict[Error, ErrorMeaning] = {
    (4, 3, 0): ErrorMeaning(Reason.NET_UNREACH),
    (4, 3, 1): ErrorMeaning(Reason.HOST_UNREACH),
    (4, 3, 2): ErrorMeaning(Reason.PROTO_UNREACH),
    (4, 3, 3): ErrorMeaning(Reason.PORT_UNREACH),
    (4, 3, 9): ErrorMeaning(Reason.NET_PROHIBITED),
    (4, 3, 10): ErrorMeaning(Reason.HOST_PROHIBITED),
    (4, 3, 13): ErrorMeaning(Reason.ADMIN_PROHIBITED),
    (6, 1, 0): ErrorMeaning(Reason.NO_ROUTE),
    (6, 1, 1): ErrorMeaning(Reason.ADMIN_PROHIBITED),
    (6, 1, 2): ErrorMeaning(Reason.BEYOND_SCOPE),
    (6, 1, 3): ErrorMeaning(Reason.HOST_UNREACH),
    (6, 1, 4): ErrorMeaning(Reason.PORT_UNREACH),
    (6, 1, 5): ErrorMeaning(Reason.ADMIN_PROHIBITED),
    (6, 1, 6): ErrorMeaning(Reason.REJECT_ROUTE),
    # Our header is right: who complains of it, on behalf of whatever port, has not let the packet through (RFC 4443
    # section 3.4). Nmap calls the port open then.
    (6, 4, 0): ErrorMeaning(Reason.PARAM_PROBLEM),
    (6, 4, 1): ErrorMeaning(Reason.PARAM_PROBLEM),
}
"""Whoever sends them, they mean that something is in the way; so it is for all that TCP and SCTP ports are asked."""

_CLOSED_PORT = ErrorMeaning(Reason.PORT_UNREACH, from_target=PortState.CLOSED)

TCP_ERRORS = error_table(IN_THE_WAY)
UDP_ERRORS = error_table({**IN_THE_WAY, (4, 3, 3): _CLOSED_PORT, (6, 1, 4): _CLOSED_PORT})
PROTOCOL_ERRORS = error_table(
    {
        **IN_THE_WAY,
        (4, 3, 2): ErrorMeaning(Reason.PROTO_UNREACH, from_target=PortState.CLOSED),
        (6, 4, 1): ErrorMeaning(Reason.PARAM_PROBLEM, from_target=PortState.CLOSED),
        # Whoever complains of a port, or of what is in the packet, has understood the protocol.
        (4, 3, 3): ErrorMeaning(Reason.PORT_UNREACH, from_target=PortState.OPEN),
        (6, 1, 4): ErrorMeaning(Reason.PORT_UNREACH, from_target=PortState.OPEN),
        (6, 4, 0): ErrorMeaning(Reason.PARAM_PROBLEM, from_target=PortState.OPEN),
    }
)
