"""ICMP messages of IPv4 (RFC 792, RFC 950, RFC 1812)."""

from __future__ import annotations

from leadline.model.quick_dataclass import dataclass
from leadline.wire.checksum import checksum
from leadline.wire.icmp_message import CHECKSUM, Message, MessageView, name_of

PROTOCOL = 1

ECHO_REPLY = 0
UNREACHABLE = 3
SOURCE_QUENCH = 4
REDIRECT = 5
ECHO_REQUEST = 8
TIME_EXCEEDED = 11
PARAMETER_PROBLEM = 12
TIMESTAMP_REQUEST = 13
TIMESTAMP_REPLY = 14
MASK_REQUEST = 17
MASK_REPLY = 18

# Those whose payload is the beginning of the packet they are about.
ERRORS = frozenset({UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM})

_TYPE_NAMES = {
    ECHO_REPLY: "echo reply",
    UNREACHABLE: "destination unreachable",
    SOURCE_QUENCH: "source quench",
    REDIRECT: "redirect",
    ECHO_REQUEST: "echo request",
    9: "router advertisement",
    10: "router solicitation",
    TIME_EXCEEDED: "time exceeded",
    PARAMETER_PROBLEM: "parameter problem",
    TIMESTAMP_REQUEST: "timestamp request",
    TIMESTAMP_REPLY: "timestamp reply",
    MASK_REQUEST: "address mask request",
    MASK_REPLY: "address mask reply",
}
_CODE_NAMES = {
    (UNREACHABLE, 0): "network unreachable",
    (UNREACHABLE, 1): "host unreachable",
    (UNREACHABLE, 2): "protocol unreachable",
    (UNREACHABLE, 3): "port unreachable",
    (UNREACHABLE, 4): "fragmentation needed",
    (UNREACHABLE, 5): "source route failed",
    (UNREACHABLE, 9): "network prohibited",
    (UNREACHABLE, 10): "host prohibited",
    (UNREACHABLE, 13): "communication prohibited",
    (TIME_EXCEEDED, 0): "time exceeded in transit",
    (TIME_EXCEEDED, 1): "reassembly time exceeded",
}


def message_name(type_number: int, code: int) -> str:
    """The message in words (RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 5.2.7)."""
    return name_of(type_number, code, _TYPE_NAMES, _CODE_NAMES)


class IcmpView(MessageView):
    """Reads the fields of bytes that hold a whole header; ``WireError`` otherwise."""

    __slots__ = ()

    @property
    def checksum_holds(self) -> bool:
        return checksum(self._data) == 0


@dataclass(frozen=True, slots=True)
class Icmp(Message):
    """One message."""

    @property
    def is_error(self) -> bool:
        """Whether the payload quotes a packet."""
        return self.type in ERRORS

    @classmethod
    def parse(cls, data: bytes) -> Icmp:
        """Raises ``WireError``."""
        view = IcmpView(data)
        return cls(view.type, view.code, view.word, view.payload)

    def emit(self) -> bytes:
        """The message with its checksum."""
        message = self.without_checksum()
        message[CHECKSUM] = checksum(bytes(message)).to_bytes(2, "big")
        return bytes(message)
