"""What UDP ports said in the port scan, kept for version detection: bounded, whatever a host sends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.wire.batch import FrameBatch
from leadline.wire.columns import Decoded

I64 = NDArray[np.int64]

MOST_ANSWERS = 4
"""Of one port: it may answer several of the payloads."""
LONGEST_ANSWER = 2048
MOST_BYTES = 4 << 20
"""Of all ports of a group together."""


class Heard:
    """Answers by item (see ``engine.ledger``)."""

    def __init__(self) -> None:
        self._answers: dict[int, tuple[bytes, ...]] = {}
        self._room = MOST_BYTES

    def keep(self, items: I64, frames: FrameBatch, decoded: Decoded, rows: I64) -> None:
        """Keep the datagrams in these rows as answers to these items, ``(N,)`` each.

        Those that the capture has cut, or that are too long, are left out: half an answer may look like another one.
        """
        starts, ends = decoded.payload_start[rows], decoded.payload_end[rows]
        whole = (ends - frames.offset >= decoded.total_length[rows]) & (ends > starts)
        whole &= ends - starts <= LONGEST_ANSWER
        for index in np.flatnonzero(whole).tolist():
            item, row = int(items[index]), int(rows[index])
            known = self._answers.get(item, ())
            if len(known) >= MOST_ANSWERS or self._room <= 0:
                continue
            said = frames.frames[row, int(starts[index]) : int(ends[index])].tobytes()
            if said not in known:
                self._answers[item] = (*known, said)
                self._room -= len(said)

    def of(self, item: int) -> tuple[bytes, ...]:
        """What was heard, oldest first."""
        return self._answers.get(item, ())
