"""Probes that were answered before, repeated at a small share: what does not come back tells how much is lost.

A host that answers once and never again (it shuts out who asks twice) tells nothing. So a repeat counts only where one
was answered before, and who misses several in a row is left alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.identity import PING_SLOT, SLOTS
from leadline.model.address import U64
from leadline.model.quick_dataclass import dataclass

I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

# One repeat for so many probes, and to one address no more often than this (packets a second).
INTERVAL, HURRIED_INTERVAL = 64, 16
MOST_PER_ADDRESS = 4.0
# A slow sweep repeats more: so many a second, but not more than one for so many probes.
LEAST_RATE, SHORTEST_INTERVAL = 200.0, 8
KEPT = 1024
# Addresses that miss so many repeats in a row are gone.
GONE = 6
# With fewer proven addresses than this every candidate is tried; else a quarter of the repeats are trials.
FEW = 64
# So many first repeats, of which so great a share is lost, tell of the path as well.
TRIALS, TRIALS_LOST = 12, 0.6
_GENERATIONS = SLOTS - PING_SLOT
_EMPTY, _CANDIDATE, _PROVEN = 0, 1, 2


@dataclass(slots=True)
class _Generation:
    places: I64
    keys: U64
    counts: Bool
    answered: Bool
    sent_at: float


class Proofs:
    """Up to ``KEPT`` answered probes (address and port). Repeats go out in generations, told apart by their slot."""

    def __init__(self) -> None:
        self._hi, self._lo = np.zeros(KEPT, np.uint64), np.zeros(KEPT, np.uint64)
        self._ports: I64 = np.zeros(KEPT, np.int64)
        self._state = np.zeros(KEPT, np.uint8)
        self._misses = np.zeros(KEPT, np.uint8)
        self._turn = self._next = 0
        self._due, self._owed_at = 0.0, -np.inf
        self._generations: dict[int, _Generation] = {}
        self._trials: I64 = np.zeros(2, np.int64)
        self.known = False

    def teach(self, hi: U64, lo: U64, ports: I64) -> None:
        """These probes were answered; some of them are kept as candidates."""
        self.known = self.known or len(lo) > 0
        free = np.flatnonzero(self._state == _EMPTY)[: len(lo)]
        some = slice(0, len(free))
        self._hi[free], self._lo[free], self._ports[free] = hi[some], lo[some], ports[some]
        self._state[free], self._misses[free] = _CANDIDATE, 0

    def take(self, probes: int, now: float, hurry: bool = False) -> tuple[U64, U64, I64, int]:
        """Repeats to send besides so many probes: addresses, ports, and the slot they go out in (none: empty).

        ``hurry``: the pace waits for evidence.
        """
        pause = now - self._owed_at
        slow = min(probes / SHORTEST_INTERVAL, max(0.0, pause) * LEAST_RATE)
        self._due = min(self._due + max(probes / (HURRIED_INTERVAL if hurry else INTERVAL), slow), float(KEPT))
        slot = PING_SLOT + self._next % _GENERATIONS
        places = self._chosen(int(self._due)) if slot not in self._generations else np.zeros(0, np.int64)
        if not len(places) or pause * MOST_PER_ADDRESS * np.count_nonzero(self._state) < len(places):
            none = np.zeros(0, np.uint64)
            return none, none, np.zeros(0, np.int64), PING_SLOT
        self._due -= len(places)
        self._owed_at = now
        keys = self._keys(self._hi[places], self._lo[places], self._ports[places])
        order = np.argsort(keys)
        places = places[order]
        self._generations[slot] = _Generation(
            places, keys[order], self._state[places] == _PROVEN, np.zeros(len(places), bool), now
        )
        self._next += 1
        return self._hi[places], self._lo[places], self._ports[places], slot

    def _chosen(self, count: int) -> I64:
        proven, candidates = np.flatnonzero(self._state == _PROVEN), np.flatnonzero(self._state == _CANDIDATE)
        trials = candidates[: count if len(proven) < FEW else count // 4]
        repeats = min(count - len(trials), len(proven))
        self._turn += repeats
        return np.concatenate((trials, np.roll(proven, -self._turn)[:repeats]))

    @staticmethod
    def _keys(hi: U64, lo: U64, ports: I64) -> U64:
        keys: U64 = (hi * np.uint64(0x9E3779B97F4A7C15) ^ lo) * np.uint64(65_536) + ports.astype(np.uint64)
        return keys

    def answered(self, slots: I64, hi: U64, lo: U64, ports: I64) -> None:
        """Answers to repeats, ``(N,)`` each; further ones to the same repeat change nothing."""
        for slot, generation in self._generations.items():
            rows = np.flatnonzero(slots == slot)
            if len(rows):
                keys = self._keys(hi[rows], lo[rows], ports[rows])
                found = np.minimum(np.searchsorted(generation.keys, keys), len(generation.keys) - 1)
                generation.answered[found[generation.keys[found] == keys]] = True

    def expired(self, timeout: float, since: float, now: float) -> tuple[int, int, int, int]:
        """Repeats that were waited for long enough, and how many of them were lost; the same of those that were sent
        after ``since``.
        """
        totals = np.zeros(4, np.int64)
        for slot, generation in list(self._generations.items()):
            if generation.sent_at > now - timeout and not generation.answered.all():
                continue
            del self._generations[slot]
            fresh = generation.sent_at > since
            counts, missed = generation.counts, ~generation.answered
            told = np.array([np.count_nonzero(counts), np.count_nonzero(counts & missed)])
            totals += np.concatenate((told, told * fresh))
            if fresh:
                self._trials += (np.count_nonzero(~counts), np.count_nonzero(~counts & missed))
            self._learn(generation)
        totals += self._judged_trials()
        return int(totals[0]), int(totals[1]), int(totals[2]), int(totals[3])

    def _judged_trials(self) -> I64:
        """First repeats count where most of them are lost: that many hosts do not shut out who asks twice."""
        sent, lost = self._trials.tolist()
        if sent < TRIALS:
            return np.zeros(4, np.int64)
        self._trials[:] = 0
        return np.array([sent, lost, sent, lost]) if lost > TRIALS_LOST * sent else np.zeros(4, np.int64)

    def _learn(self, generation: _Generation) -> None:
        good, bad = generation.places[generation.answered], generation.places[~generation.answered]
        self._state[good], self._misses[good] = _PROVEN, 0
        self._misses[bad] += 1
        # A candidate may fail twice: the path may lose as well.
        limit = np.where(self._state[bad] == _PROVEN, GONE, 2)
        self._state[bad[self._misses[bad] >= limit]] = _EMPTY
