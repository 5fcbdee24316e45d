"""ICMPv6 messages (RFC 4443) and neighbour discovery (RFC 4861)."""

from __future__ import annotations

from ipaddress import IPv6Address

from leadline.errors import WireError
from leadline.model.quick_dataclass import dataclass
from leadline.wire.checksum import transport_checksum
from leadline.wire.icmp_message import CHECKSUM, Message, MessageView, name_of

# Within the payload of neighbour solicitations and advertisements:
TARGET = slice(0, 16)
OPTIONS_START = 16

PROTOCOL = 58

UNREACHABLE = 1
PACKET_TOO_BIG = 2
TIME_EXCEEDED = 3
PARAMETER_PROBLEM = 4
ECHO_REQUEST = 128
ECHO_REPLY = 129
NEIGHBOR_SOLICITATION = 135
NEIGHBOR_ADVERTISEMENT = 136

OPTION_SOURCE_MAC = 1
OPTION_TARGET_MAC = 2

ROUTER_FLAG = 1 << 31
SOLICITED_FLAG = 1 << 30
OVERRIDE_FLAG = 1 << 29

ERRORS = frozenset({UNREACHABLE, PACKET_TOO_BIG, TIME_EXCEEDED, PARAMETER_PROBLEM})

_TYPE_NAMES = {
    UNREACHABLE: "destination unreachable",
    PACKET_TOO_BIG: "packet too big",
    TIME_EXCEEDED: "time exceeded",
    PARAMETER_PROBLEM: "parameter problem",
    ECHO_REQUEST: "echo request",
    ECHO_REPLY: "echo reply",
    133: "router solicitation",
    134: "router advertisement",
    NEIGHBOR_SOLICITATION: "neighbor solicitation",
    NEIGHBOR_ADVERTISEMENT: "neighbor advertisement",
    137: "redirect",
}
_CODE_NAMES = {
    (UNREACHABLE, 0): "no route",
    (UNREACHABLE, 1): "communication prohibited",
    (UNREACHABLE, 2): "beyond scope of source",
    (UNREACHABLE, 3): "address unreachable",
    (UNREACHABLE, 4): "port unreachable",
    (UNREACHABLE, 5): "source address refused",
    (UNREACHABLE, 6): "route rejected",
    (TIME_EXCEEDED, 0): "time exceeded in transit",
    (TIME_EXCEEDED, 1): "reassembly time exceeded",
    (PARAMETER_PROBLEM, 1): "unknown next header",
    (PARAMETER_PROBLEM, 2): "unknown option",
}


def message_name(type_number: int, code: int) -> str:
    """The message in words (RFC 4443 section 3)."""
    return name_of(type_number, code, _TYPE_NAMES, _CODE_NAMES)


class Icmpv6View(MessageView):
    """Reads the fields of bytes that hold a whole header; ``WireError`` otherwise."""

    __slots__ = ()
    name = "ICMPv6"

    def checksum_holds(self, source: bytes, destination: bytes) -> bool:
        """Addresses in network order, 16 bytes."""
        return transport_checksum(source, destination, PROTOCOL, self._data) == 0


@dataclass(frozen=True, slots=True)
class Icmpv6(Message):
    """One message."""

    @property
    def is_error(self) -> bool:
        """Whether the payload quotes a packet."""
        return self.type in ERRORS

    @classmethod
    def parse(cls, data: bytes) -> Icmpv6:
        """Raises ``WireError``."""
        view = Icmpv6View(data)
        return cls(view.type, view.code, view.word, view.payload)

    def emit(self, source: bytes, destination: bytes) -> bytes:
        """The message with its checksum; addresses in network order, 16 bytes."""
        message = self.without_checksum()
        value = transport_checksum(source, destination, PROTOCOL, bytes(message))
        message[CHECKSUM] = value.to_bytes(2, "big")
        return bytes(message)


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A neighbour solicitation or advertisement (RFC 4861 sections 4.3, 4.4).

    ``flags``: router, solicited, override (advertisements only). ``options``: type and bytes behind the length, which
    must have 8 n - 2 bytes; a link-layer address has 6.
    """

    is_advertisement: bool
    target: IPv6Address
    flags: int = 0
    options: tuple[tuple[int, bytes], ...] = ()

    @property
    def mac(self) -> bytes | None:
        """The link-layer address of the target (advertisement) or the source (solicitation), when told."""
        wanted = OPTION_TARGET_MAC if self.is_advertisement else OPTION_SOURCE_MAC
        return next((data for number, data in self.options if number == wanted and len(data) == 6), None)

    @classmethod
    def from_message(cls, message: Icmpv6) -> Neighbor:
        """Raises ``WireError`` for other messages and those invalid under RFC 4861 section 7.1."""
        if message.type not in (NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT) or message.code:
            raise WireError(f"not neighbour discovery: {message.type}/{message.code}")
        if len(message.payload) < OPTIONS_START:
            raise WireError(f"neighbour discovery with {len(message.payload)} bytes of body")
        options: list[tuple[int, bytes]] = []
        rest = message.payload[OPTIONS_START:]
        while rest:
            size = rest[1] * 8 if len(rest) > 1 else 0
            if not 0 < size <= len(rest):
                raise WireError(f"a neighbour discovery option of {size} bytes, {len(rest)} left")
            options.append((rest[0], rest[2:size]))
            rest = rest[size:]
        is_advertisement = message.type == NEIGHBOR_ADVERTISEMENT
        return cls(is_advertisement, IPv6Address(message.payload[TARGET]), message.word, tuple(options))

    def to_message(self) -> Icmpv6:
        """The ICMPv6 message. ``WireError`` for an option that does not fill whole units of 8 bytes."""
        body = self.target.packed
        for number, data in self.options:
            if (len(data) + 2) % 8:
                raise WireError(f"a neighbour discovery option of {len(data) + 2} bytes")
            body += bytes([number, (len(data) + 2) // 8]) + data
        kind = NEIGHBOR_ADVERTISEMENT if self.is_advertisement else NEIGHBOR_SOLICITATION
        return Icmpv6(kind, 0, self.flags, body)
