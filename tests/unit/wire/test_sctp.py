import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import WireError
from leadline.wire.sctp import (
    ABORT,
    COOKIE_ECHO,
    INIT,
    NO_CHUNK,
    Chunk,
    Init,
    Sctp,
    SctpView,
    chunk_name,
    parse_chunks,
)

# Probes of Nmap 7.93 as captured: an INIT, the same with --adler32, a COOKIE-ECHO.
INIT_PROBE = bytes.fromhex("e3a700500000000000c2759101000014af0cf95c00008000000a0800836ab3a6")
ADLER_PROBE = bytes.fromhex("98a10050000000005ceb073b01000014336fbef000008000000a08008e7eb9f5")
COOKIE_PROBE = bytes.fromhex("b9b800508a612abfe56210800a000008f4951acf")


def test_an_init_both_ways() -> None:
    init = Init(2936863068, 32768, 10, 2048, 2204808102)
    packet = Sctp(58279, 80, 0, Chunk(INIT, value=init.emit()).emit())
    assert packet.emit() == INIT_PROBE
    assert Sctp.parse(INIT_PROBE) == packet
    (chunk,) = parse_chunks(packet.payload)
    assert Init.parse(chunk.value) == init


def test_both_checksums() -> None:
    for data, adler in ((INIT_PROBE, False), (ADLER_PROBE, True), (COOKIE_PROBE, False)):
        view = SctpView(data)
        assert view.checksum_holds(adler)
        assert not view.checksum_holds(not adler)
        assert not SctpView(data[:-1] + bytes([data[-1] ^ 1])).checksum_holds(adler)
        assert Sctp.parse(data).emit(adler) == data
    assert SctpView(INIT_PROBE).checksum == 0x9175C200


def test_a_cookie_echo() -> None:
    packet = Sctp.parse(COOKIE_PROBE)
    assert packet.verification_tag == 0x8A612ABF
    assert list(parse_chunks(packet.payload)) == [Chunk(COOKIE_ECHO, 0, bytes.fromhex("f4951acf"))]


chunks = st.lists(
    st.builds(Chunk, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=9)), max_size=4
)  # fmt: skip


@given(chunks)
def test_chunks_round_trip(made: list[Chunk]) -> None:
    assert list(parse_chunks(b"".join(chunk.emit() for chunk in made))) == made


@given(st.binary(max_size=60))
def test_any_bytes_are_a_packet_or_an_error(data: bytes) -> None:
    try:
        packet = Sctp.parse(data)
        for chunk in parse_chunks(packet.payload):
            Init.parse(chunk.value)
    except WireError:
        return
    assert packet.emit()[:8] == data[:8]


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda: Sctp.parse(bytes(11)), "header of 11 bytes"),
        (lambda: list(parse_chunks(b"\x01\x00\x00")), "3 bytes where"),
        (lambda: list(parse_chunks(b"\x01\x00\x00\x03")), "length of 3"),
        (lambda: list(parse_chunks(b"\x01\x00\x00\x09abcd")), "length of 9 bytes, 8 left"),
        (lambda: Init.parse(bytes(15)), "INIT of 15"),
        (lambda: Chunk(ABORT, value=bytes(65532)).emit(), "65536"),
    ],
)
def test_what_is_damaged_is_refused(read: object, words: str) -> None:
    with pytest.raises(WireError, match=words):
        read()  # type: ignore[operator]


def test_names() -> None:
    assert [chunk_name(kind) for kind in (INIT, ABORT, 192, NO_CHUNK)] == ["INIT", "ABORT", "chunk 192", "no chunk"]
