"""Where an SCTP probe carries its tag, and where what comes back must repeat it (RFC 9260 sections 8.4 and 8.5.1).

Whatever answers an INIT bears the initiate tag that it brought as its verification tag: INIT-ACK and ABORT both. To
other packets out of the blue an ABORT repeats the verification tag that they had, and says so by its T bit. An ICMP
error quotes the verification tag at least (RFC 792), the initiate tag if it quotes 20 bytes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.keyed_tag import number_of, quoted_ip_id
from leadline.engine.probe_kind import ProbeKind
from leadline.model.quick_dataclass import dataclass
from leadline.wire.columns import Decoded
from leadline.wire.sctp import ABORT, INIT_ACK, Chunk
from leadline.wire.sctp_template import COOKIE_ECHO_CHUNK, INIT_CHUNK

I64 = NDArray[np.int64]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SctpMark:
    """Probes of one ``kind``. ``rows``: those of the frames that are looked at; keyed tags are uint64 ``(N,)``."""

    kind: ProbeKind

    @property
    def begins(self) -> bool:
        """Whether the probe is an INIT, else a COOKIE-ECHO."""
        return self.kind is ProbeKind.SCTP_INIT

    @property
    def chunk(self) -> Chunk:
        """What is sent."""
        return INIT_CHUNK if self.begins else COOKIE_ECHO_CHUNK

    def numbers(self, tags: U64) -> tuple[U32 | int, U32, U32]:
        """Verification tag, first word of the chunk (initiate tag or cookie) and initial TSN of probes."""
        mark, rest = _number(tags), tags.astype(np.uint32)
        return (0, mark, rest) if self.begins else (mark, rest, rest)

    def answered(self, tags: U64, frames: Decoded, rows: I64) -> Bool:
        """Which packets answer probes with these tags. Our own probes, seen on loopback, have other chunks."""
        chunk = frames.chunk_type[rows]
        may_be = chunk == ABORT
        if self.begins:
            may_be |= chunk == INIT_ACK
        result: Bool = may_be & (frames.sequence[rows] == _number(tags))
        return result

    def quoted(self, tags: U64, ip_ids: U16, frames: Decoded, rows: I64) -> Bool:
        """Which errors quote probes with these tags and IP identifications.

        Where a quoted INIT is cut before its tag, the IP identification must be right (some old stacks quote it with
        its bytes exchanged); IPv6 has none, and errors there quote as much as fits (RFC 4443 section 2.4).
        """
        verification = frames.quoted_sequence[rows]
        if not self.begins:
            same: Bool = verification == _number(tags)
            return same
        short = (frames.family[rows] == 4) & quoted_ip_id(ip_ids, frames, rows)
        result: Bool = (verification == 0) & np.where(
            frames.quoted_longer[rows], frames.quoted_acknowledgment[rows] == _number(tags), short
        )
        return result


def _number(tags: U64) -> U32:
    """The upper half; an initiate tag must not be 0 (RFC 9260 section 3.3.2)."""
    return np.maximum(number_of(tags), np.uint32(1))
