from __future__ import annotations

from ipaddress import ip_address

import numpy as np

from leadline.model.address import columns_of
from leadline.sim.seal import octets, seal_icmp
from leadline.wire.checksum import checksum, transport_checksum


def test_sealed_messages_check() -> None:
    segments = np.random.default_rng(3).integers(0, 256, (5, 37), dtype=np.uint8)
    source, target = columns_of([ip_address("2001:db8::1")] * 5), columns_of([ip_address("2001:db8:1::2")] * 5)
    seal_icmp(4, segments, source, target)
    assert [checksum(row.tobytes()) for row in segments] == [0] * 5
    seal_icmp(6, segments, source, target)
    ends = ip_address("2001:db8::1").packed, ip_address("2001:db8:1::2").packed
    assert [transport_checksum(*ends, 58, row.tobytes()) for row in segments] == [0] * 5


def test_octets() -> None:
    assert octets(np.array([1, 0xABCD], np.uint64)).tolist() == [[0, 1], [0xAB, 0xCD]]
