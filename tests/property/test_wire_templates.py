"""Templates against scapy: what it decodes is what was asked for, and its own checksums are the same."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from leadline.model.address import U64, columns_of
from leadline.wire.batch import FrameBatch
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
from tests.support import scapy_offline

assert scapy_offline  # imported for what it takes away

OUR_MAC = b"\x02\x00\x00\x00\x00\x07"
short = st.integers(0, 0xFFFF)
word = st.integers(0, 0xFFFFFFFF)
payload = st.binary(max_size=41)
v4 = word.map(IPv4Address)
v6 = st.integers(0, (1 << 128) - 1).map(IPv6Address)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Framing, list[IPv4Address | IPv6Address], np.ndarray | None]:
    """A framing, targets, and next hops for them or none."""
    family = draw(st.sampled_from([4, 6]))
    address = v4 if family == 4 else v6
    source = int(draw(address))
    offset = draw(st.sampled_from([0, 14]))
    framing = Framing(family, offset, OUR_MAC, source >> 64, source & (1 << 64) - 1)
    targets = draw(st.lists(address, min_size=1, max_size=5))
    macs = draw(st.none() | st.lists(st.binary(min_size=6, max_size=6), min_size=len(targets), max_size=len(targets)))
    return framing, targets, None if macs is None else np.array([list(mac) for mac in macs], dtype=np.uint8)


def rows(batch: FrameBatch, framing: Framing) -> list[Packet]:
    assert batch.offset == framing.offset
    assert not batch.times.any()
    assert (batch.lengths == batch.frames.shape[1]).all()
    first = Ether if framing.offset else IP if framing.family == 4 else IPv6
    return [first(batch.row(index)) for index in range(len(batch))]


def rebuilt(packet: Packet) -> bytes:
    """The packet as scapy makes it when it counts lengths and checksums itself."""
    copy = packet.copy()
    for layer, names in (
        (IP, ("len", "chksum", "ihl")),
        (IPv6, ("plen",)),
        (TCP, ("chksum", "dataofs")),
        (UDP, ("chksum", "len")),
        (ICMP, ("chksum",)),
        (ICMPv6EchoRequest, ("cksum",)),
        (ICMPv6ND_NS, ("cksum",)),
    ):
        if layer in copy:
            for name in names:
                setattr(copy[layer], name, None)
    return bytes(copy)


def check_network(
    packet: Packet, framing: Framing, target: IPv4Address | IPv6Address, ttl: int, ip_id: int, source: int | None = None
) -> None:
    ours = (framing.source_hi << 64) | framing.source_lo if source is None else source
    if framing.family == 4:
        assert (packet[IP].ttl, packet[IP].id, packet[IP].flags) == (ttl, ip_id, 0)
        assert (packet[IP].src, packet[IP].dst) == (str(IPv4Address(ours)), str(target))
    else:
        assert packet[IPv6].hlim == ttl
        assert (IPv6Address(packet[IPv6].src), IPv6Address(packet[IPv6].dst)) == (IPv6Address(ours), target)
    assert rebuilt(packet) == bytes(packet.original)


def check_link(packets: list[Packet], framing: Framing, macs: np.ndarray | None) -> None:
    for index, packet in enumerate(packets):
        if framing.offset:
            assert packet[Ether].src == OUR_MAC.hex(":")
            assert packet[Ether].dst == (bytes(6) if macs is None else macs[index].tobytes()).hex(":")


def columns(data: st.DataObject, count: int, one: st.SearchStrategy[int], dtype: type) -> tuple[object, list[int]]:
    """A column for ``build``, an array or a scalar, and the values that each row must have."""
    if data.draw(st.booleans()):
        value = data.draw(one)
        return value, [value] * count
    values = data.draw(st.lists(one, min_size=count, max_size=count))
    return np.array(values, dtype=dtype), values


@settings(max_examples=60)
@given(situations(), st.data(), payload)
def test_tcp(situation: tuple, data: st.DataObject, body: bytes) -> None:
    framing, targets, macs = situation
    hi, lo = columns_of(targets)
    flags, window = data.draw(st.integers(0, 511)), data.draw(short)
    options = data.draw(st.sampled_from([b"", b"\x02\x04\x05\xb4", b"\x03\x03\x07", b"\x01" * 40]))
    count = len(targets)
    sport, sports = columns(data, count, short, np.uint16)
    dport, dports = columns(data, count, short, np.int64)
    seq, seqs = columns(data, count, word, np.uint32)
    ack, acks = columns(data, count, word, np.uint64)
    ttl, ttls = columns(data, count, st.integers(0, 255), np.uint8)
    ip_id, ip_ids = columns(data, count, short, np.int32)
    source: tuple[U64, U64] | None = None
    sources: list[int | None] = [None] * count
    if data.draw(st.booleans()):
        addresses = data.draw(st.lists(v4 if framing.family == 4 else v6, min_size=count, max_size=count))
        source, sources = columns_of(addresses), [int(address) for address in addresses]
    template = TcpTemplate(framing, flags, window, options, body)
    packets = rows(template.build(hi, lo, macs, sport, dport, seq, ack, ttl, ip_id, source), framing)
    check_link(packets, framing, macs)
    for index, packet in enumerate(packets):
        check_network(packet, framing, targets[index], ttls[index], ip_ids[index], sources[index])
        segment = packet[TCP]
        assert (segment.sport, segment.dport) == (sports[index], dports[index])
        assert (segment.seq, segment.ack, int(segment.flags)) == (seqs[index], acks[index], flags)
        assert segment.window == window
        assert bytes(segment.payload) == body
        assert packet.original[-len(body) - len(options + bytes(-len(options) % 4)) :][: len(options)] == options


@settings(max_examples=40)
@given(situations(), short, st.lists(short, min_size=5, max_size=5), st.integers(0, 255), short, payload)
def test_udp(situation: tuple, sport: int, dports: list[int], ttl: int, ip_id: int, body: bytes) -> None:
    framing, targets, macs = situation
    hi, lo = columns_of(targets)
    dport = np.array(dports[: len(targets)])
    packets = rows(UdpTemplate(framing, body).build(hi, lo, macs, sport, dport, ttl, ip_id), framing)
    check_link(packets, framing, macs)
    for index, packet in enumerate(packets):
        check_network(packet, framing, targets[index], ttl, ip_id)
        assert (packet[UDP].sport, packet[UDP].dport) == (sport, dports[index])
        assert bytes(packet[UDP].payload) == body


@settings(max_examples=60)
@given(situations(), st.sampled_from(IcmpKind), short, short, payload)
def test_icmp(situation: tuple, kind: IcmpKind, identifier: int, sequence: int, body: bytes) -> None:
    framing, targets, macs = situation
    hi, lo = columns_of(targets)
    if framing.family == 6:
        kind = IcmpKind.ECHO
    batch = IcmpTemplate(framing, kind, body).build(hi, lo, macs, identifier, sequence, 7, 9)
    packets = rows(batch, framing)
    check_link(packets, framing, macs)
    for index, packet in enumerate(packets):
        check_network(packet, framing, targets[index], 7, 9)
        message = packet[ICMP] if framing.family == 4 else packet[ICMPv6EchoRequest]
        assert (message.type, message.code) == ((kind.value, 0) if framing.family == 4 else (128, 0))
        assert (message.id, message.seq) == (identifier, sequence)
        assert batch.row(index).endswith(body)


@settings(max_examples=30)
@given(situations(), st.integers(0, 255), payload)
def test_any_protocol(situation: tuple, protocol: int, body: bytes) -> None:
    framing, targets, macs = situation
    hi, lo = columns_of(targets)
    batch = IpTemplate(framing, protocol, body).build(hi, lo, macs, 3, 4)
    for index in range(len(batch)):
        data = batch.row(index)[framing.offset :]
        packet = IP(data[:20]) if framing.family == 4 else IPv6(data[:40])
        ours = framing.source_hi << 64 | framing.source_lo
        assert int(ip_address(packet.src)) == ours
        assert (packet.proto if framing.family == 4 else packet.nh) == protocol
        assert (packet.len - 20 if framing.family == 4 else packet.plen) == len(body)
        if framing.family == 4:
            again = packet.copy()
            again.chksum = None
            assert bytes(again) == data[:20]
        assert data[20 if framing.family == 4 else 40 :] == body


@settings(max_examples=25)
@given(v4, st.lists(v4, min_size=1, max_size=4))
def test_arp(ours: IPv4Address, targets: list[IPv4Address]) -> None:
    hi, lo = columns_of(targets)
    batch = ArpTemplate(Framing(4, 14, OUR_MAC, 0, int(ours))).build(hi, lo)
    for index, target in enumerate(targets):
        link = Ether(src=OUR_MAC.hex(":"), dst="ff:ff:ff:ff:ff:ff")
        asked = ARP(op=1, hwsrc=OUR_MAC.hex(":"), psrc=str(ours), hwdst="00:00:00:00:00:00", pdst=str(target))
        assert batch.row(index) == bytes(link / asked)


@settings(max_examples=25)
@given(v6, st.lists(v6, min_size=1, max_size=4))
def test_neighbor_solicitation(ours: IPv6Address, targets: list[IPv6Address]) -> None:
    hi, lo = columns_of(targets)
    source = int(ours)
    batch = NeighborTemplate(Framing(6, 14, OUR_MAC, source >> 64, source & (1 << 64) - 1)).build(hi, lo)
    for index, target in enumerate(targets):
        tail = int(target) & 0xFFFFFF
        group = IPv6Address(int(IPv6Address("ff02::1:ff00:0")) | tail)
        link = Ether(src=OUR_MAC.hex(":"), dst=(b"\x33\x33\xff" + tail.to_bytes(3, "big")).hex(":"))
        asked = ICMPv6ND_NS(tgt=str(target)) / ICMPv6NDOptSrcLLAddr(lladdr=OUR_MAC.hex(":"))
        assert batch.row(index) == bytes(link / IPv6(src=str(ours), dst=str(group), hlim=255) / asked)


@given(st.integers(0, 300))
def test_batches_share_no_memory_with_the_template_or_each_other(count: int) -> None:
    template = UdpTemplate(Framing(4, 14, OUR_MAC, 0, 1), b"x")
    hi, lo = np.zeros(count, np.uint64), np.arange(count, dtype=np.uint64)
    batch = template.build(hi, lo, None, 1, 2, 64, 0)
    wanted = batch.frames.copy()
    batch.frames[:] = 0
    assert np.array_equal(template.build(hi, lo, None, 1, 2, 64, 0).frames, wanted)
