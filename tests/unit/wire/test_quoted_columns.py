from ipaddress import IPv4Address, IPv6Address

import pytest

from leadline.wire.batch import concatenate, single
from leadline.wire.columns import Decoded, Kind, decode
from leadline.wire.frame import Frame
from leadline.wire.icmp import Icmp
from leadline.wire.icmpv6 import Icmpv6
from leadline.wire.ipv4 import Ipv4
from leadline.wire.ipv6 import Extension, Ipv6
from leadline.wire.sctp import INIT, Chunk, Init, Sctp
from leadline.wire.sctp_template import COOKIE_ECHO_CHUNK
from leadline.wire.tcp import Tcp
from leadline.wire.udp import Udp

US, THEM, ROUTER = IPv4Address("10.0.0.1"), IPv4Address("10.9.0.2"), IPv4Address("10.0.0.254")
US6, THEM6, ROUTER6 = IPv6Address("2001:db8::1"), IPv6Address("2001:db8:9::2"), IPv6Address("2001:db8::fe")
PROBE = Tcp(40000, 443, 0x01020304, flags=2)


def v4_error(quoted: bytes) -> bytes:
    return Frame(None, Ipv4(ROUTER, US, 1), Icmp(3, 13, 0, quoted)).emit()


def v6_error(quoted: bytes) -> bytes:
    return Frame(None, Ipv6(ROUTER6, US6, 58), Icmpv6(1, 1, 0, quoted)).emit()


def decode_all(*packets: bytes) -> Decoded:
    return decode(concatenate([single(packet, 0) for packet in packets]))


def probe(**changes: object) -> bytes:
    return Frame(None, Ipv4(US, THEM, 6, 1, 77, **changes), PROBE).emit()  # type: ignore[arg-type]


def test_eight_bytes_of_a_tcp_probe_are_enough() -> None:
    decoded = decode_all(v4_error(probe()[:28]))
    assert decoded.kind.tolist() == [Kind.ICMP_ERROR]
    assert decoded.quoted_valid.tolist() == [True]
    assert (decoded.quoted_protocol[0], decoded.quoted_ttl[0], decoded.quoted_ip_id[0]) == (6, 1, 77)
    assert (decoded.quoted_source_lo[0], decoded.quoted_destination_lo[0]) == (int(US), int(THEM))
    assert (decoded.quoted_source_port[0], decoded.quoted_destination_port[0]) == (40000, 443)
    assert decoded.quoted_sequence[0] == 0x01020304
    assert (decoded.quoted_icmp_id[0], decoded.quoted_icmp_sequence[0]) == (0, 0)
    assert (decoded.quoted_longer[0], decoded.quoted_acknowledgment[0]) == (False, 0)


@pytest.mark.parametrize(("length", "longer"), [(31, False), (32, True), (40, True)])
def test_longer_quotes_of_tcp_show_the_acknowledgment(length: int, longer: bool) -> None:
    packet = Frame(None, Ipv4(US, THEM, 6), Tcp(40000, 443, 0, 0x0A0B0C0D, flags=16)).emit()
    udp = Frame(None, Ipv4(US, THEM, 17), Udp(40000, 53, payload=bytes(20))).emit()
    decoded = decode_all(v4_error(packet[:length]), v4_error(udp), v4_error(packet))
    assert decoded.quoted_longer.tolist() == [longer, False, True]
    assert decoded.quoted_acknowledgment.tolist() == [0x0A0B0C0D if longer else 0, 0, 0x0A0B0C0D]


@pytest.mark.parametrize(("length", "longer"), [(28, False), (39, False), (40, True), (52, True)])
def test_longer_quotes_of_an_init_show_its_tag(length: int, longer: bool) -> None:
    init = Chunk(INIT, value=Init(0x0A0B0C0D, 1, 2, 3, 4).emit())
    packet = Frame(None, Ipv4(US, THEM, 132), Sctp(40000, 80, 0, init.emit())).emit()
    cookie = Frame(None, Ipv4(US, THEM, 132), Sctp(40000, 80, 9, COOKIE_ECHO_CHUNK.emit())).emit()
    decoded = decode_all(v4_error(packet[:length]), v4_error(cookie), v4_error(packet))
    assert decoded.quoted_source_port.tolist() == [40000] * 3
    assert decoded.quoted_sequence.tolist() == [0, 9, 0]
    assert decoded.quoted_longer.tolist() == [longer, False, True]
    assert decoded.quoted_acknowledgment.tolist() == [0x0A0B0C0D if longer else 0, 0, 0x0A0B0C0D]


def test_options_in_the_quoted_header_move_the_ports() -> None:
    decoded = decode_all(v4_error(probe()), v4_error(probe(options=bytes([1] * 8))[:36]))
    assert decoded.quoted_source_port.tolist() == [40000] * 2
    assert decoded.quoted_sequence.tolist() == [0x01020304] * 2


@pytest.mark.parametrize(
    "quoted",
    [
        b"",
        probe()[:19],
        probe()[:27],
        b"\x65" + probe()[1:],
        b"\x44" + probe()[1:],
        probe(fragment_offset=3),
        probe(options=bytes(8))[:24],
    ],
)
def test_what_cannot_be_trusted_is_not_valid(quoted: bytes) -> None:
    decoded = decode_all(v4_error(quoted), v4_error(probe()))
    assert decoded.kind.tolist() == [Kind.ICMP_ERROR] * 2
    assert decoded.quoted_valid.tolist() == [False, True]
    for name in ("protocol", "source_lo", "destination_lo", "source_port", "sequence", "ttl", "ip_id"):
        assert getattr(decoded, f"quoted_{name}")[0] == 0
    assert decode_all(v4_error(quoted)).quoted_valid.tolist() == [False]


def test_a_first_fragment_is_trusted() -> None:
    assert decode_all(v4_error(probe(more_fragments=True))).quoted_valid.tolist() == [True]


def test_ports_and_identifiers_belong_to_their_protocols() -> None:
    udp = Frame(None, Ipv4(US, THEM, 17), Udp(40000, 53)).emit()
    echo = Frame(None, Ipv4(US, THEM, 1), Icmp(8, 0, 0x00050006)).emit()
    bare = Ipv4(US, THEM, 47).emit()
    longer = Ipv4(US, THEM, 47, payload=bytes([0, 1, 0, 2, 0, 0, 0, 9])).emit()
    decoded = decode_all(*(v4_error(packet) for packet in (udp, echo, bare, longer)))
    assert decoded.quoted_valid.tolist() == [True] * 4
    assert decoded.quoted_protocol.tolist() == [17, 1, 47, 47]
    assert decoded.quoted_source_port.tolist() == [40000, 0, 0, 0]
    assert decoded.quoted_destination_port.tolist() == [53, 0, 0, 0]
    assert decoded.quoted_icmp_id.tolist() == [0, 5, 0, 0]
    assert decoded.quoted_icmp_sequence.tolist() == [0, 6, 0, 0]
    assert decoded.quoted_sequence[3] == 9


def test_only_packets_without_transport() -> None:
    decoded = decode_all(v4_error(Ipv4(US, THEM, 47).emit()))
    assert decoded.quoted_valid.tolist() == [True]
    assert decoded.quoted_sequence.tolist() == [0]


def test_ipv6_and_its_extension_headers() -> None:
    plain = Frame(None, Ipv6(US6, THEM6, 6, 3), PROBE).emit()
    options = Extension(60, bytes([0]) + bytes(6))
    chained = Frame(None, Ipv6(US6, THEM6, 6, 4, extensions=(options,)), PROBE).emit()
    fragment = Extension(44, bytes([0, 0, 8, 0, 0, 0, 1]))
    later = Ipv6(US6, THEM6, 6, 5, extensions=(fragment,), payload=bytes(20)).emit()
    echo = Frame(None, Ipv6(US6, THEM6, 58), Icmpv6(128, 0, 0x00050006)).emit()
    decoded = decode_all(*(v6_error(packet) for packet in (plain, chained[:56], later, echo, plain[:39])))
    assert decoded.kind.tolist() == [Kind.ICMP_ERROR] * 5
    assert decoded.quoted_valid.tolist() == [True, True, False, True, False]
    assert decoded.quoted_protocol.tolist() == [6, 6, 0, 58, 0]
    assert decoded.quoted_ttl.tolist() == [3, 4, 0, 64, 0]
    assert decoded.quoted_source_hi.tolist() == [int(US6) >> 64] * 2 + [0, int(US6) >> 64, 0]
    assert decoded.quoted_destination_lo.tolist() == [2, 2, 0, 2, 0]
    assert decoded.quoted_destination_port.tolist() == [443, 443, 0, 0, 0]
    assert decoded.quoted_icmp_id.tolist() == [0, 0, 0, 5, 0]


def test_a_packet_of_the_other_family_is_not_valid() -> None:
    v6 = Frame(None, Ipv6(US6, THEM6, 6), PROBE).emit()
    assert decode_all(v4_error(v6), v6_error(probe())).quoted_valid.tolist() == [False, False]
