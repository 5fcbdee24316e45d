"""Probes of one group as frames: a template for each kind, patched in columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.identity import SCTP_MARKS, Identity
from leadline.engine.keyed_tag import FLOW_MASK, ip_id_of, number_of, ttl_of
from leadline.engine.payloads import Payloads
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.protocol_probes import protocol_content
from leadline.model.address import U64
from leadline.model.tcp_flags import SYN
from leadline.wire.batch import FrameBatch, concatenate, empty
from leadline.wire.distinct import distinct, distinct_rows
from leadline.wire.sctp_template import SctpTemplate
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

_ICMP_KINDS = {
    ProbeKind.ICMP_ECHO: IcmpKind.ECHO,
    ProbeKind.ICMP_TIMESTAMP: IcmpKind.TIMESTAMP,
    ProbeKind.ICMP_ADDRESS_MASK: IcmpKind.ADDRESS_MASK,
}


class ProbeFrames:
    """``payloads``: of UDP. ``adler``: SCTP's checksums are those of RFC 2960."""

    def __init__(self, identity: Identity, payloads: Payloads, adler: bool = False) -> None:
        self._identity, self._payloads, self._adler = identity, payloads, adler
        self._group = identity.group
        self._framing = identity.group.framing()
        self._templates: dict[ProbeKind, TcpTemplate | SctpTemplate | IcmpTemplate] = {}

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
        group, identity = self._group, self._identity
        hi, lo = group.hi[hosts], group.lo[hosts]
        if kind is ProbeKind.ARP:
            return ArpTemplate(self._framing).build(hi, lo)
        if kind is ProbeKind.NEIGHBOR:
            return NeighborTemplate(self._framing).build(hi, lo)
        macs = group.macs[hosts] if self._framing.offset else None
        tags = identity.tags(kind, hosts, ports, slots)
        short = ip_id_of(tags)
        # Those of Nmap's probes.
        ttl = ttl_of(tags)
        if group.family == 6:
            ttl[:] = 255
        if ttls is not None:
            ttl = np.where(ttls > 0, ttls, ttl)
        source_port = identity.first_port + slots
        mark = identity.tcp_marks.get(kind)
        if mark is not None:
            sequence, acknowledgment = mark.numbers(number_of(tags))
            template = self._tcp(kind, mark.flags)
            return template.build(hi, lo, macs, source_port, ports, sequence, acknowledgment, ttl, short)
        if kind in SCTP_MARKS:
            numbers = SCTP_MARKS[kind].numbers(tags)
            return self._sctp(kind).build(hi, lo, macs, source_port, ports, *numbers, ttl, short)
        if kind is ProbeKind.UDP:
            return self._udp(hosts, ports, source_port, ttl, short)
        if kind is ProbeKind.IP_PROTOCOL:
            return self._by_protocol(hosts, ports, tags)
        return self._icmp(kind).build(hi, lo, macs, short, identity.first_sequence + slots, ttl, short)

    def _udp(self, hosts: I64, ports: I64, source_port: I64, ttl: U8, ip_id: NDArray[np.uint16]) -> FrameBatch:
        """All payloads of a port go out as one probe: the answer may be to any of them."""
        group, batches = self._group, []
        for rows, payloads in self._payloads.groups(ports):
            some = hosts[rows]
            macs = group.macs[some] if self._framing.offset else None
            hi, lo = group.hi[some], group.lo[some]
            for payload in payloads:
                template = UdpTemplate(self._framing, payload)
                batches += [template.build(hi, lo, macs, source_port[rows], ports[rows], ttl[rows], ip_id[rows])]
        return concatenate(batches) if batches else empty(self._framing.offset)

    def _by_protocol(self, hosts: I64, numbers: I64, tags: U64) -> FrameBatch:
        """The tag is in the IP identification, or in the flow label: there is nowhere else for it."""
        group, offset, batches = self._group, self._framing.offset, []
        for number in distinct(numbers):
            rows = np.flatnonzero(numbers == number)
            some, own = hosts[rows], tags[rows]
            macs = group.macs[some] if offset else None
            template = IpTemplate(self._framing, int(number), protocol_content(int(number), group.family))
            batch = template.build(group.hi[some], group.lo[some], macs, ttl_of(own), ip_id_of(own))
            if group.family == 6:
                label = (own & FLOW_MASK).astype(">u4").view(np.uint8).reshape(-1, 4)
                batch.frames[:, offset + 1 : offset + 4] = label[:, 1:]
            batches.append(batch)
        return concatenate(batches) if batches else empty(offset)

    def _tcp(self, kind: ProbeKind, flags: int) -> TcpTemplate:
        template = self._templates.get(kind)
        if not isinstance(template, TcpTemplate):
            options = b"\x02\x04\x05\xb4" if flags & SYN else b""
            template = self._templates[kind] = TcpTemplate(self._framing, flags, 1024, options)
        return template

    def _sctp(self, kind: ProbeKind) -> SctpTemplate:
        template = self._templates.get(kind)
        if not isinstance(template, SctpTemplate):
            template = self._templates[kind] = SctpTemplate(self._framing, SCTP_MARKS[kind].chunk, self._adler)
        return template

    def _icmp(self, kind: ProbeKind) -> IcmpTemplate:
        template = self._templates.get(kind)
        if not isinstance(template, IcmpTemplate):
            template = self._templates[kind] = IcmpTemplate(self._framing, _ICMP_KINDS[kind])
        return template
