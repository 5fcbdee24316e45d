"""Finished frames -> the frames that are sent instead: the changes that people make to test their own firewalls.

Data behind the transport header, IPv4 options, a time to live of one's own, copies from other source addresses, a wrong
checksum, fragments: in this order, as Nmap makes them (spec sheet 1.7 and 5), each for all frames of a kind at once.
What makes out the next hop (ARP, neighbour discovery) is left as it is: without it nothing could be tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from leadline.wire.batch import FrameBatch
from leadline.wire.checksum import finish_columns, finish_udp_columns, sum_rows
from leadline.wire.crc32c import adler32_rows, crc32c_rows

Rows: TypeAlias = NDArray[np.uint8]

OWN = -1
"""Among ``FrameShape.sources``: the frame as it is."""

_ICMP, _IGMP, _TCP, _UDP, _ICMPV6, _SCTP = 1, 2, 6, 17, 58, 132
_WITH_PORTS = (_TCP, _UDP, _SCTP)
_SCTP_CHECKSUM = slice(8, 12)
# Where the checksum is in its header; ICMP and IGMP sum no pseudo header (RFC 792, RFC 2236).
_CHECKSUM_AT = {_ICMP: 2, _IGMP: 2, _TCP: 16, _UDP: 6, _ICMPV6: 2}
_PLAIN_SUM = (_ICMP, _IGMP)
# Timestamp and address mask queries have fields behind the eight bytes that all ICMP messages have (RFC 792, RFC 950).
_ICMP_BYTES = {13: 20, 14: 20, 17: 12, 18: 12}
# Router and neighbour solicitations and advertisements, redirects (RFC 4861 section 4).
_NEIGHBOR_TYPES = (133, 134, 135, 136, 137)
_LEAST_TTL, _TTLS = 37, 23
"""The times to live of probes; one that is less was chosen for its frame (to end at a router) and stays."""


@dataclass(frozen=True, slots=True)
class FrameShape:
    """What is done to the frames of one address family; the default is nothing.

    ``source_port``: of TCP, UDP and SCTP. ``data``: instead of what is behind the transport header (behind the chunks
    of SCTP). ``sources``: addresses as numbers, one copy of each frame from each of them, in their order; ``OWN``
    stands for the frame's own source. ``bad_checksum``: of the transport. ``ttl``: time to live, or hop limit.
    ``options``: IPv4 options, a multiple of 4 bytes; with ``first_hop`` (an address as a number) packets are addressed
    to that hop and the last four option bytes become the target's address (source routes, RFC 791 section 3.1).
    ``chunk``: bytes of a fragment behind its IPv4 header, a multiple of 8; 0: frames stay whole.
    """

    source_port: int | None = None
    ttl: int | None = None
    data: bytes | None = None
    options: bytes = b""
    first_hop: int | None = None
    sources: tuple[int, ...] = ()
    bad_checksum: bool = False
    chunk: int = 0

    @property
    def changes(self) -> bool:
        """Whether any frame can come out other than it went in."""
        return self != FrameShape()


def shape_frames(batch: FrameBatch, shape: FrameShape) -> FrameBatch:
    """The frames to send instead of those of ``batch``: what comes of a row stands where the row stood.

    The frames are our own: headers whole, without IPv4 options or IPv6 extension headers. ``times`` are those of the
    rows.
    """
    count = len(batch)
    if not count or not shape.changes:
        return batch
    parts = [(rows, *_shaped(batch, rows, shape)) for rows in _alike(batch)]
    turns = np.zeros(count, dtype=np.int64)
    for rows, _, lengths in parts:
        turns[rows] = len(lengths) // len(rows)
    first = np.cumsum(turns) - turns
    total, width = int(turns.sum()), max(frames.shape[1] for _, frames, _ in parts)
    frames = np.zeros((total, width), dtype=np.uint8)
    lengths = np.zeros(total, dtype=np.int32)
    for rows, made, ends in parts:
        copies = len(ends) // len(rows)
        at = (first[rows][:, None] + np.arange(copies)).reshape(-1)
        frames[at, : made.shape[1]] = made
        lengths[at] = ends
    return FrameBatch(frames, lengths, np.repeat(batch.times, turns), batch.offset)


def _alike(batch: FrameBatch) -> list[NDArray[np.int64]]:
    """Rows of frames that are built alike: same length, protocols and header lengths."""
    offset, frames = batch.offset, batch.frames
    last = frames.shape[1] - 1

    def column(position: int) -> NDArray[np.int64]:
        return frames[:, min(position, last)].astype(np.int64)

    version = column(offset)
    protocol = np.where(version >> 4 == 6, column(offset + 6), column(offset + 9))
    # ICMP's type, or TCP's data offset: where they are depends on the version alone.
    inner = np.where(version >> 4 == 6, column(offset + 40), column(offset + 20))
    size = np.where(version >> 4 == 6, column(offset + 52), column(offset + 32)) >> 4
    ethertype = column(offset - 1) if offset else np.zeros(len(batch), dtype=np.int64)
    kind = np.select([np.isin(protocol, (_ICMP, _ICMPV6)), protocol == _TCP], [inner, size], 0)
    key = (((batch.lengths.astype(np.int64) << 8 | ethertype) << 8 | version) << 8 | protocol) << 8 | kind
    _, inverse = np.unique(key, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(inverse[order])) + 1)


def _shaped(batch: FrameBatch, rows: NDArray[np.int64], shape: FrameShape) -> tuple[Rows, NDArray[np.int32]]:
    """Frames made of rows that are alike, those of a row side by side, and their lengths."""
    whole: Rows = batch.frames[rows, : int(batch.lengths[rows[0]])]
    packet = _Packets.split(whole, batch.offset)
    if packet is None:
        return whole, np.full(len(rows), whole.shape[1], dtype=np.int32)
    if shape.source_port is not None and packet.protocol in _WITH_PORTS and packet.segment.shape[1] >= 2:
        packet.segment[:, :2] = _word(shape.source_port)
    if shape.data is not None:
        packet.put_data(shape.data)
    if shape.sources:
        packet.copy_from(shape.sources, shape.ttl is None)
    packet.sum_transport()
    if shape.bad_checksum:
        packet.spoil_checksum()
    if shape.ttl is not None:
        column = packet.network[:, 8 if packet.is_v4 else 7]
        column[column >= _LEAST_TTL] = shape.ttl
    if shape.options and packet.is_v4:
        packet.put_options(shape.options, shape.first_hop)
    return packet.frames(shape.chunk if packet.is_v4 else 0)


@dataclass(slots=True)
class _Packets:
    """Packets that are built alike, in three matrices of the same height."""

    link: Rows
    network: Rows
    segment: Rows
    is_v4: bool
    protocol: int
    adler: bool = False
    """SCTP with the checksums of its first version (RFC 2960)."""

    @classmethod
    def split(cls, frames: Rows, offset: int) -> _Packets | None:
        """``None`` for what is left as it is."""
        version = int(frames[0, offset]) >> 4
        ethertype = int.from_bytes(frames[0, offset - 2 : offset].tobytes()) if offset else 0
        if version not in (4, 6) or (offset and ethertype != (0x0800 if version == 4 else 0x86DD)):
            return None
        start = offset + (20 if version == 4 else 40)
        protocol = int(frames[0, offset + (9 if version == 4 else 6)])
        if protocol == _ICMPV6 and version == 6 and int(frames[:1, start : start + 1].sum()) in _NEIGHBOR_TYPES:
            return None
        link, network, segment = frames[:, :offset], frames[:, offset:start].copy(), frames[:, start:].copy()
        packets = cls(link, network, segment, version == 4, protocol)
        if protocol == _SCTP and segment.shape[1] >= 12:
            told = segment[:1, _SCTP_CHECKSUM].copy()
            segment[:, _SCTP_CHECKSUM] = 0
            packets.adler = told.tobytes() == int(adler32_rows(segment[:1])[0]).to_bytes(4)
        return packets

    def _header_bytes(self) -> int:
        """What of the segment is not data."""
        length = int(self.segment.shape[1])
        if self.protocol == _TCP and length >= 20:
            return min(int(self.segment[0, 12] >> 4) * 4, length)
        if self.protocol in (_UDP, _ICMPV6, _IGMP):
            return min(8, length)
        if self.protocol == _ICMP and length:
            return min(_ICMP_BYTES.get(int(self.segment[0, 0]), 8), length)
        return length

    def put_data(self, data: bytes) -> None:
        """``data`` behind the transport header, instead of what was there."""
        kept = self.segment[:, : self._header_bytes()]
        added = np.broadcast_to(np.frombuffer(data, dtype=np.uint8), (len(kept), len(data)))
        self.segment = np.concatenate([kept, added], axis=1)
        if self.protocol == _UDP and self.segment.shape[1] >= 8:
            self.segment[:, 4:6] = _word(self.segment.shape[1])

    def copy_from(self, sources: tuple[int, ...], vary: bool) -> None:
        """One copy from each source. ``vary``: IPv4 copies get a time to live of their own each, as Nmap's have."""
        copies = len(sources)
        self.link, self.network, self.segment = (
            np.repeat(part, copies, axis=0) for part in (self.link, self.network, self.segment)
        )
        start, size = (12, 4) if self.is_v4 else (8, 16)
        for place, source in enumerate(sources):
            if source != OWN:
                self.network[place::copies, start : start + size] = np.frombuffer(source.to_bytes(size), dtype=np.uint8)
            if self.is_v4 and vary and place:
                # Any number that differs from copy to copy will do: made from the packet itself, so that the same
                # packets always give the same copies.
                told = self.network[place::copies, 4].astype(np.int64) * (2 * place + 1) + 7 * place
                own = self.network[place::copies, 8].astype(np.int64)
                self.network[place::copies, 8] = np.where(own >= _LEAST_TTL, _LEAST_TTL + (own + told) % _TTLS, own)

    def sum_transport(self) -> None:
        """Make the transport's checksum right again."""
        if self.protocol == _SCTP and self.segment.shape[1] >= 12:
            self.segment[:, _SCTP_CHECKSUM] = 0
            numbers = (
                adler32_rows(self.segment).astype(">u4") if self.adler else crc32c_rows(self.segment).astype("<u4")
            )
            self.segment[:, _SCTP_CHECKSUM] = numbers.view(np.uint8).reshape(-1, 4)
        at = _CHECKSUM_AT.get(self.protocol)
        if at is None or self.segment.shape[1] < at + 2 or (self.protocol == _ICMPV6 and self.is_v4):
            return
        self.segment[:, at : at + 2] = 0
        sums = sum_rows(self.segment)
        if self.protocol not in _PLAIN_SUM:
            sums += sum_rows(self.network[:, 12:20] if self.is_v4 else self.network[:, 8:40])
            sums += np.uint64(self.protocol + self.segment.shape[1])
        finished = finish_udp_columns(sums) if self.protocol == _UDP else finish_columns(sums)
        self.segment[:, at : at + 2] = _words(finished)

    def spoil_checksum(self) -> None:
        """One less, taken as a little-endian number (so Nmap's come out on most machines); never right by accident.

        For UDP zero would mean that there is none (RFC 768).
        """
        if self.protocol == _SCTP and self.segment.shape[1] >= 12:
            number = np.ascontiguousarray(self.segment[:, _SCTP_CHECKSUM]).view("<u4") - np.uint32(1)
            self.segment[:, _SCTP_CHECKSUM] = number.view(np.uint8)
        at = _CHECKSUM_AT.get(self.protocol)
        if at is None or self.segment.shape[1] < at + 2:
            return
        old = self.segment[:, at].astype(np.int64) | self.segment[:, at + 1].astype(np.int64) << 8
        new = (old - 1) & 0xFFFF
        if self.protocol == _UDP:
            new[new == 0] = 0xFFFF
        new[(old == 0) & (new == 0xFFFF)] = 0xFFFE  # zero and all ones are the same sum
        self.segment[:, at] = new & 0xFF
        self.segment[:, at + 1] = new >> 8

    def put_options(self, options: bytes, first_hop: int | None) -> None:
        """IPv4 options behind the fixed header."""
        added = np.repeat(np.frombuffer(options, dtype=np.uint8)[None, :], len(self.network), axis=0)
        if first_hop is not None:
            added[:, -4:] = self.network[:, 16:20]
            self.network[:, 16:20] = np.frombuffer(first_hop.to_bytes(4), dtype=np.uint8)
        self.network = np.concatenate([self.network, added], axis=1)
        self.network[:, 0] = 0x40 | self.network.shape[1] // 4

    def frames(self, chunk: int) -> tuple[Rows, NDArray[np.int32]]:
        """Whole frames with their lengths and header checksums, as fragments of ``chunk`` bytes where they are longer.

        Every fragment carries all options, as Nmap's do.
        """
        length = self.segment.shape[1]
        size = chunk if 0 < chunk < length else max(length, 1)
        starts = range(0, length, size) if length else range(1)
        header = self.link.shape[1] + self.network.shape[1]
        made = np.zeros((len(self.network), len(starts), header + min(size, length)), dtype=np.uint8)
        ends = np.zeros(len(starts), dtype=np.int32)
        for turn, start in enumerate(starts):
            part = self.segment[:, start : start + size]
            network = self.network.copy()
            if self.is_v4:
                network[:, 2:4] = _word(network.shape[1] + part.shape[1])
                network[:, 6:8] = _word(start >> 3 | (0x2000 if start + size < length else 0))
                network[:, 10:12] = 0
                network[:, 10:12] = _words(finish_columns(sum_rows(network)))
            else:
                network[:, 4:6] = _word(part.shape[1])
            ends[turn] = header + part.shape[1]
            made[:, turn, : ends[turn]] = np.concatenate([self.link, network, part], axis=1)
        return made.reshape(-1, made.shape[2]), np.tile(ends, len(self.network))


def _word(value: int) -> Rows:
    return np.frombuffer(value.to_bytes(2), dtype=np.uint8)


def _words(values: NDArray[np.uint64]) -> Rows:
    return values.astype(">u2").view(np.uint8).reshape(-1, 2)
