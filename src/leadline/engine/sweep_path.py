"""What a sweep learns of its path, kept from chunk to chunk: pace, round trips, proofs and losses."""

from __future__ import annotations

from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from leadline.engine.sweep_pace import SweepPace
from leadline.engine.sweep_proofs import Proofs
from leadline.engine.sweep_second_look import MOST_TRIES
from leadline.engine.sweep_trips import RoundTripSpread
from leadline.model.plan import TimingPlan

# The share of answerable probes that may be missed because every try was lost.
TOLERATED = 1e-5
# A loss seen among few probes is taken for what it was before, or for less.
PRIOR = 20.0
_LEAST_SHARE, _GREATEST_SHARE = 1e-6, 0.9
# What earlier chunks told counts for so much of it.
_KEPT = 0.25
# For the pace a repeat is late after so many round trips and this time: silence that long is loss or nearly so.
LATE_TRIPS, LATE = 4.0, 0.01
MOST_PASSES = 32


class SweepPath:
    """One for each sweep; ``now``: when it begins."""

    def __init__(self, timing: TimingPlan, now: float) -> None:
        self.pace = SweepPace(now, timing.max_rate, timing.min_rate)
        self.trips = RoundTripSpread(timing.min_rtt_timeout, timing.initial_rtt_timeout, timing.max_rtt_timeout)
        self.proofs = Proofs()
        self._sent, self._lost = np.zeros(MOST_PASSES), np.zeros(MOST_PASSES)
        self._earlier_sent = self._earlier_lost = 0.0

    @property
    def timeout(self) -> float:
        """Silence that is enough, in seconds."""
        return self.trips.timeout

    def begin_chunk(self) -> None:
        """What follows is passes over other hosts."""
        self._earlier_sent = (self._earlier_sent + float(self._sent.sum())) * _KEPT
        self._earlier_lost = (self._earlier_lost + float(self._lost.sum())) * _KEPT
        self._sent[:] = self._lost[:] = 0

    def answered(self, passes: NDArray[np.int64]) -> None:
        """Probes of these passes (from 0) were answered for the first time: those of the passes before were lost."""
        counts = np.bincount(passes, minlength=MOST_PASSES)[:MOST_PASSES]
        reached = counts[::-1].cumsum()[::-1]
        self._sent += reached
        self._lost += reached - counts

    def step(self, now: float, current: int) -> None:
        """Draw conclusions from what was repeated; ``current``: the pass that is under way."""
        median = self.trips.median
        patience = self.timeout if median is None else min(self.timeout, LATE_TRIPS * median + LATE)
        sent, lost, fresh_sent, fresh_lost = self.proofs.expired(patience, self.pace.changed_at, now)
        if sent:
            self.pace.proofs(fresh_sent, fresh_lost)
            place = min(current, MOST_PASSES - 1)
            self._sent[place] += sent
            self._lost[place] += lost
        self.pace.step(now, median if self.proofs.known else None)

    @property
    def loss(self) -> float:
        """Share of answerable probes that were not answered lately."""
        sent = self._earlier_sent + float(self._sent.sum())
        return min(max((self._earlier_lost + float(self._lost.sum())) / (sent + PRIOR), _LEAST_SHARE), _GREATEST_SHARE)

    def is_enough(self, passes: int) -> bool:
        """Whether after so many passes hardly anything is missed because each of its tries was lost."""
        mean = self.loss
        shares = (self._lost[:passes] + PRIOR * mean) / (self._sent[:passes] + PRIOR)
        return bool(np.prod(np.clip(shares, _LEAST_SHARE, _GREATEST_SHARE)) <= TOLERATED)

    def second_tries(self) -> int:
        """Tries of the second look at what answered open, three at least."""
        return min(max(ceil(log(TOLERATED) / log(self.loss)) + 1, 3), MOST_TRIES)
