"""What messages of ICMP and ICMPv6 have in common: four fixed fields and a payload (RFC 792, RFC 4443 section 2.1)."""

from __future__ import annotations

from collections.abc import Mapping

from leadline.errors import WireError
from leadline.model.quick_dataclass import dataclass

TYPE = 0
CODE = 1
CHECKSUM = slice(2, 4)
WORD = slice(4, 8)
HEADER_BYTES = 8


class MessageView:
    """Reads the fields of bytes that hold a whole header; ``WireError`` otherwise."""

    __slots__ = ("_data",)
    name = "ICMP"

    def __init__(self, data: bytes) -> None:
        if len(data) < HEADER_BYTES:
            raise WireError(f"an {self.name} message of {len(data)} bytes")
        self._data = data

    @property
    def type(self) -> int:
        return self._data[TYPE]

    @property
    def code(self) -> int:
        return self._data[CODE]

    @property
    def word(self) -> int:
        """Bytes 4 to 7: identifier and sequence number, a gateway, flags, an MTU."""
        return int.from_bytes(self._data[WORD], "big")

    @property
    def payload(self) -> bytes:
        return self._data[HEADER_BYTES:]


@dataclass(frozen=True, slots=True)
class Message:
    """``word``: bytes 4 to 7, whose meaning depends on ``type``; ``payload`` of an error: the quoted packet."""

    type: int
    code: int = 0
    word: int = 0
    payload: bytes = b""

    @property
    def identifier(self) -> int:
        return self.word >> 16

    @property
    def sequence(self) -> int:
        return self.word & 0xFFFF

    def without_checksum(self) -> bytearray:
        """The bytes of the message, zeros where the checksum will be."""
        return bytearray([self.type, self.code, 0, 0]) + self.word.to_bytes(4, "big") + self.payload


def name_of(type_number: int, code: int, types: Mapping[int, str], codes: Mapping[tuple[int, int], str]) -> str:
    """The message in words, the code's meaning where it has one."""
    return codes.get((type_number, code), types.get(type_number, f"type {type_number}"))
