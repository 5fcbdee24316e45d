"""Probe templates: a frame is prepared once, then columns are patched for N targets at a time.

No Python runs per frame. Every ``build`` returns frames of one length, with ``times`` of zero. Addresses are columns
``hi`` and ``lo`` (see ``model.address``); ports, identifiers and sequence numbers are integer arrays ``(N,)`` or one
integer for all rows, within the range of their field. ``macs``: next hops, uint8 ``(N, 6)``, or ``None`` for zeros
(loopback). ``source``: other source addresses than the framing's, row by row (decoys, simulated hosts).
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64
from leadline.model.quick_dataclass import dataclass
from leadline.wire.batch import FrameBatch
from leadline.wire.checksum import finish_columns, finish_udp_columns, half_sums, pseudo_sum, word_sum

Integers: TypeAlias = (
    NDArray[np.uint8]
    | NDArray[np.uint16]
    | NDArray[np.uint32]
    | NDArray[np.uint64]
    | NDArray[np.int32]
    | NDArray[np.int64]
    | int
)
Source: TypeAlias = tuple[U64, U64] | None
Fields: TypeAlias = dict[str, tuple[str, int]]

_ETHERTYPES = {4: b"\x08\x00", 6: b"\x86\xdd"}
_ARP_ETHERTYPE = b"\x08\x06"


@dataclass(frozen=True, slots=True)
class Framing:
    """What is the same in all frames of a group: ``family`` 4 or 6, ``offset`` the link header's bytes (14 or 0),
    ``source_mac`` 6 bytes (not used when ``offset`` is 0), our address as ``source_hi`` and ``source_lo``.
    """

    family: int
    offset: int
    source_mac: bytes
    source_hi: int
    source_lo: int

    def __post_init__(self) -> None:
        if self.family not in (4, 6) or self.offset not in (0, 14) or len(self.source_mac) != 6:
            raise ValueError(f"no such framing: {self}")

    @property
    def source(self) -> bytes:
        """Our address in network order, 4 or 16 bytes."""
        if self.family == 4:
            return self.source_lo.to_bytes(4, "big")
        return self.source_hi.to_bytes(8, "big") + self.source_lo.to_bytes(8, "big")


class IcmpKind(Enum):
    """ICMP queries (RFC 792, RFC 950) and their answers; the value is the ICMPv4 type.

    The echoes exist in ICMPv6 as well (RFC 4443 section 4).
    """

    ECHO = 8
    TIMESTAMP = 13
    ADDRESS_MASK = 17
    ECHO_REPLY = 0
    TIMESTAMP_REPLY = 14
    ADDRESS_MASK_REPLY = 18


_ICMPV6_TYPES = {IcmpKind.ECHO: 128, IcmpKind.ECHO_REPLY: 129}
_ICMP_BODY_BYTES = {
    IcmpKind.TIMESTAMP: 12,
    IcmpKind.TIMESTAMP_REPLY: 12,
    IcmpKind.ADDRESS_MASK: 4,
    IcmpKind.ADDRESS_MASK_REPLY: 4,
}


def _number(values: Integers) -> U64 | int:
    if isinstance(values, np.ndarray):
        return values.astype(np.uint64, copy=False)
    return int(values)


class Packet:
    """Link header, IP header and a transport segment with its checksum field zero: the part all templates share.

    ``fields`` names what is patched in the segment: numpy format and offset from the segment's start.
    """

    def __init__(self, framing: Framing, protocol: int, segment: bytes, fields: Fields) -> None:
        self._framing = framing
        self._is_v4 = framing.family == 4
        source = framing.source
        if self._is_v4:
            header = b"\x45\x00" + (20 + len(segment)).to_bytes(2, "big") + bytes(5) + bytes([protocol, 0, 0])
            header += source + bytes(4)
            places: Fields = {
                "ip_id": (">u2", 4),
                "ttl": ("u1", 8),
                "header_checksum": (">u2", 10),
                "source": (">u4", 12),
                "destination": (">u4", 16),
            }
        else:
            header = b"\x60\x00\x00\x00" + len(segment).to_bytes(2, "big") + bytes([protocol, 0]) + source + bytes(16)
            places = {
                "ttl": ("u1", 7),
                "source_hi": (">u8", 8),
                "source_lo": (">u8", 16),
                "destination_hi": (">u8", 24),
                "destination_lo": (">u8", 32),
            }
        link = bytes(6) + framing.source_mac + _ETHERTYPES[framing.family] if framing.offset else b""
        frame = link + header + segment
        self._row = np.frombuffer(frame, dtype=np.uint8)
        self._header_sum = word_sum(header)
        self._source_sum = word_sum(source)
        self.segment_sum = word_sum(segment)
        self._protocol_sum = pseudo_sum(b"", b"", protocol, len(segment))
        at = {name: (form, framing.offset + start) for name, (form, start) in places.items()}
        transport = framing.offset + len(header)
        at |= {name: (form, transport + start) for name, (form, start) in fields.items()}
        if framing.offset:
            at["next_hop"] = ("V6", 0)
        self._layout = _layout(at, len(frame))

    def start(
        self, hi: U64, lo: U64, macs: NDArray[np.uint8] | None, ttl: Integers, ip_id: Integers, source: Source
    ) -> tuple[FrameBatch, np.ndarray[tuple[int], np.dtype[np.void]], U64]:
        """Frames done up to the transport, the same as records by field, and the pseudo header's sums."""
        batch, records = _copies(self._row, self._layout, len(lo), self._framing.offset)
        if macs is not None and self._framing.offset:
            records["next_hop"] = np.ascontiguousarray(macs, dtype=np.uint8).view("V6")[:, 0]
        records["ttl"] = ttl
        if not self._is_v4:
            addresses = self._v6_addresses(records, hi, lo, source)
        else:
            addresses = self._v4_addresses(records, lo, source)
            records["ip_id"] = ip_id
            varying = (_number(ttl) << 8) + _number(ip_id)
            header_sum = self._header_sum - self._source_sum
            # Not below zero modulo 65535: the header's sum contains the source's.
            records["header_checksum"] = finish_columns(addresses + varying + (header_sum % 65535))
        return batch, records, addresses + self._protocol_sum

    def _v4_addresses(self, records: NDArray[np.void], lo: U64, source: Source) -> U64:
        records["destination"] = lo
        if source is None:
            return lo + self._source_sum
        records["source"] = source[1]
        return lo + source[1]

    def _v6_addresses(self, records: NDArray[np.void], hi: U64, lo: U64, source: Source) -> U64:
        records["destination_hi"] = hi
        records["destination_lo"] = lo
        sums = half_sums(hi) + half_sums(lo)
        if source is None:
            return sums + self._source_sum
        records["source_hi"], records["source_lo"] = source
        return sums + half_sums(source[0]) + half_sums(source[1])


def _layout(at: Fields, size: int) -> np.dtype[np.void]:
    names = list(at)
    layout: np.dtype[np.void] = np.dtype(
        {
            "names": names,
            "formats": [at[name][0] for name in names],
            "offsets": [at[name][1] for name in names],
            "itemsize": size,
        }
    )
    return layout


def _copies(
    row: NDArray[np.uint8], layout: np.dtype[np.void], count: int, offset: int
) -> tuple[FrameBatch, np.ndarray[tuple[int], np.dtype[np.void]]]:
    frames = np.empty((count, len(row)), dtype=np.uint8)
    frames[:] = row
    lengths = np.full(count, len(row), dtype=np.int32)
    batch = FrameBatch(frames, lengths, np.zeros(count, dtype=np.float64), offset)
    return batch, frames.reshape(-1).view(layout)


class TcpTemplate:
    """TCP segments with given flags (the lower 9 bits: FIN 1, SYN 2, RST 4, PSH 8, ACK 16 ...), RFC 9293 section 3.1.

    ``options`` are padded with zeros to a multiple of 4 bytes, at most 40; ``ValueError`` when longer. The default is
    a maximum segment size of 1460.
    """

    def __init__(
        self,
        framing: Framing,
        flags: int,
        window: int = 1024,
        options: bytes = b"\x02\x04\x05\xb4",
        payload: bytes = b"",
    ) -> None:
        options += bytes(-len(options) % 4)
        if len(options) > 40:
            raise ValueError("TCP options have at most 40 bytes")
        offset_and_flags = ((20 + len(options)) // 4) << 12 | (flags & 0x1FF)
        header = bytes(12) + offset_and_flags.to_bytes(2, "big") + window.to_bytes(2, "big") + bytes(4)
        fields: Fields = {
            "source_port": (">u2", 0),
            "destination_port": (">u2", 2),
            "sequence": (">u4", 4),
            "acknowledgment": (">u4", 8),
            "checksum": (">u2", 16),
        }
        self._packet = Packet(framing, 6, header + options + payload, fields)

    def build(
        self,
        hi: U64,
        lo: U64,
        macs: NDArray[np.uint8] | None,
        source_port: Integers,
        destination_port: Integers,
        sequence: Integers,
        acknowledgment: Integers,
        ttl: Integers,
        ip_id: Integers,
        source: Source = None,
    ) -> FrameBatch:
        """N segments to the addresses in ``hi`` and ``lo``."""
        batch, records, sums = self._packet.start(hi, lo, macs, ttl, ip_id, source)
        records["source_port"] = source_port
        records["destination_port"] = destination_port
        records["sequence"] = sequence
        records["acknowledgment"] = acknowledgment
        sums += _number(source_port) + self._packet.segment_sum
        sums += _number(destination_port)
        sums += _number(sequence)
        sums += _number(acknowledgment)
        records["checksum"] = finish_columns(sums)
        return batch


class UdpTemplate:
    """UDP datagrams with one payload, RFC 768."""

    def __init__(self, framing: Framing, payload: bytes = b"") -> None:
        header = bytes(4) + (8 + len(payload)).to_bytes(2, "big") + bytes(2)
        fields: Fields = {"source_port": (">u2", 0), "destination_port": (">u2", 2), "checksum": (">u2", 6)}
        self._packet = Packet(framing, 17, header + payload, fields)

    def build(
        self,
        hi: U64,
        lo: U64,
        macs: NDArray[np.uint8] | None,
        source_port: Integers,
        destination_port: Integers,
        ttl: Integers,
        ip_id: Integers,
        source: Source = None,
    ) -> FrameBatch:
        """N datagrams to the addresses in ``hi`` and ``lo``."""
        batch, records, sums = self._packet.start(hi, lo, macs, ttl, ip_id, source)
        records["source_port"] = source_port
        records["destination_port"] = destination_port
        sums += _number(source_port) + self._packet.segment_sum
        sums += _number(destination_port)
        records["checksum"] = finish_udp_columns(sums)
        return batch


class IcmpTemplate:
    """ICMP queries. ``payload`` follows the kind's fixed fields (timestamps and masks are sent as zeros).

    ``ValueError`` for a kind that ICMPv6 does not have.
    """

    def __init__(self, framing: Framing, kind: IcmpKind, payload: bytes = b"") -> None:
        self._is_v6 = framing.family == 6
        if self._is_v6 and kind not in _ICMPV6_TYPES:
            raise ValueError(f"ICMPv6 has no {kind.name.lower()}")
        type_number = _ICMPV6_TYPES[kind] if self._is_v6 else kind.value
        segment = bytes([type_number]) + bytes(7 + _ICMP_BODY_BYTES.get(kind, 0)) + payload
        fields: Fields = {"checksum": (">u2", 2), "identifier": (">u2", 4), "sequence": (">u2", 6)}
        self._packet = Packet(framing, 58 if self._is_v6 else 1, segment, fields)

    def build(
        self,
        hi: U64,
        lo: U64,
        macs: NDArray[np.uint8] | None,
        identifier: Integers,
        sequence: Integers,
        ttl: Integers,
        ip_id: Integers,
        source: Source = None,
    ) -> FrameBatch:
        """N messages to the addresses in ``hi`` and ``lo``."""
        batch, records, pseudo = self._packet.start(hi, lo, macs, ttl, ip_id, source)
        records["identifier"] = identifier
        records["sequence"] = sequence
        # Only ICMPv6 has a pseudo header (RFC 4443 section 2.3).
        sums = pseudo if self._is_v6 else np.zeros(len(lo), dtype=np.uint64)
        sums += _number(identifier) + self._packet.segment_sum
        sums += _number(sequence)
        records["checksum"] = finish_columns(sums)
        return batch


class IpTemplate:
    """Packets of any IP protocol; ``payload`` goes out as it is (with its checksum, if its protocol has one)."""

    def __init__(self, framing: Framing, protocol: int, payload: bytes = b"") -> None:
        self._packet = Packet(framing, protocol, payload, {})

    def build(
        self,
        hi: U64,
        lo: U64,
        macs: NDArray[np.uint8] | None,
        ttl: Integers,
        ip_id: Integers,
        source: Source = None,
    ) -> FrameBatch:
        """N packets to the addresses in ``hi`` and ``lo``."""
        batch, _, _ = self._packet.start(hi, lo, macs, ttl, ip_id, source)
        return batch


class ArpTemplate:
    """ARP requests (RFC 826), broadcast, with a target hardware address of zero. ``ValueError`` without Ethernet."""

    def __init__(self, framing: Framing) -> None:
        if framing.family != 4 or not framing.offset:
            raise ValueError("ARP is for IPv4 on Ethernet")
        link = b"\xff" * 6 + framing.source_mac + _ARP_ETHERTYPE
        request = b"\x00\x01\x08\x00\x06\x04\x00\x01" + framing.source_mac + framing.source + bytes(10)
        self._row = np.frombuffer(link + request, dtype=np.uint8)
        self._layout = _layout({"target": (">u4", 38)}, len(self._row))

    def build(self, hi: U64, lo: U64) -> FrameBatch:
        """N requests asking who has the addresses in ``lo``."""
        batch, records = _copies(self._row, self._layout, len(lo), 14)
        records["target"] = lo
        return batch


class NeighborTemplate:
    """ICMPv6 neighbour solicitations (RFC 4861 sections 4.3 and 7.2.2), hop limit 255, with the source link-layer
    address option, to the solicited-node multicast group ff02::1:ffXX:XXXX. ``ValueError`` without Ethernet.
    """

    def __init__(self, framing: Framing) -> None:
        if framing.family != 6 or not framing.offset:
            raise ValueError("neighbour discovery is for IPv6 on Ethernet")
        segment = bytes([135]) + bytes(23) + b"\x01\x01" + framing.source_mac
        fields: Fields = {"checksum": (">u2", 2), "target_hi": (">u8", 8), "target_lo": (">u8", 16)}
        self._packet = Packet(framing, 58, segment, fields)

    def build(self, hi: U64, lo: U64) -> FrameBatch:
        """N solicitations for the addresses in ``hi`` and ``lo``."""
        tail = lo & np.uint64(0xFFFFFF)
        group_hi = np.full(len(lo), 0xFF02 << 48, dtype=np.uint64)
        group_lo = tail | np.uint64(0x1FF000000)
        macs = np.empty((len(lo), 6), dtype=np.uint8)
        macs[:] = (0x33, 0x33, 0xFF, 0, 0, 0)
        macs[:, 3:] = tail.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 5:]
        batch, records, sums = self._packet.start(group_hi, group_lo, macs, 255, 0, None)
        records["target_hi"] = hi
        records["target_lo"] = lo
        sums += half_sums(hi) + half_sums(lo) + self._packet.segment_sum
        records["checksum"] = finish_columns(sums)
        return batch
