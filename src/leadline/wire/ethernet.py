"""Ethernet II frames (IEEE 802.3 clause 3, RFC 894)."""

from __future__ import annotations

from leadline.errors import WireError
from leadline.model.quick_dataclass import dataclass

DESTINATION = slice(0, 6)
SOURCE = slice(6, 12)
ETHERTYPE = slice(12, 14)
HEADER_BYTES = 14

TYPE_IPV4 = 0x0800
TYPE_ARP = 0x0806
TYPE_IPV6 = 0x86DD


class EthernetView:
    """Reads the fields of bytes that are known to hold a whole header; ``WireError`` otherwise."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        if len(data) < HEADER_BYTES:
            raise WireError(f"an Ethernet frame of {len(data)} bytes")
        self._data = data

    @property
    def destination(self) -> bytes:
        return self._data[DESTINATION]

    @property
    def source(self) -> bytes:
        return self._data[SOURCE]

    @property
    def ethertype(self) -> int:
        return int.from_bytes(self._data[ETHERTYPE], "big")

    @property
    def payload(self) -> bytes:
        """All that follows, with any padding to the smallest frame size."""
        return self._data[HEADER_BYTES:]


@dataclass(frozen=True, slots=True)
class Ethernet:
    """``destination`` and ``source``: 6 bytes each."""

    destination: bytes
    source: bytes
    ethertype: int
    payload: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> Ethernet:
        """Raises ``WireError`` when the header is not whole."""
        view = EthernetView(data)
        return cls(view.destination, view.source, view.ethertype, view.payload)

    def emit(self) -> bytes:
        """Header and payload; nothing is padded."""
        return self.destination + self.source + self.ethertype.to_bytes(2, "big") + self.payload


def mac_text(mac: bytes) -> str:
    """``aa:bb:cc:dd:ee:ff``, lower case."""
    return mac.hex(":")
