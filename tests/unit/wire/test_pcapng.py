import io
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from leadline.errors import WireError
from leadline.wire.batch import FrameBatch, concatenate, empty, single
from leadline.wire.pcapng import (
    INBOUND,
    LINKTYPE_ETHERNET,
    LINKTYPE_RAW,
    OUTBOUND,
    CapturedInterface,
    CapturedPacket,
    Reader,
    Writer,
)

STAMP = 1_700_000_000_123_456_789
ETH0 = CapturedInterface("eth0", LINKTYPE_ETHERNET)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(options: bytes = b"", order: str = "<") -> bytes:
    return block(1, struct.pack(order + "HHI", 1, 0, 0) + options, order)


def packet(stamp: int, data: bytes, number: int = 0, order: str = "<") -> bytes:
    head = struct.pack(order + "IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data))
    return block(6, head + data + bytes(-len(data) % 4), order)


def read(data: bytes) -> list[CapturedPacket]:
    return list(Reader(io.BytesIO(data)))


def written() -> tuple[io.BytesIO, Writer]:
    file = io.BytesIO()
    writer = Writer(file)
    writer.add_interface("eth0", LINKTYPE_ETHERNET)
    return file, writer


def test_what_is_written_is_read() -> None:
    file, writer = written()
    assert writer.add_interface("tun0", LINKTYPE_RAW) == 1
    writer.write(1, b"five!", STAMP, OUTBOUND)
    writer.write(0, b"", STAMP + 1, original_length=1500)
    assert read(file.getvalue()) == [
        CapturedPacket(CapturedInterface("tun0", LINKTYPE_RAW), STAMP, b"five!", 5, OUTBOUND),
        CapturedPacket(ETH0, STAMP + 1, b"", 1500, 0),
    ]


def test_a_packet_block_byte_by_byte() -> None:
    file, writer = written()
    before = len(file.getvalue())
    writer.write(0, b"abcde", 0x0000000100000002, INBOUND)
    assert file.getvalue()[before:] == bytes.fromhex(
        "06000000 34000000 00000000 01000000 02000000 05000000 05000000"
        "6162636465000000 0200 0400 01000000 0000 0000 34000000"
    )


def test_an_interface_must_be_described() -> None:
    _, writer = written()
    with pytest.raises(ValueError, match="interface 1"):
        writer.write(1, b"", 0)
    with pytest.raises(ValueError, match="interface -1"):
        writer.write(-1, b"", 0)


@pytest.mark.parametrize("frames", [[b"abc", b"defg!", b""], [b"abc", b"def"], [b"", b""]])
@pytest.mark.parametrize("direction", [0, INBOUND])
def test_batches_are_written_like_single_packets(frames: list[bytes], direction: int) -> None:
    file, writer = written()
    one_by_one, other = written()
    batch = concatenate([single(frame, 14, index * 0.25) for index, frame in enumerate(frames)])
    writer.write_batch(0, batch, 1_700_000_000.0, direction)
    for index, frame in enumerate(frames):
        other.write(0, frame, 1_700_000_000_000_000_000 + index * 250_000_000, direction)
    assert file.getvalue() == one_by_one.getvalue()


def test_batches_with_absurd_lengths_or_times_or_no_rows() -> None:
    file, writer = written()
    empty_file = file.getvalue()
    writer.write_batch(0, empty(14), 0.0)
    assert file.getvalue() == empty_file
    batch = FrameBatch(np.full((2, 3), 65, np.uint8), np.array([9, 9], np.int32), np.array([-5.0, 1.0]), 0)
    writer.write_batch(0, batch, 0.0)
    writer.write_batch(0, FrameBatch(batch.frames, np.array([2, 2], np.int32), batch.times, 0), 0.0)
    assert [(one.data, one.nanoseconds) for one in read(file.getvalue())] == [
        (b"AAA", 0),
        (b"AAA", 10**9),
        (b"AA", 0),
        (b"AA", 10**9),
    ]


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders(order: str) -> None:
    options = struct.pack(order + "HH", 2, 4) + b"eth0" + struct.pack(order + "HHI", 9, 1, 0) + bytes(4)
    # Resolution zero: whole seconds.
    data = section(order) + interface(options, order) + packet(7, b"abc", order=order)
    assert read(data) == [CapturedPacket(ETH0, 7 * 10**9, b"abc", 3)]


@pytest.mark.parametrize(
    ("options", "nanoseconds"),
    [
        (b"", 5_000_000),  # microseconds when not told
        (struct.pack("<HHI", 9, 1, 0x83), 625_000_000_000),  # eighths of a second: 5000 of them
        (struct.pack("<HHI", 9, 0, 0)[:4], 5_000_000),
        (struct.pack("<HHq", 14, 8, 100), 100_005_000_000),
    ],
)
def test_resolutions_and_offsets(options: bytes, nanoseconds: int) -> None:
    assert [one.nanoseconds for one in read(section() + interface(options) + packet(5000, b""))] == [nanoseconds]


def test_a_new_section_forgets_interfaces_and_unknown_blocks_are_passed_over() -> None:
    data = section() + interface() + block(5, bytes(8)) + packet(1, b"a")
    reader = Reader(io.BytesIO(data + section(">") + interface(order=">") + packet(1, b"b", order=">")))
    assert [one.data for one in reader] == [b"a", b"b"]
    assert len(reader.interfaces) == 1
    with pytest.raises(WireError, match="not described"):
        read(data + section() + packet(1, b"b"))


def test_simple_packets() -> None:
    data = section() + interface() + block(3, struct.pack("<I", 3) + b"abc\0")
    assert [(one.data, one.nanoseconds, one.original_length) for one in read(data)] == [(b"abc", 0, 3)]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x0a\x0d", "cut off"),
        (interface(), "no section header"),
        (section()[:8] + bytes(20), "byte order mark"),
        (section()[:-1], "cut off"),
        (section()[:4] + b"\x0d" + section()[5:], "block of 13 bytes"),
        (section() + struct.pack("<II", 1, 1 << 30), "block of"),
        (section()[:-4] + bytes(4), "lengths differ"),
        (section() + interface() + block(6, bytes(16)), "body of 16"),
        (section() + interface() + block(6, struct.pack("<IIIII", 0, 0, 0, 9, 9) + bytes(8)), "packet of 9 bytes"),
        (section() + interface(struct.pack("<HH", 2, 99)), "option of 99"),
        (section() + packet(1, b""), "interface 0"),
        (section() + interface(struct.pack("<HHI", 14, 4, 0)), "body of 4"),
    ],
)
def test_damaged_files(data: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        read(data)


def test_too_many_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadline.wire.pcapng._INTERFACES_MAX", 2)
    with pytest.raises(WireError, match="too many interfaces"):
        read(section() + interface() * 3)


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="tcpdump is not installed")
def test_tcpdump_reads_our_files(tmp_path: Path) -> None:
    file, writer = written()
    writer.write(0, b"\xff" * 12 + b"\x08\x00", STAMP)
    path = tmp_path / "capture.pcapng"
    path.write_bytes(file.getvalue())
    shown = subprocess.run(["tcpdump", "-nn", "-tt", "-r", str(path)], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("1700000000.123456")
