from dataclasses import replace

import pytest

from leadline.errors import WireError
from leadline.wire.udp import Udp, UdpView

ADDRESS = bytes([10, 0, 0, 1])
VALUE = Udp(40000, 53, b"abc")
DATAGRAM = VALUE.emit(ADDRESS, ADDRESS)


def test_both_directions() -> None:
    # 10.0.0.1 twice, protocol 17, length 11 twice, ports, "abc" padded, one's complement sum by hand.
    total = 2 * (0x0A00 + 0x0001) + 17 + 2 * 11 + 40000 + 53 + 0x6162 + 0x6300
    value = 0xFFFF - ((total & 0xFFFF) + (total >> 16))
    wanted = bytes.fromhex("9c40 0035 000b") + value.to_bytes(2, "big") + b"abc"
    assert wanted == DATAGRAM
    assert Udp.parse(DATAGRAM + b"padding") == VALUE


def test_the_checksum_is_verified_on_request() -> None:
    assert UdpView(DATAGRAM).checksum_holds(ADDRESS, ADDRESS)
    assert UdpView(DATAGRAM + b"padding").checksum_holds(ADDRESS, ADDRESS)
    assert not UdpView(DATAGRAM).checksum_holds(ADDRESS, bytes([10, 0, 0, 2]))
    assert UdpView(DATAGRAM[:6] + bytes(2) + DATAGRAM[8:]).checksum_holds(ADDRESS, ADDRESS)


def test_a_checksum_of_zero_is_sent_as_ones() -> None:
    # The payload is what the checksum is without it: then the sum of all words is 65535.
    without = UdpView(Udp(1, 2, bytes(2)).emit(ADDRESS, ADDRESS)).checksum
    datagram = Udp(1, 2, without.to_bytes(2, "big")).emit(ADDRESS, ADDRESS)
    assert UdpView(datagram).checksum == 0xFFFF
    assert UdpView(datagram).checksum_holds(ADDRESS, ADDRESS)


def test_a_quoted_datagram_may_be_cut_behind_its_header() -> None:
    assert Udp.parse(DATAGRAM[:9], quoted=True) == replace(VALUE, payload=b"a")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (DATAGRAM[:7], "header of 7 bytes"),
        (DATAGRAM[:9], "length of 11 bytes in 9"),
        (DATAGRAM[:4] + b"\x00\x07" + DATAGRAM[6:], "length of 7"),
    ],
)
def test_damaged_datagrams_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        Udp.parse(data)


def test_a_payload_that_does_not_fit_is_refused() -> None:
    with pytest.raises(WireError, match="65536"):
        Udp(1, 2, bytes(65528)).emit(ADDRESS, ADDRESS)
