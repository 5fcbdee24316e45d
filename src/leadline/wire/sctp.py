"""SCTP packets (RFC 9260 section 3): the common header and its chunks."""

from __future__ import annotations

from collections.abc import Iterator

from leadline.errors import WireError
from leadline.model.quick_dataclass import dataclass
from leadline.wire.crc32c import adler32, crc32c
from leadline.wire.ports_view import PortsView

VERIFICATION_TAG = slice(4, 8)
CHECKSUM = slice(8, 12)
HEADER_BYTES = 12

PROTOCOL = 132

DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT = range(7)
SHUTDOWN, SHUTDOWN_ACK, ERROR, COOKIE_ECHO, COOKIE_ACK = range(7, 12)
SHUTDOWN_COMPLETE = 14
NO_CHUNK = 255
"""Stands for the type where a packet has no chunk; reserved by RFC 9260 section 3.2, so that none can have it."""

REFLECTED = 1
"""The T bit of an ABORT: its verification tag is that of the packet which it answers (RFC 9260 section 8.5.1)."""

_CHUNK_HEADER = 4
_INIT_BYTES = 16
_NAMES = {
    DATA: "DATA",
    INIT: "INIT",
    INIT_ACK: "INIT-ACK",
    SACK: "SACK",
    HEARTBEAT: "HEARTBEAT",
    HEARTBEAT_ACK: "HEARTBEAT-ACK",
    ABORT: "ABORT",
    SHUTDOWN: "SHUTDOWN",
    SHUTDOWN_ACK: "SHUTDOWN-ACK",
    ERROR: "ERROR",
    COOKIE_ECHO: "COOKIE-ECHO",
    COOKIE_ACK: "COOKIE-ACK",
    SHUTDOWN_COMPLETE: "SHUTDOWN-COMPLETE",
}


def chunk_name(kind: int) -> str:
    """As RFC 9260 calls a chunk type; ``chunk 192`` for one that it does not know, ``no chunk`` for ``NO_CHUNK``."""
    return _NAMES.get(kind, f"chunk {kind}") if kind != NO_CHUNK else "no chunk"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: type, flags (8 bits) and value, without the padding."""

    type: int
    flags: int = 0
    value: bytes = b""

    def emit(self) -> bytes:
        """With its header, padded to a multiple of 4 bytes. ``WireError`` when too long."""
        length = _CHUNK_HEADER + len(self.value)
        if length > 0xFFFF:
            raise WireError(f"an SCTP chunk of {length} bytes")
        return bytes([self.type, self.flags]) + length.to_bytes(2, "big") + self.value + bytes(-length % 4)


def parse_chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks in order. ``WireError`` at one whose length is impossible."""
    at = 0
    while at < len(data):
        if len(data) - at < _CHUNK_HEADER:
            raise WireError(f"{len(data) - at} bytes where an SCTP chunk should be")
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if not _CHUNK_HEADER <= length <= len(data) - at:
            raise WireError(f"an SCTP chunk length of {length} bytes, {len(data) - at} left")
        yield Chunk(data[at], data[at + 1], data[at + _CHUNK_HEADER : at + length])
        at += length + -length % 4


@dataclass(frozen=True, slots=True)
class Init:
    """What an INIT or INIT-ACK chunk holds (RFC 9260 section 3.3.2). ``parameters``: raw, behind the fixed fields."""

    initiate_tag: int
    receiver_window: int
    outbound_streams: int
    inbound_streams: int
    initial_tsn: int
    parameters: bytes = b""

    @classmethod
    def parse(cls, value: bytes) -> Init:
        """``value``: of the chunk. Raises ``WireError``."""
        if len(value) < _INIT_BYTES:
            raise WireError(f"an SCTP INIT of {len(value)} bytes")
        return cls(
            int.from_bytes(value[0:4], "big"),
            int.from_bytes(value[4:8], "big"),
            int.from_bytes(value[8:10], "big"),
            int.from_bytes(value[10:12], "big"),
            int.from_bytes(value[12:16], "big"),
            value[16:],
        )

    def emit(self) -> bytes:
        """The chunk's value."""
        tags = self.initiate_tag.to_bytes(4, "big") + self.receiver_window.to_bytes(4, "big")
        streams = self.outbound_streams.to_bytes(2, "big") + self.inbound_streams.to_bytes(2, "big")
        return tags + streams + self.initial_tsn.to_bytes(4, "big") + self.parameters


class SctpView(PortsView):
    """Reads the fields of bytes that hold a whole common header; ``WireError`` otherwise."""

    __slots__ = ()

    def __init__(self, data: bytes) -> None:
        super().__init__(data, "an SCTP", HEADER_BYTES)

    @property
    def verification_tag(self) -> int:
        return int.from_bytes(self._data[VERIFICATION_TAG], "big")

    @property
    def checksum(self) -> int:
        """As a CRC is sent: the least significant byte first (RFC 9260 appendix A)."""
        return int.from_bytes(self._data[CHECKSUM], "little")

    @property
    def payload(self) -> bytes:
        """The chunks, raw (see ``parse_chunks``)."""
        return self._data[HEADER_BYTES:]

    def checksum_holds(self, adler: bool = False) -> bool:
        """``adler``: by the rule of RFC 2960. There is no pseudo header."""
        blank = self._data[:8] + bytes(4) + self._data[12:]
        return _checksum(blank, adler) == self._data[CHECKSUM]


def _checksum(blank: bytes, adler: bool) -> bytes:
    """The four bytes of the field, of a packet in which they are zero."""
    return adler32(blank).to_bytes(4, "big") if adler else crc32c(blank).to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class Sctp:
    """A packet. ``payload``: its chunks, raw (see ``parse_chunks`` and ``Chunk.emit``)."""

    source_port: int
    destination_port: int
    verification_tag: int = 0
    payload: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> Sctp:
        """Raises ``WireError``. The chunks are not looked into: damaged ones do not make the packet unreadable."""
        view = SctpView(data)
        return cls(view.source_port, view.destination_port, view.verification_tag, view.payload)

    def emit(self, adler: bool = False) -> bytes:
        """The packet with its checksum: CRC32C, or Adler-32 as in RFC 2960."""
        ports = self.source_port.to_bytes(2, "big") + self.destination_port.to_bytes(2, "big")
        packet = bytearray(ports + self.verification_tag.to_bytes(4, "big") + bytes(4) + self.payload)
        packet[CHECKSUM] = _checksum(bytes(packet), adler)
        return bytes(packet)
