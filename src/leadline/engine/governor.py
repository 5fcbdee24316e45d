"""Keeps a path from being overrun: a ceiling of probes a second, lowered by measured loss.

Windows count what is in flight, and where answers come at once, or many hosts share a bottleneck, the smallest windows
are still more than a path carries. The governor looks at what is lost of all that is known to be answered, over
stretches of time: too much, and the ceiling is set to the share that came through; else it rises slowly.

Some paths lose by themselves. What is delivered tells the difference: a bottleneck delivers as much as before when it
is sent less, a path that just loses delivers less in proportion. Such a loss is taken as given.

An answer is known after a round trip, a loss after a timeout: what was sent at the same time is judged together.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from leadline.model.quick_dataclass import dataclass

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

# Answers and losses that one judgement takes. What is sent is told apart by slots of time, as long as a timeout or so
# many seconds; a slot is judged when it is ripe: two later.
ENOUGH_TOLD, SHORTEST, SLOTS = 24.0, 0.1, 4
# So many are waited for at most while a judgement under a ceiling is in doubt.
MOST_DOUBT = 480.0
# Loss beyond what the path always loses that is taken for a bottleneck.
TOO_MUCH = 0.08
# Standard deviations by which it has to be more: for the first time, and where a path was overrun before.
SURE, SURE_AGAIN = 3.0, 2.0
# How far one judgement lowers the ceiling at most, how far below what came through it begins again, and how it rises:
# fast while far below the rate that was too much, slowly near it, and faster where no rate was found to be too much.
LOWEST_STEP, MARGIN, RISE, SLOW_RISE, NEAR, FREE_RISE = 0.3, 0.95, 1.1, 1.01, 0.9, 2.0
# More than this no path loses by itself.
MOST_GIVEN = 0.5
# A loss that makes what was tried until now worthless.
HEAVY = 0.3
# What losses weigh when the pace has changed.
FADED = 0.25
# Answers and losses of one host that count in one judgement, and those after which it has a share of its own.
# Of so many hosts with a share the path's is that of those that lose alike: within so many standard deviations, looked
# for in so many steps.
HOST_WEIGHT, HOST_TOLD, MANY_HOSTS, DEVIATIONS, OUTWARDS = 8.0, 4.0, 6, 2.0, 4
# How far the rate must have fallen before it is judged whether that was of any use; the share of the first loss that
# must be left if it was not; and what is delivered then, between in proportion (0) and as much as before (1).
TEST_AT, STILL_LOST, IN_PROPORTION = 0.6, 0.5, 0.35
# No path is so poor that less than this is worth the time (probes a second).
LEAST_RATE = 5.0


@dataclass(frozen=True, slots=True)
class Overrun:
    """``share`` was lost: the ceiling fell from ``before`` (infinity: there was none) to ``after``, or was put back to
    it because falling was of no use.
    """

    share: float
    before: float
    after: float

    @property
    def heavy(self) -> bool:
        """Whether what was tried until now is worthless."""
        return self.share > HEAVY and self.after < self.before

    @property
    def kept(self) -> float:
        """What losses and answers that were counted until now still weigh.

        Much less when a first ceiling changes the pace for good. Later ones move up and down around what the path
        carries: what is silent was tried at all of these rates.
        """
        return 0.0 if self.heavy else FADED if math.isinf(self.before) else 1.0

    @property
    def cause(self) -> str:
        """For the record of decisions."""
        if self.after < self.before:
            return f"{self.share:.0%} of what can be answered is lost: the path is overrun"
        return "slower sending lost as much: the path loses by itself"


class Governor:
    """For a group of ``hosts``; ``now`` in seconds of the clock.

    ``ceiling``: probes a second, ``None`` until something was too much. ``given``: the share that is always lost.
    """

    def __init__(self, hosts: int, now: float) -> None:
        self.ceiling: float | None = None
        self.given = 0.0
        self._too_much = np.inf
        self._reference: tuple[float, float] | None = None
        self._good: F64 = np.zeros((SLOTS, hosts))
        self._lost: F64 = np.zeros((SLOTS, hosts))
        self._sent: F64 = np.zeros(SLOTS)
        self._ripe_good: F64 = np.zeros(hosts)
        self._ripe_lost: F64 = np.zeros(hosts)
        self._length = SHORTEST
        self._restart(now)

    def _restart(self, now: float) -> None:
        """What was sent until now tells nothing of the pace that begins."""
        self._start, self._oldest = now, 0
        for column in (self._good, self._lost, self._sent, self._ripe_good, self._ripe_lost):
            column[:] = 0
        self._ripe_sent = self._ripe_time = 0.0

    def sent(self, count: int, now: float) -> None:
        """So many probes leave."""
        self._turn(now)
        self._sent[int((now - self._start) / self._length) % SLOTS] += count

    def answered(self, hosts: I64, sent: F64) -> None:
        """Answers from these hosts (repeats allowed) to probes that left at ``sent``."""
        self._count(self._good, hosts, sent)

    def lost(self, hosts: I64, sent: F64) -> None:
        """Probes known to be answerable that left at ``sent`` were lost."""
        self._count(self._lost, hosts, sent)

    def _count(self, columns: F64, hosts: I64, sent: F64) -> None:
        age = (np.maximum(sent, self._start - self._length) - self._start) / self._length
        slots = np.floor(age).astype(np.int64)
        known = (slots >= self._oldest) & (slots < self._oldest + SLOTS)
        np.add.at(columns, (slots[known] % SLOTS, hosts[known]), 1.0)

    def forget(self, hosts: I64) -> None:
        """What was counted as lost on the way to these hosts was none: they are gone."""
        for column in (self._good, self._lost):
            column[:, hosts] = 0
        self._ripe_good[hosts] = self._ripe_lost[hosts] = 0

    def _turn(self, now: float) -> None:
        """Slots whose losses are known by now are ripe."""
        current = int((now - self._start) / self._length)
        for slot in range(self._oldest, min(current - SLOTS + 2, self._oldest + SLOTS)):
            place = slot % SLOTS
            self._ripe_good += self._good[place]
            self._ripe_lost += self._lost[place]
            self._ripe_sent += self._sent[place]
            self._ripe_time += self._length
            self._good[place] = self._lost[place] = self._sent[place] = 0
        self._oldest = max(self._oldest, current - SLOTS + 2)

    def judge(self, now: float, patience: float) -> Overrun | None:
        """Look at what was told since the last judgement, when it is enough. ``patience``: the timeout, in seconds.

        Returns what follows when too much was lost.
        """
        self._turn(now)
        told = self._ripe_good + self._ripe_lost
        count = float(np.minimum(told, self._most_of_one(told)).sum())
        if count < ENOUGH_TOLD:
            return None
        bearable = self.given + TOO_MUCH
        share, rate = self._share(), float(self._ripe_sent) / self._ripe_time
        before = np.inf if self.ceiling is None else self.ceiling
        # Few samples say little: what could be chance is no reason to slow down.
        sure, samples = (SURE, count) if self.ceiling is None else (SURE_AGAIN, self._samples(told))
        chance = sure * math.sqrt(bearable * (1 - bearable) / samples)
        overrun = share > bearable + chance
        if bearable < share and not overrun and self.ceiling is not None and samples < MOST_DOUBT:
            # Perhaps too much: what is told next decides, and until then the pace stays.
            return None
        if overrun:
            self._lower(share, min(rate, before))
            self._length = max(SHORTEST, patience)
            self._restart(now)
        else:
            if share < self.given + TOO_MUCH / 2:
                self._reference = None
            if share < self.given - chance:
                self.given = (self.given + share) / 2
            if self.ceiling is not None and rate > 0.7 * self.ceiling:
                self.ceiling *= self._rise()
            self._ripe_good[:] = self._ripe_lost[:] = 0
            self._ripe_sent = self._ripe_time = 0.0
        after = np.inf if self.ceiling is None else self.ceiling
        return Overrun(share, before, after) if overrun else None

    def _rise(self) -> float:
        assert self.ceiling is not None
        if math.isinf(self._too_much):
            return FREE_RISE
        return RISE if self.ceiling < NEAR * self._too_much else SLOW_RISE

    def _share(self) -> float:
        """Loss on what the hosts have in common: one that limits its answers is its own affair."""
        lost, told = self._ripe_lost, self._ripe_good + self._ripe_lost
        weight = self._weights(told)
        if np.count_nonzero(told >= HOST_TOLD) >= MANY_HOSTS:
            weight = weight * _alike(lost, told, weight)
        return float((weight * lost).sum() / (weight * told).sum())

    def _samples(self, told: F64) -> float:
        """How many answers and losses of equal weight the share is worth (Kish's effective sample size)."""
        weight = self._weights(told)
        return float((weight * told).sum() ** 2 / (weight**2 * told).sum())

    def _weights(self, told: F64) -> F64:
        """What each answer and loss of a host counts: of those that told most, less."""
        weights: F64 = np.minimum(1.0, self._most_of_one(told) / np.maximum(told, 1.0))
        return weights

    @staticmethod
    def _most_of_one(told: F64) -> float:
        return max(HOST_WEIGHT, ENOUGH_TOLD / max(1, int(np.count_nonzero(told))))

    def _lower(self, share: float, rate: float) -> None:
        doubt = self.given > 0 and self._reference is None
        if self._put_back(share, rate):
            return
        came_through = rate * max(LOWEST_STEP, 1 - (share - self.given))
        self.ceiling = max(LEAST_RATE, MARGIN * came_through)
        if doubt:
            # More is lost than the path loses by itself: far below this rate it shows whether it does at all.
            self.ceiling = max(LEAST_RATE, min(self.ceiling, TEST_AT * rate))
        self._too_much = came_through

    def _put_back(self, share: float, rate: float) -> bool:
        """Where sending less than where it was worst loses as much, that is given, and the ceiling is put back.

        Returns whether it was.
        """
        if self._reference is None or share > self._reference[1] + TOO_MUCH:
            self._reference = rate, share
        first, first_share = self._reference
        if rate > TEST_AT * first or share > MOST_GIVEN:
            return False
        delivered = rate * (1 - share) / (first * (1 - first_share) + 1e-9)
        in_proportion = delivered < rate / first + IN_PROPORTION * (1 - rate / first)
        if in_proportion and share > STILL_LOST * first_share:
            # Back to what the path carried at first if so much was always lost.
            self.given = share
            self.ceiling = first * min(1.0, (1 - first_share) / (1 - share))
            self._too_much, self._reference = np.inf, None
            return True
        self._reference = rate, share
        return False


def _alike(lost: F64, told: F64, weight: F64) -> Bool:
    """The hosts that lose as most of them do, ``(hosts,)``.

    From the half that loses least outwards: who loses no more than chance can make of what they lose is one of them.
    """
    shares = lost / np.maximum(told, 1.0)
    alike: Bool = shares <= np.quantile(shares[told >= HOST_TOLD], 0.5, method="lower")
    for _ in range(OUTWARDS):
        share = float((weight * lost * alike).sum() / (weight * told * alike).sum())
        alike = lost <= told * share + DEVIATIONS * np.sqrt(told * share * (1 - share)) + 1
    return alike
