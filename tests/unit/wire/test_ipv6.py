from dataclasses import replace
from ipaddress import IPv6Address

import pytest

from leadline.errors import WireError
from leadline.wire.ipv6 import Extension, Ipv6

SOURCE, DESTINATION = IPv6Address("2001:db8::1"), IPv6Address("2001:db8::2")
VALUE = Ipv6(SOURCE, DESTINATION, 59, 64, traffic_class=0xB8, flow_label=0x12345, payload=b"body")
PACKET = bytes.fromhex("6b812345 0004 3b 40") + SOURCE.packed + DESTINATION.packed + b"body"

HOP_BY_HOP = Extension(0, bytes([0, 1, 4, 0, 0, 0, 0]))
AUTHENTICATION = Extension(51, bytes([4]) + bytes(22))
FIRST_FRAGMENT = Extension(44, bytes([0, 0, 1, 0, 0, 0, 7]))
LATER_FRAGMENT = Extension(44, bytes([0, 0x05, 0xC8, 0, 0, 0, 7]))


def test_both_directions() -> None:
    assert Ipv6.parse(PACKET + b"padding") == VALUE
    assert VALUE.emit() == PACKET


def test_extension_headers_are_a_chain() -> None:
    packet = replace(VALUE, protocol=6, extensions=(HOP_BY_HOP, AUTHENTICATION, FIRST_FRAGMENT))
    data = packet.emit()
    assert data[6] == 0
    assert (data[40], data[48], data[72]) == (51, 44, 6)
    assert Ipv6.parse(data) == packet
    assert packet.fragment_offset == 0


def test_what_follows_a_later_fragment_is_not_looked_into() -> None:
    packet = replace(VALUE, protocol=60, extensions=(LATER_FRAGMENT,), payload=b"\xff" * 3)
    assert packet.fragment_offset == 0x05C8 >> 3
    assert Ipv6.parse(packet.emit()) == packet


def test_a_quoted_packet_may_be_cut() -> None:
    assert Ipv6.parse(PACKET[:42], quoted=True).payload == b"bo"
    with pytest.raises(WireError, match="payload length of 4 bytes in 42"):
        Ipv6.parse(PACKET[:42])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PACKET[:39], "header of 39 bytes"),
        (b"\x40" + PACKET[1:], "version 4"),
        (PACKET[:6] + b"\x00" + PACKET[7:], "extension header of 4 bytes"),
        (replace(VALUE, protocol=60, payload=bytes([6, 1]) + bytes(6)).emit(), "length of 16 bytes in 8"),
        (replace(VALUE, protocol=60, payload=bytes([60, 0, 0, 0, 0, 0, 0, 0]) * 9).emit(), "more than 8"),
    ],
)
def test_damaged_packets_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        Ipv6.parse(data)


def test_eight_extension_headers_are_read() -> None:
    packet = replace(VALUE, extensions=(HOP_BY_HOP,) * 8)
    assert Ipv6.parse(packet.emit()) == packet


def test_a_payload_that_does_not_fit_is_refused() -> None:
    with pytest.raises(WireError, match="65536 bytes"):
        replace(VALUE, payload=bytes(65536)).emit()
