"""Token buckets in hosts: how many answers of one kind a second a host gives, told from when they come.

Systems bound how fast they send ICMP errors, some also how fast they send resets (RFC 1812 section 4.3.2.8, RFC 4443
section 2.4 (f)): Linux saves up 6 ICMP errors for each peer and makes one more a second. What such a host does not
answer is not silent, it was only asked too soon. While more is asked than the bucket gives, the answers come at its
rate: that is measured, and from then on the host is asked at the pace at which it answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.wire.distinct import first_of_run

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

# Answers of each host whose times are kept.
KEPT = 32
# So many answers in a row that came evenly while much more was asked show the rate.
EVEN = 4
# And so many that came unevenly.
UNEVEN = 12
# The longest of even intervals is so many times the shortest.
EVENNESS = 1.6
# While the rate is looked for, so many probes a second are sent at first: more than the slowest systems answer.
FIRST_PACE, MOST_PACE = 20.0, 5000.0
# Tokens: times are sums of others.
ROUNDING = 1e-6
# A host that answers this share of what it is asked could answer more; so many outcomes tell, or so many at the highest
# pace, as what was saved up is to be used up.
SATED, OUTCOMES, MANY_OUTCOMES = 0.7, 8, 256
# Without an answer for so many seconds, and as long as so many intervals of those that came, there is no limit: what
# is silent is silent. Linux needs one second.
QUIET, QUIET_INTERVALS = 1.3, 2.2
# So long where a handful of answers came at first and silence after them, and where a limit was seen before.
QUIET_AFTER_BURST, QUIET_AGAIN = 2.6, 12.0
BURST = 4
# And so long where at most this share of what the host was asked is silent: a bucket that gives less than it is asked
# for leaves more behind, or answers now and then, and is waited for by the intervals of its answers.
QUIET_FEW, FEW = 0.5, 0.05
# No more than so many probes a second for each silent one while the rate is looked for.
PACE_EACH = 8.0
# So many silences in a row, if that is less likely than this by the share of probes that a host answered before, and
# the host has become slower: its rate is looked for anew.
SILENCES, UNLIKELY = 8, 1e-4
# A host that is asked at its rate is asked a little faster after so many answers, until it does not keep up.
STREAK, STEP, MOST_STEPS = 8, 0.02, 10
# A host that did not keep up so often in a row is much slower than was thought.
OVERRUNS = 4
# A pace that grew by this factor is worth a word.
TOLD = 1.1
# Tokens thought to be saved up that are not spent: the estimate is not that exact.
RESERVE = 0.1
# And as many more when it matters that there is one.
MARGIN = 0.4
# Answers of one host whose beginnings may be counted as its burst.
LARGEST_BURST = 1000.0


class LimitState:
    """Plain numbers, as they are compared with columns. ``MEASURED``: the rate is being looked for."""

    FREE = 0
    MEASURED = 1
    LIMITED = 2


@dataclass(frozen=True, slots=True)
class LimitChange:
    """``host`` is asked at ``new`` probes a second since ``at`` (clock seconds), no longer at ``old`` (0: as fast as
    windows allow).
    """

    at: float
    host: int
    cause: str
    old: float
    new: float


class AnswerLimits:
    """Columns ``(hosts,)``. ``state``: of ``LimitState``. ``rate``: answers a second, 0 while unknown; ``burst``:
    answers that the host saves up, 0 while unknown. ``count``: answers of the limited kind so far; ``doubtful``: the
    last probe at a host's known rate was silent. ``least``: no limit is lower than this.
    """

    def __init__(self, hosts: int, least: float = 0.0) -> None:
        self._least = least
        self.state: U8 = np.zeros(hosts, dtype=np.uint8)
        self.rate: F64 = np.zeros(hosts)
        self.burst: F64 = np.zeros(hosts)
        self.count: I64 = np.zeros(hosts, dtype=np.int64)
        self.last: F64 = np.full(hosts, -np.inf)
        self.doubtful: Bool = np.zeros(hosts, dtype=bool)
        self._first: F64 = np.full(hosts, -np.inf)
        self._times: F64 = np.full((hosts, KEPT), -np.inf)
        # Probes that had been given up when the answer in the same place of ``_times`` came.
        self._before: I64 = np.zeros((hosts, KEPT), dtype=np.int64)
        self._silent: I64 = np.zeros(hosts, dtype=np.int64)
        # Since when the host is measured at this pace, and what came of it.
        self._since: F64 = np.zeros(hosts)
        self._heard: I64 = np.zeros(hosts, dtype=np.int64)
        self._unheard: I64 = np.zeros(hosts, dtype=np.int64)
        self._pace: F64 = np.zeros(hosts)
        self._credit: F64 = np.zeros(hosts)
        self._counted_at: F64 = np.zeros(hosts)
        self._streak: I64 = np.zeros(hosts, dtype=np.int64)
        self._steps: I64 = np.zeros(hosts, dtype=np.int64)
        self._told: F64 = np.zeros(hosts)
        # Silences in a row, those before, and answers, all at the host's known rate.
        self._run: I64 = np.zeros(hosts, dtype=np.int64)
        self._asked_in_vain: I64 = np.zeros(hosts, dtype=np.int64)
        self._kept: I64 = np.zeros(hosts, dtype=np.int64)
        self._unlimited: Bool = np.zeros(hosts, dtype=bool)
        self._burst_like: Bool = np.zeros(hosts, dtype=bool)
        self._few: Bool = np.zeros(hosts, dtype=bool)
        self._slowed_at: F64 = np.full(hosts, -np.inf)
        # When the bucket was last known to be empty, and the answers until then.
        self._empty_at: F64 = np.zeros(hosts)
        self._empty_count: I64 = np.zeros(hosts, dtype=np.int64)
        # The rate as it was measured from one such time to another, as it was recognised, and how often in a row a host
        # did not keep up.
        self._measured: F64 = np.zeros(hosts)
        self._base: F64 = np.zeros(hosts)
        self._overruns: I64 = np.zeros(hosts, dtype=np.int64)
        # Answers that had come when the rate was recognised.
        self._known_at: I64 = np.zeros(hosts, dtype=np.int64)
        self._changes: list[LimitChange] = []

    def changes(self) -> list[LimitChange]:
        """What was found out since the last call."""
        taken, self._changes = self._changes, []
        return taken

    # ---- what happens -------------------------------------------------------------------------------------------

    def answered(self, hosts: I64, times: F64, fell: F64) -> I64:
        """Answers of the limited kind, ``(N,)`` each (repeats allowed). ``fell``: when the same probe was sent at
        the host's pace before and stayed silent; minus infinity: never.

        Returns hosts that turned out to be so much slower than was thought that their silences say nothing.
        """
        if not len(hosts):
            return hosts
        order = np.lexsort((times, hosts))
        hosts, times, fell = hosts[order], times[order], fell[order]
        starts = np.flatnonzero(first_of_run(hosts))
        unique, counts = hosts[starts], np.diff(starts, append=len(hosts))
        rank = np.arange(len(hosts)) - np.repeat(starts, counts)
        place = (self.count[hosts] + rank) % KEPT
        self._times[hosts, place] = times
        self._before[hosts, place] = self._silent[hosts]
        fresh = self.count[unique] == 0
        self._first[unique[fresh]] = times[starts[fresh]]
        self.count[unique] += counts
        self.last[unique] = np.maximum(self.last[unique], times[starts + counts - 1])
        self._heard[unique] += counts
        self._recognise(unique[self.state[unique] == LimitState.MEASURED])
        limited = unique[self.state[unique] == LimitState.LIMITED]
        # After a silence nobody knows whether there was a token then: from the next answer on one is waited for.
        doubtful = limited[self.doubtful[limited]]
        self._credit[doubtful], self._counted_at[doubtful] = 0.0, self.last[doubtful]
        self._asked_in_vain[doubtful] += self._run[doubtful]
        self._run[doubtful] = 0
        self._kept[limited] += counts[self.state[unique] == LimitState.LIMITED]
        self.doubtful[limited] = False
        latest = np.maximum.reduceat(fell, starts)
        # What was silent before the pace was lowered says nothing of the new one.
        empty = (self.state[unique] == LimitState.LIMITED) & (latest > self._slowed_at[unique])
        slower = self._slow_down(unique[empty], latest[empty])
        kept_up = np.setdiff1d(limited, unique[empty], assume_unique=True)
        self._overruns[kept_up] = np.maximum(0, self._overruns[kept_up] - 2)
        self._streak[kept_up] += np.bincount(hosts, minlength=len(self.state))[kept_up]
        self._speed_up(kept_up[self._streak[kept_up] >= STREAK * (self._steps[kept_up] + 1)])
        return slower

    def silent(self, hosts: I64, at_pace: Bool) -> None:
        """Probes to these hosts (repeats allowed) were not answered. ``at_pace``: those sent at the host's known rate;
        they took no token.
        """
        counts = np.bincount(hosts, minlength=len(self.state))
        self._silent += counts
        self._unheard += counts
        hosts = hosts[at_pace & (self.state[hosts] == LimitState.LIMITED)]
        self._credit += np.bincount(hosts, minlength=len(self.state))
        self.doubtful[hosts] = True
        self._run += np.bincount(hosts, minlength=len(self.state))
        self._streak[hosts] = self._steps[hosts] = 0

    def slower(self) -> I64:
        """Hosts that have been silent for longer than chance explains, as they answered before."""
        rows = np.flatnonzero((self.state == LimitState.LIMITED) & (self._run >= SILENCES))
        share = (self._asked_in_vain[rows] + 1) / (self._asked_in_vain[rows] + self._kept[rows] + 2)
        found: I64 = rows[share ** self._run[rows] < UNLIKELY]
        return found

    def measure(self, hosts: I64, silent: I64, now: float) -> None:
        """Begin to look for the rates of these (distinct) hosts; ``silent``: how many probes to each were not answered
        until now.
        """
        self._burst_like[hosts] = (self.count[hosts] >= BURST) & (silent > self.count[hosts])
        self._few[hosts] = silent <= FEW * (silent + self.count[hosts])
        self._unlimited[hosts] = False
        self.state[hosts] = LimitState.MEASURED
        self._restart(hosts, np.clip(PACE_EACH * silent, PACE_EACH, FIRST_PACE), now)

    def release(self, hosts: I64) -> None:
        """These (distinct) hosts are asked as fast as windows allow."""
        self.state[hosts] = LimitState.FREE

    def quiet(self, now: float) -> I64:
        """Hosts that were looked at long enough without an answer: no limit is to be seen there."""
        rows = np.flatnonzero(self.state == LimitState.MEASURED)
        if not len(rows):
            return rows
        newest = self._newest(rows, EVEN)
        last = np.where(self.count[rows] > 0, self.last[rows], 0.0)
        longest = np.diff(np.where(np.isfinite(newest), newest, last[:, None]), axis=1).max(axis=1)
        patience = np.where(self._burst_like[rows], QUIET_AFTER_BURST, np.where(self._few[rows], QUIET_FEW, QUIET))
        patience[self.rate[rows] > 0] = QUIET_AGAIN
        patience = np.maximum(patience, QUIET_INTERVALS * longest)
        begun = np.maximum(self.last[rows], self._since[rows])
        found: I64 = rows[self._unlimited[rows] | ((now - begun > patience) & (self._unheard[rows] > 0))]
        return found

    # ---- pace ---------------------------------------------------------------------------------------------------

    def allowed(self, now: float) -> I64:
        """Probes that may be sent now to each host, 0 for those that are free."""
        measured, limited = self.state == LimitState.MEASURED, self.state == LimitState.LIMITED
        self._count_up(np.flatnonzero(measured | limited), now)
        room = np.floor(self._credit + np.where(limited, ROUNDING - RESERVE, ROUNDING)).astype(np.int64)
        result: I64 = np.where(measured | limited, np.maximum(room, 0), 0)
        return result

    def sent(self, hosts: I64) -> None:
        """So many probes leave for these hosts (repeats allowed) at their pace."""
        self._credit -= np.bincount(hosts, minlength=len(self.state))

    def due(self, rows: I64) -> F64:
        """When each of these hosts, none of them free, may be sent its next probe."""
        limited = self.state[rows] == LimitState.LIMITED
        pace = np.where(limited, self.rate[rows], self._pace[rows])
        wanted = np.where(limited, 1.0 + RESERVE, 1.0)
        result: F64 = self._counted_at[rows] + np.maximum(0.0, wanted - self._credit[rows]) / pace
        return result

    def until_sure(self, rows: I64) -> F64:
        """When there is a token in these hosts that is not only just being made."""
        lacking = np.maximum(0.0, 1.0 + RESERVE + MARGIN - self._credit[rows] - ROUNDING)
        result: F64 = self._counted_at[rows] + lacking / np.maximum(self.rate[rows], ROUNDING)
        return result

    def _count_up(self, rows: I64, now: float) -> None:
        limited = self.state[rows] == LimitState.LIMITED
        pace = np.where(limited, self.rate[rows], self._pace[rows])
        most = np.where(
            limited, np.maximum(1.0 + RESERVE + MARGIN, self.burst[rows]), np.maximum(1.0, self._pace[rows] / 20)
        )
        passed = np.maximum(0.0, now - self._counted_at[rows])
        self._credit[rows] = np.minimum(self._credit[rows] + passed * pace, most)
        self._counted_at[rows] = now

    # ---- estimates ----------------------------------------------------------------------------------------------

    def _restart(self, hosts: I64, pace: F64, now: float | F64) -> None:
        self._since[hosts] = self._counted_at[hosts] = now
        self._heard[hosts] = self._unheard[hosts] = 0
        self._pace[hosts] = pace
        self._credit[hosts] = 1.0

    def _newest(self, rows: I64, number: int) -> F64:
        """Times of the newest answers, oldest first, ``(rows, number)``; minus infinity where there were fewer."""
        places = (self.count[rows][:, None] - number + np.arange(number)) % KEPT
        times = self._times[rows[:, None], places]
        return np.where(np.arange(number) < number - self.count[rows][:, None], -np.inf, times)

    def _demand(self, rows: I64, number: int) -> I64:
        """Silent probes since the oldest of the newest ``number`` answers."""
        place = (self.count[rows] - number) % KEPT
        result: I64 = self._silent[rows] - self._before[rows, place]
        return result

    def _recognise(self, rows: I64) -> None:
        """Does what came to hosts that are being measured show a rate?"""
        heard, unheard = self._heard[rows], self._unheard[rows]
        most = self._pace[rows] >= MOST_PACE
        enough = np.where(most, MANY_OUTCOMES, OUTCOMES)
        sated = (heard + unheard >= enough) & (heard >= SATED * (heard + unheard))
        # What answers all is asked faster, to see where that ends; a limit that is not met so soon does not matter.
        faster = rows[sated & ~most]
        self._restart(faster, self._pace[faster] * 2, self.last[faster])
        self._unlimited[rows[sated & most]] = True
        rows = rows[~sated & (heard >= EVEN)]
        if not len(rows):
            return
        intervals = np.diff(self._newest(rows, EVEN), axis=1)
        shortest, longest = intervals.min(axis=1), intervals.max(axis=1)
        # Two probes may have been on their way when a token came.
        even = longest <= EVENNESS * shortest + 2 / self._pace[rows]
        even &= self._demand(rows, EVEN) >= EVEN - 1
        settled = (self._heard[rows] >= UNEVEN) & (self._demand(rows, UNEVEN) >= UNEVEN)
        number = np.where(even & ~settled, EVEN, UNEVEN)
        for host, answers in zip(rows[even | settled], number[even | settled], strict=True):
            self._limit(int(host), self._observed(int(host), int(answers)), "its answers come at this rate")

    def _observed(self, host: int, number: int) -> float:
        """Answers a second over the newest ``number``."""
        times = self._newest(np.array([host]), number)[0]
        span = float(times[-1] - times[0])
        return (number - 1) / max(span, 1e-4)

    def _limit(self, host: int, rate: float, cause: str) -> None:
        rate = max(rate, self._least)
        known = self.state[host] == LimitState.LIMITED
        old = float(self.rate[host])
        if not known:
            self._measured[host] = self._base[host] = rate
            self._run[host] = self._overruns[host] = 0
            self._known_at[host] = self._empty_count[host] = self.count[host]
            self._empty_at[host] = self.last[host]
        if not known and old == 0:
            # What came before the bucket was empty was saved up.
            since = float(self.last[host] - self._first[host])
            saved = np.clip(np.round(self.count[host] - rate * since), 1.0, LARGEST_BURST)
            self.burst[host] = saved if np.isfinite(since) else 0.0
        self.state[host] = LimitState.LIMITED
        self.rate[host] = rate
        self._credit[host] = 0.0
        self._counted_at[host] = self.last[host]
        self._streak[host] = self._steps[host] = 0
        self._tell(host, cause, old)

    def _slow_down(self, hosts: I64, fell: F64) -> I64:
        """These hosts did not keep up: their buckets were empty when a probe ``fell`` that is answered now. Returns
        those that are much slower than was thought.
        """
        slower = []
        for host, at in zip(hosts.tolist(), fell.tolist(), strict=True):
            since = int(np.count_nonzero(self._times[host] > at))
            given, passed = int(self.count[host]) - since - int(self._empty_count[host]), at - self._empty_at[host]
            if given >= STREAK and since < KEPT:
                # From one time when a bucket was empty to another it gives what comes into it.
                self._measured[host] = given / passed
            self._overruns[host] += 1
            old = float(self.rate[host])
            number = int(min(self.count[host] - self._known_at[host], KEPT))
            lately = self._observed(host, number) if number >= STREAK else old
            # Nothing is lost by going back at once to what it gave, as long as it was known to give more than that.
            rate = max(lately, float(self._base[host])) if lately < SATED * old else old
            rate = min(rate, old * (1 - STEP))
            if self._overruns[host] >= OVERRUNS and self.count[host] - self._known_at[host] >= EVEN:
                rate = min(rate, self._observed(host, EVEN))
                self._overruns[host] = 0
                self._measured[host] = self._base[host] = rate
                slower.append(host)
            self._limit(host, rate, "it did not keep up")
            self._slowed_at[host] = self.last[host]
            self._empty_at[host], self._empty_count[host] = at, self.count[host] - since
        return np.array(slower, dtype=np.int64)

    def _speed_up(self, hosts: I64) -> None:
        """These hosts kept up for a while: a limit that was lifted is noticed soon, one that is met costs nothing."""
        for host in hosts.tolist():
            self._steps[host] += 1
            self.rate[host] *= 1 + STEP * min(MOST_STEPS, int(self._steps[host]))
            if self.rate[host] > TOLD * self._told[host]:
                self._tell(host, "it keeps up", float(self._told[host]))

    def _tell(self, host: int, cause: str, old: float) -> None:
        self._told[host] = self.rate[host]
        self._changes.append(LimitChange(float(self.last[host]), host, cause, old, float(self.rate[host])))

    def estimate(self, host: int) -> tuple[float, float]:
        """Answers a second and the burst of one host; zeros for a host without a limit that is sure.

        Sure is what the host did not keep up with when it was asked faster, or kept up with for a while and no more.
        """
        kept = self._kept[host] >= EVEN and self.rate[host] <= TOLD * self._measured[host]
        if not kept and not np.isfinite(self._slowed_at[host]):
            return 0.0, 0.0
        return float(self._measured[host]), float(self.burst[host])
