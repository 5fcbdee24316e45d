"""Columns against scapy, which builds the frames on its own; and total over arbitrary bytes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from ipaddress import IPv4Address, IPv6Address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP, IPOption_RR
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from leadline.wire.batch import FrameBatch, concatenate, single
from leadline.wire.columns import Decoded, Kind, decode
from tests.support import scapy_offline

port = st.integers(0, 0xFFFF)
word = st.integers(0, 0xFFFFFFFF)
byte = st.integers(0, 255)
mac = st.binary(min_size=6, max_size=6)
v4 = word.map(IPv4Address)
v6 = st.integers(0, (1 << 128) - 1).map(IPv6Address)
payload = st.binary(max_size=40)


@dataclass
class Case:
    """A packet from the network header on, what it is, and columns that it must show."""

    packet: Packet
    kind: Kind
    columns: dict[str, int]
    family: int


def address_columns(prefix: str, address: IPv4Address | IPv6Address) -> dict[str, int]:
    value = int(address)
    return {f"{prefix}_hi": value >> 64, f"{prefix}_lo": value & (1 << 64) - 1}


@st.composite
def network_v4(draw: st.DrawFn) -> tuple[Packet, dict[str, int]]:
    source, destination = draw(v4), draw(v4)
    ttl, ip_id = draw(byte), draw(port)
    options = draw(st.sampled_from([[], [IPOption_NOP()] * 4, [IPOption_RR(routers=["1.2.3.4"] * 9)]]))
    flags = draw(st.sampled_from(["", "DF", "MF"]))
    packet = IP(src=str(source), dst=str(destination), ttl=ttl, id=ip_id, options=options, flags=flags)
    columns = {"ttl": ttl, "ip_id": ip_id}
    return packet, columns | address_columns("source", source) | address_columns("destination", destination)


extension = st.sampled_from(
    [
        IPv6ExtHdrHopByHop(),
        IPv6ExtHdrDestOpt(options=[PadN(optdata=b"x" * 20)]),
        IPv6ExtHdrRouting(addresses=["2001:db8::1"]),
        IPv6ExtHdrFragment(offset=0, m=1, id=7),
    ]
)


@st.composite
def network_v6(draw: st.DrawFn, hop_limits: st.SearchStrategy[int] = byte) -> tuple[Packet, dict[str, int]]:
    source, destination, ttl = draw(v6), draw(v6), draw(hop_limits)
    packet = IPv6(src=str(source), dst=str(destination), hlim=ttl, tc=draw(byte), fl=draw(st.integers(0, 0xFFFFF)))
    headers = draw(st.lists(extension, max_size=4))
    for header in headers:
        packet = packet / header.copy()
    numbered = bool(headers) and isinstance(headers[0], IPv6ExtHdrFragment)
    columns = {"ttl": ttl, "ip_id": 7 if numbered else 0}
    return packet, columns | address_columns("source", source) | address_columns("destination", destination)


@st.composite
def transport(draw: st.DrawFn, family: int) -> tuple[Packet, Kind, dict[str, int], int]:
    """A TCP segment, UDP datagram or echo, with its protocol number last."""
    what = draw(st.sampled_from(["tcp", "udp", "request", "reply"]))
    a, b, data = draw(port), draw(port), draw(payload)
    if what == "udp":
        return UDP(sport=a, dport=b) / Raw(data), Kind.UDP, {"source_port": a, "destination_port": b}, 17
    if what == "tcp":
        sequence, acknowledgment, flags, window = draw(word), draw(word), draw(st.integers(0, 511)), draw(port)
        options = draw(st.sampled_from([[], [("MSS", 1460)], [("Timestamp", (1, 2)), ("WScale", 7), ("SAckOK", b"")]]))
        segment = TCP(
            sport=a, dport=b, seq=sequence, ack=acknowledgment, flags=flags, window=window, options=options
        ) / Raw(data)
        columns = {"source_port": a, "destination_port": b, "sequence": sequence, "acknowledgment": acknowledgment}
        return segment, Kind.TCP, columns | {"tcp_flags": flags, "window": window}, 6
    columns = {"icmp_id": a, "icmp_sequence": b}
    kind = Kind.ICMP_ECHO_REQUEST if what == "request" else Kind.ICMP_ECHO_REPLY
    if family == 4:
        number = 8 if what == "request" else 0
        return ICMP(type=number, id=a, seq=b) / Raw(data), kind, columns | {"icmp_type": number}, 1
    layer = ICMPv6EchoRequest if what == "request" else ICMPv6EchoReply
    return layer(id=a, seq=b, data=data), kind, columns | {"icmp_type": 128 + (what == "reply")}, 58


@st.composite
def plain(draw: st.DrawFn) -> Case:
    family = draw(st.sampled_from([4, 6]))
    below, columns = draw(network_v4() if family == 4 else network_v6())
    above, kind, more, protocol = draw(transport(family))
    return Case(below / above, kind, columns | more | {"protocol": protocol, "family": family}, family)


@st.composite
def error(draw: st.DrawFn) -> Case:
    inner = draw(plain())
    quoted = bytes(inner.packet)
    outer, columns = draw(network_v4() if inner.family == 4 else network_v6())
    if inner.family == 4:
        kind, code = draw(st.sampled_from([3, 11, 12, 4, 5])), draw(byte)
        above: Packet = ICMP(type=kind, code=code) / Raw(quoted)
    else:
        layer = draw(st.sampled_from([ICMPv6DestUnreach, ICMPv6TimeExceeded]))
        code, above = draw(byte), layer()
        above.code = code
        kind, above = above.type, above / Raw(quoted)
    columns |= {"icmp_type": kind, "icmp_code": code, "family": inner.family, "quoted_valid": 1}
    wanted = {"protocol", "ttl", "ip_id", "source_hi", "source_lo", "destination_hi", "destination_lo", "sequence"}
    wanted |= {"source_port", "destination_port", "icmp_id", "icmp_sequence"}
    columns |= {f"quoted_{name}": value for name, value in inner.columns.items() if name in wanted}
    if inner.family == 6:
        del columns["quoted_ip_id"]  # the flow label stands there
    return Case(outer / above, Kind.ICMP_ERROR, columns, inner.family)


@st.composite
def neighbor(draw: st.DrawFn) -> Case:
    below, columns = draw(network_v6(st.just(255)))
    target = draw(v6)
    hardware = draw(mac)
    columns |= address_columns("target", target) | {"family": 6, "protocol": 58}
    if draw(st.booleans()):
        above = ICMPv6ND_NS(tgt=str(target)) / ICMPv6NDOptSrcLLAddr(lladdr=hardware.hex(":"))
        return Case(below / above, Kind.ND_SOLICIT, columns, 6)
    above = ICMPv6ND_NA(tgt=str(target))
    if draw(st.booleans()):
        above /= ICMPv6NDOptSrcLLAddr()
    above /= ICMPv6NDOptDstLLAddr(lladdr=hardware.hex(":"))
    return Case(below / above, Kind.ND_ADVERT, columns | {"mac": int.from_bytes(hardware, "big")}, 6)


@st.composite
def arp(draw: st.DrawFn) -> Case:
    operation, sender, target, hardware = draw(st.sampled_from([1, 2])), draw(v4), draw(v4), draw(mac)
    packet = ARP(op=operation, psrc=str(sender), pdst=str(target), hwsrc=hardware.hex(":"))
    columns = address_columns("source", sender) | address_columns("destination", target)
    columns |= {"mac": int.from_bytes(hardware, "big"), "family": 4}
    return Case(packet, Kind.ARP_REQUEST if operation == 1 else Kind.ARP_REPLY, columns, 0)


@st.composite
def later_fragment(draw: st.DrawFn) -> Case:
    if draw(st.booleans()):
        packet = IP(frag=draw(st.integers(1, 0x1FFF)), proto=6) / Raw(draw(payload))
        return Case(packet, Kind.OTHER, {"source_lo": 0, "family": 0}, 4)
    header = IPv6ExtHdrFragment(offset=draw(st.integers(1, 0x1FFF)), nh=6)
    return Case(IPv6() / header / Raw(bytes(40)), Kind.OTHER, {"destination_lo": 0, "family": 0}, 6)


case = st.one_of(plain(), error(), neighbor(), arp(), later_fragment())
ETHERTYPES = {0: 0x0806, 4: 0x0800, 6: 0x86DD}
LINK_MAC = b"\x02\x00\x00\x00\x00\x09"


def link(one: Case) -> Packet:
    return Ether(src=LINK_MAC.hex(":"), dst="02:00:00:00:00:01", type=ETHERTYPES[one.family])


def check(decoded: Decoded, index: int, one: Case) -> None:
    assert Kind(decoded.kind[index]) == one.kind
    for name, value in one.columns.items():
        column = getattr(decoded, name)
        found = int.from_bytes(column[index].tobytes(), "big") if name == "mac" else int(column[index])
        assert found == value, name


@settings(max_examples=40)
@given(st.lists(case, min_size=1, max_size=6), st.sampled_from([0, 14]), st.integers(0, 30))
def test_scapys_packets_in_one_batch_are_told_apart(cases: list[Case], offset: int, padding: int) -> None:
    if not offset:
        cases = [one for one in cases if one.family]
    frames = [bytes(link(one) / one.packet if offset else one.packet) for one in cases]
    batch = concatenate(
        [single(frame + bytes(padding), offset, float(i)) for i, frame in enumerate(frames)] or [single(b"", offset)]
    )
    decoded = decode(batch)
    for index, one in enumerate(cases):
        check(decoded, index, one)
        assert decoded.times[index] == index
        if offset and one.kind not in (Kind.OTHER, Kind.ARP_REQUEST, Kind.ARP_REPLY, Kind.ND_ADVERT):
            assert decoded.mac[index].tobytes() == LINK_MAC
        if one.kind in (Kind.TCP, Kind.UDP):
            raw = one.packet[Raw].load if Raw in one.packet else b""
            assert frames[index][decoded.payload_start[index] : decoded.payload_end[index]] == raw
        if one.kind != Kind.OTHER and one.family:
            assert decoded.total_length[index] == len(one.packet)


@settings(max_examples=60)
@given(st.one_of(plain(), error(), neighbor(), arp()), st.data())
def test_a_cut_frame_is_whole_in_its_headers_or_other(one: Case, data: st.DataObject) -> None:
    frame = bytes(link(one) / one.packet)
    length = data.draw(st.integers(0, len(frame)))
    decoded = decode(single(frame[:length], 14))
    # The same cut told by ``lengths``, with the rest of the bytes still behind it: they must not be read.
    told = single(frame, 14)
    told.lengths[0] = length
    for column in fields(Decoded):
        assert np.array_equal(getattr(decoded, column.name), getattr(decode(told), column.name)), column.name
    if decoded.kind[0] == Kind.OTHER:
        return
    if decoded.kind[0] == Kind.ICMP_OTHER and one.kind in (Kind.ND_SOLICIT, Kind.ND_ADVERT):
        # Cut within the target address: an ICMPv6 message still, but not neighbour discovery (RFC 4861 section 7.1).
        assert length < len(frame)
        return
    assert decoded.kind[0] == one.kind
    assert decoded.payload_end[0] <= length
    quoted = {name: value for name, value in one.columns.items() if name.startswith("quoted")}
    plain_columns = {name: value for name, value in one.columns.items() if name not in quoted and name != "mac"}
    check(decoded, 0, Case(one.packet, one.kind, plain_columns, one.family))
    if quoted and decoded.quoted_valid[0]:
        check(decoded, 0, Case(one.packet, one.kind, quoted, one.family))


@st.composite
def hostile(draw: st.DrawFn) -> FrameBatch:
    """Bytes with some plausible ones at places where decoders branch."""
    offset = draw(st.sampled_from([0, 14]))
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        row = bytearray(draw(st.binary(max_size=140)))
        for place, values in (
            (offset - 2, (0x08, 0x86)),
            (offset - 1, (0x00, 0xDD, 0x06)),
            (offset, (0x45, 0x4F, 0x60, 0x44)),
            (offset + 6, (0, 6, 17, 44, 51, 58, 60, 0x20)),
            (offset + 7, (0, 255)),
            (offset + 9, (1, 6, 17, 132, 58)),
            (offset + 20, (0, 3, 11, 0x45)),
            (offset + 28, (0x45, 0x4F, 0x46)),
            (offset + 40, (0, 1, 3, 44, 58, 135, 136)),
            (offset + 48, (0x60, 2)),
        ):
            if 0 <= place < len(row) and draw(st.booleans()):
                row[place] = draw(st.sampled_from(values))
        rows.append(single(bytes(row), offset))
    batch = concatenate(rows)
    lengths = draw(st.lists(st.integers(-(1 << 31), (1 << 31) - 1), min_size=len(batch), max_size=len(batch)))
    if draw(st.booleans()):
        batch.lengths = np.array(lengths, dtype=np.int32)
    return batch


@settings(max_examples=150)
@given(hostile())
def test_any_bytes_decode_to_consistent_columns(batch: FrameBatch) -> None:
    decoded = decode(batch)
    other = decoded.kind == Kind.OTHER
    for column in fields(Decoded):
        if column.name != "times":
            assert not getattr(decoded, column.name)[other].any()
    known = ~other
    assert np.isin(decoded.family[known], (4, 6)).all()
    start, end = decoded.payload_start[known], decoded.payload_end[known]
    limits = np.minimum(batch.lengths, batch.frames.shape[1])[known]
    assert ((start >= 0) & (start <= end) & (end <= limits)).all()
    assert not decoded.quoted_valid[decoded.kind != Kind.ICMP_ERROR].any()


@settings(max_examples=60)
@given(hostile())
def test_a_row_means_the_same_alone_and_among_others(batch: FrameBatch) -> None:
    together = decode(batch)
    for index in range(len(batch)):
        alone = decode(
            FrameBatch(batch.frames[index : index + 1], batch.lengths[index : index + 1], batch.times[:1], batch.offset)
        )
        for column in fields(Decoded):
            mine, theirs = getattr(alone, column.name)[0], getattr(together, column.name)[index]
            assert np.array_equal(mine, theirs), column.name


def test_scapy_cannot_ask_the_network() -> None:
    with pytest.raises(AssertionError, match="scapy"):
        bytes(Ether(src="02:00:00:00:00:01") / IP(src="127.0.0.1", dst="127.0.0.1"))
    with pytest.raises(AssertionError, match="scapy"):
        scapy_offline.conf.L2socket()


@pytest.mark.parametrize("offset", [0, 14])
def test_an_empty_batch_decodes_to_empty_columns(offset: int) -> None:
    decoded = decode(FrameBatch(np.zeros((0, 60), np.uint8), np.zeros(0, np.int32), np.zeros(0), offset))
    assert len(decoded) == 0
    assert decoded.mac.shape == (0, 6)
