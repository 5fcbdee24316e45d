"""One scan from its first event to its exit status: events go to the reports, keys and signals come in."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING

from leadline import __version__
from leadline.cli import exit_codes
from leadline.cli.faults import fault_words
from leadline.cli.terminal import Terminal
from leadline.errors import ScanError
from leadline.model.event import Event, HostDone, Notice, ScanEnded, ScanStarted
from leadline.model.host import HostStatus
from leadline.model.swept import HostsSilent, HostsSwept
from leadline.report.sink import Sink, close_all, feed_all

if TYPE_CHECKING:
    from leadline.engine.control import Control
    from leadline.link.base import Clock
    from leadline.link.recorder import RecordedNetwork
    from leadline.model.plan import Plan


class Session:
    """Feeds ``sinks`` and closes them validly whatever happens: the last event they get is always a ``ScanEnded``."""

    def __init__(
        self,
        plan: Plan,
        control: Control,
        sinks: Sequence[Sink],
        clock: Clock,
        terminal: Terminal,
        recorded: RecordedNetwork | None = None,
    ) -> None:
        self._plan = plan
        self._recorded = recorded
        self._recording_failed = False
        self._hosts: Counter[HostStatus] = Counter()
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
            problems = self._close()
        for problem in problems:
            sys.stderr.write(problem + "\n")
        return self._status(bool(problems))

    def _follow(self, events: Iterator[Event]) -> None:
        for event in events:
            self._feed(event)
            self._look_at_recording(event)
            if self._ended is None and not self._control.stop and self._nobody_reads():
                self._control.stop = "output"
        if self._ended is None:
            self._end("error", "internal error: the scan ended without a last word")

    def _feed(self, event: Event) -> None:
        if isinstance(event, ScanStarted):
            self._started = (event.started, self._clock.now())
        elif isinstance(event, ScanEnded):
            self._ended = event
        elif isinstance(event, HostDone):
            self._hosts[event.host.status] += 1
        elif isinstance(event, HostsSwept):
            for status, count in event.statuses().items():
                self._hosts[status] += count
        elif isinstance(event, HostsSilent):
            self._hosts[event.status] += event.count
        self._terminal.before(event)
        feed_all(self._sinks, event)
        self._terminal.after(event)

    def _look_at_recording(self, event: Event) -> None:
        """A recording that broke off is told once; the scan goes on without it."""
        if self._recorded is None or self._recording_failed or not self._recorded.problem:
            return
        self._recording_failed = True
        if self._ended is None:
            at = 0.0 if isinstance(event, ScanStarted) else event.at
            self._feed(Notice(at, "error", self._recorded.problem))
        else:
            sys.stderr.write(self._recorded.problem + "\n")

    def _close(self) -> list[str]:
        """Every output; what is wrong with them and was not told yet."""
        problems = close_all(self._sinks)
        if self._recorded is not None:
            self._recorded.close()
            if self._recorded.problem and not self._recording_failed:
                problems.append(self._recorded.problem)
        return problems

    def _nobody_reads(self) -> bool:
        """Every report that answers go to has stopped (closed pipe, full disk)."""
        stopped = False
        for sink in self._sinks:
            if sink.name != "standard error":
                if not sink.error:
                    return False
                stopped = True
        return stopped

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
        self._feed(
            ScanEnded(
                at=at,
                ended=self._clock.epoch(),
                exit=how,
                message=message,
                hosts_up=self._hosts[HostStatus.UP],
                hosts_down=self._hosts[HostStatus.DOWN],
                hosts_total=self._hosts.total(),
            )
        )

    def _internal_error(self, error: Exception) -> None:
        self._end("error", fault_words(error, self._plan.output.debugging > 0))
        self._ended = ScanEnded(at=0.0, ended=0.0, exit="error")

    def _status(self, problems: bool) -> int:
        if self._ended is None or self._ended.exit == "error":
            return exit_codes.FATAL
        # A report that could not be finished is a failure, whatever the scan found.
        if problems or self._recording_failed or any(sink.error for sink in self._sinks):
            return exit_codes.FATAL
        if self._ended.exit == "interrupted":
            return exit_codes.for_signal(self._control.stop)
        return exit_codes.SUCCESS
