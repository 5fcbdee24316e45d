"""Frames before and after shaping, the latter read by an independent decoder (scapy)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet

import tests.support.scapy_offline  # noqa: F401
from leadline.model.address import columns_of
from leadline.wire.batch import FrameBatch, concatenate, empty
from leadline.wire.checksum import transport_checksum
from leadline.wire.crc32c import adler32, crc32c
from leadline.wire.shaping import OWN, FrameShape, shape_frames
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
US, US6 = ip_address("10.0.0.1"), ip_address("fd00::1")
V4, BARE = Framing(4, 14, MAC, 0, int(US)), Framing(4, 0, MAC, 0, int(US))
V6 = Framing(6, 14, MAC, int(US6) >> 64, 1)
TARGETS = ("10.0.0.2", "10.0.0.3")
HI, LO = columns_of([ip_address(each) for each in TARGETS])
HI6, LO6 = columns_of([ip_address("fd00::2"), ip_address("fd00::3")])
IDS = np.array([300, 301])


def syns(framing: Framing = V4, ttl: int = 40) -> FrameBatch:
    hi, lo = (HI, LO) if framing.family == 4 else (HI6, LO6)
    return TcpTemplate(framing, 2).build(hi, lo, None, 40_000, np.array([80, 443]), 7, 0, ttl, IDS)


def datagrams(framing: Framing = V4, payload: bytes = b"old") -> FrameBatch:
    hi, lo = (HI, LO) if framing.family == 4 else (HI6, LO6)
    return UdpTemplate(framing, payload).build(hi, lo, None, 40_000, 53, 40, IDS)


def pings(kind: IcmpKind = IcmpKind.ECHO, framing: Framing = V4) -> FrameBatch:
    hi, lo = (HI, LO) if framing.family == 4 else (HI6, LO6)
    return IcmpTemplate(framing, kind).build(hi, lo, None, 9, 1, 40, IDS)


def packets(batch: FrameBatch) -> list[Packet]:
    rows = [batch.row(index)[batch.offset :] for index in range(len(batch))]
    return [IP(row) if row[0] >> 4 == 4 else IPv6(row) for row in rows]


def is_sound(packet: Packet) -> bool:
    """Lengths and checksums are those that scapy itself would have written."""
    again = packet.copy()
    layer = again
    while layer:
        for name in ("len", "chksum", "cksum", "ihl", "plen"):
            if name in layer.fields:
                delattr(layer, name)
        layer = layer.payload
    return bytes(again) == bytes(packet)


def test_nothing_asked_for_nothing_changed() -> None:
    batch = syns()
    assert shape_frames(batch, FrameShape()) is batch
    nothing = empty(14)
    assert shape_frames(nothing, FrameShape(ttl=3)) is nothing


@pytest.mark.parametrize("framing", [V4, BARE, V6])
def test_times_to_live_and_ports(framing: Framing) -> None:
    for batch in (syns(framing), datagrams(framing), pings(framing=framing)):
        for before, after in zip(packets(batch), packets(shape_frames(batch, FrameShape(53, 9))), strict=True):
            assert (after.ttl if IP in after else after.hlim) == 9
            assert is_sound(after)
            if TCP in after or UDP in after:
                assert after.sport == 53
                assert bytes(after.payload)[2:4] == bytes(before.payload)[2:4]
    near = shape_frames(syns(framing, ttl=3), FrameShape(ttl=200, sources=(OWN, 5)))
    assert {packet.ttl if IP in packet else packet.hlim for packet in packets(near)} == {3}, "meant for a router"


@pytest.mark.parametrize("framing", [V4, V6])
def test_data_takes_the_place_of_what_was_there(framing: Framing) -> None:
    shape = FrameShape(data=b"hello")
    for batch, kept in ((syns(framing), 24), (datagrams(framing), 8), (pings(framing=framing), 8)):
        for before, after in zip(packets(batch), packets(shape_frames(batch, shape)), strict=True):
            assert bytes(after.payload)[kept:] == b"hello"
            assert len(bytes(after.payload)) == kept + 5
            assert is_sound(after)
            assert type(after.payload) is type(before.payload)
    assert is_sound(packets(shape_frames(datagrams(framing), FrameShape(data=b"")))[0])


@pytest.mark.parametrize(("kind", "kept"), [(IcmpKind.ECHO, 8), (IcmpKind.TIMESTAMP, 20), (IcmpKind.ADDRESS_MASK, 12)])
def test_icmp_queries_keep_their_fields(kind: IcmpKind, kept: int) -> None:
    (packet, _) = packets(shape_frames(pings(kind), FrameShape(data=b"ab")))
    assert (len(packet[ICMP]), bytes(packet[ICMP])[kept:]) == (kept + 2, b"ab")
    assert is_sound(packet)


def test_what_is_not_known_gets_data_at_its_end() -> None:
    batch = IpTemplate(V4, 99).build(HI, LO, None, 40, IDS)
    assert [bytes(packet.payload) for packet in packets(shape_frames(batch, FrameShape(data=b"xy")))] == [b"xy"] * 2


def test_copies_stand_side_by_side_in_the_order_of_their_senders() -> None:
    decoys = (int(ip_address("192.0.2.1")), OWN, int(ip_address("192.0.2.2")))
    made = packets(shape_frames(syns(), FrameShape(sources=decoys)))
    assert [packet.src for packet in made] == ["192.0.2.1", "10.0.0.1", "192.0.2.2"] * 2
    assert [packet.dst for packet in made] == [TARGETS[0]] * 3 + [TARGETS[1]] * 3
    assert {(packet.id, packet[TCP].sport, packet[TCP].seq) for packet in made} == {(300, 40_000, 7), (301, 40_000, 7)}
    assert all(is_sound(packet) for packet in made)
    assert all(37 <= packet.ttl <= 59 for packet in made)
    assert len({packet.ttl for packet in made}) > 2
    fixed = packets(shape_frames(syns(), FrameShape(ttl=77, sources=decoys)))
    assert {packet.ttl for packet in fixed} == {77}


def test_copies_of_ipv6() -> None:
    made = packets(shape_frames(datagrams(V6), FrameShape(sources=(int(ip_address("fd00::9")), OWN))))
    assert [packet.src for packet in made] == ["fd00::9", "fd00::1"] * 2
    assert all(is_sound(packet) for packet in made)
    assert {packet.hlim for packet in made} == {40}


@pytest.mark.parametrize("framing", [V4, V6])
def test_bad_checksums_are_one_less_and_never_right(framing: Framing) -> None:
    for batch in (syns(framing), datagrams(framing), pings(framing=framing)):
        after = packets(shape_frames(batch, FrameShape(bad_checksum=True)))
        for packet, old in zip(after, packets(batch), strict=True):
            at = {6: 16, 17: 6, 1: 2, 58: 2}[packet.proto if IP in packet else packet.nh]
            right, wrong = (bytes(one.payload)[at : at + 2] for one in (old, packet))
            assert int.from_bytes(wrong, "little") == (int.from_bytes(right, "little") - 1) % 65536
            assert not is_sound(packet)
            assert IP not in packet or IP(bytes(packet)[:20]).chksum == packet.chksum


@given(st.integers(0, 0xFFFF), st.sampled_from([6, 17]))
def test_every_checksum_is_spoiled(sequence: int, protocol: int) -> None:
    template = TcpTemplate(V4, 2) if protocol == 6 else None
    if template is not None:
        batch = template.build(HI[:1], LO[:1], None, 1, 2, sequence, 0, 40, 1)
    else:
        batch = UdpTemplate(V4).build(HI[:1], LO[:1], None, sequence, 2, 40, 1)
    row = shape_frames(batch, FrameShape(bad_checksum=True)).row(0)[14:]
    assert transport_checksum(row[12:16], row[16:20], protocol, row[20:]) not in (0, 0xFFFF)
    assert protocol == 6 or row[26:28] != b"\0\0"


def test_options_stand_behind_the_header() -> None:
    batch = concatenate([syns(), pings()])
    made = packets(shape_frames(batch, FrameShape(options=b"\x01\x01\x01\x00")))
    assert [packet.ihl for packet in made] == [6] * 4
    assert all(bytes(packet)[20:24] == b"\x01\x01\x01\x00" and is_sound(packet) for packet in made)
    route = bytes.fromhex("01830704") + bytes(4)
    made = packets(shape_frames(syns(), FrameShape(options=route, first_hop=int(ip_address("10.0.0.99")))))
    for packet, target in zip(made, TARGETS, strict=True):
        assert packet.dst == "10.0.0.99"
        assert bytes(packet)[24:28] == ip_address(target).packed
        told = transport_checksum(US.packed, ip_address(target).packed, 6, bytes(packet)[28:])
        assert told == 0, "summed with the address where the packet ends"
    assert shape_frames(syns(V6), FrameShape(options=b"\1" * 4)).row(0) == syns(V6).row(0)


@pytest.mark.parametrize(("chunk", "sizes"), [(8, [8, 8, 8]), (16, [16, 8]), (24, [24]), (64, [24])])
def test_fragments(chunk: int, sizes: list[int]) -> None:
    batch = syns()
    made = shape_frames(batch, FrameShape(chunk=chunk))
    assert made.lengths.tolist() == [34 + size for size in sizes] * 2
    assert made.times.tolist() == [0.0] * len(made)
    for index, whole in enumerate(packets(batch)):
        parts = packets(made)[index * len(sizes) : (index + 1) * len(sizes)]
        assert b"".join(bytes(part.payload) for part in parts) == bytes(whole.payload)
        assert [part.frag * 8 for part in parts] == [sum(sizes[:turn]) for turn in range(len(sizes))]
        assert [int(part.flags) for part in parts] == [1] * (len(sizes) - 1) + [0]
        for part in parts:
            assert (part.id, part.ttl, part.len) == (whole.id, whole.ttl, 20 + len(part.payload))
            assert is_sound(IP(bytes(part)[:20] + bytes(part)[20:]))


def test_fragments_of_copies_carry_all_options() -> None:
    made = packets(shape_frames(syns(), FrameShape(options=b"\1" * 8, sources=(5, OWN), chunk=16)))
    assert [(packet.src, packet.frag) for packet in made[:4]] == [
        ("0.0.0.5", 0), ("0.0.0.5", 2), ("10.0.0.1", 0), ("10.0.0.1", 2),
    ]  # fmt: skip
    assert all(bytes(packet)[20:28] == b"\1" * 8 for packet in made)


def test_ipv6_stays_whole() -> None:
    assert len(shape_frames(syns(V6), FrameShape(chunk=8))) == 2


def test_what_makes_out_next_hops_is_left_alone() -> None:
    shape = FrameShape(53, 9, b"data", b"\1" * 4, None, (5, OWN), True, 8)
    for batch in (ArpTemplate(V4).build(HI, LO), NeighborTemplate(V6).build(HI6, LO6)):
        made = shape_frames(batch, shape)
        assert [made.row(index) for index in range(len(made))] == [batch.row(index) for index in range(len(batch))]


def test_frames_of_all_kinds_keep_their_places() -> None:
    batches = [syns(), ArpTemplate(V4).build(HI, LO), pings(), datagrams(), pings(IcmpKind.TIMESTAMP), syns()]
    mixed = concatenate(batches)
    order = np.random.default_rng(1).permutation(len(mixed))
    mixed = FrameBatch(mixed.frames[order], mixed.lengths[order], np.arange(len(mixed)) * 1.0, 14)
    shape = FrameShape(sources=(9, OWN), chunk=8)
    together = shape_frames(mixed, shape)
    alone = [shape_frames(mixed.pick(slice(at, at + 1)), shape) for at in range(len(mixed))]
    rows = [batch.row(index) for batch in alone for index in range(len(batch))]
    assert [together.row(index) for index in range(len(together))] == rows
    assert together.times.tolist() == [time for batch in alone for time in batch.times.tolist()]


@pytest.mark.parametrize("adler", [False, True])
def test_sctp(adler: bool) -> None:
    body = bytes.fromhex("bae1005000000000000000000100001493c13f2e00008000000a08000b42f2c5")
    told = adler32(body).to_bytes(4) if adler else crc32c(body).to_bytes(4, "little")
    batch = IpTemplate(V4, 132, body[:8] + told + body[12:]).build(HI, LO, None, 40, IDS)
    for shape in (FrameShape(source_port=53), FrameShape(data=b"12345"), FrameShape(source_port=53, bad_checksum=True)):
        segment = shape_frames(batch, shape).row(1)[34:]
        assert segment[:2] == (b"\0\x35" if shape.source_port else body[:2])
        assert segment[len(body) :] == (shape.data or b"")
        blank = segment[:8] + bytes(4) + segment[12:]
        right = adler32(blank) if adler else int.from_bytes(crc32c(blank).to_bytes(4, "little"))
        little = int.from_bytes(right.to_bytes(4), "little") - shape.bad_checksum
        assert int.from_bytes(segment[8:12], "little") == little


@given(
    st.binary(max_size=60), st.sampled_from([1, 2, 6, 17, 58, 132, 200]), st.sampled_from([V4, BARE, V6]),
    st.builds(
        FrameShape, st.none() | st.just(53), st.none() | st.integers(0, 255), st.none() | st.binary(max_size=9),
        st.sampled_from([b"", b"\1" * 40]), st.sampled_from([None, 5]), st.sampled_from([(), (OWN, 1)]), st.booleans(),
        st.sampled_from([0, 8, 24]),
    ),
)  # fmt: skip
def test_no_segment_breaks_it(segment: bytes, protocol: int, framing: Framing, shape: FrameShape) -> None:
    if shape.first_hop is not None and not shape.options:
        shape = replace(shape, first_hop=None)
    hi, lo = (HI, LO) if framing.family == 4 else (HI6, LO6)
    batch = IpTemplate(framing, protocol, segment).build(hi, lo, None, 40, IDS)
    made = shape_frames(batch, shape)
    assert len(made) >= len(batch)
    assert int(made.lengths.max()) <= made.frames.shape[1]
