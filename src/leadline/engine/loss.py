"""How much of what is sent gets lost, measured with probes that are known to be answered.

Silence of a port says nothing about the path: most silent ports are filtered. What does say something: how many tries
the answered probes took, and how many timing pings (repeats of a probe that was answered before) came back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

# A host's own measurements outweigh the group's after this many.
PRIOR = 20.0
# Proofs to collect about a host before its silent probes are given up: at a loss of a tenth all of so many come back
# once in a thousand times.
ENOUGH = 64
# The share of answerable probes that may be missed because every try was lost.
TOLERATED = 1e-5
# However lossy a path seems, no silent port costs more tries than this unless retries prove useful by themselves.
MOST_RETRIES = 8


class LossMeter:
    """Counts of known-answerable transmissions and of the lost ones, for each host and, in the last row, the group."""

    def __init__(self, hosts: int) -> None:
        self.sent: F64 = np.zeros(hosts + 1)
        # As ``sent``, but never faded: whether enough is known, not what.
        self.told: F64 = np.zeros(hosts + 1)
        self.lost: F64 = np.zeros(hosts + 1)

    def count(self, hosts: I64, sent: F64, lost: F64) -> None:
        """``sent`` transmissions to each of these hosts (repeats allowed) could be answered, ``lost`` of them were
        not.
        """
        rows = len(self.sent)
        told = np.bincount(hosts, weights=sent, minlength=rows)
        told[-1] = sent.sum()
        self.told += told
        self.sent += told
        self.lost += np.bincount(hosts, weights=lost, minlength=rows)
        self.lost[-1] += lost.sum()

    def count_group(self, sent: float, lost: float) -> None:
        """The same of transmissions that only the path could lose, not a host."""
        self.told[-1] += sent
        self.sent[-1] += sent
        self.lost[-1] += lost

    def fade(self, kept: float) -> None:
        """The pace has changed: what was lost before weighs less than what is lost from now on."""
        self.sent *= kept
        self.lost *= kept

    def share(self) -> F64:
        """Estimated loss (of probe or reply) for each host, 0..1, ``(hosts,)``."""
        group = self.lost[-1] / (self.sent[-1] + PRIOR)
        result: F64 = (self.lost[:-1] + PRIOR * group) / (self.sent[:-1] + PRIOR)
        return result

    def retries_needed(self) -> I64:
        """Retransmissions after which a lost answer is rarer than ``TOLERATED``, ``(hosts,)``, 1 to
        ``MOST_RETRIES``.
        """
        share = np.clip(self.share(), 1e-6, 0.9)
        tries = np.ceil(np.log(TOLERATED) / np.log(share))
        result: I64 = np.clip(tries - 1, 1, MOST_RETRIES).astype(np.int64)
        return result
