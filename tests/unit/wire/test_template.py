from ipaddress import IPv4Address, IPv6Address

import numpy as np
import pytest

from leadline.model.address import columns_of
from leadline.wire.columns import Kind, decode
from leadline.wire.frame import Frame
from leadline.wire.icmp import Icmp, IcmpView
from leadline.wire.icmpv6 import Icmpv6
from leadline.wire.ipv4 import Ipv4, Ipv4View
from leadline.wire.tcp import Tcp
from leadline.wire.template import (
    ArpTemplate,
    Framing,
    IcmpKind,
    IcmpTemplate,
    IpTemplate,
    NeighborTemplate,
    TcpTemplate,
    UdpTemplate,
)

MAC = b"\x02\x00\x00\x00\x00\x01"
US, US6 = IPv4Address("10.0.0.1"), IPv6Address("2001:db8::1")
V4 = Framing(4, 14, MAC, 0, int(US))
V4_BARE = Framing(4, 0, MAC, 0, int(US))
V6 = Framing(6, 14, MAC, int(US6) >> 64, 1)
HI, LO = columns_of([IPv4Address("10.0.0.2"), IPv4Address("255.255.255.255")])
HI6, LO6 = columns_of([IPv6Address("fe80::1"), IPv6Address("2001:db8::ff12:3456")])


def test_a_row_is_the_frame_that_was_meant() -> None:
    template = TcpTemplate(V4, 2, payload=b"x")
    batch = template.build(HI, LO, None, 40000, np.array([80, 443]), np.array([1, 2], np.uint32), 0, 64, 9)
    frame = Frame.parse(batch.row(1), 14)
    assert frame.link is not None
    assert (frame.link.destination, frame.link.source, frame.link.ethertype) == (bytes(6), MAC, 0x0800)
    assert frame.network == Ipv4(US, IPv4Address("255.255.255.255"), 6, 64, 9)
    assert frame.transport == Tcp(40000, 443, 2, 0, 2, 1024, options=b"\x02\x04\x05\xb4", payload=b"x")
    assert batch.row(1) == frame.emit()


@pytest.mark.parametrize("kind", list(IcmpKind))
def test_icmp_answers_of_zeros_have_a_checksum_that_receivers_accept(kind: IcmpKind) -> None:
    batch = IcmpTemplate(V4_BARE, kind).build(HI, LO, None, 0, 0, 64, 0)
    message = Icmp.parse(batch.row(0)[20:])
    assert (message.type, message.code, message.word) == (kind.value, 0, 0)
    assert batch.row(0)[20:] == message.emit()
    assert len(message.payload) == (12 if "TIME" in kind.name else 4 if "MASK" in kind.name else 0)
    assert IcmpView(batch.row(0)[20:]).checksum_holds


def test_echo_replies_of_ipv6() -> None:
    batch = IcmpTemplate(V6, IcmpKind.ECHO_REPLY, b"hello").build(HI6, LO6, None, 1, np.array([2, 3]), 64, 0)
    frame = Frame.parse(batch.row(1), 14)
    assert frame.transport == Icmpv6(129, 0, 0x00010003, b"hello")
    assert frame.emit() == batch.row(1)


def test_a_udp_checksum_is_never_zero() -> None:
    # One of all the 65536 source ports makes the sum come out as 65535.
    count = 1 << 16
    lo = np.full(count, int(US) + 1, dtype=np.uint64)
    batch = UdpTemplate(V4_BARE).build(np.zeros_like(lo), lo, None, np.arange(count), 53, 64, 0)
    checksums = batch.frames[:, 26:28].copy().view(">u2")[:, 0]
    assert 0 not in checksums
    assert 0xFFFF in checksums


def test_other_sources_row_by_row() -> None:
    sources = columns_of([IPv4Address("10.1.1.1"), IPv4Address("10.1.1.2")])
    batch = UdpTemplate(V4, b"q").build(HI, LO, None, 1, 2, 64, 0, sources)
    frames = [Frame.parse(batch.row(index), 14) for index in range(2)]
    assert [str(frame.network.source) for frame in frames if isinstance(frame.network, Ipv4)] == [
        "10.1.1.1",
        "10.1.1.2",
    ]
    assert [frame.emit() for frame in frames] == [batch.row(0), batch.row(1)]
    sources6 = columns_of([IPv6Address("fe80::9"), IPv6Address("fe80::a")])
    batch = IpTemplate(V6, 59).build(HI6, LO6, None, 64, 0, sources6)
    assert decode(batch).source_lo.tolist() == [9, 10]


def test_next_hops_are_left_out_without_a_link_header() -> None:
    macs = np.full((2, 6), 7, dtype=np.uint8)
    batch = IpTemplate(V4_BARE, 47, b"body").build(HI, LO, macs, 5, 6)
    assert batch.offset == 0
    assert Ipv4.parse(batch.row(0)) == Ipv4(US, IPv4Address("10.0.0.2"), 47, 5, 6, payload=b"body")
    assert Ipv4View(batch.row(0)).checksum_holds
    linked = IpTemplate(V4, 47, b"body").build(HI, LO, macs[:, ::-1], 5, 6)
    assert linked.row(0)[:6] == bytes([7] * 6)


def test_neighbor_solicitation_goes_to_the_group_of_the_target() -> None:
    batch = NeighborTemplate(V6).build(HI6, LO6)
    assert batch.row(1)[:6] == bytes.fromhex("3333ff123456")
    decoded = decode(batch)
    assert decoded.kind.tolist() == [Kind.ND_SOLICIT] * 2
    assert decoded.ttl.tolist() == [255, 255]
    assert decoded.destination_hi.tolist() == [0xFF02 << 48] * 2
    assert decoded.destination_lo.tolist() == [0x1FF000001, 0x1FF123456]
    assert decoded.target_hi.tolist() == HI6.tolist()
    assert decoded.target_lo.tolist() == LO6.tolist()


def test_arp_asks_everybody() -> None:
    batch = ArpTemplate(V4).build(HI, LO)
    assert batch.row(0)[:6] == b"\xff" * 6
    assert decode(batch).destination_lo.tolist() == LO.tolist()


def test_no_targets_no_frames() -> None:
    none = np.zeros(0, dtype=np.uint64)
    assert len(ArpTemplate(V4).build(none, none)) == 0
    assert len(NeighborTemplate(V6).build(none, none)) == 0
    assert len(TcpTemplate(V6, 2).build(none, none, None, 1, 2, 3, 4, 5, 6)) == 0


def test_options_are_padded_and_limited() -> None:
    batch = TcpTemplate(V4_BARE, 2, options=b"\x03\x03\x07").build(HI, LO, None, 1, 2, 3, 4, 5, 6)
    assert batch.row(0)[32] == 0x60
    assert batch.row(0)[40:] == b"\x03\x03\x07\x00"
    with pytest.raises(ValueError, match="at most 40"):
        TcpTemplate(V4, 2, options=bytes(41))


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no timestamp"):
        IcmpTemplate(V6, IcmpKind.TIMESTAMP)
    with pytest.raises(ValueError, match="ARP"):
        ArpTemplate(V6)
    with pytest.raises(ValueError, match="ARP"):
        ArpTemplate(V4_BARE)
    with pytest.raises(ValueError, match="neighbour"):
        NeighborTemplate(V4)
    with pytest.raises(ValueError, match="neighbour"):
        NeighborTemplate(Framing(6, 0, MAC, 0, 1))


@pytest.mark.parametrize(("family", "offset", "mac"), [(5, 14, MAC), (4, 16, MAC), (4, 14, MAC[1:])])
def test_framings_that_do_not_exist(family: int, offset: int, mac: bytes) -> None:
    with pytest.raises(ValueError, match="no such framing"):
        Framing(family, offset, mac, 0, 1)
