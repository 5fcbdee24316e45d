"""Spreads over time what nobody answers.

Answers come back one by one and each makes room for one probe: they are a clock. Timeouts are none: everything that was
sent in one burst times out in one burst, and would be followed by the next. Such a burst is lost at the first queue
that is shorter. So where answers are rare, a window's worth of probes is spread over the time that it is waited for.
"""

from __future__ import annotations

import math

# Answers among what was sent below which they are no clock, and the number of probes over which that is looked at.
RARE, HORIZON = 0.1, 64
# The schedule is this much faster than the window, which remains the bound.
AHEAD = 1.25
# What may leave at once: so many probes, or the work of so many seconds.
BURST, BURST_SECONDS = 4.0, 0.005


class Pace:
    """Until something has timed out it bounds nothing. Windows in probes, times in seconds.

    ``least``: probes that the user wants to be in flight, and that may leave at once therefore.
    """

    def __init__(self, least: float) -> None:
        self._least_burst = max(BURST, least)
        self._answered = 1.0
        self._heard_nothing = True
        self._free_at = -math.inf
        self._rate = 0.0

    @property
    def spreads(self) -> bool:
        """Whether answers are too rare to be a clock."""
        return self._answered < RARE

    def resolved(self, answered: int, timed_out: int) -> None:
        """So many probes were answered or given up."""
        count = answered + timed_out
        if count and self._heard_nothing:
            self._heard_nothing = False
            self._answered = answered / count
        elif count:
            weight = 1.0 - (1.0 - 1.0 / HORIZON) ** count
            self._answered += weight * (answered / count - self._answered)

    def room(self, now: float, window: float, patience: float, ceiling: float | None = None) -> int | None:
        """How many probes may leave now when ``window`` of them are waited for ``patience`` seconds each, and no more
        than ``ceiling`` a second are wanted.

        ``None``: as many as the window has room for.
        """
        if not self.spreads and ceiling is None:
            self._free_at = -math.inf
            self._rate = 0.0
            return None
        self._rate = AHEAD * window / patience if self.spreads else math.inf
        if ceiling is not None:
            self._rate = min(self._rate, ceiling)
        burst = self._burst()
        self._free_at = max(self._free_at, now - burst / self._rate)
        return int((now - self._free_at) * self._rate + 1e-6)

    def sent(self, count: int) -> None:
        """Book ``count`` probes."""
        if self._rate:
            self._free_at += count / self._rate

    def next_time(self, now: float) -> float | None:
        """When half a burst may leave again; ``None``: the pace is not what is waited for."""
        if not self._rate:
            return None
        at = self._free_at + self._burst() / 2 / self._rate
        return at if at > now else None

    def _burst(self) -> float:
        return max(self._least_burst, self._rate * BURST_SECONDS)
