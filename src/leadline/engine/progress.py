"""How far a stage is, how fast it sends, and how long it will still take."""

from __future__ import annotations

from leadline.model.event import TaskProgress
from leadline.model.quick_dataclass import dataclass

# Seconds between two progress events of a running stage.
INTERVAL = 0.25
# The rate is smoothed over about this many intervals (spec sheet 2.10 weighs new and old 1:3).
NEW_SHARE = 0.25


@dataclass(slots=True)
class Tally:
    """Counts over the whole scan, shared by all stages."""

    hosts_done: int = 0
    hosts_up: int = 0
    hosts_down: int = 0
    hosts_active: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    packets_received: int = 0
    bytes_received: int = 0


def hosts_text(count: int) -> str:
    """``1 host``, ``2 hosts``: the detail of a task."""
    return f"{count} host{'' if count == 1 else 's'}"


class ProgressMeter:
    """Turns the share of work done into progress events. ``begun``: clock seconds; ``epoch``: the scan's begin."""

    def __init__(self, task: str, tally: Tally, begun: float, epoch: float) -> None:
        self._task, self._tally = task, tally
        self._begun, self._epoch = begun, epoch
        self._next = begun + INTERVAL
        self._last_time, self._last_sent = begun, 0
        self._rate = 0.0

    def due(self, now: float) -> bool:
        """Whether the next event is due."""
        return now >= self._next

    def event(self, now: float, share: float, sent: int, received: int) -> TaskProgress:
        """The state now: ``share`` 0..1 of the work, packets ``sent`` and ``received`` by this stage."""
        elapsed = now - self._last_time
        if elapsed >= INTERVAL / 2:
            lately = (sent - self._last_sent) / elapsed
            self._rate = lately if self._rate == 0 else self._rate + NEW_SHARE * (lately - self._rate)
            self._last_time, self._last_sent = now, sent
        self._next = now + INTERVAL
        passed = now - self._begun
        remaining = passed * (1 - share) / share if share > 0.01 else None
        return TaskProgress(
            at=now - self._epoch,
            task=self._task,
            percent=100 * share,
            remaining=remaining,
            sent=sent,
            received=received,
            rate=self._rate,
            hosts_done=self._tally.hosts_done,
            hosts_up=self._tally.hosts_up,
            hosts_active=self._tally.hosts_active,
        )
