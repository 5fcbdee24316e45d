"""What discovery sends, in which order (spec sheet 1.2 and 2.6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.probe_kind import ProbeKind
from leadline.engine.protocol_probes import protocol_probe
from leadline.model.plan import DiscoveryPlan, PingKind
from leadline.model.quick_dataclass import dataclass

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

_KINDS = {
    PingKind.ICMP_ECHO: ProbeKind.ICMP_ECHO,
    PingKind.TCP_SYN: ProbeKind.TCP_SYN,
    PingKind.TCP_ACK: ProbeKind.TCP_ACK,
    PingKind.ICMP_TIMESTAMP: ProbeKind.ICMP_TIMESTAMP,
    PingKind.UDP: ProbeKind.UDP,
    PingKind.SCTP_INIT: ProbeKind.SCTP_INIT,
    PingKind.IP_PROTOCOL: ProbeKind.IP_PROTOCOL,
    PingKind.ICMP_ADDRESS_MASK: ProbeKind.ICMP_ADDRESS_MASK,
}


@dataclass(frozen=True, slots=True)
class PingColumns:
    """Column ``c`` is a probe of ``kinds[c]`` to port (or protocol) ``numbers[c]``; ``(P,)`` each, in send order.

    ``protocols[c]``: it was asked for as a protocol ping (``-PO``), whatever it carries.
    """

    kinds: U8
    numbers: I64
    protocols: NDArray[np.bool_]

    def column_of(self, kinds: U8, numbers: I64) -> I64:
        """The column of each (kind, number), ``(N,)``; -1 for probes that are not sent."""
        fits = (kinds[:, None] == self.kinds[None, :]) & (numbers[:, None] == self.numbers[None, :])
        return np.where(fits.any(axis=1), fits.argmax(axis=1), -1)


def raw_columns(plan: DiscoveryPlan, family: int) -> PingColumns:
    """The raw probes of the plan for one family; connect pings are left out (they are not raw)."""
    pairs: dict[tuple[ProbeKind, int], bool] = {}
    for probe in plan.probes_v4 if family == 4 else plan.probes_v6:
        if probe.kind is PingKind.TCP_CONNECT:
            continue
        kind, number = _KINDS[probe.kind], probe.number
        protocol = kind is ProbeKind.IP_PROTOCOL
        if protocol:
            kind, number = protocol_probe(number, family)
        pairs.setdefault((kind, number), protocol)
    return _columns(pairs)


def neighbor_columns(family: int) -> PingColumns:
    """ARP or ND alone: on the local link they tell all (spec sheet 2.6)."""
    return _columns({(ProbeKind.ARP if family == 4 else ProbeKind.NEIGHBOR, 0): False})


def _columns(pairs: dict[tuple[ProbeKind, int], bool]) -> PingColumns:
    kinds = np.array([int(kind) for kind, _ in pairs], dtype=np.uint8)
    numbers = np.array([number for _, number in pairs], dtype=np.int64)
    return PingColumns(kinds, numbers, np.array(list(pairs.values()), dtype=bool))
