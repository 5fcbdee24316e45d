"""IPv6 packets with extension headers (RFC 8200 sections 3 and 4)."""

from __future__ import annotations

from ipaddress import IPv6Address

from leadline.errors import WireError
from leadline.model.quick_dataclass import dataclass

VERSION_CLASS_FLOW = slice(0, 4)
PAYLOAD_LENGTH = slice(4, 6)
NEXT_HEADER = 6
HOP_LIMIT = 7
SOURCE = slice(8, 24)
DESTINATION = slice(24, 40)
HEADER_BYTES = 40

FRAGMENT = 44
AUTHENTICATION = 51
# Hop-by-hop, routing, fragment, authentication, destination options, mobility, HIP, shim6: all begin with the next
# header's number; all but the fragment header (8 bytes) have their length in the second byte.
EXTENSIONS = frozenset({0, 43, FRAGMENT, AUTHENTICATION, 60, 135, 139, 140})
EXTENSIONS_MAX = 8


class Ipv6View:
    """Reads the fields of bytes that hold a whole fixed header; ``WireError`` otherwise.

    ``quoted``: the packet may end before its payload length (ICMPv6 errors quote only the beginning).
    """

    __slots__ = ("_data",)

    def __init__(self, data: bytes, quoted: bool = False) -> None:
        if len(data) < HEADER_BYTES:
            raise WireError(f"an IPv6 header of {len(data)} bytes")
        if data[0] >> 4 != 6:
            raise WireError(f"IP version {data[0] >> 4} where 6 was expected")
        self._data = data
        if not quoted and self.payload_length > len(data) - HEADER_BYTES:
            raise WireError(f"an IPv6 payload length of {self.payload_length} bytes in {len(data)}")

    @property
    def traffic_class(self) -> int:
        return int.from_bytes(self._data[VERSION_CLASS_FLOW], "big") >> 20 & 0xFF

    @property
    def flow_label(self) -> int:
        return int.from_bytes(self._data[VERSION_CLASS_FLOW], "big") & 0xFFFFF

    @property
    def payload_length(self) -> int:
        return int.from_bytes(self._data[PAYLOAD_LENGTH], "big")

    @property
    def next_header(self) -> int:
        return self._data[NEXT_HEADER]

    @property
    def hop_limit(self) -> int:
        return self._data[HOP_LIMIT]

    @property
    def source(self) -> IPv6Address:
        return IPv6Address(self._data[SOURCE])

    @property
    def destination(self) -> IPv6Address:
        return IPv6Address(self._data[DESTINATION])

    @property
    def payload(self) -> bytes:
        """Extension headers and all that follows, without padding of the link."""
        return self._data[HEADER_BYTES : HEADER_BYTES + self.payload_length]


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension header: its number, and its bytes without the first one (which names the next header)."""

    number: int
    body: bytes

    @property
    def fragment_offset(self) -> int:
        """Of a fragment header, in units of 8 bytes; 0 for all others."""
        return int.from_bytes(self.body[1:3], "big") >> 3 if self.number == FRAGMENT else 0


@dataclass(frozen=True, slots=True)
class Ipv6:
    """``protocol``: of ``payload``, behind the extension headers."""

    source: IPv6Address
    destination: IPv6Address
    protocol: int
    hop_limit: int = 64
    traffic_class: int = 0
    flow_label: int = 0
    extensions: tuple[Extension, ...] = ()
    payload: bytes = b""

    @property
    def fragment_offset(self) -> int:
        """In units of 8 bytes; not 0 in later fragments, whose payload has no transport header."""
        return max((extension.fragment_offset for extension in self.extensions), default=0)

    @classmethod
    def parse(cls, data: bytes, quoted: bool = False) -> Ipv6:
        """Raises ``WireError``, also for a cut-off or endless chain; bytes behind the payload length are ignored."""
        view = Ipv6View(data, quoted)
        protocol, extensions, payload = _walk(view.next_header, view.payload)
        return cls(
            view.source,
            view.destination,
            protocol,
            view.hop_limit,
            view.traffic_class,
            view.flow_label,
            extensions,
            payload,
        )

    def emit(self) -> bytes:
        """The packet with its lengths. ``WireError`` when it does not fit."""
        chain = b""
        following = self.protocol
        for extension in reversed(self.extensions):
            chain = bytes([following]) + extension.body + chain
            following = extension.number
        length = len(chain) + len(self.payload)
        if length > 0xFFFF:
            raise WireError(f"an IPv6 payload of {length} bytes")
        first = 6 << 28 | self.traffic_class << 20 | self.flow_label
        header = first.to_bytes(4, "big") + length.to_bytes(2, "big") + bytes([following, self.hop_limit])
        return header + self.source.packed + self.destination.packed + chain + self.payload


def _walk(number: int, rest: bytes) -> tuple[int, tuple[Extension, ...], bytes]:
    extensions: list[Extension] = []
    while number in EXTENSIONS:
        if len(extensions) == EXTENSIONS_MAX:
            raise WireError(f"more than {EXTENSIONS_MAX} IPv6 extension headers")
        if len(rest) < 8:
            raise WireError(f"an IPv6 extension header of {len(rest)} bytes")
        size = 8 if number == FRAGMENT else (rest[1] + 2) * 4 if number == AUTHENTICATION else (rest[1] + 1) * 8
        if size > len(rest):
            raise WireError(f"an IPv6 extension header length of {size} bytes in {len(rest)}")
        extension = Extension(number, rest[1:size])
        extensions.append(extension)
        number, rest = rest[0], rest[size:]
        if extension.fragment_offset:
            # What follows is the middle of something: its number says what the first fragment holds.
            break
    return number, tuple(extensions), rest
