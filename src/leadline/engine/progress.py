"""How far a stage is, how fast it sends, and how long it will still take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from leadline.engine.control import Control
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


@dataclass(slots=True)
class Board:
    """One task's progress, whatever number of groups it is at work on at the same time. ``begun``: clock seconds.

    ``meters``: of those groups. ``done``, ``sent``, ``received``: of groups that are finished; they count until nothing
    more is at work, nor ``waiting`` (its weight) for its turn, so that the share of the work done never falls because
    a group came to its end. ``asked``: somebody wants to know now.
    """

    begun: float
    meters: list[ProgressMeter] = field(default_factory=list)
    waiting: float = 0.0
    done: float = 0.0
    sent: int = 0
    received: int = 0
    next: float = 0.0
    asked: bool = False
    rate: float = 0.0
    last_time: float = 0.0
    last_sent: int = 0

    def join(self, meter: ProgressMeter, now: float) -> None:
        """One more group is at work."""
        if not self.meters and not self.done:
            self.begun = self.last_time = now
            self.next, self.rate, self.last_sent = now + INTERVAL, 0.0, 0
        self.meters.append(meter)

    def leave(self, meter: ProgressMeter) -> None:
        """A group is finished."""
        self.meters.remove(meter)
        self.done += meter.weight
        self.sent += meter.sent
        self.received += meter.received
        if not self.meters and self.waiting <= 0:
            self.done, self.sent, self.received = 0.0, 0, 0


class ProgressMeter:
    """Turns the share of work done into progress events. ``begun``: clock seconds; ``epoch``: the scan's begin.

    ``board``: of the task, shared by all groups that it works on (else it has its own); ``weight``: of this group's
    work among theirs. ``others``: the boards of all tasks, told when a user asks how far the scan is. ``look``: gives
    share, sent and received of this group when another one gives the event; ``left``: the seconds that it needs
    where that is known, as of hosts that limit their answers.
    """

    def __init__(
        self, task: str, tally: Tally, begun: float, epoch: float, board: Board | None = None, weight: float = 1.0,
        others: dict[str, Board] | None = None,
    ) -> None:  # fmt: skip
        self._task, self._tally, self._epoch = task, tally, epoch
        self._board = board or Board(begun)
        self._others = others if others is not None else {task: self._board}
        self.weight, self.share = max(weight, 1.0), 0.0
        self.sent = self.received = 0
        self.look: Callable[[], tuple[float, int, int]] | None = None
        self.left: Callable[[], float | None] = lambda: None
        self._ended = False
        self._board.join(self, begun)

    def due(self, now: float, control: Control | None = None) -> bool:
        """Whether the task's next event is due; a request of the user is passed on to all tasks that are at work."""
        if control is not None and control.status_requested:
            control.status_requested = False
            for board in self._others.values():
                board.asked = bool(board.meters)
        return self._board.asked or now >= self._board.next

    def event(self, now: float, share: float, sent: int, received: int) -> TaskProgress:
        """The task's state now: ``share`` 0..1 of this group's work, packets ``sent`` and ``received`` for it."""
        board = self._board
        self.share, self.sent, self.received = share, sent, received
        for meter in board.meters:
            if meter is not self and meter.look is not None:
                meter.share, meter.sent, meter.received = meter.look()
        total = board.done + board.waiting + sum(meter.weight for meter in board.meters)
        share = (board.done + sum(meter.weight * meter.share for meter in board.meters)) / total
        sent = board.sent + sum(meter.sent for meter in board.meters)
        elapsed = now - board.last_time
        if elapsed >= INTERVAL / 2:
            lately = (sent - board.last_sent) / elapsed
            board.rate = lately if board.rate == 0 else board.rate + NEW_SHARE * (lately - board.rate)
            board.last_time, board.last_sent = now, sent
        board.next, board.asked = now + INTERVAL, False
        return TaskProgress(
            at=now - self._epoch,
            task=self._task,
            percent=100 * share,
            remaining=self._remaining(now - board.begun, share),
            sent=sent,
            received=board.received + sum(meter.received for meter in board.meters),
            rate=board.rate,
            hosts_done=self._tally.hosts_done,
            hosts_up=self._tally.hosts_up,
            hosts_active=self._tally.hosts_active,
        )

    def _remaining(self, passed: float, share: float) -> float | None:
        """Seconds: what the slowest group says, if it says something; else as long as the rest takes at this pace."""
        told = [left for meter in self._board.meters for left in (meter.left(),) if left is not None]
        if told:
            return max(told)
        return passed * (1 - share) / share if share > 0.01 else None

    def end(self) -> None:
        """This group's work is done, or was cut. Calling twice does nothing."""
        if not self._ended:
            self._ended = True
            if self.look is not None:
                _, self.sent, self.received = self.look()
            self.look = None
            self._board.leave(self)
