"""ICMP errors that probed hosts sent themselves: they prove that these hosts speak ICMP."""

from __future__ import annotations

import numpy as np

from leadline.engine.replies import Replies
from leadline.model.port import Reason
from leadline.model.quick_dataclass import dataclass
from leadline.ports.icmp_errors import PROTOCOL_ERRORS
from leadline.wire.columns import Decoded
from leadline.wire.distinct import distinct_rows


@dataclass(frozen=True, slots=True)
class OwnError:
    """``kind`` and ``code``: of ICMP; ``ttl``: as received; ``at``: clock seconds."""

    kind: int
    code: int
    ttl: int
    at: float
    reason: Reason


class OwnErrors:
    """Keeps the first of each of ``hosts`` hosts."""

    def __init__(self, hosts: int) -> None:
        self._first: list[OwnError | None] = [None] * hosts
        self._open = np.ones(hosts, dtype=bool)

    def take(self, frames: Decoded, replies: Replies) -> None:
        """Look for the first errors among answers to our probes."""
        rows = np.flatnonzero(replies.error & replies.from_target & self._open[replies.hosts])
        hosts, first = distinct_rows(replies.hosts[rows])
        for host, row in zip(hosts.tolist(), replies.rows[rows[first]].tolist(), strict=True):
            at = slice(row, row + 1)
            kind, code = frames.icmp_type[at], frames.icmp_code[at]
            states, reasons = PROTOCOL_ERRORS.find(frames.family[at], kind, code, np.ones(1, dtype=bool))
            if states[0]:
                self._open[host] = False
                self._first[host] = OwnError(
                    int(kind[0]), int(code[0]), int(frames.ttl[row]), float(frames.times[row]), Reason(int(reasons[0]))
                )

    def first(self, host: int) -> OwnError | None:
        """The first error of one host, ``None`` when it sent none."""
        return self._first[host]
