from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from leadline.errors import WireError
from leadline.wire.ipv4 import Ipv4, Ipv4View

# A header whose checksum is a known example: 45 00 00 73 00 00 40 00 40 11 b8 61 c0 a8 00 01 c0 a8 00 c7.
HEADER = bytes.fromhex("45000073 00004000 4011b861 c0a80001 c0a800c7")
BODY = bytes(range(95))
VALUE = Ipv4(IPv4Address("192.168.0.1"), IPv4Address("192.168.0.199"), 17, 64, 0, dont_fragment=True, payload=BODY)


def test_both_directions() -> None:
    assert Ipv4.parse(HEADER + BODY) == VALUE
    assert VALUE.emit() == HEADER + BODY


def test_the_header_checksum_is_verified_on_request() -> None:
    assert Ipv4View(HEADER + BODY).checksum_holds
    assert not Ipv4View(HEADER[:8] + b"\x3f" + HEADER[9:] + BODY).checksum_holds


def test_padding_behind_the_total_length_is_not_payload() -> None:
    assert Ipv4.parse(HEADER + BODY + bytes(7)).payload == BODY


def test_options_are_padded_and_limited() -> None:
    packet = replace(VALUE, options=b"\x01\x01\x07")
    assert Ipv4.parse(packet.emit()).options == b"\x01\x01\x07\x00"
    assert Ipv4View(packet.emit()).header_bytes == 24
    with pytest.raises(WireError, match="44 bytes of options"):
        replace(VALUE, options=bytes(41)).emit()


def test_fragment_fields() -> None:
    packet = replace(VALUE, dont_fragment=False, reserved_bit=True, more_fragments=True, fragment_offset=185)
    assert packet.emit()[6:8] == bytes([0xA0, 185])
    assert Ipv4.parse(packet.emit()) == packet


def test_a_quoted_packet_may_be_cut_behind_its_header() -> None:
    cut = HEADER + BODY[:8]
    assert Ipv4.parse(cut, quoted=True).payload == BODY[:8]
    with pytest.raises(WireError, match="total length of 115 bytes in 28"):
        Ipv4.parse(cut)


def test_a_quoted_packet_with_an_absurd_total_length_has_no_payload() -> None:
    assert Ipv4.parse(HEADER[:2] + bytes(2) + HEADER[4:] + BODY, quoted=True).payload == b""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (HEADER[:19], "header of 19 bytes"),
        (b"\x65" + HEADER[1:], "version 6"),
        (b"\x44" + HEADER[1:] + BODY, "header length of 16"),
        (b"\x4f" + HEADER[1:] + BODY[:30], "header length of 60 bytes in 50"),
        (HEADER[:2] + b"\x00\x13" + HEADER[4:], "total length of 19"),
    ],
)
def test_damaged_headers_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        Ipv4.parse(data)


def test_a_payload_that_does_not_fit_is_refused() -> None:
    assert len(replace(VALUE, payload=bytes(65515)).emit()) == 65535
    with pytest.raises(WireError, match="65536 bytes"):
        replace(VALUE, payload=bytes(65516)).emit()
