"""When a progress event is worth a line.

Progress events come often (a terminal's live line wants them); a log wants one now and then.
"""

from __future__ import annotations

from leadline.model.event import TaskProgress, TaskStarted
from leadline.model.plan import OutputPlan

VERBOSE_INTERVAL = 30.0
"""With ``-v`` and no ``--stats-every``: seconds between two progress lines of a stage."""


class ProgressGate:
    """Lets one progress event through for each interval, and the next one whenever somebody asked for it.

    The interval is ``--stats-every``, counted from the start of the scan; else, with ``-v``, 30 seconds counted from
    the start of the stage, so that short stages stay quiet.
    """

    __slots__ = ("_asked", "_last")

    def __init__(self) -> None:
        self._asked = False
        self._last = 0.0

    def ask(self) -> None:
        """Let the next progress event through, whatever the time."""
        self._asked = True

    def task_started(self, event: TaskStarted, plan: OutputPlan) -> None:
        """A stage begins: the verbose interval starts anew."""
        if plan.stats_every is None:
            self._last = event.at

    def admits(self, event: TaskProgress, plan: OutputPlan) -> bool:
        """Whether this event gives a line; if so its time is kept."""
        if self._asked or self._due(event.at, plan):
            self._asked = False
            self._last = event.at
            return True
        return False

    def _due(self, at: float, plan: OutputPlan) -> bool:
        if plan.stats_every is not None:
            return at - self._last >= plan.stats_every
        return plan.verbosity > 0 and at - self._last >= VERBOSE_INTERVAL
