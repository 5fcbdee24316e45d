import pytest

from leadline.errors import WireError
from leadline.wire.tcp import (
    ACK,
    AE,
    FIN,
    PSH,
    SYN,
    URG,
    Tcp,
    TcpOption,
    TcpView,
    emit_options,
    flags_text,
    parse_options,
)

SOURCE, DESTINATION = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
VALUE = Tcp(40000, 80, 0x01020304, 5, SYN | ACK, 1024, 6, 5, b"\x02\x04\x05\xb4", b"hello")
SEGMENT = VALUE.emit(SOURCE, DESTINATION)
OPTIONS = bytes.fromhex("020405b4 01 030307 0402 080a 00000001 00000002 00 ff")


def test_both_directions() -> None:
    assert SEGMENT[:16] == bytes.fromhex("9c40 0050 01020304 00000005 6a12 0400")
    assert SEGMENT[18:] == bytes.fromhex("0006 020405b4") + b"hello"
    assert Tcp.parse(SEGMENT) == VALUE


def test_the_checksum_is_verified_on_request() -> None:
    assert TcpView(SEGMENT).checksum_holds(SOURCE, DESTINATION)
    assert not TcpView(SEGMENT[:-1] + b"O").checksum_holds(SOURCE, DESTINATION)


@pytest.mark.parametrize(
    ("flags", "text"),
    [(SYN, "S"), (SYN | ACK, "SA"), (FIN | PSH | URG, "FPU"), (0, "-"), (0x1FF, "FSRPAUECN"), (AE, "N")],
)
def test_flags_in_letters(flags: int, text: str) -> None:
    assert flags_text(flags) == text


def test_options_end_at_the_end_mark() -> None:
    assert parse_options(OPTIONS) == (
        TcpOption(2, b"\x05\xb4"),
        TcpOption(1),
        TcpOption(3, b"\x07"),
        TcpOption(4),
        TcpOption(8, bytes([0, 0, 0, 1, 0, 0, 0, 2])),
    )


def test_options_are_padded_and_limited() -> None:
    assert emit_options((TcpOption(3, b"\x07"), TcpOption(1), TcpOption(4))) == bytes.fromhex("030307 01 0402 0000")
    with pytest.raises(WireError, match="44 bytes"):
        emit_options((TcpOption(254, bytes(40)),))


@pytest.mark.parametrize("data", [b"\x02", b"\x02\x00", b"\x02\x01\x00", b"\x01\x03\x04\x00"])
def test_impossible_option_lengths_are_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="option length"):
        parse_options(data)


def test_options_of_a_segment_are_padded_and_limited() -> None:
    assert Tcp.parse(Tcp(1, 2, options=b"\x01").emit(SOURCE, DESTINATION)).options == b"\x01\x00\x00\x00"
    with pytest.raises(WireError, match="44 bytes"):
        Tcp(1, 2, options=bytes(41)).emit(SOURCE, DESTINATION)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (SEGMENT[:19], "header of 19 bytes"),
        (SEGMENT[:12] + b"\x40" + SEGMENT[13:], "header length of 16"),
        (SEGMENT[:12] + b"\xf0" + SEGMENT[13:], "header length of 60 bytes in 29"),
    ],
)
def test_damaged_headers_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        Tcp.parse(data)
