from ipaddress import IPv4Address, IPv6Address

import pytest

from leadline.wire.batch import concatenate, single
from leadline.wire.columns import Decoded, Kind, decode
from leadline.wire.icmp import Icmp
from leadline.wire.icmpv6 import Icmpv6, Neighbor
from leadline.wire.ipv4 import Ipv4
from leadline.wire.ipv6 import Ipv6
from leadline.wire.sctp import ABORT, COOKIE_ACK, INIT_ACK, NO_CHUNK, Chunk, Init, Sctp
from leadline.wire.tcp import Tcp
from leadline.wire.udp import Udp

V4 = Ipv4(IPv4Address("10.0.0.2"), IPv4Address("10.0.0.1"), 0)
V6 = Ipv6(IPv6Address("fe80::2"), IPv6Address("fe80::1"), 0, 255)
TARGET = IPv6Address("fe80::abcd:2")
MAC = b"\x02ABCDE"


def v4(protocol: int, payload: bytes) -> bytes:
    return Ipv4(V4.source, V4.destination, protocol, payload=payload).emit()


def v6(protocol: int, payload: bytes, hop_limit: int = 255) -> bytes:
    return Ipv6(V6.source, V6.destination, protocol, hop_limit, payload=payload).emit()


def decode_all(*packets: bytes) -> Decoded:
    return decode(concatenate([single(packet, 0) for packet in packets]))


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (0, Kind.ICMP_ECHO_REPLY),
        (3, Kind.ICMP_ERROR),
        (4, Kind.ICMP_ERROR),
        (5, Kind.ICMP_ERROR),
        (8, Kind.ICMP_ECHO_REQUEST),
        (9, Kind.ICMP_OTHER),
        (11, Kind.ICMP_ERROR),
        (12, Kind.ICMP_ERROR),
        (13, Kind.ICMP_TIMESTAMP_REQUEST),
        (14, Kind.ICMP_TIMESTAMP_REPLY),
        (17, Kind.ICMP_MASK_REQUEST),
        (18, Kind.ICMP_MASK_REPLY),
        (128, Kind.ICMP_OTHER),
    ],
)
def test_kinds_of_icmp(number: int, kind: Kind) -> None:
    decoded = decode_all(v4(1, Icmp(number, 2, 0x00070009, b"body").emit()))
    assert decoded.kind.tolist() == [kind]
    assert (decoded.icmp_type[0], decoded.icmp_code[0]) == (number, 2)
    assert (decoded.icmp_id[0], decoded.icmp_sequence[0]) == (7, 9)
    assert (decoded.payload_start[0], decoded.payload_end[0]) == (28, 32)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (1, Kind.ICMP_ERROR),
        (2, Kind.ICMP_ERROR),
        (3, Kind.ICMP_ERROR),
        (4, Kind.ICMP_ERROR),
        (0, Kind.ICMP_OTHER),
        (8, Kind.ICMP_OTHER),
        (128, Kind.ICMP_ECHO_REQUEST),
        (129, Kind.ICMP_ECHO_REPLY),
        (134, Kind.ICMP_OTHER),
    ],
)
def test_kinds_of_icmpv6(number: int, kind: Kind) -> None:
    assert decode_all(v6(58, Icmpv6(number).emit(bytes(16), bytes(16)))).kind.tolist() == [kind]


def test_the_icmp_of_the_other_family_is_just_a_protocol() -> None:
    decoded = decode_all(v4(58, bytes(8)), v6(1, bytes(8)))
    assert decoded.kind.tolist() == [Kind.IP_OTHER] * 2


def test_all_protocols_mixed_in_one_batch() -> None:
    packets = [
        v4(17, Udp(53, 9, b"abc").emit(bytes(4), bytes(4)) + b"junk"),
        v4(132, bytes([0, 22, 0, 9, 1, 2, 3, 4]) + bytes(4) + b"\x02chunk"),
        v4(47, b"gre"),
        v4(6, Tcp(80, 9, flags=0x112).emit(bytes(4), bytes(4))),
        v4(1, Icmp(0).emit()),
        v4(99, b""),
    ]
    decoded = decode_all(*packets)
    assert decoded.kind.tolist() == [
        Kind.UDP,
        Kind.SCTP,
        Kind.IP_OTHER,
        Kind.TCP,
        Kind.ICMP_ECHO_REPLY,
        Kind.IP_OTHER,
    ]
    assert decoded.source_port.tolist() == [53, 22, 0, 80, 0, 0]
    assert decoded.destination_port.tolist() == [9, 9, 0, 9, 0, 0]
    assert decoded.sequence.tolist() == [0, 0x01020304, 0, 0, 0, 0]
    assert decoded.tcp_flags.tolist() == [0, 0, 0, 0x112, 0, 0]
    payloads = [
        packet[start:end]
        for packet, start, end in zip(packets, decoded.payload_start, decoded.payload_end, strict=True)
    ]
    assert payloads == [b"abc", b"\x02chunk", b"gre", b"", b"", b""]


@pytest.mark.parametrize(
    ("protocol", "payload"),
    [
        (6, bytes(12) + b"\x50" + bytes(6)),
        (6, bytes(12) + b"\x40" + bytes(20)),
        (6, bytes(12) + b"\x60" + bytes(10)),
        (17, bytes(7)),
        (17, bytes([0, 1, 0, 2, 0, 7, 0, 0])),
        (132, bytes(11)),
        (1, bytes(7)),
    ],
)
def test_damaged_transport_headers_are_other_alone_and_among_good_ones(protocol: int, payload: bytes) -> None:
    assert decode_all(v4(protocol, payload)).kind.tolist() == [Kind.OTHER]
    good = v4(17, Udp(1, 2).emit(bytes(4), bytes(4)))
    decoded = decode_all(good, v4(protocol, payload), good)
    assert decoded.kind.tolist() == [Kind.UDP, Kind.OTHER, Kind.UDP]
    assert decoded.ttl.tolist() == [64, 0, 64]


def advert(options: tuple[tuple[int, bytes], ...], hop_limit: int = 255) -> bytes:
    message = Neighbor(True, TARGET, 0, options).to_message()
    return v6(58, message.emit(V6.source.packed, V6.destination.packed), hop_limit)


def test_neighbor_advertisements() -> None:
    wide = (5, bytes(14))
    decoded = decode_all(
        advert(((2, MAC),)),
        advert(((1, b"source"), wide, (2, MAC))),
        advert(()),
        advert(((1, MAC), (2, bytes(14)))),
        advert(((2, MAC), (2, b"second"))),
    )
    assert decoded.kind.tolist() == [Kind.ND_ADVERT] * 5
    assert [row.tobytes() for row in decoded.mac] == [MAC, MAC, bytes(6), bytes(6), MAC]
    assert decoded.target_hi.tolist() == [int(TARGET) >> 64] * 5
    assert decoded.target_lo.tolist() == [int(TARGET) & (1 << 64) - 1] * 5


def test_one_advertisement_without_options_and_one_among_other_packets() -> None:
    assert decode_all(advert(())).kind.tolist() == [Kind.ND_ADVERT]
    decoded = decode_all(v6(17, bytes([0, 1, 0, 2, 0, 8, 0, 0])), advert(((2, MAC),)))
    assert decoded.kind.tolist() == [Kind.UDP, Kind.ND_ADVERT]
    assert [row.tobytes() for row in decoded.mac] == [bytes(6), MAC]


def test_options_beyond_any_honest_number_and_of_no_length_end_the_search() -> None:
    endless = advert(((1, MAC),) * 20 + ((2, MAC),))
    stuck = advert(((1, MAC), (2, MAC)))
    stuck = stuck[:65] + b"\x00" + stuck[66:]
    decoded = decode_all(endless, stuck)
    assert decoded.kind.tolist() == [Kind.ND_ADVERT] * 2
    assert not decoded.mac.any()


def test_invalid_neighbor_discovery_is_plain_icmp() -> None:
    good = Neighbor(False, TARGET).to_message()
    short = Icmpv6(136, 0, 0, bytes(15))
    coded = Icmpv6(136, 1, 0, bytes(16))
    data = [message.emit(V6.source.packed, V6.destination.packed) for message in (good, short, coded)]
    decoded = decode_all(*(v6(58, one) for one in data), advert(((2, MAC),), 254))
    assert decoded.kind.tolist() == [Kind.ND_SOLICIT, Kind.ICMP_OTHER, Kind.ICMP_OTHER, Kind.ICMP_OTHER]
    assert decoded.target_lo.tolist() == [int(TARGET) & (1 << 64) - 1, 0, 0, 0]
    assert not decoded.mac.any()
    alone = decode_all(v6(58, data[1]))
    assert alone.kind.tolist() == [Kind.ICMP_OTHER]


def test_a_reply_on_ethernet_keeps_the_link_source_unless_an_option_tells() -> None:
    link = b"\x33" * 6 + b"\x02\x00\x00\x00\x00\x77" + b"\x86\xdd"
    batch = concatenate([single(link + advert(()), 14), single(link + advert(((2, MAC),)), 14)])
    assert [row.tobytes() for row in decode(batch).mac] == [b"\x02\x00\x00\x00\x00\x77", MAC]


def sctp_columns(decoded: Decoded) -> list[tuple[int, ...]]:
    names = ("source_port", "destination_port", "sequence", "chunk_type", "chunk_flags", "acknowledgment")
    return list(zip(*(getattr(decoded, name).tolist() for name in names), strict=True))


def test_the_first_chunk_of_sctp() -> None:
    answer = Chunk(INIT_ACK, value=Init(0xABCDEF01, 1, 2, 3, 4).emit())
    refusal, other = Chunk(ABORT, 1), Chunk(COOKIE_ACK)
    packets = [
        v4(132, Sctp(80, 40000, 7, answer.emit() + refusal.emit()).emit()),
        v6(132, Sctp(80, 40000, 8, refusal.emit() + answer.emit()).emit()),
        v4(132, Sctp(80, 40000, 9, other.emit()).emit()),
        v4(132, Sctp(80, 40000, 10).emit()),
        v4(132, Sctp(80, 40000, 11, answer.emit()[:7]).emit()),
        v4(132, Sctp(80, 40000, 12, answer.emit()).emit()[:11]),
    ]
    decoded = decode_all(*packets)
    assert decoded.kind.tolist() == [Kind.SCTP] * 5 + [Kind.OTHER]
    assert sctp_columns(decoded) == [
        (80, 40000, 7, INIT_ACK, 0, 0xABCDEF01),
        (80, 40000, 8, ABORT, 1, 0),
        (80, 40000, 9, COOKIE_ACK, 0, 0),
        (80, 40000, 10, NO_CHUNK, 0, 0),
        (80, 40000, 11, INIT_ACK, 0, 0),
        (0, 0, 0, 0, 0, 0),
    ]
