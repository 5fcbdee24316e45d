"""Templates against scapy, which reads what is built and makes its own checksums."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import numpy as np
import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.sctp import SCTP, SCTPChunkAbort, SCTPChunkCookieEcho, SCTPChunkInit

from leadline.wire.sctp import ABORT, Chunk, SctpView
from leadline.wire.sctp_template import COOKIE_ECHO_CHUNK, INIT_CHUNK, SctpTemplate
from leadline.wire.template import Framing
from tests.support import scapy_offline

assert scapy_offline  # imported for what it takes away

HI, LO = np.zeros(3, np.uint64), np.array([0x0A000001, 0x0A0000FF, 1], np.uint64)
TAGS = np.array([1, 0xFFFFFFFF, 77], np.uint32)
PORTS = np.array([80, 65535, 2905])


def rows(family: int, chunk: Chunk, tag: object, adler: bool = False) -> list[SCTP]:
    template = SctpTemplate(Framing(family, 14, b"\x02" * 6, 0, 9), chunk, adler)
    batch = template.build(HI, LO, None, 40000, PORTS, tag, TAGS, 5, 64, 7)
    assert (batch.lengths == batch.frames.shape[1]).all()
    layer = IP if family == 4 else IPv6
    packets = [layer(batch.row(row)[14:]) for row in range(3)]
    for packet, lo in zip(packets, LO.tolist(), strict=True):
        assert ip_address(packet.dst) == (IPv4Address(lo) if family == 4 else IPv6Address(lo))
        assert (packet.proto if family == 4 else packet.nh) == 132
    return [packet[SCTP] for packet in packets]


@pytest.mark.parametrize("family", [4, 6])
def test_init(family: int) -> None:
    for packet, tag, port in zip(rows(family, INIT_CHUNK, 0), TAGS.tolist(), PORTS.tolist(), strict=True):
        chunk = packet[SCTPChunkInit]
        assert (packet.sport, packet.dport, packet.tag) == (40000, port, 0)
        assert (chunk.init_tag, chunk.a_rwnd, chunk.init_tsn) == (tag, 32768, 5)
        assert (chunk.n_out_streams, chunk.n_in_streams, chunk.len, chunk.flags) == (10, 2048, 20, 0)
        told, packet.chksum = packet.chksum, None
        assert SCTP(bytes(packet)).chksum == told


def test_a_cookie_echo_and_an_abort() -> None:
    for packet, tag in zip(rows(4, COOKIE_ECHO_CHUNK, TAGS), TAGS.tolist(), strict=True):
        assert packet.tag == tag
        assert bytes(packet[SCTPChunkCookieEcho].cookie) == tag.to_bytes(4, "big")
        assert SctpView(packet.original).checksum_holds()
    for packet in rows(6, Chunk(ABORT, 1), TAGS):
        assert (packet[SCTPChunkAbort].TCB, len(packet.original)) == (1, 16)
        assert SctpView(packet.original).checksum_holds()


def test_adler() -> None:
    for packet in rows(4, INIT_CHUNK, 0, adler=True):
        assert SctpView(packet.original).checksum_holds(adler=True)
        assert not SctpView(packet.original).checksum_holds()
