"""Where a TCP probe carries its tag, and where what comes back must repeat it (RFC 9293 section 3.10.7).

A segment with ACK is answered by a RST whose sequence number is the acknowledgment number that it brought; one without
by an acknowledgment of its sequence number and of what it takes up: SYN and FIN count as one each. So the flags decide
which field the tag has to be in. An ICMP error quotes the sequence number at least (RFC 792).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.keyed_tag import quoted_ip_id
from leadline.model.quick_dataclass import dataclass
from leadline.model.tcp_flags import ACK, FIN, RST, SYN
from leadline.wire.columns import Decoded

I64 = NDArray[np.int64]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TcpMark:
    """Probes with these ``flags`` and so many bytes of ``data``. Tags are ``(N,)``, ``rows`` the rows of the frames
    that are looked at.
    """

    flags: int
    data: int = 0

    @property
    def in_sequence(self) -> bool:
        """Whether the sequence number is the tag; otherwise it is 0, as in Nmap's probes."""
        return bool(self.flags & SYN) or not self.flags & ACK

    @property
    def in_acknowledgment(self) -> bool:
        """Whether the acknowledgment number is the tag; otherwise it is 0."""
        return bool(self.flags & ACK)

    def numbers(self, tags: U32) -> tuple[U32 | int, U32 | int]:
        """Sequence and acknowledgment numbers of probes with these tags.

        They differ: a probe that is seen again (on loopback) must not repeat its own acknowledgment number.
        """
        if self.in_sequence and self.in_acknowledgment:
            return ~tags, tags
        return (tags, 0) if self.in_sequence else (0, tags)

    def may_answer(self, flags: U16) -> Bool:
        """Which segments could be answers at all, by their flags alone: the others need no tag."""
        result: Bool = (flags & (RST if self.in_acknowledgment else ACK)) != 0
        return result

    def answered(self, tags: U32, frames: Decoded, rows: I64) -> Bool:
        """Which segments repeat the tags, those that ``may_answer``."""
        if self.in_acknowledgment:
            reset: Bool = frames.sequence[rows] == tags
            return reset
        # Who takes no data yet acknowledges the flags alone, who refuses acknowledges all that came.
        taken = bool(self.flags & SYN) + bool(self.flags & FIN) + self.data
        beyond = frames.acknowledgment[rows] - tags
        # Some stacks reset with our number itself instead of the next one.
        own = (frames.tcp_flags[rows] & RST) != 0
        result: Bool = (beyond <= taken) & ((beyond > 0) | own)
        return result

    def quoted(self, tags: U32, ip_ids: U16, frames: Decoded, rows: I64) -> Bool:
        """Which errors quote probes with these tags and IP identifications.

        Where the tag is not in the sequence number, the acknowledgment number must be right, if the quote goes so far;
        if not, the IP identification must be (RFC 791; some old stacks quote it with its bytes exchanged). IPv6 has
        none, and errors there quote as much as fits (RFC 4443 section 2.4).
        """
        sequence = frames.quoted_sequence[rows]
        if self.in_sequence:
            fits: Bool = sequence == self.numbers(tags)[0]
            return fits
        short = (frames.family[rows] == 4) & quoted_ip_id(ip_ids, frames, rows)
        result: Bool = (sequence == 0) & np.where(
            frames.quoted_longer[rows], frames.quoted_acknowledgment[rows] == tags, short
        )
        return result
