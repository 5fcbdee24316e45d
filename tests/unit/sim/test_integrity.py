from __future__ import annotations

import numpy as np
import pytest

from leadline.sim.integrity import intact
from leadline.sim.world import simple_world
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import decode
from leadline.wire.template import IcmpKind, IcmpTemplate, UdpTemplate
from tests.support.sim_scanner import Scanner


def check(batch: FrameBatch) -> list[bool]:
    return intact(batch, decode(batch), np.arange(len(batch))).tolist()


@pytest.mark.parametrize("target", ["10.0.0.1", "2001:db8:ffff::1"])
def test_each_damaged_byte_is_noticed(target: str) -> None:
    scanner = Scanner(simple_world([]), target)
    columns = (np.full(1, 0x20010DB8 << 32 if scanner.family == 6 else 0, np.uint64), np.ones(1, np.uint64))
    macs = np.zeros((1, 6), np.uint8)
    tcp = scanner.tcp_frames(target if scanner.family == 6 else "192.0.2.1", [80])
    udp = UdpTemplate(scanner.framing, b"odd").build(*columns, macs, 1, 2, 64, 5)
    icmp = IcmpTemplate(scanner.framing, IcmpKind.ECHO, b"payload").build(*columns, macs, 1, 2, 64, 5)
    for batch in (tcp, udp, icmp):
        assert check(batch) == [True]
        protocol_at = 14 + (9 if scanner.family == 4 else 6)
        for place in range(14 + (20 if scanner.family == 4 else 8), int(batch.lengths[0])):
            if place == protocol_at:
                continue
            broken = FrameBatch(batch.frames.copy(), batch.lengths, batch.times, 14)
            broken.frames[0, place] ^= 0x10
            decoded = decode(broken)
            # What no longer decodes is no probe at all.
            assert not intact(broken, decoded, np.arange(1))[0] or decoded.kind[0] == 0, place


def test_broken_header_checksum_and_missing_udp_checksum() -> None:
    scanner = Scanner(simple_world([]), "10.0.0.1")
    batch = scanner.tcp_frames("10.0.0.1", [80, 81])
    batch.frames[1, 14 + 10] ^= 1
    assert check(batch) == [True, False]
    udp = UdpTemplate(scanner.framing).build(np.zeros(1, np.uint64), np.ones(1, np.uint64), None, 1, 2, 64, 5)
    udp.frames[0, 14 + 26 : 14 + 28] = 0
    assert check(udp) == [True]
