import pytest

from leadline.errors import WireError
from leadline.wire.icmp import ERRORS, Icmp, IcmpView, message_name

VALUE = Icmp(8, 0, 0x12340001, b"ab")
MESSAGE = bytes.fromhex("0800 8468 1234 0001 6162")


def test_both_directions() -> None:
    assert VALUE.emit() == MESSAGE
    assert Icmp.parse(MESSAGE) == VALUE
    assert (VALUE.identifier, VALUE.sequence) == (0x1234, 1)


def test_a_message_of_zeros_has_a_checksum_that_receivers_accept() -> None:
    # Linux refuses a checksum field of zero over zeros: the sum with the field must be 65535.
    assert Icmp(0).emit() == b"\x00\x00\xff\xff\x00\x00\x00\x00"


def test_the_checksum_is_verified_on_request() -> None:
    assert IcmpView(MESSAGE).checksum_holds
    assert not IcmpView(MESSAGE[:-1] + b"c").checksum_holds


def test_errors_quote() -> None:
    assert {number for number in range(256) if Icmp(number).is_error} == {3, 4, 5, 11, 12} == ERRORS


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ((3, 3), "port unreachable"),
        ((3, 13), "communication prohibited"),
        ((3, 200), "destination unreachable"),
        ((11, 0), "time exceeded in transit"),
        ((8, 5), "echo request"),
        ((99, 0), "type 99"),
    ],
)
def test_messages_in_words(message: tuple[int, int], name: str) -> None:
    assert message_name(*message) == name


def test_a_short_message_is_refused() -> None:
    with pytest.raises(WireError, match="7 bytes"):
        Icmp.parse(MESSAGE[:7])
