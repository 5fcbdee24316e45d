"""Capture files in pcapng (draft-ietf-opsawg-pcapng): written little-endian with nanoseconds, read in both orders.

Blocks used: section header, interface description (section 4.2), enhanced packet (4.3), simple packet (4.4, only read).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from leadline.errors import WireError
from leadline.model.quick_dataclass import dataclass
from leadline.wire.batch import FrameBatch

LINKTYPE_ETHERNET = 1
LINKTYPE_RAW = 101  # the packet begins with an IPv4 or IPv6 header

_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_OPTION_COMMENT, _OPTION_NAME, _OPTION_RESOLUTION, _OPTION_FLAGS, _OPTION_APPLICATION = 1, 2, 9, 2, 4
_OPTION_OFFSET = 14
_BLOCK_BYTES_MAX = 1 << 24
_INTERFACES_MAX = 1 << 16

INBOUND = 1
OUTBOUND = 2


@dataclass(frozen=True, slots=True)
class CapturedInterface:
    """An interface of a capture file. ``linktype``: 1 Ethernet, 101 raw IP."""

    name: str
    linktype: int


@dataclass(frozen=True, slots=True)
class CapturedPacket:
    """``nanoseconds`` since 1970; ``original_length``: bytes on the wire, more than ``len(data)`` when cut;
    ``direction``: 0 not told, 1 inbound, 2 outbound.
    """

    interface: CapturedInterface
    nanoseconds: int
    data: bytes
    original_length: int
    direction: int = 0


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _option(number: int, value: bytes) -> bytes:
    return struct.pack("<HH", number, len(value)) + _padded(value)


_END_OF_OPTIONS = bytes(4)


def _block(kind: int, body: bytes) -> bytes:
    size = 12 + len(body)
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


class Writer:
    """Writes one section to a binary file, block by block; what was written is valid at any time.

    ``application`` names the program in the section header. Errors of the file's ``write`` pass through.
    """

    def __init__(self, file: BinaryIO, application: str = "leadline") -> None:
        self._file = file
        self._interfaces = 0
        options = _option(_OPTION_APPLICATION, application.encode()) + _END_OF_OPTIONS
        # Section length -1: not known in advance.
        file.write(_block(_SECTION, struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, -1) + options))

    def add_interface(self, name: str, linktype: int) -> int:
        """Describe an interface; the number it has in ``write``."""
        options = _option(_OPTION_NAME, name.encode()) + _option(_OPTION_RESOLUTION, b"\x09") + _END_OF_OPTIONS
        # Snapshot length 0: no limit.
        self._file.write(_block(_INTERFACE, struct.pack("<HHI", linktype, 0, 0) + options))
        self._interfaces += 1
        return self._interfaces - 1

    def write(
        self, interface: int, data: bytes, nanoseconds: int, direction: int = 0, original_length: int | None = None
    ) -> None:
        """Append a packet. ``nanoseconds`` since 1970. ``ValueError`` for an interface that was not described."""
        self._file.write(self._packet(interface, data, nanoseconds, direction, original_length))

    def write_batch(self, interface: int, batch: FrameBatch, epoch_of_zero: float, direction: int = 0) -> None:
        """Append all frames of a batch, whose times become ``epoch_of_zero + time`` seconds since 1970."""
        count = len(batch)
        if not count:
            return
        stamps = np.int64(round(epoch_of_zero * 1e9)) + np.rint(batch.times * 1e9).astype(np.int64)
        size = max(int(batch.lengths[0]), 0)
        if not (batch.lengths == size).all() or size > batch.frames.shape[1]:
            blocks = [
                self._packet(interface, batch.row(index), int(stamps[index]), direction, None) for index in range(count)
            ]
            self._file.write(b"".join(blocks))
            return
        # Frames of one length, as all batches to send are: the blocks are one too, only stamp and data are patched.
        one = np.frombuffer(self._packet(interface, bytes(size), 0, direction, None), dtype=np.uint8)
        rows = np.tile(one, (count, 1))
        stamps = np.maximum(stamps, 0)
        rows[:, 12:16] = (stamps >> 32).astype("<u4").view(np.uint8).reshape(-1, 4)
        rows[:, 16:20] = (stamps & 0xFFFFFFFF).astype("<u4").view(np.uint8).reshape(-1, 4)
        rows[:, 28 : 28 + size] = batch.frames[:, :size]
        self._file.write(rows.tobytes())

    def _packet(
        self, interface: int, data: bytes, nanoseconds: int, direction: int, original_length: int | None
    ) -> bytes:
        if not 0 <= interface < self._interfaces:
            raise ValueError(f"interface {interface} is not described")
        stamp = max(nanoseconds, 0)
        length = len(data) if original_length is None else original_length
        head = struct.pack("<IIIII", interface, stamp >> 32, stamp & 0xFFFFFFFF, len(data), length)
        options = _option(_OPTION_FLAGS, struct.pack("<I", direction)) + _END_OF_OPTIONS if direction else b""
        return _block(_ENHANCED, head + _padded(data) + options)


@dataclass(frozen=True, slots=True)
class _Description:
    interface: CapturedInterface
    ticks: int  # a second
    offset: int  # seconds


class Reader:
    """Reads the packets of a pcapng file in order, in all its sections; unknown blocks are passed over.

    Iterating raises ``WireError`` at the first damaged block; a file cut off in the middle of a block is such damage.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._order = "<"
        self._described: list[_Description] = []

    @property
    def interfaces(self) -> tuple[CapturedInterface, ...]:
        """Those described so far in the section being read."""
        return tuple(description.interface for description in self._described)

    def __iter__(self) -> Iterator[CapturedPacket]:
        started = False
        while True:
            head = self._file.read(8)
            if not head:
                return
            kind, body = self._read_block(head)
            if not started and kind != _SECTION:
                raise WireError("not a pcapng file: no section header at the beginning")
            started = True
            if kind == _INTERFACE:
                self._described.append(self._interface(body))
            elif kind == _ENHANCED:
                yield self._enhanced(body)
            elif kind == _SIMPLE:
                yield self._simple(body)

    def _read_block(self, head: bytes) -> tuple[int, bytes]:
        if len(head) < 8:
            raise WireError("a pcapng block is cut off")
        prefix = b""
        if head[:4] == b"\x0a\x0d\x0d\x0a":
            prefix = self._file.read(4)
            if prefix not in (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"):
                raise WireError("a pcapng section without byte order mark")
            self._order = "<" if prefix[0] == 0x4D else ">"
            self._described = []
        kind, size = struct.unpack(self._order + "II", head)
        if size % 4 or not 12 + len(prefix) <= size <= _BLOCK_BYTES_MAX:
            raise WireError(f"a pcapng block of {size} bytes")
        rest = self._file.read(size - 8 - len(prefix))
        if len(rest) < size - 8 - len(prefix):
            raise WireError("a pcapng block is cut off")
        if struct.unpack(self._order + "I", rest[-4:])[0] != size:
            raise WireError("a pcapng block whose two lengths differ")
        return kind, prefix + rest[:-4]

    def _unpack(self, form: str, body: bytes) -> tuple[int, ...]:
        size = struct.calcsize(self._order + form)
        if len(body) < size:
            raise WireError(f"a pcapng block body of {len(body)} bytes")
        return struct.unpack(self._order + form, body[:size])

    def _options(self, data: bytes) -> dict[int, bytes]:
        options: dict[int, bytes] = {}
        while len(data) >= 4:
            number, size = self._unpack("HH", data)
            if not number:
                break
            if 4 + size > len(data):
                raise WireError(f"a pcapng option of {size} bytes, {len(data) - 4} left")
            options.setdefault(number, data[4 : 4 + size])
            data = data[4 + size + -size % 4 :]
        return options

    def _interface(self, body: bytes) -> _Description:
        if len(self._described) >= _INTERFACES_MAX:
            raise WireError("too many interfaces in a pcapng section")
        linktype, _, _ = self._unpack("HHI", body)
        options = self._options(body[8:])
        exponent = (options.get(_OPTION_RESOLUTION) or b"\x06")[0]
        ticks = 1 << (exponent & 0x7F) if exponent & 0x80 else 10 ** (exponent & 0x7F)
        offset = self._unpack("q", options[_OPTION_OFFSET])[0] if _OPTION_OFFSET in options else 0
        name = options.get(_OPTION_NAME, b"").decode("utf-8", "replace")
        return _Description(CapturedInterface(name, linktype), ticks, offset)

    def _description(self, number: int) -> _Description:
        if number >= len(self._described):
            raise WireError(f"a pcapng packet of interface {number}, which is not described")
        return self._described[number]

    def _enhanced(self, body: bytes) -> CapturedPacket:
        number, high, low, captured, original = self._unpack("IIIII", body)
        description = self._description(number)
        if 20 + captured > len(body):
            raise WireError(f"a pcapng packet of {captured} bytes, {len(body) - 20} left")
        nanoseconds = (high << 32 | low) * 1_000_000_000 // description.ticks + description.offset * 1_000_000_000
        options = self._options(body[20 + captured + -captured % 4 :])
        flags = self._unpack("I", options[_OPTION_FLAGS])[0] if _OPTION_FLAGS in options else 0
        data = body[20 : 20 + captured]
        return CapturedPacket(description.interface, nanoseconds, data, original, flags & 3)

    def _simple(self, body: bytes) -> CapturedPacket:
        (original,) = self._unpack("I", body)
        return CapturedPacket(self._description(0).interface, 0, body[4 : 4 + original], original)
