"""Probes <-> frames: builds the probes of a group, and says which of them a captured frame answers (``identity``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.direct_answers import DirectAnswers
from leadline.engine.group import HostGroup
from leadline.engine.identity import Identity
from leadline.engine.payloads import Payloads
from leadline.engine.probe_frames import ProbeFrames
from leadline.engine.quoted_probes import QuotedProbes
from leadline.engine.replies import Replies, in_order
from leadline.model.tcp_flags import SYN
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import Decoded, Kind

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]


class ProbeCodec:
    """``key``, ``first_port``, ``flags``, ``data``: see ``Identity``; ``payloads`` and ``adler``: ``ProbeFrames``."""

    def __init__(
        self, group: HostGroup, key: bytes, first_port: int, payloads: Payloads | None = None,
        flags: int = SYN, data: int = 0, adler: bool = False,
    ) -> None:  # fmt: skip
        self.group = group
        self.first_port = first_port
        identity = Identity(group, key, first_port, flags, data)
        self._frames = ProbeFrames(identity, payloads or Payloads(), adler)
        self._direct = DirectAnswers(identity)
        self._quoted = QuotedProbes(identity)

    def build(self, kinds: U8, hosts: I64, ports: I64, slots: I64, ttls: U8 | None = None) -> FrameBatch:
        """``ProbeFrames.build``."""
        return self._frames.build(kinds, hosts, ports, slots, ttls)

    def match(self, frames: Decoded) -> Replies:
        """The answers among captured frames, oldest first."""
        present = np.zeros(256, dtype=bool)
        present[frames.kind] = True
        found = self._direct.find(frames, present)
        if present[Kind.ICMP_ERROR]:
            found.append(self._quoted.find(frames))
        return in_order(found)
