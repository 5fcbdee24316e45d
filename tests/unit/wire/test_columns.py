from dataclasses import fields
from ipaddress import IPv4Address, IPv6Address
from typing import get_args, get_type_hints

import numpy as np
import pytest

from leadline.wire.arp import Arp
from leadline.wire.batch import FrameBatch, concatenate, empty, single
from leadline.wire.columns import Decoded, Kind, decode
from leadline.wire.ethernet import Ethernet
from leadline.wire.frame import Frame
from leadline.wire.icmp import Icmp
from leadline.wire.ipv4 import Ipv4
from leadline.wire.ipv6 import Extension, Ipv6
from leadline.wire.tcp import ACK, SYN, Tcp
from leadline.wire.udp import Udp

THEM, US = IPv4Address("10.0.0.2"), IPv4Address("10.0.0.1")
THEM6, US6 = IPv6Address("2001:db8::2"), IPv6Address("2001:db8::1")
MAC = b"\x02\x00\x00\x00\x00\x02"
REPLY = Tcp(80, 40000, 7, 8, SYN | ACK, 65535, options=b"\x02\x04\x05\xb4", payload=b"data")


def ethernet(ethertype: int) -> Ethernet:
    return Ethernet(b"\x02\x00\x00\x00\x00\x01", MAC, ethertype)


def syn_ack(**changes: object) -> bytes:
    return Frame(ethernet(0x0800), Ipv4(THEM, US, 6, 63, 99, **changes), REPLY).emit()  # type: ignore[arg-type]


def test_all_columns_of_a_tcp_reply() -> None:
    frame = syn_ack()
    decoded = decode(single(frame + bytes(2), 14, 1.5))
    row = {column.name: getattr(decoded, column.name)[0] for column in fields(Decoded)}
    assert row.pop("mac").tobytes() == MAC
    wanted = {
        "kind": Kind.TCP,
        "family": 4,
        "source_lo": int(THEM),
        "destination_lo": int(US),
        "protocol": 6,
        "ttl": 63,
        "ip_id": 99,
        "total_length": 48,
        "source_port": 80,
        "destination_port": 40000,
        "sequence": 7,
        "acknowledgment": 8,
        "tcp_flags": SYN | ACK,
        "window": 65535,
        "payload_start": 58,
        "payload_end": 62,
        "times": 1.5,
    }
    assert {name: value for name, value in row.items() if value} == wanted


def test_columns_have_the_types_that_are_promised() -> None:
    decoded = decode(concatenate([single(syn_ack(), 14), single(bytes(60), 14)]))
    hints = get_type_hints(Decoded)
    for column in fields(Decoded):
        wanted = get_args(get_args(hints[column.name])[1])[0]
        found = getattr(decoded, column.name)
        assert found.dtype.type is wanted, column.name
        assert found.shape == ((2, 6) if column.name == "mac" else (2,)), column.name


def test_ip_options_and_first_fragments_do_not_hide_the_transport() -> None:
    batch = concatenate([single(syn_ack(options=bytes([1] * 12)), 14), single(syn_ack(more_fragments=True), 14)])
    decoded = decode(batch)
    assert decoded.kind.tolist() == [Kind.TCP, Kind.TCP]
    assert decoded.source_port.tolist() == [80, 80]
    assert decoded.payload_start.tolist() == [70, 58]


@pytest.mark.parametrize("place", [1, 0x1000, 0x1FFF])
def test_a_later_fragment_is_other(place: int) -> None:
    assert decode(single(syn_ack(fragment_offset=place), 14)).kind.tolist() == [Kind.OTHER]


def test_a_total_length_shorter_than_its_header_is_other() -> None:
    packet = Ipv4(THEM, US, 47, payload=b"gre").emit()
    shorter = packet[:2] + bytes([0, 19]) + packet[4:]
    assert decode(concatenate([single(packet, 0), single(shorter, 0)])).kind.tolist() == [Kind.IP_OTHER, Kind.OTHER]


def test_only_damaged_ipv6() -> None:
    decoded = decode(single(Ipv6(THEM6, US6, 6).emit()[:39], 0))
    assert len(decoded) == 1
    assert decoded.kind.tolist() == [Kind.OTHER]


@pytest.mark.parametrize(
    ("place", "value"),
    [(12, 0x81), (14, 0x65), (14, 0x44), (14, 0x4F), (16, 1), (17, 19), (20, 0x1F), (46, 0x40), (46, 0xF0)],
)
def test_a_damaged_reply_is_other(place: int, value: int) -> None:
    frame = bytearray(syn_ack())
    if (place, value) == (16, 1):
        frame[16:18] = bytes(2)
    else:
        frame[place] = value
    if place == 17:
        frame[16] = 0
    decoded = decode(concatenate([single(bytes(frame), 14), single(syn_ack(), 14)]))
    assert decoded.kind.tolist() == [Kind.OTHER, Kind.TCP]
    assert not decoded.mac[0].any()
    assert decoded.family.tolist() == [0, 4]


def test_a_total_length_beyond_the_capture_shortens_the_payload_only() -> None:
    decoded = decode(single(syn_ack()[:-3], 14))
    assert decoded.kind[0] == Kind.TCP
    assert (decoded.total_length[0], decoded.payload_start[0], decoded.payload_end[0]) == (48, 58, 59)


def test_ipv6_with_and_without_extension_headers_in_one_batch() -> None:
    options = Extension(60, bytes([0]) + bytes(6))
    plain = Frame(None, Ipv6(THEM6, US6, 6, 61), REPLY).emit()
    chained = Frame(None, Ipv6(THEM6, US6, 6, 62, extensions=(options, options)), REPLY).emit()
    broken = bytes([0x40]) + plain[1:]
    decoded = decode(concatenate([single(frame, 0) for frame in (plain, chained, broken)]))
    assert decoded.kind.tolist() == [Kind.TCP, Kind.TCP, Kind.OTHER]
    assert decoded.ttl.tolist() == [61, 62, 0]
    assert decoded.protocol.tolist() == [6, 6, 0]
    assert decoded.payload_start.tolist() == [64, 80, 0]
    assert decoded.total_length.tolist() == [68, 84, 0]
    assert decoded.source_hi.tolist() == [int(THEM6) >> 64] * 2 + [0]
    assert decoded.destination_lo.tolist() == [1, 1, 0]
    assert not decoded.mac.any()


def test_without_link_header_the_version_tells_the_family() -> None:
    v4 = Frame(None, Ipv4(THEM, US, 17), Udp(53, 40000)).emit()
    v6 = Frame(None, Ipv6(THEM6, US6, 17), Udp(53, 40000)).emit()
    decoded = decode(concatenate([single(v6, 0), single(v4, 0), single(b"\x00" * 40, 0)]))
    assert decoded.family.tolist() == [6, 4, 0]
    assert decoded.kind.tolist() == [Kind.UDP, Kind.UDP, Kind.OTHER]


def test_arp() -> None:
    question = Frame(ethernet(0x0806), Arp(1, MAC, THEM, bytes(6), US)).emit()
    answer = Frame(ethernet(0x0806), Arp(2, b"\x02ABCDE", THEM, bytes(6), US)).emit()
    strange = Frame(ethernet(0x0806), Arp(3, MAC, THEM, bytes(6), US)).emit()
    decoded = decode(concatenate([single(frame, 14) for frame in (question, answer, strange, answer[:-1])]))
    assert decoded.kind.tolist() == [Kind.ARP_REQUEST, Kind.ARP_REPLY, Kind.OTHER, Kind.OTHER]
    assert decoded.mac[1].tobytes() == b"\x02ABCDE"
    assert decoded.source_lo.tolist() == [int(THEM), int(THEM), 0, 0]
    assert decoded.destination_lo.tolist() == [int(US), int(US), 0, 0]
    assert decoded.total_length.tolist() == [28, 28, 0, 0]


@pytest.mark.parametrize("place", [15, 16, 18, 19, 21])
def test_arp_of_other_kinds_of_addresses(place: int) -> None:
    # Hardware type, protocol type, the two sizes, the operation.
    frame = bytearray(Frame(ethernet(0x0806), Arp(2, MAC, THEM, bytes(6), US)).emit())
    frame[place] += 1
    assert decode(single(bytes(frame), 14)).kind.tolist() == [Kind.OTHER]


def test_the_result_survives_the_rings_memory() -> None:
    ring = np.zeros((8, 2048), dtype=np.uint8)
    frame = np.frombuffer(syn_ack(), dtype=np.uint8)
    ring[:, 66 : 66 + len(frame)] = frame
    view = ring[::2, 66:1600]
    decoded = decode(FrameBatch(view, np.full(4, len(frame), np.int32), np.arange(4.0), 14))
    ring[:] = 0
    assert decoded.kind.tolist() == [Kind.TCP] * 4
    assert decoded.acknowledgment.tolist() == [8] * 4
    assert decoded.mac[3].tobytes() == MAC
    assert decoded.times.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_rows_that_are_not_contiguous_in_memory() -> None:
    frame = np.frombuffer(syn_ack(), dtype=np.uint8)
    spread = np.zeros((1, 2 * len(frame)), dtype=np.uint8)
    spread[0, ::2] = frame
    decoded = decode(FrameBatch(spread[:, ::2], np.array([len(frame)], np.int32), np.zeros(1), 14))
    assert decoded.kind.tolist() == [Kind.TCP]


def test_lengths_beyond_the_width_or_below_zero() -> None:
    frame = syn_ack()
    batch = concatenate([single(frame, 14)] * 3)
    batch.lengths[:] = (10**9, -5, 0)
    decoded = decode(batch)
    assert decoded.kind.tolist() == [Kind.TCP, Kind.OTHER, Kind.OTHER]
    assert decoded.payload_end.tolist() == [len(frame), 0, 0]


@pytest.mark.parametrize("batch", [empty(14), single(b"", 0), single(b"", 14), single(bytes(14), 14)])
def test_batches_with_nothing_in_them(batch: FrameBatch) -> None:
    assert decode(batch).kind.tolist() == [Kind.OTHER] * len(batch)


def test_an_icmp_message_too_short_for_its_header_is_other() -> None:
    frame = Frame(ethernet(0x0800), Ipv4(THEM, US, 1), Icmp(0)).emit()
    assert decode(single(frame, 14)).kind.tolist() == [Kind.ICMP_ECHO_REPLY]
    assert decode(single(frame[:-1], 14)).kind.tolist() == [Kind.OTHER]
