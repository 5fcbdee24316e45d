"""What is asked of hosts that limit their answers: silent probes are held and sent again at the pace of the answers.

The first probes to a host go out as fast as its window allows, so that ports that answer by themselves are found
at once. When nothing is left but silence, and the host has shown that it answers with something that hosts limit, its
silent probes are ``HELD``: first a few each second, to see at which rate it answers (``answer_limits``), then at
this rate. A probe is given up once it was silent so often though it was sent when the host could have answered.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from leadline.engine.answer_limits import AnswerLimits, LimitState
from leadline.engine.ledger import Items, Phase

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

# Probes to a host that is asked at its pace are given up after so many tries without an answer.
TRIES = 4
# Before the second there are so many intervals of the host's answers, twice as many before the third ..., but no more
# seconds than the second number and no less than the third.
PAUSE_INTERVALS, LONGEST_PAUSE, SHORTEST_PAUSE = 1.5, 2.0, 0.5
# Resets that came only on a retry, and their share of all, that make a limit likely.
LATE, LATE_SHARE = 4, 0.1
# So many answers, all to the first try, with few silences beside them come from a host without a limit that matters.
MANY = 16
# Resets are limited to hundreds a second where they are at all. Fewer than this are lost, not limited: it is what the
# greatest scan delay allows (spec sheet 2.1).
LEAST_RESETS = 1.0
_NONE: I64 = np.empty(0, dtype=np.int64)


class Suspicion(Enum):
    """What makes it likely that a host limits its answers."""

    SILENCE = "any silence of a host that sent ICMP errors: nearly all systems limit these"
    RETRIES = "many answers that came only on a retry: few systems limit resets"


class Pacing:
    """``items``: columns over ``hosts * width`` items; ``order``/``offsets``: as ``Prober`` takes them.

    ``held``: how many items of each host are held, ``(hosts,)``.
    """

    def __init__(
        self, items: Items, hosts: int, width: int, order: I64, offsets: I64 | None, suspicion: Suspicion
    ) -> None:
        self.limits = AnswerLimits(hosts, LEAST_RESETS if suspicion is Suspicion.RETRIES else 0.0)
        self.held: I64 = np.zeros(hosts, dtype=np.int64)
        self._items, self._hosts, self._width = items, hosts, width
        # Where hosts have ports of their own no order is that of all: then the columns', which is as good.
        self._order = order if offsets is None else np.arange(width)
        self._suspicion = suspicion
        # Answers that came only on a retry since the host was last looked at.
        self._late: I64 = np.zeros(hosts, dtype=np.int64)
        self._looked: Bool = np.zeros(hosts, dtype=bool)
        self._idle_until: F64 = np.full(hosts, -np.inf)
        # Of each item, made when they are first needed: silences at the host's pace, whether it was last sent at this
        # pace, when to ask again, when it was asked, and when it was last asked at this pace in vain.
        self._silences: U8 = np.empty(0, dtype=np.uint8)
        self._at_pace: U8 = np.empty(0, dtype=np.uint8)
        self._again: F64 = np.empty(0)
        self._asked: F64 = np.empty(0)
        self._fell: F64 = np.empty(0)

    # ---- what happens -------------------------------------------------------------------------------------------

    def answered(self, items: I64, phases: U8, codes: U8, times: F64, limited: Bool) -> None:
        """Checked first answers to items that were in these ``phases``; ``limited``: of the kind that hosts limit."""
        hosts = items // self._width
        if self._suspicion is Suspicion.RETRIES and not codes.any() and not self.limits.state.any():
            # The many answers of hosts without any sign of a limit need not be looked at one by one.
            self.limits.count += np.bincount(hosts[limited], minlength=self._hosts)
            return
        self.held -= np.bincount(hosts[phases == Phase.HELD], minlength=self._hosts)
        items, hosts, codes, times = items[limited], hosts[limited], codes[limited], times[limited]
        self._late += np.bincount(hosts[codes > 0], minlength=self._hosts)
        fell = self._fell[items] if len(self._fell) else np.full(len(items), -np.inf)
        slower = self.limits.answered(hosts, times, fell)
        if len(slower):
            self._silences.reshape(self._hosts, self._width)[slower] = 0

    def timed_out(self, items: I64, now: float) -> tuple[I64, I64]:
        """Nobody waits for these items any longer. Returns those that are not of hosts looked at here, and those that
        are to be given up.
        """
        hosts = items // self._width
        states = self.limits.state[hosts]
        if not states.any():
            return items, _NONE
        mine = states != LimitState.FREE
        rest, items, hosts = items[~mine], items[mine], hosts[mine]
        at_pace = self._at_pace[items] > 0
        self.limits.silent(hosts, at_pace)
        fallen, interval = items[at_pace], PAUSE_INTERVALS / np.maximum(self.limits.rate[hosts[at_pace]], 1e-3)
        interval = np.maximum(interval, SHORTEST_PAUSE)
        pause = np.minimum(interval * 2.0 ** self._silences[fallen], np.maximum(interval, LONGEST_PAUSE))
        self._silences[fallen] += 1
        self._again[fallen] = now + pause
        self._fell[fallen] = self._asked[fallen]
        over = self._silences[items] >= TRIES
        self._hold(items[~over])
        return rest, items[over]

    def suspects(self, silent: I64) -> Bool:
        """Hosts that may be no more than slow, ``(hosts,)``; ``silent``: how many items of each were given up."""
        count, late = self.limits.count, self._late
        # Once a host was looked at, only answers that should not have come make it worth another look.
        likely: Bool = np.where(self._looked, late > 0, count > 0)
        # A bucket that were empty would leave more behind, and give something on the retry.
        likely &= (count < MANY) | (late > 0) | (2 * silent >= count)
        if self._suspicion is Suspicion.RETRIES:
            likely &= (late >= LATE) & (late >= LATE_SHARE * count)
        likely &= (silent > 0) & (self.limits.state == LimitState.FREE)
        return likely

    def begin(self, hosts: I64, now: float) -> None:
        """Look at these (distinct) hosts: all items that were given up are held."""
        if not len(self._silences):
            self._silences = np.zeros(self._hosts * self._width, dtype=np.uint8)
            self._at_pace = np.zeros(self._hosts * self._width, dtype=np.uint8)
            self._again = np.zeros(self._hosts * self._width)
            self._asked = np.zeros(self._hosts * self._width)
            self._fell = np.full(self._hosts * self._width, -np.inf)
        rows, columns = np.nonzero(self._items.phase.reshape(self._hosts, self._width)[hosts] == Phase.BENCHED)
        self._hold(hosts[rows] * self._width + columns)
        self._late[hosts] = 0
        self._looked[hosts] = True
        self.limits.measure(hosts, self.held[hosts], now)

    def let_go(self, now: float) -> I64:
        """Items of hosts in which no limit is to be seen: they are held no longer, and to be asked once more."""
        slower = self.limits.slower()
        if len(slower):
            self._silences.reshape(self._hosts, self._width)[slower] = 0
            self.limits.measure(slower, self.held[slower], now)
        hosts = self.limits.quiet(now)
        if not len(hosts):
            return _NONE
        self.limits.release(hosts)
        rows, columns = np.nonzero(self._items.phase.reshape(self._hosts, self._width)[hosts] == Phase.HELD)
        self.held[hosts] = 0
        items: I64 = hosts[rows] * self._width + columns
        return items

    def forget(self, hosts: I64) -> None:
        """Nothing of these (distinct) hosts is to be asked again."""
        self.held[hosts] = 0
        self.limits.release(hosts)

    def _hold(self, items: I64) -> None:
        self._items.phase[items] = Phase.HELD
        hosts = items // self._width
        self.held += np.bincount(hosts, minlength=self._hosts)
        self._idle_until[hosts] = -np.inf

    # ---- what to send -------------------------------------------------------------------------------------------

    def take(self, now: float, allowed: I64, total: int) -> I64:
        """At most ``total`` items to send now, for each host as many as ``allowed`` (which is lowered)."""
        if total <= 0 or not self.held.any():
            return _NONE
        room = np.minimum(np.minimum(self.limits.allowed(now), allowed), self.held)
        rows = np.flatnonzero((room > 0) & (self._idle_until <= now))
        if not len(rows):
            return _NONE
        items = (rows[:, None] * self._width + self._order[None, :]).ravel()
        ready = (self._items.phase[items] == Phase.HELD) & (self._again[items] <= now)
        measured = np.repeat(self.limits.state[rows] == LimitState.MEASURED, len(self._order))
        # While the rate is looked for all take turns. Later those that were silent go first, when an answer has shown
        # that the host keeps up; while that is in doubt, those that were not.
        doubtful = np.repeat(self.limits.doubtful[rows], len(self._order))
        urgency = (self._silences[items] > 0) == doubtful
        urgency = np.where(measured, np.minimum(self._items.tries[items], 254), urgency)
        urgency = np.where(ready, urgency, 255).astype(np.uint8).reshape(len(rows), -1)
        # What was silent before is asked when there is surely a token: not just as one comes, again and again too soon.
        again = (self._silences[items] > 0) & ready & ~measured & ~doubtful
        waits = np.where(again.reshape(urgency.shape).any(axis=1), self.limits.until_sure(rows), now)
        unsure = waits > now
        urgency[unsure] = 255
        most = int(room[rows].max())
        first = np.argsort(urgency, axis=1, kind="stable")[:, :most]
        chosen = (np.arange(first.shape[1]) < room[rows][:, None]) & (np.take_along_axis(urgency, first, axis=1) < 255)
        # Where all that is held pauses nothing is to be looked at before the first pause ends.
        idle = np.flatnonzero(~chosen[:, 0])
        pauses = np.where(self._items.phase[items] == Phase.HELD, self._again[items], np.inf).reshape(urgency.shape)
        self._idle_until[rows[idle]] = np.where(unsure, waits, pauses.min(axis=1))[idle]
        taken: I64 = (rows[:, None] * self._width + self._order[first])[chosen][:total]
        hosts = taken // self._width
        self._asked[taken] = now
        self._at_pace[taken] = self.limits.state[hosts] == LimitState.LIMITED
        self.limits.sent(hosts)
        used = np.bincount(hosts, minlength=self._hosts)
        self.held -= used
        allowed -= used
        return taken

    def next_time(self, now: float) -> float:
        """When something held may be sent; infinity: nothing is held, or what may be sent already has no room."""
        rows = np.flatnonzero(self.held > 0)
        if not len(rows):
            return np.inf
        due = np.maximum(self.limits.due(rows), self._idle_until[rows])
        return float(np.where(due > now, due, np.inf).min())

    def remaining(self) -> float | None:
        """Seconds until the slowest host is done; ``None`` while a rate is being looked for, or nothing is held."""
        rows = np.flatnonzero(self.held > 0)
        if not len(rows) or (self.limits.state[rows] != LimitState.LIMITED).any():
            return None
        return float((self.held[rows] / self.limits.rate[rows]).max())
