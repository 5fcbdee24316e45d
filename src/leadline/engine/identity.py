"""What makes the probes of one group recognisable.

The identity of a probe is (host, kind, port, slot). A *slot* is the try modulo 16, or 16 more for a timing ping. It
travels in the source port (TCP, UDP, SCTP) or the ICMP sequence number; a keyed tag over all four travels in the TCP
sequence or acknowledgment number (see ``tcp_mark``), in SCTP's tags (see ``sctp_mark``), the ICMP identifier, the IP
identification and the flow label. What does not carry the right tag is not ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.group import AddressIndex, HostGroup
from leadline.engine.keyed_tag import ip_id_of
from leadline.engine.probe_kind import ProbeKind, tcp_kind
from leadline.engine.sctp_mark import SctpMark
from leadline.engine.tcp_mark import TcpMark
from leadline.model.address import U64
from leadline.model.tcp_flags import ACK, SYN
from leadline.wire.tag import Tagger

I64 = NDArray[np.int64]
U16 = NDArray[np.uint16]
Bool = NDArray[np.bool_]

SLOTS = 32
PING_SLOT = 16
# The range of Nmap's source ports (spec sheet 2.9), less the slots at its end.
FIRST_PORT, LAST_PORT = 33_000, 65_000
SCTP_MARKS = {kind: SctpMark(kind) for kind in (ProbeKind.SCTP_INIT, ProbeKind.SCTP_COOKIE)}


def pick_first_port(random: int) -> int:
    """The first of ``SLOTS`` source ports from any random number."""
    return FIRST_PORT + random % (LAST_PORT - FIRST_PORT - SLOTS)


class Identity:
    """``key``: 16 random bytes; ``first_port``: see ``pick_first_port``. ``flags``: of TCP, those of the probes of the
    kind ``tcp_kind(flags)``. ``data``: bytes that segments get behind their header on their way out.
    """

    def __init__(self, group: HostGroup, key: bytes, first_port: int, flags: int = SYN, data: int = 0) -> None:
        self.group, self.first_port = group, first_port
        # The kind that is scanned with comes first: its answers are the many.
        self.tcp_marks = {tcp_kind(each): TcpMark(each, data) for each in (flags, SYN, ACK)}
        self._tagger = Tagger(key)
        self._index = AddressIndex(group.hi, group.lo)
        source = int(group.route.source)
        self._source = np.uint64(source >> 64), np.uint64(source & (1 << 64) - 1)

    @property
    def first_sequence(self) -> int:
        """The ICMP sequence number of slot 0."""
        return self.first_port // SLOTS * SLOTS

    def tags(self, kind: ProbeKind, hosts: I64, ports: I64, slots: I64) -> U64:
        """The keyed tags of these probes."""
        salt = ports * 256 + slots + (int(kind) << 32)
        return self._tagger.tag64(self.group.hi[hosts], self.group.lo[hosts], salt.astype(np.uint64))

    def hosts_of(self, hi: U64, lo: U64) -> I64:
        """The hosts of the group with these addresses, -1 for strangers."""
        return self._index.find(hi, lo)

    def is_us(self, hi: U64, lo: U64) -> Bool:
        """Which addresses are the one that we send from."""
        result: Bool = (hi == self._source[0]) & (lo == self._source[1])
        return result

    def slots_of(self, ports: U16) -> tuple[I64, Bool]:
        """The slots that our source ports stand for, and which of them exist."""
        slots = ports.astype(np.int64) - self.first_port
        return slots, (slots >= 0) & (slots < SLOTS)

    def icmp_slots(self, kind: ProbeKind, hosts: I64, identifiers: U16, sequences: U16) -> tuple[I64, Bool]:
        """The slots that ICMP sequence numbers stand for, and which of them come with the right identifier."""
        numbers = sequences.astype(np.int64)
        slots = numbers % SLOTS
        tags = self.tags(kind, hosts, np.zeros(len(hosts), dtype=np.int64), slots)
        return slots, (numbers - slots == self.first_sequence) & (identifiers == ip_id_of(tags))
