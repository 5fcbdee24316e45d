"""Packets a second: never more than the maximum, and at least the minimum while there is work."""

from __future__ import annotations

# How far the schedule may lag behind and be caught up in a burst. Nmap lets it lag without bound (spec sheet 2.2);
# a tenth of a second keeps bursts small and still forgives a late wake-up.
CATCH_UP = 0.1


class RateLimiter:
    """Both bounds of ``--max-rate`` and ``--min-rate`` (packets a second, ``None``: no bound)."""

    def __init__(self, max_rate: float | None, min_rate: float | None, now: float) -> None:
        self.max_rate = max_rate
        self.min_rate = min_rate
        self._allowed_at = now
        self._due_at = now

    def room(self, now: float, wanted: int) -> int:
        """How many of ``wanted`` packets the maximum allows to leave now."""
        if self.max_rate is None:
            return wanted
        self._allowed_at = max(self._allowed_at, now - CATCH_UP)
        return min(wanted, int((now - self._allowed_at) * self.max_rate + 1e-9) + 1) if now >= self._allowed_at else 0

    def owed(self, now: float) -> int:
        """How many packets the minimum wants to leave now, whatever the windows say."""
        if self.min_rate is None or now < self._due_at:
            return 0
        # Slack is not accumulated: what was missed for lack of work is not owed later.
        self._due_at = max(self._due_at, now - CATCH_UP)
        return int((now - self._due_at) * self.min_rate) + 1

    def sent(self, count: int) -> None:
        """Book ``count`` packets."""
        if self.max_rate is not None:
            self._allowed_at += count / self.max_rate
        if self.min_rate is not None:
            self._due_at += count / self.min_rate

    def next_time(self, now: float) -> float | None:
        """When the maximum lets the next packet leave, or the minimum asks for one; ``None``: time changes neither.

        A minimum that asks for packets already is not a time to wait for: there was nothing to send then.
        """
        times = []
        if self.max_rate is not None and self._allowed_at > now:
            times.append(self._allowed_at)
        if self.min_rate is not None and self._due_at > now:
            times.append(self._due_at)
        return min(times) if times else None
