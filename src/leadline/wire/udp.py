"""UDP datagrams (RFC 768)."""

from __future__ import annotations

from leadline.errors import WireError
from leadline.model.quick_dataclass import dataclass
from leadline.wire.checksum import transport_checksum
from leadline.wire.ports_view import PortsView

LENGTH = slice(4, 6)
CHECKSUM = slice(6, 8)
HEADER_BYTES = 8

PROTOCOL = 17


class UdpView(PortsView):
    """Reads the fields of bytes that hold a whole header; ``WireError`` otherwise.

    ``quoted``: the datagram may end before its length (ICMP errors quote only the beginning).
    """

    __slots__ = ()

    def __init__(self, data: bytes, quoted: bool = False) -> None:
        super().__init__(data, "a UDP", HEADER_BYTES)
        if self.length < HEADER_BYTES or (self.length > len(data) and not quoted):
            raise WireError(f"a UDP length of {self.length} bytes in {len(data)}")

    @property
    def length(self) -> int:
        return int.from_bytes(self._data[LENGTH], "big")

    @property
    def checksum(self) -> int:
        return int.from_bytes(self._data[CHECKSUM], "big")

    @property
    def payload(self) -> bytes:
        return self._data[HEADER_BYTES : self.length]

    def checksum_holds(self, source: bytes, destination: bytes) -> bool:
        """Addresses in network order. A checksum of zero means that the sender made none."""
        datagram = self._data[: self.length]
        return not self.checksum or transport_checksum(source, destination, PROTOCOL, datagram) == 0


@dataclass(frozen=True, slots=True)
class Udp:
    """A datagram; its length is that of the payload."""

    source_port: int
    destination_port: int
    payload: bytes = b""

    @classmethod
    def parse(cls, data: bytes, quoted: bool = False) -> Udp:
        """Raises ``WireError``; bytes behind the length are ignored. ``quoted``: see the view."""
        view = UdpView(data, quoted)
        return cls(view.source_port, view.destination_port, view.payload)

    def emit(self, source: bytes, destination: bytes) -> bytes:
        """The datagram with its checksum; addresses in network order, 4 or 16 bytes. ``WireError`` when too long."""
        length = HEADER_BYTES + len(self.payload)
        if length > 0xFFFF:
            raise WireError(f"a UDP datagram of {length} bytes")
        ports = self.source_port.to_bytes(2, "big") + self.destination_port.to_bytes(2, "big")
        datagram = bytearray(ports + length.to_bytes(2, "big") + bytes(2) + self.payload)
        value = transport_checksum(source, destination, PROTOCOL, bytes(datagram)) or 0xFFFF
        datagram[CHECKSUM] = value.to_bytes(2, "big")
        return bytes(datagram)
