"""IPv4 packets (RFC 791 section 3.1), with options and fragments."""

from __future__ import annotations

from ipaddress import IPv4Address

from leadline.errors import WireError
from leadline.model.quick_dataclass import dataclass
from leadline.wire.checksum import checksum

VERSION_AND_LENGTH = 0
SERVICE = 1
TOTAL_LENGTH = slice(2, 4)
IDENTIFICATION = slice(4, 6)
FRAGMENT = slice(6, 8)
TTL = 8
PROTOCOL = 9
CHECKSUM = slice(10, 12)
SOURCE = slice(12, 16)
DESTINATION = slice(16, 20)
HEADER_BYTES = 20
OPTIONS_BYTES_MAX = 40

RESERVED_BIT = 0x8000
DONT_FRAGMENT_BIT = 0x4000
MORE_FRAGMENTS_BIT = 0x2000
OFFSET_MASK = 0x1FFF


class Ipv4View:
    """Reads the fields of bytes that hold a whole and consistent header; ``WireError`` otherwise.

    ``quoted``: the packet may end before its total length (ICMP errors quote only the beginning).
    """

    __slots__ = ("_data", "header_bytes", "total_length")

    def __init__(self, data: bytes, quoted: bool = False) -> None:
        if len(data) < HEADER_BYTES:
            raise WireError(f"an IPv4 header of {len(data)} bytes")
        if data[VERSION_AND_LENGTH] >> 4 != 4:
            raise WireError(f"IP version {data[VERSION_AND_LENGTH] >> 4} where 4 was expected")
        self.header_bytes = (data[VERSION_AND_LENGTH] & 15) * 4
        self.total_length = int.from_bytes(data[TOTAL_LENGTH], "big")
        if self.header_bytes < HEADER_BYTES or len(data) < self.header_bytes:
            raise WireError(f"an IPv4 header length of {self.header_bytes} bytes in {len(data)}")
        if not quoted and not self.header_bytes <= self.total_length <= len(data):
            raise WireError(f"an IPv4 total length of {self.total_length} bytes in {len(data)}")
        self._data = data

    @property
    def service(self) -> int:
        """Differentiated services and congestion notification (RFC 2474, RFC 3168)."""
        return self._data[SERVICE]

    @property
    def identification(self) -> int:
        return int.from_bytes(self._data[IDENTIFICATION], "big")

    @property
    def fragment(self) -> int:
        """Three flag bits and the fragment offset, as on the wire."""
        return int.from_bytes(self._data[FRAGMENT], "big")

    @property
    def ttl(self) -> int:
        return self._data[TTL]

    @property
    def protocol(self) -> int:
        return self._data[PROTOCOL]

    @property
    def source(self) -> IPv4Address:
        return IPv4Address(self._data[SOURCE])

    @property
    def destination(self) -> IPv4Address:
        return IPv4Address(self._data[DESTINATION])

    @property
    def options(self) -> bytes:
        return self._data[HEADER_BYTES : self.header_bytes]

    @property
    def payload(self) -> bytes:
        return self._data[self.header_bytes : max(self.total_length, self.header_bytes)]

    @property
    def checksum_holds(self) -> bool:
        return checksum(self._data[: self.header_bytes]) == 0


@dataclass(frozen=True, slots=True)
class Ipv4:
    """``options`` are sent padded with zeros to a multiple of 4 bytes; ``fragment_offset`` counts 8 bytes each."""

    source: IPv4Address
    destination: IPv4Address
    protocol: int
    ttl: int = 64
    identification: int = 0
    service: int = 0
    reserved_bit: bool = False
    dont_fragment: bool = False
    more_fragments: bool = False
    fragment_offset: int = 0
    options: bytes = b""
    payload: bytes = b""

    @classmethod
    def parse(cls, data: bytes, quoted: bool = False) -> Ipv4:
        """Raises ``WireError``; bytes behind the total length (padding) are ignored. ``quoted``: see the view."""
        view = Ipv4View(data, quoted)
        fragment = view.fragment
        return cls(
            view.source,
            view.destination,
            view.protocol,
            view.ttl,
            view.identification,
            view.service,
            bool(fragment & RESERVED_BIT),
            bool(fragment & DONT_FRAGMENT_BIT),
            bool(fragment & MORE_FRAGMENTS_BIT),
            fragment & OFFSET_MASK,
            view.options,
            view.payload,
        )

    def emit(self) -> bytes:
        """The packet with its lengths and header checksum. ``WireError`` when options or payload do not fit."""
        options = self.options + bytes(-len(self.options) % 4)
        header_bytes = HEADER_BYTES + len(options)
        total = header_bytes + len(self.payload)
        if len(options) > OPTIONS_BYTES_MAX or total > 0xFFFF:
            raise WireError(f"an IPv4 packet of {total} bytes with {len(options)} bytes of options")
        fragment = self.fragment_offset | RESERVED_BIT * self.reserved_bit
        fragment |= DONT_FRAGMENT_BIT * self.dont_fragment | MORE_FRAGMENTS_BIT * self.more_fragments
        header = bytearray([0x40 | header_bytes // 4, self.service])
        header += total.to_bytes(2, "big") + self.identification.to_bytes(2, "big") + fragment.to_bytes(2, "big")
        header += bytes([self.ttl, self.protocol, 0, 0]) + self.source.packed + self.destination.packed + options
        header[CHECKSUM] = checksum(bytes(header)).to_bytes(2, "big")
        return bytes(header) + self.payload
