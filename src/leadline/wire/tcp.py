"""TCP segments (RFC 9293 section 3.1) and their options."""

from __future__ import annotations

from leadline.errors import WireError
from leadline.model.quick_dataclass import dataclass
from leadline.wire.checksum import transport_checksum
from leadline.wire.ports_view import PortsView

SEQUENCE = slice(4, 8)
ACKNOWLEDGMENT = slice(8, 12)
OFFSET_AND_FLAGS = slice(12, 14)
WINDOW = slice(14, 16)
CHECKSUM = slice(16, 18)
URGENT = slice(18, 20)
HEADER_BYTES = 20
OPTIONS_BYTES_MAX = 40

PROTOCOL = 6

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE = (1 << bit for bit in range(9))
_FLAG_LETTERS = "FSRPAUECN"

OPTION_END = 0
OPTION_NOTHING = 1
OPTION_SEGMENT_SIZE = 2
OPTION_WINDOW_SCALE = 3
OPTION_SACK_PERMITTED = 4
OPTION_SACK = 5
OPTION_TIMESTAMPS = 8


def flags_text(flags: int) -> str:
    """One letter a flag, from FIN up: ``SA``, ``RA``, ``FPU``; ``-`` when none is set."""
    return "".join(letter for bit, letter in enumerate(_FLAG_LETTERS) if flags >> bit & 1) or "-"


@dataclass(frozen=True, slots=True)
class TcpOption:
    """One option: its kind and its bytes without kind and length."""

    kind: int
    data: bytes = b""


def parse_options(data: bytes) -> tuple[TcpOption, ...]:
    """The options up to the end or the end-of-options mark. ``WireError`` when a length is impossible."""
    options: list[TcpOption] = []
    at = 0
    while at < len(data) and data[at] != OPTION_END:
        if data[at] == OPTION_NOTHING:
            options.append(TcpOption(OPTION_NOTHING))
            at += 1
            continue
        size = data[at + 1] if at + 1 < len(data) else 0
        if size < 2 or at + size > len(data):
            raise WireError(f"a TCP option length of {size} bytes, {len(data) - at} left")
        options.append(TcpOption(data[at], data[at + 2 : at + size]))
        at += size
    return tuple(options)


def emit_options(options: tuple[TcpOption, ...]) -> bytes:
    """The options in order, padded with end marks to a multiple of 4 bytes. ``WireError`` when longer than 40."""
    data = b""
    for option in options:
        data += bytes([option.kind])
        if option.kind > OPTION_NOTHING:
            data += bytes([2 + len(option.data)]) + option.data
    data += bytes(-len(data) % 4)
    if len(data) > OPTIONS_BYTES_MAX:
        raise WireError(f"{len(data)} bytes of TCP options")
    return data


class TcpView(PortsView):
    """Reads the fields of bytes that hold a whole header, with options; ``WireError`` otherwise."""

    __slots__ = ("header_bytes",)

    def __init__(self, data: bytes) -> None:
        super().__init__(data, "a TCP", HEADER_BYTES)
        self.header_bytes = (data[12] >> 4) * 4
        if not HEADER_BYTES <= self.header_bytes <= len(data):
            raise WireError(f"a TCP header length of {self.header_bytes} bytes in {len(data)}")

    @property
    def sequence(self) -> int:
        return int.from_bytes(self._data[SEQUENCE], "big")

    @property
    def acknowledgment(self) -> int:
        return int.from_bytes(self._data[ACKNOWLEDGMENT], "big")

    @property
    def flags(self) -> int:
        """9 bits, FIN is 1."""
        return int.from_bytes(self._data[OFFSET_AND_FLAGS], "big") & 0x1FF

    @property
    def reserved(self) -> int:
        """3 bits."""
        return self._data[12] >> 1 & 7

    @property
    def window(self) -> int:
        return int.from_bytes(self._data[WINDOW], "big")

    @property
    def urgent(self) -> int:
        return int.from_bytes(self._data[URGENT], "big")

    @property
    def options(self) -> bytes:
        return self._data[HEADER_BYTES : self.header_bytes]

    @property
    def payload(self) -> bytes:
        return self._data[self.header_bytes :]

    def checksum_holds(self, source: bytes, destination: bytes) -> bool:
        """Addresses in network order."""
        return transport_checksum(source, destination, PROTOCOL, self._data) == 0


@dataclass(frozen=True, slots=True)
class Tcp:
    """``options``: raw bytes (see ``parse_options``), sent padded with zeros to a multiple of 4."""

    source_port: int
    destination_port: int
    sequence: int = 0
    acknowledgment: int = 0
    flags: int = 0
    window: int = 0
    urgent: int = 0
    reserved: int = 0
    options: bytes = b""
    payload: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> Tcp:
        """Raises ``WireError``. The options are not looked into: damaged ones do not make the segment unreadable."""
        view = TcpView(data)
        return cls(
            view.source_port,
            view.destination_port,
            view.sequence,
            view.acknowledgment,
            view.flags,
            view.window,
            view.urgent,
            view.reserved,
            view.options,
            view.payload,
        )

    def emit(self, source: bytes, destination: bytes) -> bytes:
        """The segment with its checksum; addresses in network order, 4 or 16 bytes. ``WireError`` when too long."""
        options = self.options + bytes(-len(self.options) % 4)
        if len(options) > OPTIONS_BYTES_MAX:
            raise WireError(f"{len(options)} bytes of TCP options")
        offset_and_flags = (HEADER_BYTES + len(options)) // 4 << 12 | self.reserved << 9 | self.flags
        segment = bytearray(self.source_port.to_bytes(2, "big") + self.destination_port.to_bytes(2, "big"))
        segment += self.sequence.to_bytes(4, "big") + self.acknowledgment.to_bytes(4, "big")
        segment += offset_and_flags.to_bytes(2, "big") + self.window.to_bytes(2, "big") + bytes(2)
        segment += self.urgent.to_bytes(2, "big") + options + self.payload
        value = transport_checksum(source, destination, PROTOCOL, bytes(segment))
        segment[CHECKSUM] = value.to_bytes(2, "big")
        return bytes(segment)
