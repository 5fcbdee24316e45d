"""Which ICMP errors quote a probe of ours, and which one (RFC 792, RFC 4443)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.identity import SCTP_MARKS, SLOTS, Identity
from leadline.engine.keyed_tag import FLOW_MASK, IP_ID_MASK, ip_id_of, number_of, quoted_ip_id
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.replies import Replies
from leadline.wire.columns import Decoded, Kind

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

TCP, UDP, SCTP, ICMP, ICMPV6 = 6, 17, 132, 1, 58
_ICMP_KINDS = (ProbeKind.ICMP_ECHO, ProbeKind.ICMP_TIMESTAMP, ProbeKind.ICMP_ADDRESS_MASK)


class QuotedProbes:
    """Of the probes with one ``Identity``."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def find(self, frames: Decoded) -> Replies:
        """The errors that answer probes."""
        identity = self._identity
        rows = np.flatnonzero((frames.kind == Kind.ICMP_ERROR) & frames.quoted_valid)
        hosts = identity.hosts_of(frames.quoted_destination_hi[rows], frames.quoted_destination_lo[rows])
        keep = (hosts >= 0) & identity.is_us(frames.quoted_source_hi[rows], frames.quoted_source_lo[rows])
        keep &= identity.is_us(frames.destination_hi[rows], frames.destination_lo[rows])
        rows, hosts = rows[keep], hosts[keep]
        kinds, ports, slots = self._probes(frames, rows, hosts)
        ours = kinds != ProbeKind.NONE
        rows, hosts = rows[ours], hosts[ours]
        target_hi, target_lo = identity.group.hi[hosts], identity.group.lo[hosts]
        from_target = (frames.source_hi[rows] == target_hi) & (frames.source_lo[rows] == target_lo)
        error = np.ones(len(rows), dtype=bool)
        return Replies(rows, hosts, kinds[ours], ports[ours], slots[ours], error, from_target)

    def _probes(self, frames: Decoded, rows: I64, hosts: I64) -> tuple[U8, I64, I64]:
        """Kind (NONE: not ours), port and slot of the probes that these errors quote."""
        identity = self._identity
        protocol = frames.quoted_protocol[rows]
        ports = frames.quoted_destination_port[rows].astype(np.int64)
        slots, placed = identity.slots_of(frames.quoted_source_port[rows])
        kinds = np.zeros(len(rows), dtype=np.uint8)
        for kind, mark in identity.tcp_marks.items():
            tags = identity.tags(kind, hosts, ports, slots)
            fits = mark.quoted(number_of(tags), ip_id_of(tags), frames, rows)
            kinds[(protocol == TCP) & placed & fits] = kind
        asked = np.flatnonzero((protocol == UDP) & placed)
        tags = identity.tags(ProbeKind.UDP, hosts[asked], ports[asked], slots[asked])
        # IPv6 has no identification: there the ports are all that a UDP probe has to be recognised by.
        told = (frames.family[rows[asked]] == 6) | quoted_ip_id(ip_id_of(tags), frames, rows[asked])
        kinds[asked[told]] = ProbeKind.UDP
        for kind, sctp in SCTP_MARKS.items() if (protocol == SCTP).any() else ():
            tags = identity.tags(kind, hosts, ports, slots)
            kinds[(protocol == SCTP) & placed & sctp.quoted(tags, ip_id_of(tags), frames, rows)] = kind
        icmp = np.flatnonzero((protocol == ICMP) | (protocol == ICMPV6))
        sequence, identifier = frames.quoted_icmp_sequence[rows[icmp]], frames.quoted_icmp_id[rows[icmp]]
        for kind in _ICMP_KINDS:
            own, fits = identity.icmp_slots(kind, hosts[icmp], identifier, sequence)
            same = icmp[fits]
            kinds[same], ports[same], slots[same] = kind, 0, own[fits]
        self._protocols(frames, rows, hosts, kinds, ports, slots)
        return kinds, ports, slots

    def _protocols(self, frames: Decoded, rows: I64, hosts: I64, kinds: U8, ports: I64, slots: I64) -> None:
        rest = np.flatnonzero(kinds == ProbeKind.NONE)
        if not len(rest):
            return
        mask = IP_ID_MASK if self._identity.group.family == 4 else FLOW_MASK
        told = frames.quoted_ip_id[rows[rest]]
        number = frames.quoted_protocol[rows[rest]].astype(np.int64)
        for slot in range(SLOTS):
            own = np.full(len(rest), slot, dtype=np.int64)
            fits = rest[(self._identity.tags(ProbeKind.IP_PROTOCOL, hosts[rest], number, own) & mask) == told]
            kinds[fits] = ProbeKind.IP_PROTOCOL
            ports[fits] = frames.quoted_protocol[rows[fits]]
            slots[fits] = slot
