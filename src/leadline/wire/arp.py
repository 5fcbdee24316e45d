"""ARP for IPv4 on Ethernet (RFC 826)."""

from __future__ import annotations

from ipaddress import IPv4Address

from leadline.errors import WireError
from leadline.model.quick_dataclass import dataclass

FIXED = slice(0, 6)
OPERATION = slice(6, 8)
SENDER_MAC = slice(8, 14)
SENDER = slice(14, 18)
TARGET_MAC = slice(18, 24)
TARGET = slice(24, 28)
PACKET_BYTES = 28

REQUEST = 1
REPLY = 2

# Hardware type Ethernet, protocol type IPv4, address sizes 6 and 4.
_ETHERNET_AND_IPV4 = b"\x00\x01\x08\x00\x06\x04"


class ArpView:
    """Reads the fields of a whole packet about Ethernet and IPv4; ``WireError`` for anything else."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        if len(data) < PACKET_BYTES:
            raise WireError(f"an ARP packet of {len(data)} bytes")
        if data[FIXED] != _ETHERNET_AND_IPV4:
            raise WireError("an ARP packet that is not about IPv4 on Ethernet")
        self._data = data

    @property
    def operation(self) -> int:
        return int.from_bytes(self._data[OPERATION], "big")

    @property
    def sender_mac(self) -> bytes:
        return self._data[SENDER_MAC]

    @property
    def sender(self) -> IPv4Address:
        return IPv4Address(self._data[SENDER])

    @property
    def target_mac(self) -> bytes:
        return self._data[TARGET_MAC]

    @property
    def target(self) -> IPv4Address:
        return IPv4Address(self._data[TARGET])


@dataclass(frozen=True, slots=True)
class Arp:
    """``operation`` 1 asks for the hardware address of ``target``, 2 answers with the one of ``sender``."""

    operation: int
    sender_mac: bytes
    sender: IPv4Address
    target_mac: bytes
    target: IPv4Address

    @classmethod
    def parse(cls, data: bytes) -> Arp:
        """Raises ``WireError``; bytes behind the packet (padding) are ignored."""
        view = ArpView(data)
        return cls(view.operation, view.sender_mac, view.sender, view.target_mac, view.target)

    def emit(self) -> bytes:
        """28 bytes."""
        operation = self.operation.to_bytes(2, "big")
        sender = self.sender_mac + self.sender.packed
        return _ETHERNET_AND_IPV4 + operation + sender + self.target_mac + self.target.packed
