"""Where reports go: files opened before the scan begins, and the standard streams.

Every event is written and flushed at once, so that what was found is on disk whatever happens next. A sink that
cannot be written any more (full disk, closed pipe) stops with one clear error; the others go on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol, TextIO

from leadline.errors import UsageError
from leadline.model.event import Event, Notice, ScanStarted
from leadline.model.plan import OutputPlan
from leadline.report.text import ErrorText, NormalText


class Report(Protocol):
    """A format: events in, text out. ``plan`` may be replaced between events."""

    plan: OutputPlan

    def feed(self, event: Event) -> str:
        """The text to append for this event; empty when there is nothing to say."""
        ...


class Destination(Protocol):
    """Where text is appended. ``name``: for messages. Errors of writing are ``OSError``."""

    name: str

    def write(self, text: str) -> None:
        """Append and flush."""
        ...

    def close(self) -> None: ...


class Sink:
    """One report and its destination. ``error``: why it stopped, in a sentence; empty while it works."""

    def __init__(self, report: Report, destination: Destination) -> None:
        self.report = report
        self.error = ""
        self._destination = destination

    @property
    def name(self) -> str:
        """The file, or the stream, that is written."""
        return self._destination.name

    def feed(self, event: Event) -> str:
        """Write what the report says of this event; returns an error sentence if that stopped the sink, else ``''``."""
        if self.error:
            return ""
        text = self.report.feed(event)
        return self._guarded(lambda: self._destination.write(text)) if text else ""

    def close(self) -> str:
        """Close the destination; returns the error sentence if that failed, else ``''``."""
        return "" if self.error else self._guarded(self._destination.close)

    def request_status(self) -> None:
        """The next progress event is written whatever the time (a key was pressed)."""
        ask = getattr(self.report, "request_status", None)
        if ask is not None:
            ask()

    def _guarded(self, action: Callable[[], None]) -> str:
        try:
            action()
        except (OSError, ValueError) as problem:  # ValueError: somebody closed the stream
            reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
            self.error = f"Cannot write to {self.name}: {reason}; this output ends here."
            with suppress(OSError, ValueError):
                self._destination.close()
            return self.error
        return ""


def open_sinks(plan: OutputPlan, colour: bool = False) -> list[Sink]:
    """All outputs of the plan, ready to be fed; ``colour`` is for the terminal only.

    ``UsageError`` with one sentence for each file that cannot be opened; then none stays open.
    """
    sinks: list[Sink] = []
    problems: list[str] = []
    if plan.stdout_text:
        sinks.append(Sink(NormalText(plan, colour), StandardStream("stdout")))
    sinks.append(Sink(ErrorText(plan), StandardStream("stderr")))
    wanted = (
        (plan.normal, _normal),
        (plan.xml, _xml),
        (plan.grepable, _grepable),
        (plan.json, _json_lines),
    )
    for path, make in wanted:
        if path is None:
            continue
        try:
            sinks.append(Sink(make(plan), StandardStream("stdout") if path == "-" else OutputFile(path, plan.append)))
        except (OSError, ValueError) as problem:  # ValueError: a NUL in the name
            reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
            problems.append(f"Cannot open output file {path!r}: {reason}")
    if problems:
        close_all(sinks)
        raise UsageError(*problems)
    return sinks


# Each format is imported when it is wanted: no other scan waits for it.


def _normal(plan: OutputPlan) -> Report:
    return NormalText(plan, file=True)


def _xml(plan: OutputPlan) -> Report:
    from leadline.report.xml_doc import XmlDocument

    return XmlDocument(plan)


def _grepable(plan: OutputPlan) -> Report:
    from leadline.report.grepable import Grepable

    return Grepable(plan)


def _json_lines(plan: OutputPlan) -> Report:
    from leadline.report.json_lines import JsonLines

    return JsonLines(plan)


def feed_all(sinks: Iterable[Sink], event: Event) -> None:
    """Feed one event to every sink; a sink that stops is announced on those that still work."""
    sinks = tuple(sinks)
    errors = [error for sink in sinks if (error := sink.feed(event))]
    for error in errors:
        feed_all(sinks, Notice(0.0 if isinstance(event, ScanStarted) else event.at, "error", error))


def close_all(sinks: Iterable[Sink]) -> list[str]:
    """Close every sink; returns the error sentences of those that failed."""
    return [error for sink in sinks if (error := sink.close())]


class OutputFile:
    """A file opened for writing (``append``: at its end). Characters that UTF-8 cannot carry become escapes."""

    def __init__(self, path: str, append: bool = False) -> None:
        self.name = path
        self._file: TextIO = open(  # noqa: SIM115 - it lives as long as the scan
            path, "a" if append else "w", encoding="utf-8", errors="backslashreplace", newline="\n"
        )

    def write(self, text: str) -> None:
        """Append and flush."""
        self._file.write(text)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class StandardStream:
    """``stdout`` or ``stderr``, looked up at each write: a live display may stand in front of it."""

    def __init__(self, attribute: str) -> None:
        self.name = {"stdout": "standard output", "stderr": "standard error"}[attribute]
        self._attribute = attribute
        self._broken = False

    def write(self, text: str) -> None:
        """Append and flush; characters that the terminal's encoding lacks become escapes."""
        stream: TextIO = getattr(sys, self._attribute)
        encoding = stream.encoding or "utf-8"
        try:
            # Every encoding of a terminal has the ASCII characters.
            stream.write(text if text.isascii() else text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        except BrokenPipeError:
            self._broken = True
            raise

    def close(self) -> None:
        """Leave the stream open: it is not ours. After a broken pipe it is pointed at nothing.

        The interpreter flushes it once more when it ends, and would complain.
        """
        if self._broken:
            stream: TextIO = getattr(sys, self._attribute)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
