"""Probes that all leave from one source port (``-g``), and what answers them.

The port cannot tell the try then. Answers that repeat a tag are tried against each slot: the tag is right for one of
them only (spec sheet 2.9: with ``-g`` every way of repeating it is tried). UDP repeats nothing: its answers count for
the latest try.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadline.engine.codec import ProbeCodec
from leadline.engine.group import HostGroup
from leadline.engine.identity import SLOTS
from leadline.engine.payloads import Payloads
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.replies import Replies, in_order
from leadline.model.tcp_flags import SYN
from leadline.wire.columns import Decoded, Kind

Bool = NDArray[np.bool_]


class FixedPortCodec(ProbeCodec):
    """Frames are built with the ports that tell the slots; ``fixed_port`` replaces them on their way out
    (``wire.shaping``), and is replaced by each of them here.
    """

    def __init__(
        self, group: HostGroup, key: bytes, first_port: int, payloads: Payloads | None = None, flags: int = SYN,
        data: int = 0, adler: bool = False, *, fixed_port: int,
    ) -> None:  # fmt: skip
        super().__init__(group, key, first_port, payloads, flags, data, adler)
        self._fixed_port = fixed_port

    def match(self, frames: Decoded) -> Replies:
        """The answers among captured frames, in their order."""
        direct = (frames.kind == Kind.TCP) | (frames.kind == Kind.UDP) | (frames.kind == Kind.SCTP)
        error = (frames.kind == Kind.ICMP_ERROR) & (frames.quoted_source_port == self._fixed_port)
        left = (direct & (frames.destination_port == self._fixed_port) & ~self._seen_again(frames)) | error
        found = []
        for slot in range(SLOTS):
            own = np.uint16(self.first_port + slot)
            # Port 0 is of no slot: what was taken already answers nothing in this turn.
            turn = replace(
                frames,
                destination_port=np.where(direct, np.where(left, own, np.uint16(0)), frames.destination_port),
                quoted_source_port=np.where(error, np.where(left, own, np.uint16(0)), frames.quoted_source_port),
            )
            replies = super().match(turn)
            if slot:
                replies = replies.pick(left[replies.rows])
            replies.slots[replies.kinds == ProbeKind.UDP] = -1
            found.append(replies)
            left[replies.rows] = False
            if not left.any():
                break
        return in_order(found)

    def _seen_again(self, frames: Decoded) -> Bool:
        """What may be a probe of ours on loopback, from and to our port (spec sheet 2.9)."""
        same = (frames.source_hi == frames.destination_hi) & (frames.source_lo == frames.destination_lo)
        same &= frames.source_port == frames.destination_port
        result: Bool = same & ((frames.kind == Kind.UDP) | (frames.tcp_flags == SYN))
        return result
