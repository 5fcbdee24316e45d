"""Frames that answer our probes, in columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.engine.probe_kind import ProbeKind
from leadline.model.quick_dataclass import dataclass

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]


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

    def pick(self, mask: Bool | I64) -> Replies:
        """Some of them: where ``mask`` is true, or in the order of the numbers that it holds."""
        return Replies(
            self.rows[mask], self.hosts[mask], self.kinds[mask], self.ports[mask],
            self.slots[mask], self.error[mask], self.from_target[mask],
        )  # fmt: skip


def direct_replies(kinds: ProbeKind | U8, rows: I64, hosts: I64, ports: I64, slots: I64) -> Replies:
    """Replies of the probed addresses themselves; ``kinds``: one for all, or a column."""
    count = len(rows)
    if isinstance(kinds, ProbeKind):
        kinds = np.full(count, int(kinds), dtype=np.uint8)
    return Replies(rows, hosts, kinds, ports, slots, np.zeros(count, dtype=bool), np.ones(count, dtype=bool))


def no_replies() -> Replies:
    """None at all."""
    none = np.empty(0, dtype=np.int64)
    return direct_replies(ProbeKind.NONE, none, none, none, none)


def joined(parts: Sequence[Replies]) -> Replies:
    """Those of the first part, then those of the next; there is at least one part."""
    return Replies(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.hosts for part in parts]),
        np.concatenate([part.kinds for part in parts]),
        np.concatenate([part.ports for part in parts]),
        np.concatenate([part.slots for part in parts]),
        np.concatenate([part.error for part in parts]),
        np.concatenate([part.from_target for part in parts]),
    )


def in_order(parts: Sequence[Replies]) -> Replies:
    """All of them by the rows of their frames: oldest first."""
    filled = [part for part in parts if len(part)]
    if len(filled) <= 1:
        return filled[0] if filled else no_replies()
    together = joined(filled)
    return together.pick(np.argsort(together.rows, kind="stable"))
