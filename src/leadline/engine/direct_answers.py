"""Which captured frames are answers of the probed hosts themselves, and to which probes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.identity import SCTP_MARKS, Identity
from leadline.engine.keyed_tag import number_of
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.replies import Replies, direct_replies
from leadline.engine.tcp_mark import TcpMark
from leadline.model.tcp_flags import ACK, FIN, RST, SYN
from leadline.wire.columns import Decoded, Kind

I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_ICMP_REPLIES = {
    ProbeKind.ICMP_ECHO: Kind.ICMP_ECHO_REPLY,
    ProbeKind.ICMP_TIMESTAMP: Kind.ICMP_TIMESTAMP_REPLY,
    ProbeKind.ICMP_ADDRESS_MASK: Kind.ICMP_MASK_REPLY,
}


class DirectAnswers:
    """Of the probes with one ``Identity``."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def find(self, frames: Decoded, present: Bool) -> list[Replies]:
        """A part for each kind of frame that there is (``present``, by ``Kind``); parts may be empty."""
        # Most batches hold one kind of frame: what is not there costs nothing.
        found = []
        if present[Kind.TCP]:
            found.append(self._tcp(frames))
        for kind, answer in _ICMP_REPLIES.items():
            if present[answer]:
                found.append(self._icmp(frames, kind, answer))
        if present[Kind.UDP]:
            found.append(self._udp(frames))
        if present[Kind.SCTP]:
            found.append(self._sctp(frames))
        if present[Kind.IP_OTHER]:
            found.append(self._protocols(frames))
        if present[Kind.ARP_REPLY] or present[Kind.ND_ADVERT]:
            found.append(self._neighbors(frames))
        return found

    def _candidates(self, frames: Decoded, mask: Bool) -> tuple[I64, I64]:
        """Rows under the mask that come from a host of the group and are addressed to us, and those hosts."""
        rows = np.flatnonzero(mask)
        hosts = self._identity.hosts_of(frames.source_hi[rows], frames.source_lo[rows])
        keep = (hosts >= 0) & self._identity.is_us(frames.destination_hi[rows], frames.destination_lo[rows])
        return rows[keep], hosts[keep]

    def _to_our_ports(self, frames: Decoded, kind: Kind) -> tuple[I64, I64, I64, I64]:
        """Rows, hosts, ports and slots of the candidates of one kind that are sent to one of our source ports."""
        rows, hosts = self._candidates(frames, frames.kind == kind)
        slots, ours = self._identity.slots_of(frames.destination_port[rows])
        ports = frames.source_port[rows].astype(np.int64)
        return rows[ours], hosts[ours], ports[ours], slots[ours]

    def _tcp(self, frames: Decoded) -> Replies:
        rows, hosts, ports, slots = self._to_our_ports(frames, Kind.TCP)
        kinds = np.zeros(len(rows), dtype=np.uint8)
        left = np.arange(len(rows))
        for kind, mark in self._identity.tcp_marks.items():
            fits = self._answered(kind, mark, frames, rows[left], hosts[left], ports[left], slots[left])
            kinds[left[fits]] = kind
            left = left[~fits]
            if not len(left):
                break
        keep = kinds != ProbeKind.NONE
        return direct_replies(kinds[keep], rows[keep], hosts[keep], ports[keep], slots[keep])

    def _answered(
        self, kind: ProbeKind, mark: TcpMark, frames: Decoded, rows: I64, hosts: I64, ports: I64, slots: I64
    ) -> Bool:
        flags = frames.tcp_flags[rows]
        # A SYN alone acknowledges nothing: of the tag only the source port can be checked (split handshake).
        bare = np.zeros(len(rows), dtype=bool)
        if kind is ProbeKind.TCP_SYN:
            bare = (flags & (SYN | ACK | RST | FIN)) == SYN
        fits = mark.may_answer(flags)
        some = np.flatnonzero(fits | bare)
        if not len(some):
            return fits
        rows, hosts = rows[some], hosts[some]
        tags = number_of(self._identity.tags(kind, hosts, ports[some], slots[some]))
        fits[some] &= mark.answered(tags, frames, rows)
        if bare.any():
            fits[some] |= bare[some] & (frames.sequence[rows] != tags) & ~self._is_own_syn(frames, rows, hosts)
        return fits

    def _is_own_syn(self, frames: Decoded, rows: I64, hosts: I64) -> Bool:
        """Our own probes seen again, as on loopback: to a port that is one of our source ports, too."""
        slots, _ = self._identity.slots_of(frames.source_port[rows])
        ports = frames.destination_port[rows].astype(np.int64)
        result: Bool = number_of(self._identity.tags(ProbeKind.TCP_SYN, hosts, ports, slots)) == frames.sequence[rows]
        return result

    def _udp(self, frames: Decoded) -> Replies:
        return direct_replies(ProbeKind.UDP, *self._to_our_ports(frames, Kind.UDP))

    def _sctp(self, frames: Decoded) -> Replies:
        rows, hosts, ports, slots = self._to_our_ports(frames, Kind.SCTP)
        kinds = np.zeros(len(rows), dtype=np.uint8)
        for kind, mark in SCTP_MARKS.items():
            kinds[mark.answered(self._identity.tags(kind, hosts, ports, slots), frames, rows)] = kind
        keep = kinds != ProbeKind.NONE
        return direct_replies(kinds[keep], rows[keep], hosts[keep], ports[keep], slots[keep])

    def _protocols(self, frames: Decoded) -> Replies:
        # A packet of the probed protocol is all that there is to know: nothing in it could echo a tag.
        rows, hosts = self._candidates(frames, frames.kind == Kind.IP_OTHER)
        # On loopback our own probes come back: what this machine answered by would look the same.
        others = ~self._identity.is_us(frames.source_hi[rows], frames.source_lo[rows])
        rows, hosts = rows[others], hosts[others]
        ports = frames.protocol[rows].astype(np.int64)
        return direct_replies(ProbeKind.IP_PROTOCOL, rows, hosts, ports, np.full(len(rows), -1, dtype=np.int64))

    def _icmp(self, frames: Decoded, kind: ProbeKind, answer: Kind) -> Replies:
        rows, hosts = self._candidates(frames, frames.kind == answer)
        slots, ours = self._identity.icmp_slots(kind, hosts, frames.icmp_id[rows], frames.icmp_sequence[rows])
        rows = rows[ours]
        return direct_replies(kind, rows, hosts[ours], np.zeros(len(rows), dtype=np.int64), slots[ours])

    def _neighbors(self, frames: Decoded) -> Replies:
        if self._identity.group.family == 4:
            kind, mask, hi, lo = ProbeKind.ARP, frames.kind == Kind.ARP_REPLY, frames.source_hi, frames.source_lo
        else:
            kind, mask, hi, lo = ProbeKind.NEIGHBOR, frames.kind == Kind.ND_ADVERT, frames.target_hi, frames.target_lo
        rows = np.flatnonzero(mask)
        hosts = self._identity.hosts_of(hi[rows], lo[rows])
        rows, hosts = rows[hosts >= 0], hosts[hosts >= 0]
        unknown = np.full(len(rows), -1, dtype=np.int64)
        return direct_replies(kind, rows, hosts, np.zeros(len(rows), dtype=np.int64), unknown)
