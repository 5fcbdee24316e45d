"""One scan from its first event to its exit status: events go to the reports, keys and signals come in."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING

from leadline import __version__
from leadline.cli import exit_codes
from leadline.cli.terminal import Terminal
from leadline.errors import ScanError
from leadline.model.event import Event, ScanEnded, ScanStarted
from leadline.report.sink import Sink, close_all, feed_all

if TYPE_CHECKING:
    from leadline.engine.control import Control
    from leadline.link.base import Clock
    from leadline.model.plan import Plan


class Session:
    """Feeds ``sinks`` and closes them validly whatever happens: the last event they get is always a ``ScanEnded``."""

    def __init__(self, plan: Plan, control: Control, sinks: Sequence[Sink], clock: Clock, terminal: Terminal) -> None:
        self._plan = plan
        self._control = control
        self._sinks = sinks
        self._clock = clock
        self._terminal = terminal
        self._started: tuple[float, float] | None = None
        self._ended: ScanEnded | None = None

    def run(self, events: Iterator[Event]) -> int:
        """Runs the scan to its end; the exit status."""
        try:
            self._follow(events)
        except KeyboardInterrupt:
            # A second signal: the pipeline did not get to its own end.
            self._end("interrupted", f"interrupted by {self._control.stop}")
        except ScanError as error:
            self._end("error", str(error))
        except Exception as error:  # noqa: BLE001 - a fault of ours must still leave valid reports behind
            self._internal_error(error)
        finally:
            if isinstance(events, Generator):
                events.close()
            problems = close_all(self._sinks)
        for problem in problems:
            sys.stderr.write(problem + "\n")
        return self._status(bool(problems))

    def _follow(self, events: Iterator[Event]) -> None:
        for event in events:
            self._feed(event)
            if self._ended is None and not self._control.stop and self._nobody_reads():
                self._control.stop = "output"
        if self._ended is None:
            self._end("error", "internal error: the scan ended without a last word")

    def _feed(self, event: Event) -> None:
        if isinstance(event, ScanStarted):
            self._started = (event.started, self._clock.now())
        elif isinstance(event, ScanEnded):
            self._ended = event
        self._terminal.before(event)
        feed_all(self._sinks, event)
        self._terminal.after(event)

    def _nobody_reads(self) -> bool:
        """Every report that answers go to has stopped (closed pipe, full disk)."""
        reports = [sink for sink in self._sinks if sink.name != "standard error"]
        return bool(reports) and all(sink.error for sink in reports)

    def _end(self, how: str, message: str) -> None:
        """The last event, if the pipeline did not give it."""
        if self._ended is not None:
            return
        if self._started is None:
            self._feed(
                ScanStarted(
                    started=self._clock.epoch(),
                    version=__version__,
                    arguments=self._plan.arguments,
                    verbosity=self._plan.output.verbosity,
                    debugging=self._plan.output.debugging,
                )
            )
        assert self._started is not None
        at = self._clock.now() - self._started[1]
        self._feed(ScanEnded(at=at, ended=self._clock.epoch(), exit=how, message=message))

    def _internal_error(self, error: Exception) -> None:
        if self._plan.output.debugging > 0:
            import traceback

            traceback.print_exception(error)
        hint = "" if self._plan.output.debugging > 0 else " (a fault of Leadline; with -d it shows where)"
        self._end("error", f"internal error: {type(error).__name__}: {error}{hint}")
        self._ended = ScanEnded(at=0.0, ended=0.0, exit="error")

    def _status(self, problems: bool) -> int:
        if self._ended is None or self._ended.exit == "error":
            return exit_codes.FATAL
        # A report that could not be finished is a failure, whatever the scan found.
        if problems or any(sink.error for sink in self._sinks):
            return exit_codes.FATAL
        if self._ended.exit == "interrupted":
            return exit_codes.for_signal(self._control.stop)
        return exit_codes.SUCCESS
