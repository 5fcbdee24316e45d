"""When a progress event is worth a line.

Progress events come often (a terminal's live line wants them); a log wants one now and then.
"""

from __future__ import annotations

from leadline.model.event import TaskEnded, TaskProgress, TaskStarted
from leadline.model.plan import OutputPlan

VERBOSE_INTERVAL = 30.0
"""With ``-v`` and no ``--stats-every``: seconds between two progress lines of a stage."""


class ProgressGate:
    """Lets one progress event of each task through for each interval, and the next one whenever somebody asked for it.

    The interval is ``--stats-every``, counted from the start of the scan; else, with ``-v``, 30 seconds counted from
    the start of the task, so that short ones stay quiet. Tasks overlap: each has its own lines.
    """

    __slots__ = ("_answered", "_asked", "_begun", "_last")

    def __init__(self) -> None:
        self._asked = False
        self._answered: set[str] = set()
        self._last: dict[str, float] = {}
        self._begun: dict[str, int] = {}

    def ask(self) -> None:
        """Let the next progress event of each task through, whatever the time."""
        self._asked = True
        self._answered.clear()

    def task_started(self, event: TaskStarted, plan: OutputPlan) -> None:
        """A group is begun with: with the first one of its task the verbose interval starts anew."""
        at_work = self._begun.get(event.task, 0)
        self._begun[event.task] = at_work + 1
        if plan.stats_every is None and not at_work:
            self._last[event.task] = event.at

    def task_ended(self, event: TaskEnded) -> None:
        """A group is done with."""
        self._begun[event.task] = max(0, self._begun.get(event.task, 0) - 1)

    def admits(self, event: TaskProgress, plan: OutputPlan) -> bool:
        """Whether this event gives a line; if so its time is kept."""
        if self._asked and event.task in self._answered:
            self._asked = False  # all that are at work have had the time to answer
        if self._asked or self._due(event, plan):
            self._answered.add(event.task)
            self._last[event.task] = event.at
            return True
        return False

    def _due(self, event: TaskProgress, plan: OutputPlan) -> bool:
        passed = event.at - self._last.get(event.task, 0.0)
        if plan.stats_every is not None:
            return passed >= plan.stats_every
        return plan.verbosity > 0 and passed >= VERBOSE_INTERVAL
