from ipaddress import IPv4Address

import pytest

from leadline.errors import WireError
from leadline.wire.arp import REPLY, Arp

PACKET = bytes.fromhex("0001 0800 06 04 0002 020000000001 0a000001 020000000002 0a000002")
VALUE = Arp(
    REPLY,
    bytes.fromhex("020000000001"),
    IPv4Address("10.0.0.1"),
    bytes.fromhex("020000000002"),
    IPv4Address("10.0.0.2"),
)


def test_both_directions() -> None:
    assert Arp.parse(PACKET + bytes(18)) == VALUE
    assert VALUE.emit() == PACKET


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PACKET[:27], "27 bytes"),
        (b"\x00\x06" + PACKET[2:], "not about IPv4"),
        (PACKET[:4] + b"\x08" + PACKET[5:], "not about IPv4"),
    ],
)
def test_other_packets_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        Arp.parse(data)
