"""What the headers of TCP, UDP and SCTP begin with: two ports (RFC 9293 section 3.1, RFC 768, RFC 9260 section 3.1)."""

from __future__ import annotations

from leadline.errors import WireError

SOURCE_PORT = slice(0, 2)
DESTINATION_PORT = slice(2, 4)


class PortsView:
    """Reads the ports of bytes that hold at least ``header_bytes``; ``WireError``, with the ``name``, otherwise."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes, name: str, header_bytes: int) -> None:
        if len(data) < header_bytes:
            raise WireError(f"{name} header of {len(data)} bytes")
        self._data = data

    @property
    def source_port(self) -> int:
        return int.from_bytes(self._data[SOURCE_PORT], "big")

    @property
    def destination_port(self) -> int:
        return int.from_bytes(self._data[DESTINATION_PORT], "big")
