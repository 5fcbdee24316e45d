from dataclasses import replace
from ipaddress import IPv6Address

import pytest

from leadline.errors import WireError
from leadline.wire.icmpv6 import (
    NEIGHBOR_ADVERTISEMENT,
    SOLICITED_FLAG,
    Icmpv6,
    Icmpv6View,
    Neighbor,
    message_name,
)

ADDRESS = IPv6Address("fe80::1").packed
TARGET = IPv6Address("fe80::2")
MAC = b"\x02\x00\x00\x00\x00\x09"
VALUE = Icmpv6(128, 0, 0x12340001, b"ab")
MESSAGE = VALUE.emit(ADDRESS, ADDRESS)
ADVERT = Neighbor(True, TARGET, SOLICITED_FLAG, ((2, MAC),))


def test_both_directions() -> None:
    # fe80::1 twice, protocol 58, length 10, the words of the message.
    total = 2 * (0xFE80 + 1) + 58 + 10 + 0x8000 + 0x1234 + 1 + 0x6162
    value = 0xFFFF - ((total & 0xFFFF) + (total >> 16))
    wanted = bytes([128, 0]) + value.to_bytes(2, "big") + bytes.fromhex("1234 0001 6162")
    assert wanted == MESSAGE
    assert Icmpv6.parse(MESSAGE) == VALUE
    assert (VALUE.identifier, VALUE.sequence) == (0x1234, 1)


def test_the_checksum_is_verified_on_request() -> None:
    assert Icmpv6View(MESSAGE).checksum_holds(ADDRESS, ADDRESS)
    assert not Icmpv6View(MESSAGE).checksum_holds(ADDRESS, TARGET.packed)


def test_errors_quote() -> None:
    assert {number for number in range(256) if Icmpv6(number).is_error} == {1, 2, 3, 4}


@pytest.mark.parametrize(
    ("message", "name"),
    [((1, 4), "port unreachable"), ((1, 99), "destination unreachable"), ((136, 0), "neighbor advertisement")],
)
def test_messages_in_words(message: tuple[int, int], name: str) -> None:
    assert message_name(*message) == name


def test_a_neighbor_advertisement() -> None:
    message = ADVERT.to_message()
    assert message.payload == TARGET.packed + b"\x02\x01" + MAC
    assert message.word == 0x40000000
    assert Neighbor.from_message(message) == ADVERT
    assert ADVERT.mac == MAC


def test_the_mac_is_in_the_option_of_the_messages_kind() -> None:
    assert replace(ADVERT, is_advertisement=False).mac is None
    assert Neighbor(False, TARGET, 0, ((1, MAC),)).mac == MAC
    assert Neighbor(True, TARGET, 0, ((2, bytes(14)),)).mac is None


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (VALUE, "not neighbour discovery"),
        (replace(ADVERT.to_message(), code=1), "136/1"),
        (Icmpv6(NEIGHBOR_ADVERTISEMENT, payload=bytes(15)), "15 bytes of body"),
        (Icmpv6(NEIGHBOR_ADVERTISEMENT, payload=bytes(16) + b"\x02\x00" + MAC), "option of 0 bytes"),
        (Icmpv6(NEIGHBOR_ADVERTISEMENT, payload=bytes(16) + b"\x02\x02" + MAC), "option of 16 bytes, 8 left"),
        (Icmpv6(NEIGHBOR_ADVERTISEMENT, payload=bytes(16) + b"\x02"), "option of 0 bytes, 1 left"),
    ],
)
def test_invalid_neighbor_discovery_is_refused(message: Icmpv6, words: str) -> None:
    with pytest.raises(WireError, match=words):
        Neighbor.from_message(message)


def test_an_option_fills_whole_units() -> None:
    with pytest.raises(WireError, match="9 bytes"):
        Neighbor(True, TARGET, 0, ((2, bytes(7)),)).to_message()


def test_a_short_message_is_refused() -> None:
    with pytest.raises(WireError, match="7 bytes"):
        Icmpv6.parse(MESSAGE[:7])
