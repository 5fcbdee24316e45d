"""Answers become frames: templates of ``wire`` grouped by what the frames of a group share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64
from leadline.sim.identities import with_fragment_headers
from leadline.sim.seal import octets, seal_icmp
from leadline.sim.terrain import Terrain
from leadline.sim.traffic import ACK, SYN, U8, U16, U32, AnswerKind, Answers, distinct, take
from leadline.wire.batch import FrameBatch, concatenate
from leadline.wire.checksum import finish_columns, sum_rows
from leadline.wire.sctp import INIT_ACK, Chunk, Init
from leadline.wire.sctp_template import SctpTemplate
from leadline.wire.template import Framing, IpTemplate, TcpTemplate, UdpTemplate

_QUOTE_V6 = 1280 - 40 - 8
# With a state cookie (RFC 9260 section 3.3.3.1), which nobody reads.
_INIT_ACK = Chunk(INIT_ACK, value=Init(0, 131_072, 10, 2_048, 0, b"\x00\x07\x00\x0ccookie!!").emit())
_MASK = b"\xff\xff\xff\x00"


@dataclass(frozen=True, slots=True)
class Station:
    """The scanner's end of a cable: family, bytes of link header, its MAC (zeros on loopback)."""

    family: int
    offset: int
    mac: bytes


class Emitter:
    """Builds the frames of one terrain; keeps the templates it has met."""

    def __init__(self, terrain: Terrain) -> None:
        self._terrain = terrain
        self._tcp: dict[tuple[Station, int, int], TcpTemplate] = {}
        self._udp: dict[tuple[Station, int], UdpTemplate] = {}
        self._ip: dict[tuple[Station, int, int], IpTemplate] = {}

    def frames(self, station: Station, answers: Answers, sent: FrameBatch) -> FrameBatch | None:
        """Frames with their arrival times; ``sent``: the batch whose rows ``answers.frame`` names. Order is by kind."""
        parts: list[FrameBatch] = []
        for kind in distinct(answers.kind):
            part = take(answers, answers.kind == kind)
            if kind == AnswerKind.TCP:
                self._tcp_frames(station, part, parts)
            elif kind == AnswerKind.UDP:
                self._udp_frames(station, part, parts)
            elif kind == AnswerKind.SCTP:
                self._sctp_frames(station, part, parts)
            elif kind == AnswerKind.BARE:
                self._bare_frames(station, part, parts)
            elif kind == AnswerKind.ERROR:
                self._error_frames(station, part, sent, parts)
            else:
                self._query_frames(station, AnswerKind(kind), part, sent, parts)
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else concatenate(parts)

    def _framing(self, station: Station) -> Framing:
        # Only the destination MAC differs from frame to frame in the scanner's own frames; here it is the source's.
        return Framing(station.family, station.offset, station.mac, 0, 0)

    def _finish(self, station: Station, batch: FrameBatch, answers: Answers, parts: list[FrameBatch]) -> None:
        if station.offset:
            batch.frames[:, 0:6] = np.frombuffer(station.mac, np.uint8)
            batch.frames[:, 6:12] = self._sender_macs(answers)
        batch.times[:] = answers.time
        if station.family == 6 and answers.ip_id.any():
            batch = with_fragment_headers(batch, answers.ip_id)
        parts.append(batch)

    def _sender_macs(self, answers: Answers) -> NDArray[np.uint8]:
        """Frames from behind a router carry the nearest router's MAC."""
        terrain = self._terrain
        nearest = np.array(
            [terrain.router_host[path.routers[0]] if path.routers else -1 for path in terrain.paths], np.int32
        )[answers.path]
        return terrain.macs[np.where(nearest >= 0, nearest, answers.host)]

    def _tcp_frames(self, station: Station, answers: Answers, parts: list[FrameBatch]) -> None:
        opening = (answers.flags & (SYN | ACK)) == (SYN | ACK)
        # Only SYN/ACKs show the personality: without them all styles are one, and the window is the answer's own.
        groups = answers.flags.astype(np.int64) << 32 | np.where(opening, answers.style, answers.window)
        for group in distinct(groups):
            part = take(answers, groups == group)
            flags, look_or_window = group >> 32, group & 0xFFFFFFFF
            key = (station, flags, look_or_window)
            if key not in self._tcp:
                window, options = look_or_window, b""
                if (flags & (SYN | ACK)) == (SYN | ACK):
                    look = self._terrain.styles[look_or_window]
                    window, options = look.window, look.options
                self._tcp[key] = TcpTemplate(self._framing(station), flags, window, options)
            batch = self._tcp[key].build(*_ends(part), part.sequence, part.acknowledgment, *_header(part))
            self._finish(station, batch, part, parts)

    def _udp_frames(self, station: Station, answers: Answers, parts: list[FrameBatch]) -> None:
        for number in distinct(answers.payload):
            part = take(answers, answers.payload == number)
            key = (station, number)
            if key not in self._udp:
                self._udp[key] = UdpTemplate(self._framing(station), self._terrain.payloads[number])
            batch = self._udp[key].build(*_ends(part), *_header(part))
            self._finish(station, batch, part, parts)

    def _sctp_frames(self, station: Station, answers: Answers, parts: list[FrameBatch]) -> None:
        for flags in distinct(answers.flags):
            part = take(answers, answers.flags == flags)
            chunk = _INIT_ACK if flags >> 8 == INIT_ACK else Chunk(flags >> 8, flags & 0xFF)
            template = SctpTemplate(self._framing(station), chunk)
            batch = template.build(
                *_ends(part), part.sequence, part.acknowledgment, ~part.acknowledgment, *_header(part)
            )
            self._finish(station, batch, part, parts)

    def _bare_frames(self, station: Station, answers: Answers, parts: list[FrameBatch]) -> None:
        for protocol in distinct(answers.payload):
            part = take(answers, answers.payload == protocol)
            template = IpTemplate(self._framing(station), protocol)
            batch = template.build(part.target_hi, part.target_lo, None, *_header(part))
            self._finish(station, batch, part, parts)

    def _query_frames(
        self, station: Station, kind: AnswerKind, answers: Answers, sent: FrameBatch, parts: list[FrameBatch]
    ) -> None:
        """Echo, timestamp and mask replies: the query's message with another type (RFC 792, RFC 950, RFC 4443 4.2)."""
        start = station.offset + (20 if station.family == 4 else 40)
        lengths = np.minimum(sent.lengths[answers.frame], sent.frames.shape[1]) - start
        if kind is not AnswerKind.ECHO:
            lengths = np.minimum(lengths, 20 if kind is AnswerKind.TIMESTAMP else 12)
        for length in distinct(lengths[lengths >= 8]):
            part = take(answers, lengths == length)
            segments = sent.frames[part.frame, start : start + length].copy()
            if kind is AnswerKind.ECHO:
                segments[:, 0] = 0 if station.family == 4 else 129
            elif kind is AnswerKind.TIMESTAMP:
                segments[:, 0] = 14
                stamps = (part.time * 1000.0).astype(np.int64) % 86_400_000
                clock = stamps.astype(">u4").view(np.uint8).reshape(-1, 4)
                if length == 20:
                    segments[:, 12:16] = clock
                    segments[:, 16:20] = clock
            else:
                segments[:, 0] = 18
                segments[:, 8:12] = np.frombuffer(_MASK, np.uint8)[: max(0, length - 8)]
            self._icmp(station, part, segments, parts)

    def _error_frames(self, station: Station, answers: Answers, sent: FrameBatch, parts: list[FrameBatch]) -> None:
        """ICMP errors with the packet as it arrived (RFC 792; RFC 4443 section 3: as much as fits in 1280 bytes)."""
        width = sent.frames.shape[1]
        whole = np.minimum(sent.lengths[answers.frame], width) - station.offset
        if station.family == 4:
            limits = np.array([max(28, style.quote) for style in self._terrain.styles], np.int32)
            quoted = np.minimum(whole, limits[answers.style])
        else:
            quoted = np.minimum(whole, _QUOTE_V6)
        for length in distinct(quoted[quoted > 0]):
            part = take(answers, quoted == length)
            segments = np.zeros((len(part), 8 + length), np.uint8)
            segments[:, 0] = part.icmp_type
            segments[:, 1] = part.icmp_code
            segments[:, 8:] = sent.frames[part.frame, station.offset : station.offset + length]
            if station.family == 4 and length >= 20:
                segments[:, 16] = part.quoted_ttl
                segments[:, 18:20] = 0
                segments[:, 18:20] = octets(finish_columns(sum_rows(segments[:, 8:28])))
            elif station.family == 6 and length >= 8:
                segments[:, 15] = part.quoted_ttl
                segments[:, 4:8] = np.where((part.icmp_type == 4)[:, None], np.array([0, 0, 0, 6], np.uint8), 0)
            self._icmp(station, part, segments, parts)

    def _icmp(self, station: Station, answers: Answers, segments: NDArray[np.uint8], parts: list[FrameBatch]) -> None:
        """Packets around ICMP messages ``(N, L)``; their checksums are filled in."""
        protocol = 1 if station.family == 4 else 58
        length = segments.shape[1]
        key = (station, protocol, length)
        if key not in self._ip:
            self._ip[key] = IpTemplate(self._framing(station), protocol, bytes(length))
        source = (answers.source_hi, answers.source_lo)
        batch = self._ip[key].build(answers.target_hi, answers.target_lo, None, answers.ttl, answers.ip_id, source)
        seal_icmp(station.family, segments, source, (answers.target_hi, answers.target_lo))
        batch.frames[:, batch.frames.shape[1] - length :] = segments
        self._finish(station, batch, answers, parts)


def _ends(part: Answers) -> tuple[U64, U64, None, U16, U16]:
    """Where answers go: addresses, ports from and to; the hardware addresses come later."""
    return part.target_hi, part.target_lo, None, part.source_port, part.target_port


def _header(part: Answers) -> tuple[U8, U32, tuple[U64, U64]]:
    """What else their IP headers say."""
    return part.ttl, part.ip_id, (part.source_hi, part.source_lo)
