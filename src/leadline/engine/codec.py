"""Probes <-> frames: what makes a probe recognisable, and which probe a captured frame answers.

The identity of a probe is (host, kind, port, slot). A *slot* is the try modulo 16, or 16 more for a timing ping. It
travels in the source port (TCP, UDP, SCTP) or the ICMP sequence number; a keyed tag over all four travels in the TCP
sequence or acknowledgment number (see ``tcp_mark``), in SCTP's tags (see ``sctp_mark``), the ICMP identifier, the IP
identification and the flow label. What does not carry the right tag is not ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.group import AddressIndex, HostGroup
from leadline.engine.payloads import Payloads
from leadline.engine.probe_kind import ProbeKind, tcp_kind
from leadline.engine.protocol_probes import protocol_content
from leadline.engine.sctp_mark import SctpMark
from leadline.engine.tcp_mark import TcpMark
from leadline.model.quick_dataclass import dataclass
from leadline.model.tcp_flags import ACK, FIN, RST, SYN
from leadline.wire.batch import FrameBatch, concatenate, empty
from leadline.wire.columns import Decoded, Kind
from leadline.wire.distinct import distinct, distinct_rows
from leadline.wire.sctp_template import SctpTemplate
from leadline.wire.tag import Tagger
from leadline.wire.template import (
    ArpTemplate,
    IcmpKind,
    IcmpTemplate,
    IpTemplate,
    NeighborTemplate,
    TcpTemplate,
    UdpTemplate,
)

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

# What of a tag an IP identification and an IPv6 flow label hold.
_SHORT, _FLOW = np.uint64(0xFFFF), np.uint64(0xFFFFF)
SLOTS = 32
PING_SLOT = 16
# The range of Nmap's source ports (spec sheet 2.9), less the slots at its end.
FIRST_PORT, LAST_PORT = 33_000, 65_000
TCP, UDP, SCTP, ICMP, ICMPV6 = 6, 17, 132, 1, 58

_ICMP_KINDS = {
    ProbeKind.ICMP_ECHO: IcmpKind.ECHO,
    ProbeKind.ICMP_TIMESTAMP: IcmpKind.TIMESTAMP,
    ProbeKind.ICMP_ADDRESS_MASK: IcmpKind.ADDRESS_MASK,
}
_SCTP_MARKS = {kind: SctpMark(kind) for kind in (ProbeKind.SCTP_INIT, ProbeKind.SCTP_COOKIE)}
_ICMP_REPLIES = {
    ProbeKind.ICMP_ECHO: Kind.ICMP_ECHO_REPLY,
    ProbeKind.ICMP_TIMESTAMP: Kind.ICMP_TIMESTAMP_REPLY,
    ProbeKind.ICMP_ADDRESS_MASK: Kind.ICMP_MASK_REPLY,
}


@dataclass(slots=True)
class Replies:
    """Frames that answer our probes, ``(N,)`` each, oldest first.

    ``rows``: their rows in the decoded batch. ``hosts``: rows of the group; ``kinds``: ``ProbeKind``; ``ports``: of the
    probe (or its protocol number); ``slots``: -1 where the reply cannot tell (ARP, ND, protocols). ``error``: an ICMP
    error (else the direct reply); ``from_target``: sent by the probed address itself.
    """

    rows: I64
    hosts: I64
    kinds: U8
    ports: I64
    slots: I64
    error: Bool
    from_target: Bool

    def __len__(self) -> int:
        return len(self.rows)


class ProbeCodec:
    """Builds and recognises the probes of one group. ``key``: 16 random bytes; ``first_port``: see
    ``pick_first_port``. ``payloads``: of UDP. ``flags``: of TCP, those of the probes of the kind ``tcp_kind(flags)``.
    ``data``: bytes that segments get behind their header on their way out. ``adler``: SCTP's checksums are those of
    RFC 2960.
    """

    def __init__(
        self, group: HostGroup, key: bytes, first_port: int, payloads: Payloads | None = None,
        flags: int = SYN, data: int = 0, adler: bool = False,
    ) -> None:  # fmt: skip
        self.group = group
        self._adler = adler
        self.first_port = first_port
        self._tagger = Tagger(key)
        self._index = AddressIndex(group.hi, group.lo)
        self._framing = group.framing()
        self._payloads = payloads or Payloads()
        # The kind that is scanned with comes first: its answers are the many.
        self._marks = {tcp_kind(each): TcpMark(each, data) for each in (flags, SYN, ACK)}
        self._templates: dict[tuple[ProbeKind, int], TcpTemplate | SctpTemplate | IcmpTemplate] = {}
        source = int(group.route.source)
        self._source = np.uint64(source >> 64), np.uint64(source & (1 << 64) - 1)

    @staticmethod
    def pick_first_port(random: int) -> int:
        """The first of ``SLOTS`` source ports from any random number."""
        return FIRST_PORT + random % (LAST_PORT - FIRST_PORT - SLOTS)

    # ---- probes to frames ---------------------------------------------------------------------------------------

    def build(self, kinds: U8, hosts: I64, ports: I64, slots: I64, ttls: U8 | None = None) -> FrameBatch:
        """Frames of these probes, ``(N,)`` each; kinds may be mixed (frames then come kind by kind).

        ``ttls``: those that are not 0 replace what the probe would have.
        """
        batches = []
        # In the order of the probes: the first to be sent is the likeliest to be answered first.
        present, first = distinct_rows(kinds)
        for kind in present[np.argsort(first)]:
            rows = np.flatnonzero(kinds == kind)
            batches.append(
                self._build_kind(
                    ProbeKind(int(kind)), hosts[rows], ports[rows], slots[rows], ttls if ttls is None else ttls[rows]
                )
            )
        return concatenate(batches) if len(batches) != 1 else batches[0]

    def _build_kind(self, kind: ProbeKind, hosts: I64, ports: I64, slots: I64, ttls: U8 | None) -> FrameBatch:
        group = self.group
        hi, lo = group.hi[hosts], group.lo[hosts]
        if kind is ProbeKind.ARP:
            return ArpTemplate(self._framing).build(hi, lo)
        if kind is ProbeKind.NEIGHBOR:
            return NeighborTemplate(self._framing).build(hi, lo)
        macs = group.macs[hosts] if self._framing.offset else None
        tag = self._tag(kind, hosts, ports, slots)
        short = _ip_id(tag)
        # Those of Nmap's probes.
        ttl = _ttl(tag)
        if group.family == 6:
            ttl[:] = 255
        if ttls is not None:
            ttl = np.where(ttls > 0, ttls, ttl)
        source_port = self.first_port + slots
        mark = self._marks.get(kind)
        if mark is not None:
            sequence, acknowledgment = mark.numbers(_number(tag))
            template = self._tcp(kind, mark.flags)
            return template.build(hi, lo, macs, source_port, ports, sequence, acknowledgment, ttl, short)
        if kind in _SCTP_MARKS:
            numbers = _SCTP_MARKS[kind].numbers(tag)
            return self._sctp(kind).build(hi, lo, macs, source_port, ports, *numbers, ttl, short)
        if kind is ProbeKind.UDP:
            return self._udp(hosts, ports, source_port, ttl, short)
        if kind is ProbeKind.IP_PROTOCOL:
            return self._by_protocol(hosts, ports, tag)
        return self._icmp(kind).build(hi, lo, macs, short, self.first_port // SLOTS * SLOTS + slots, ttl, short)

    def _udp(self, hosts: I64, ports: I64, source_port: I64, ttl: U8, ip_id: NDArray[np.uint16]) -> FrameBatch:
        """All payloads of a port go out as one probe: the answer may be to any of them."""
        group, batches = self.group, []
        for rows, payloads in self._payloads.groups(ports):
            some = hosts[rows]
            macs = group.macs[some] if self._framing.offset else None
            hi, lo = group.hi[some], group.lo[some]
            for payload in payloads:
                template = UdpTemplate(self._framing, payload)
                batches += [template.build(hi, lo, macs, source_port[rows], ports[rows], ttl[rows], ip_id[rows])]
        return concatenate(batches) if batches else empty(self._framing.offset)

    def _by_protocol(self, hosts: I64, numbers: I64, tag: NDArray[np.uint64]) -> FrameBatch:
        """The tag is in the IP identification, or in the flow label: there is nowhere else for it."""
        group, offset, batches = self.group, self._framing.offset, []
        for number in distinct(numbers):
            rows = np.flatnonzero(numbers == number)
            some, own = hosts[rows], tag[rows]
            macs = group.macs[some] if offset else None
            template = IpTemplate(self._framing, int(number), protocol_content(int(number), group.family))
            batch = template.build(group.hi[some], group.lo[some], macs, _ttl(own), _ip_id(own))
            if group.family == 6:
                label = (own & _FLOW).astype(">u4").view(np.uint8).reshape(-1, 4)
                batch.frames[:, offset + 1 : offset + 4] = label[:, 1:]
            batches.append(batch)
        return concatenate(batches) if batches else empty(offset)

    def _tcp(self, kind: ProbeKind, flags: int) -> TcpTemplate:
        template = self._templates.get((kind, 0))
        if not isinstance(template, TcpTemplate):
            options = b"\x02\x04\x05\xb4" if flags & SYN else b""
            template = TcpTemplate(self._framing, flags, 1024, options)
            self._templates[kind, 0] = template
        return template

    def _sctp(self, kind: ProbeKind) -> SctpTemplate:
        template = self._templates.get((kind, 0))
        if not isinstance(template, SctpTemplate):
            template = SctpTemplate(self._framing, _SCTP_MARKS[kind].chunk, self._adler)
            self._templates[kind, 0] = template
        return template

    def _icmp(self, kind: ProbeKind) -> IcmpTemplate:
        template = self._templates.get((kind, 0))
        if not isinstance(template, IcmpTemplate):
            template = IcmpTemplate(self._framing, _ICMP_KINDS[kind])
            self._templates[kind, 0] = template
        return template

    def _tag(self, kind: ProbeKind, hosts: I64, ports: I64, slots: I64) -> NDArray[np.uint64]:
        salt = ports * 256 + slots + (int(kind) << 32)
        return self._tagger.tag64(self.group.hi[hosts], self.group.lo[hosts], salt.astype(np.uint64))

    # ---- frames to probes ---------------------------------------------------------------------------------------

    def match(self, frames: Decoded) -> Replies:
        """The answers among captured frames."""
        # Most batches hold one kind of frame: what is not there costs nothing.
        present = np.zeros(256, dtype=bool)
        present[frames.kind] = True
        found = []
        if present[Kind.TCP]:
            found.append(self._match_tcp(frames))
        if present[Kind.ICMP_ERROR]:
            found.append(self._match_errors(frames))
        for kind, answer in _ICMP_REPLIES.items():
            if present[answer]:
                found.append(self._match_icmp(frames, kind, answer))
        if present[Kind.UDP]:
            found.append(self._match_udp(frames))
        if present[Kind.SCTP]:
            found.append(self._match_sctp(frames))
        if present[Kind.IP_OTHER]:
            found.append(self._match_protocols(frames))
        if present[Kind.ARP_REPLY] or present[Kind.ND_ADVERT]:
            found.append(self._match_neighbors(frames))
        filled = [replies for replies in found if len(replies)]
        if len(filled) == 1:
            return filled[0]
        if not filled:
            none = np.empty(0, dtype=np.int64)
            return self._replies(ProbeKind.NONE, none, none, none, none)
        order = np.argsort(np.concatenate([replies.rows for replies in filled]), kind="stable")
        columns = [
            np.concatenate([getattr(replies, name) for replies in filled])[order]
            for name in ("rows", "hosts", "kinds", "ports", "slots", "error", "from_target")
        ]
        return Replies(*columns)

    def _candidates(self, frames: Decoded, mask: Bool) -> tuple[I64, I64]:
        """Rows under the mask that come from a host of the group and are addressed to us, and those hosts."""
        rows = np.flatnonzero(mask)
        hosts = self._index.find(frames.source_hi[rows], frames.source_lo[rows])
        keep = (hosts >= 0) & self._is_us(frames.destination_hi[rows], frames.destination_lo[rows])
        return rows[keep], hosts[keep]

    def _is_us(self, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> Bool:
        result: Bool = (hi == self._source[0]) & (lo == self._source[1])
        return result

    def _replies(self, kind: ProbeKind, rows: I64, hosts: I64, ports: I64, slots: I64) -> Replies:
        count = len(rows)
        kinds = np.full(count, int(kind), dtype=np.uint8)
        return Replies(rows, hosts, kinds, ports, slots, np.zeros(count, dtype=bool), np.ones(count, dtype=bool))

    def _match_tcp(self, frames: Decoded) -> Replies:
        rows, hosts = self._candidates(frames, frames.kind == Kind.TCP)
        slots = frames.destination_port[rows].astype(np.int64) - self.first_port
        ports = frames.source_port[rows].astype(np.int64)
        ours = (slots >= 0) & (slots < SLOTS)
        rows, hosts, slots, ports = rows[ours], hosts[ours], slots[ours], ports[ours]
        kinds = np.zeros(len(rows), dtype=np.uint8)
        left = np.arange(len(rows))
        for kind, mark in self._marks.items():
            fits = self._answered(kind, mark, frames, rows[left], hosts[left], ports[left], slots[left])
            kinds[left[fits]] = kind
            left = left[~fits]
            if not len(left):
                break
        keep = kinds != ProbeKind.NONE
        replies = self._replies(ProbeKind.TCP_SYN, rows[keep], hosts[keep], ports[keep], slots[keep])
        replies.kinds = kinds[keep]
        return replies

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
        tags = _number(self._tag(kind, hosts, ports[some], slots[some]))
        fits[some] &= mark.answered(tags, frames, rows)
        if bare.any():
            fits[some] |= bare[some] & (frames.sequence[rows] != tags) & ~self._is_own_syn(frames, rows, hosts)
        return fits

    def _is_own_syn(self, frames: Decoded, rows: I64, hosts: I64) -> Bool:
        """Our own probes seen again, as on loopback: to a port that is one of our source ports, too."""
        slots = frames.source_port[rows].astype(np.int64) - self.first_port
        tag = self._tag(ProbeKind.TCP_SYN, hosts, frames.destination_port[rows].astype(np.int64), slots)
        result: Bool = _number(tag) == frames.sequence[rows]
        return result

    def _match_udp(self, frames: Decoded) -> Replies:
        rows, hosts = self._candidates(frames, frames.kind == Kind.UDP)
        slots = frames.destination_port[rows].astype(np.int64) - self.first_port
        ours = (slots >= 0) & (slots < SLOTS)
        ports = frames.source_port[rows].astype(np.int64)
        return self._replies(ProbeKind.UDP, rows[ours], hosts[ours], ports[ours], slots[ours])

    def _match_sctp(self, frames: Decoded) -> Replies:
        rows, hosts = self._candidates(frames, frames.kind == Kind.SCTP)
        slots = frames.destination_port[rows].astype(np.int64) - self.first_port
        ports = frames.source_port[rows].astype(np.int64)
        kinds = np.zeros(len(rows), dtype=np.uint8)
        placed = (slots >= 0) & (slots < SLOTS)
        for kind, mark in _SCTP_MARKS.items():
            kinds[placed & mark.answered(self._tag(kind, hosts, ports, slots), frames, rows)] = kind
        keep = kinds != ProbeKind.NONE
        replies = self._replies(ProbeKind.SCTP_INIT, rows[keep], hosts[keep], ports[keep], slots[keep])
        replies.kinds = kinds[keep]
        return replies

    def _match_protocols(self, frames: Decoded) -> Replies:
        # A packet of the probed protocol is all that there is to know: nothing in it could echo a tag.
        rows, hosts = self._candidates(frames, frames.kind == Kind.IP_OTHER)
        # On loopback our own probes come back: what this machine answered by would look the same.
        others = ~self._is_us(frames.source_hi[rows], frames.source_lo[rows])
        rows, hosts = rows[others], hosts[others]
        ports = frames.protocol[rows].astype(np.int64)
        return self._replies(ProbeKind.IP_PROTOCOL, rows, hosts, ports, np.full(len(rows), -1, dtype=np.int64))

    def _match_icmp(self, frames: Decoded, kind: ProbeKind, answer: Kind) -> Replies:
        rows, hosts = self._candidates(frames, frames.kind == answer)
        slots = frames.icmp_sequence[rows].astype(np.int64) % SLOTS
        ours = self._icmp_tag_fits(kind, hosts, slots, frames.icmp_id[rows], frames.icmp_sequence[rows])
        rows, hosts, slots = rows[ours], hosts[ours], slots[ours]
        return self._replies(kind, rows, hosts, np.zeros(len(rows), dtype=np.int64), slots)

    def _icmp_tag_fits(
        self, kind: ProbeKind, hosts: I64, slots: I64, identifier: NDArray[np.uint16], sequence: NDArray[np.uint16]
    ) -> Bool:
        tag = self._tag(kind, hosts, np.zeros(len(hosts), dtype=np.int64), slots)
        block = sequence.astype(np.int64) // SLOTS == self.first_port // SLOTS
        result: Bool = block & (identifier == _ip_id(tag))
        return result

    def _match_neighbors(self, frames: Decoded) -> Replies:
        if self.group.family == 4:
            kind, mask, hi, lo = ProbeKind.ARP, frames.kind == Kind.ARP_REPLY, frames.source_hi, frames.source_lo
        else:
            kind, mask, hi, lo = ProbeKind.NEIGHBOR, frames.kind == Kind.ND_ADVERT, frames.target_hi, frames.target_lo
        rows = np.flatnonzero(mask)
        hosts = self._index.find(hi[rows], lo[rows])
        rows, hosts = rows[hosts >= 0], hosts[hosts >= 0]
        unknown = np.full(len(rows), -1, dtype=np.int64)
        return self._replies(kind, rows, hosts, np.zeros(len(rows), dtype=np.int64), unknown)

    def _match_errors(self, frames: Decoded) -> Replies:
        rows = np.flatnonzero((frames.kind == Kind.ICMP_ERROR) & frames.quoted_valid)
        hosts = self._index.find(frames.quoted_destination_hi[rows], frames.quoted_destination_lo[rows])
        keep = (hosts >= 0) & self._is_us(frames.quoted_source_hi[rows], frames.quoted_source_lo[rows])
        keep &= self._is_us(frames.destination_hi[rows], frames.destination_lo[rows])
        rows, hosts = rows[keep], hosts[keep]
        kinds, ports, slots = self._quoted_probe(frames, rows, hosts)
        ours = kinds != ProbeKind.NONE
        rows, hosts = rows[ours], hosts[ours]
        target_hi, target_lo = self.group.hi[hosts], self.group.lo[hosts]
        from_target = (frames.source_hi[rows] == target_hi) & (frames.source_lo[rows] == target_lo)
        error = np.ones(len(rows), dtype=bool)
        return Replies(rows, hosts, kinds[ours], ports[ours], slots[ours], error, from_target)

    def _quoted_probe(self, frames: Decoded, rows: I64, hosts: I64) -> tuple[U8, I64, I64]:
        """Kind (NONE: not ours), port and slot of the probes that these errors quote."""
        protocol = frames.quoted_protocol[rows]
        ports = frames.quoted_destination_port[rows].astype(np.int64)
        slots = frames.quoted_source_port[rows].astype(np.int64) - self.first_port
        placed = (slots >= 0) & (slots < SLOTS)
        kinds = np.zeros(len(rows), dtype=np.uint8)
        for kind, mark in self._marks.items():
            tag = self._tag(kind, hosts, ports, slots)
            fits = mark.quoted(_number(tag), _ip_id(tag), frames, rows)
            kinds[(protocol == TCP) & placed & fits] = kind
        asked = np.flatnonzero((protocol == UDP) & placed)
        tag = self._tag(ProbeKind.UDP, hosts[asked], ports[asked], slots[asked])
        kinds[asked[_same_ip_id(_ip_id(tag), frames, rows[asked])]] = ProbeKind.UDP
        for kind, sctp in _SCTP_MARKS.items() if (protocol == SCTP).any() else ():
            tag = self._tag(kind, hosts, ports, slots)
            kinds[(protocol == SCTP) & placed & sctp.quoted(tag, _ip_id(tag), frames, rows)] = kind
        icmp = np.flatnonzero((protocol == ICMP) | (protocol == ICMPV6))
        sequence = frames.quoted_icmp_sequence[rows[icmp]]
        asked = sequence.astype(np.int64) % SLOTS
        for kind in _ICMP_KINDS:
            same = icmp[self._icmp_tag_fits(kind, hosts[icmp], asked, frames.quoted_icmp_id[rows[icmp]], sequence)]
            kinds[same] = kind
            ports[same] = 0
            slots[same] = frames.quoted_icmp_sequence[rows[same]].astype(np.int64) % SLOTS
        self._quoted_protocols(frames, rows, hosts, kinds, ports, slots)
        return kinds, ports, slots

    def _quoted_protocols(self, frames: Decoded, rows: I64, hosts: I64, kinds: U8, ports: I64, slots: I64) -> None:
        rest = np.flatnonzero(kinds == ProbeKind.NONE)
        if not len(rest):
            return
        mask = _SHORT if self.group.family == 4 else _FLOW
        told = frames.quoted_ip_id[rows[rest]]
        number = frames.quoted_protocol[rows[rest]].astype(np.int64)
        for slot in range(SLOTS):
            tag = self._tag(ProbeKind.IP_PROTOCOL, hosts[rest], number, np.full(len(rest), slot, dtype=np.int64))
            fits = rest[(tag & mask) == told]
            kinds[fits] = ProbeKind.IP_PROTOCOL
            ports[fits] = frames.quoted_protocol[rows[fits]]
            slots[fits] = slot


def _number(tag: NDArray[np.uint64]) -> NDArray[np.uint32]:
    return (tag >> np.uint64(32)).astype(np.uint32)


def _ip_id(tag: NDArray[np.uint64]) -> NDArray[np.uint16]:
    return (tag & _SHORT).astype(np.uint16)


def _ttl(tag: NDArray[np.uint64]) -> U8:
    return (37 + (tag >> np.uint64(16)) % np.uint64(23)).astype(np.uint8)


def _same_ip_id(ip_ids: NDArray[np.uint16], frames: Decoded, rows: I64) -> Bool:
    """Which errors quote these IP identifications (some old stacks quote them with their bytes exchanged).

    IPv6 has none: there the source port and the port are all that a UDP probe has to be recognised by.
    """
    told = frames.quoted_ip_id[rows].astype(np.uint16)
    fits: Bool = (frames.family[rows] == 6) | (told == ip_ids) | (told.byteswap() == ip_ids)
    return fits
