"""What an answer to a discovery probe means (spec sheet 2.6; RFC 792, 826, 4443, 4861, 9260, 9293)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.probe_kind import ProbeKind
from leadline.model.host import HostStatus
from leadline.model.port import Reason
from leadline.wire.sctp import ABORT, INIT_ACK

U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

SYN, RST, ACK = 0x02, 0x04, 0x10

# Direct replies other than TCP's and SCTP's: all of them mean that somebody is there.
_DIRECT = {
    ProbeKind.UDP: Reason.UDP_RESPONSE,
    ProbeKind.ICMP_ECHO: Reason.ECHO_REPLY,
    ProbeKind.ICMP_TIMESTAMP: Reason.TIMESTAMP_REPLY,
    ProbeKind.ICMP_ADDRESS_MASK: Reason.ADDRESSMASK_REPLY,
    ProbeKind.IP_PROTOCOL: Reason.PROTO_RESPONSE,
    ProbeKind.ARP: Reason.ARP_RESPONSE,
    ProbeKind.NEIGHBOR: Reason.ND_RESPONSE,
}
# ICMP errors of the target itself that prove it: (family, type, code).
_OWN_ERRORS = {
    (4, 3, 2): Reason.PROTO_UNREACH,
    (4, 3, 3): Reason.PORT_UNREACH,
    (6, 1, 4): Reason.PORT_UNREACH,
    (6, 4, 1): Reason.PARAM_PROBLEM,
}
_TIME_EXCEEDED = {4: 11, 6: 3}


def classify(
    kinds: U8, error: Bool, from_target: Bool, family: U8, flags: NDArray[np.uint16], icmp_type: U8, icmp_code: U8,
    chunk_type: U8, ignore_reset: bool,
) -> tuple[U8, U8]:  # fmt: skip
    """``HostStatus`` (``UNKNOWN``: nothing decided) and ``Reason`` columns ``(N,)`` for answers to discovery probes."""
    status = np.zeros(len(kinds), dtype=np.uint8)
    reasons = np.zeros(len(kinds), dtype=np.uint8)

    def up(mask: Bool, reason: Reason) -> None:
        status[mask] = HostStatus.UP
        reasons[mask] = reason

    direct = ~error
    tcp = direct & ((kinds == ProbeKind.TCP_SYN) | (kinds == ProbeKind.TCP_ACK))
    up(tcp & ((flags & (SYN | ACK | RST)) == SYN | ACK), Reason.SYN_ACK)
    if not ignore_reset:
        up(tcp & ((flags & RST) != 0), Reason.RESET)
    sctp = direct & (kinds == ProbeKind.SCTP_INIT)
    up(sctp & (chunk_type == INIT_ACK), Reason.INIT_ACK)
    up(sctp & (chunk_type == ABORT), Reason.ABORT)
    for kind, reason in _DIRECT.items():
        up(direct & (kinds == kind), reason)
    for (version, kind_of_error, code), reason in _OWN_ERRORS.items():
        fits = error & from_target & (family == version) & (icmp_type == kind_of_error) & (icmp_code == code)
        up(fits, reason)
    for version, kind_of_error in _TIME_EXCEEDED.items():
        late = error & (family == version) & (icmp_type == kind_of_error)
        status[late] = HostStatus.DOWN
        reasons[late] = Reason.TIME_EXCEEDED
    return status, reasons
