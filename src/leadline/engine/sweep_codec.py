"""SYN probes of a sweep <-> frames, over several ways out at once, with nothing kept of a probe.

The keyed tag over address, port and slot is all that an answer is checked by. A *slot* is the pass (0 to 7), or the try
of a second look at what answered open (8 to 15), or a generation of repeats (16 to 31); it travels in the source port.
A bare SYN carries nothing of the tag: split handshakes are not believed here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.identity import SLOTS
from leadline.engine.keyed_tag import ip_id_of, number_of, ttl_of
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.replies import Replies, joined
from leadline.engine.tcp_mark import TcpMark
from leadline.link.base import Route
from leadline.model.address import U64
from leadline.model.quick_dataclass import dataclass
from leadline.model.tcp_flags import SYN
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import Decoded, Kind
from leadline.wire.tag import Tagger
from leadline.wire.template import Framing, TcpTemplate

I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
TCP = 6


@dataclass(frozen=True, slots=True)
class Lane:
    """One way out: ``mac`` is the next hop's (6 bytes, zeros where there is none)."""

    route: Route
    mac: bytes


@dataclass(slots=True)
class SweepReplies:
    """Answers to probes: ``replies`` as everywhere (its ``hosts`` are the rows' own numbers), addresses as columns."""

    replies: Replies
    hi: U64
    lo: U64


class SweepCodec:
    """``key``: 16 bytes; ``first_port``: the first of ``SLOTS`` source ports."""

    def __init__(self, family: int, lanes: list[Lane], key: bytes, first_port: int) -> None:
        self.family, self.first_port = family, first_port
        self._lanes = lanes
        self._tagger = Tagger(key)
        self._mark = TcpMark(SYN)
        self._templates = [TcpTemplate(_framing(family, lane.route), SYN) for lane in lanes]
        self._macs = [np.frombuffer(lane.mac, np.uint8) for lane in lanes]
        own = {int(lane.route.source) for lane in lanes}
        self._own = [(np.uint64(one >> 64), np.uint64(one & (1 << 64) - 1)) for one in own]

    def build(self, lane: int, hi: U64, lo: U64, ports: I64, slots: I64) -> FrameBatch:
        """Frames of these probes, ``(N,)`` each."""
        tag = self._tag(hi, lo, ports, slots)
        batch = self._templates[lane].build(
            hi, lo, None, self.first_port + slots, ports, number_of(tag), 0, ttl_of(tag), ip_id_of(tag)
        )
        if batch.offset:
            batch.frames[:, :6] = self._macs[lane]
        return batch

    def match(self, frames: Decoded) -> SweepReplies:
        """The answers among captured frames: segments first, then errors."""
        parts = [self._segments(frames)]
        if (frames.kind == Kind.ICMP_ERROR).any():
            parts.append(self._errors(frames))
        if len(parts) == 1 or not len(parts[1].lo):
            return parts[0]
        return _joined(parts)

    def _segments(self, frames: Decoded) -> SweepReplies:
        flags = frames.tcp_flags
        mask = (frames.kind == Kind.TCP) & self._is_us(frames.destination_hi, frames.destination_lo)
        mask &= self._mark.may_answer(flags)
        rows = np.flatnonzero(mask)
        slots = frames.destination_port[rows].astype(np.int64) - self.first_port
        ours = (slots >= 0) & (slots < SLOTS)
        if not ours.all():
            rows, slots = rows[ours], slots[ours]
        hi, lo = frames.source_hi[rows], frames.source_lo[rows]
        ports = frames.source_port[rows].astype(np.int64)
        fits = self._mark.answered(number_of(self._tag(hi, lo, ports, slots)), frames, rows)
        if not fits.all():
            rows, slots, hi, lo, ports = rows[fits], slots[fits], hi[fits], lo[fits], ports[fits]
        return _replies(rows, hi, lo, ports, slots, error=False, from_target=np.ones(len(rows), bool))

    def _errors(self, frames: Decoded) -> SweepReplies:
        mask = (frames.kind == Kind.ICMP_ERROR) & frames.quoted_valid & (frames.quoted_protocol == TCP)
        mask &= self._is_us(frames.quoted_source_hi, frames.quoted_source_lo)
        mask &= self._is_us(frames.destination_hi, frames.destination_lo)
        rows = np.flatnonzero(mask)
        slots = frames.quoted_source_port[rows].astype(np.int64) - self.first_port
        rows = rows[(slots >= 0) & (slots < SLOTS)]
        slots = frames.quoted_source_port[rows].astype(np.int64) - self.first_port
        hi, lo = frames.quoted_destination_hi[rows], frames.quoted_destination_lo[rows]
        ports = frames.quoted_destination_port[rows].astype(np.int64)
        tag = self._tag(hi, lo, ports, slots)
        fits = self._mark.quoted(number_of(tag), ip_id_of(tag), frames, rows)
        rows, slots, hi, lo, ports = rows[fits], slots[fits], hi[fits], lo[fits], ports[fits]
        direct = (frames.source_hi[rows] == hi) & (frames.source_lo[rows] == lo)
        return _replies(rows, hi, lo, ports, slots, error=True, from_target=direct)

    def _is_us(self, hi: U64, lo: U64) -> Bool:
        result = np.zeros(len(lo), bool)
        for own_hi, own_lo in self._own:
            result |= (hi == own_hi) & (lo == own_lo)
        return result

    def _tag(self, hi: U64, lo: U64, ports: I64, slots: I64) -> U64:
        salt = ports * 256 + slots + (int(ProbeKind.TCP_SYN) << 32)
        return self._tagger.tag64(hi, lo, salt.astype(np.uint64))


def _framing(family: int, route: Route) -> Framing:
    source = int(route.source)
    return Framing(
        family=family,
        offset=route.interface.link_header,
        source_mac=route.interface.mac,
        source_hi=source >> 64,
        source_lo=source & (1 << 64) - 1,
    )


def _replies(rows: I64, hi: U64, lo: U64, ports: I64, slots: I64, *, error: bool, from_target: Bool) -> SweepReplies:
    count = len(rows)
    kinds = np.full(count, int(ProbeKind.TCP_SYN), np.uint8)
    replies = Replies(rows, np.arange(count), kinds, ports, slots, np.full(count, error), from_target)
    return SweepReplies(replies, hi, lo)


def _joined(parts: list[SweepReplies]) -> SweepReplies:
    return SweepReplies(
        joined([part.replies for part in parts]),
        np.concatenate([part.hi for part in parts]),
        np.concatenate([part.lo for part in parts]),
    )
