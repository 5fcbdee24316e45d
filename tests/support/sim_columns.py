"""Columns of the simulator made by hand, for tests of its parts."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np

from leadline.model.address import columns_of
from leadline.sim.traffic import Probes
from leadline.wire.columns import Kind


def probes(
    targets: list[str], ports: list[int], *, flags: int = 2, source: str | None = None, kind: int = Kind.TCP
) -> Probes:
    """SYN probes from 192.0.2.2 (or ``2001:db8:ffff::2``) port 40000, number 1000 + row, TTL 64, one second old."""
    count = len(targets)
    here = source or ("192.0.2.2" if ip_address(targets[0]).version == 4 else "2001:db8:ffff::2")
    hi, lo = columns_of([ip_address(target) for target in targets])
    source_hi, source_lo = columns_of([ip_address(here)] * count)
    zero, times = np.zeros(count, np.int32), np.full(count, 1.0)
    protocol = {Kind.TCP: 6, Kind.UDP: 17, Kind.SCTP: 132, Kind.IP_OTHER: 99}.get(Kind(kind), 1)
    return Probes(
        frame=np.arange(count, dtype=np.int32),
        kind=np.full(count, kind, np.uint8),
        source_hi=source_hi,
        source_lo=source_lo,
        target_hi=hi,
        target_lo=lo,
        protocol=np.full(count, protocol, np.uint8),
        ttl=np.full(count, 64, np.uint8),
        source_port=np.full(count, 40_000, np.uint16),
        target_port=np.array(ports, np.uint16),
        sequence=(1000 + np.arange(count)).astype(np.uint32),
        acknowledgment=np.full(count, 5, np.uint32),
        flags=np.full(count, flags, np.uint16),
        length=zero,
        identifier=np.full(count, 9, np.uint16),
        icmp_sequence=np.full(count, 1, np.uint16),
        time=times,
        host=zero,
        path=zero,
        depth=zero,
        arrival=times + 0.5,
        back=times + 1.0,
        survives=np.ones(count),
        hops=np.ones(count, np.uint8),
    )
