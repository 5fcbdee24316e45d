"""Normal text: what a terminal and ``-oN`` show (spec sheet 6.1), and the error stream's part of it.

A terminal gets what passes while the scan runs (stages, discoveries, packets); a log file gets the answers, and
the warnings too, which for a terminal go to the error stream so that they are seen when the output is piped away.
"""

from __future__ import annotations

from leadline.model.event import (
    Event,
    HostDone,
    Notice,
    PacketTraced,
    PortFound,
    ScanEnded,
    ScanStarted,
    ServiceTraced,
    TargetSkipped,
    TaskEnded,
    TaskProgress,
    TaskStarted,
    TimingDecision,
)
from leadline.model.host import Host, HostStatus
from leadline.model.plan import OutputPlan
from leadline.model.port import Reason
from leadline.model.swept import HostsSilent, HostsSwept
from leadline.report.escape import command_line, for_terminal
from leadline.report.host_text import host_lines
from leadline.report.progress import ProgressGate
from leadline.report.swept import TEXT, swept_text
from leadline.report.view import port_view, shows_host
from leadline.report.words import (
    PROTOCOL_LABEL,
    calendar,
    clock_span,
    counted,
    ending,
    ending_reason,
    hosts_summary,
    in_bytes,
    minute,
    silent_words,
    stamp,
)

_WINDOW_MOVES = frozenset({"cwnd", "ssthresh"})
_DOWN_NOTE = "Note: the host seems to be down. If it is up but drops our discovery probes, try -Pn"
# On one's own link nothing reaches a host whose MAC is not known: -Pn would not help.
_NO_NEIGHBOR_NOTE = "Note: the host seems to be down: nobody on the local link answers for its address"


class NormalText:
    """``plan`` may be replaced between events (a user changes the verbosity while the scan runs).

    ``file``: text for ``-oN``: first and last line are comments (date, command line), nothing of what only passes.
    """

    def __init__(self, plan: OutputPlan, colour: bool = False, *, file: bool = False) -> None:
        self.plan = plan
        self._colour = colour
        self._file = file
        self._gate = ProgressGate()
        self._started = 0.0
        self._ports_wanted = False
        self._hosts_down = 0
        self._down_note = _DOWN_NOTE

    def request_status(self) -> None:
        """The next progress event gives its lines, whatever the time."""
        self._gate.ask()

    def feed(self, event: Event) -> str:
        """The text to append for this event, with its line ends; empty when there is nothing to say."""
        lines = self._lines(event)
        return "\n".join(lines) + "\n" if lines else ""

    def _lines(self, event: Event) -> list[str]:
        match event:
            case HostDone():
                return self._host(event)
            case HostsSwept():
                return self._swept(event)
            case HostsSilent():
                return silent_lines(event)
            case ScanStarted():
                return self._begin(event)
            case ScanEnded():
                return self._end_of_file(event) if self._file else self._end(event)
            case Notice() | TargetSkipped():
                return self._notice(event)
            case _:
                return [] if self._file else self._passing(event)

    def _begin(self, event: ScanStarted) -> list[str]:
        self._started = event.started
        self._ports_wanted = bool(event.scans)
        if self._file:
            typed = command_line(event.arguments)
            return [f"# Leadline {event.version} scan initiated {calendar(event.started)} as: {typed}"]
        return [f"Starting Leadline {event.version} at {stamp(event.started)}"]

    def _host(self, event: HostDone) -> list[str]:
        host = event.host
        self._hosts_down += host.status is HostStatus.DOWN
        if host.evidence is not None and host.evidence.probe in ("arp", "neighbor"):
            self._down_note = _NO_NEIGHBOR_NOTE
        elif host.reason is Reason.NO_ROUTE:
            self._down_note = ""
        if not shows_host(host, self.plan, self._ports_wanted):
            return []
        return host_lines(host, port_view(host, self.plan), self.plan, self._colour)

    def _swept(self, event: HostsSwept) -> list[str]:
        self._hosts_down += int((event.status == HostStatus.DOWN).sum())
        text = (
            "".join(map(self._host_text, event.hosts()))
            if self.plan.debugging
            else swept_text(event, self._host_text, TEXT)
        )
        return [text.removesuffix("\n")] if text else []

    def _host_text(self, host: Host) -> str:
        if not shows_host(host, self.plan, self._ports_wanted):
            return ""
        return "\n".join(host_lines(host, port_view(host, self.plan), self.plan, self._colour)) + "\n"

    def _notice(self, event: Notice | TargetSkipped) -> list[str]:
        if self._file:
            return notice_lines(event) or _quiet_notice_lines(event, self.plan)
        return _quiet_notice_lines(event, self.plan)

    def _passing(self, event: Event) -> list[str]:
        match event:
            case TaskStarted() | TaskProgress() | TaskEnded():
                return self._task(event)
            case PortFound() if self.plan.verbosity > 0:
                port = event.port
                return [f"Discovered open port {port.number}/{PROTOCOL_LABEL[port.protocol]} on {event.address}"]
            case PacketTraced() if self.plan.packet_trace:
                return [f"{event.direction} ({event.at:.4f}s) {for_terminal(event.summary)}"]
            case ServiceTraced():
                where = f"{event.port}/{PROTOCOL_LABEL[event.protocol]} on {event.address}"
                return [f"SERVICE ({event.at:.4f}s) {where}: {for_terminal(event.text)}"]
            case TimingDecision() if self.plan.debugging > (event.what in _WINDOW_MOVES):
                whose = str(event.address) if event.address is not None else "the group"
                return [
                    f"Timing of {whose} at {event.at:.3f}s: {event.what} {event.old:g} -> {event.new:g} "
                    f"({for_terminal(event.cause)})"
                ]
            case _:
                return []

    def _task(self, event: TaskStarted | TaskProgress | TaskEnded) -> list[str]:
        if isinstance(event, TaskProgress):
            return progress_lines(event, self._started) if self._gate.admits(event, self.plan) else []
        if isinstance(event, TaskStarted):
            self._gate.task_started(event, self.plan)
        else:
            self._gate.task_ended(event)
        if self.plan.verbosity < 1:
            return []
        clock = minute(self._started + event.at)
        detail = for_terminal(event.detail)
        if isinstance(event, TaskStarted):
            if not detail:
                return [f"Initiating {event.task} at {clock}"]
            if event.task.lower().endswith("scan"):
                return [f"Initiating {event.task} at {clock}", f"Scanning {detail}"]
            return [f"Initiating {event.task} of {detail} at {clock}"]
        return [f"Completed {event.task} at {clock}, {event.seconds:.2f}s elapsed{f' ({detail})' if detail else ''}"]

    def _end(self, event: ScanEnded) -> list[str]:
        lines = []
        if event.exit == "success" and not event.hosts_total:
            lines.append("No address was scanned.")
        elif event.exit == "success" and event.hosts_total == 1 and self._hosts_down and self._down_note:
            lines.append(self._down_note)
        lines.append(f"Leadline {ending(event)}: {hosts_summary(event.hosts_total, event.hosts_up, event.at)}")
        if self.plan.verbosity > 0 and event.packets_sent:
            sent = f"{event.packets_sent} ({in_bytes(event.bytes_sent)})"
            received = f"{event.packets_received} ({in_bytes(event.bytes_received)})"
            lines.append(f"           Raw packets sent: {sent} | Rcvd: {received}")
        return lines

    def _end_of_file(self, event: ScanEnded) -> list[str]:
        summary = hosts_summary(event.hosts_total, event.hosts_up, event.at)
        return [f"# Leadline {ending(event)} at {calendar(event.ended)} -- {summary}{ending_reason(event)}"]


class ErrorText:
    """The error stream's part: warnings, errors, skipped targets, and why a scan stopped by an error did so."""

    def __init__(self, plan: OutputPlan, colour: bool = False) -> None:
        self.plan = plan
        self._colour = colour
        self._told: set[str] = set()

    def feed(self, event: Event) -> str:
        """The text to append for this event, with its line ends; empty when there is nothing to say."""
        lines: list[str] = []
        if isinstance(event, Notice | TargetSkipped):
            lines = notice_lines(event)
            if isinstance(event, Notice) and event.level == "error":
                self._told.add(event.text)
        elif isinstance(event, ScanEnded) and event.exit == "error" and event.message:
            # An interface that fails is told of at once; what else went on may have taken minutes since.
            lines = [] if event.message in self._told else _lines_of(f"ERROR: {event.message}")
            lines = [*lines, "QUITTING!"]
        if self._colour:
            lines = [f"\x1b[33m{line}\x1b[0m" for line in lines]
        return "\n".join(lines) + "\n" if lines else ""


def notice_lines(event: Notice | TargetSkipped) -> list[str]:
    """Warnings, errors and skipped targets; nothing for the quieter levels."""
    if isinstance(event, TargetSkipped):
        reason = for_terminal(event.reason).rstrip(".")
        # Faults of the expression itself already name it.
        named = reason.startswith("Target ")
        return [f"{reason}: skipped." if named else f'Target "{for_terminal(event.expression)}" skipped: {reason}.']
    prefix = {"warning": "WARNING: ", "error": "ERROR: "}.get(event.level)
    return _lines_of(prefix + event.text) if prefix else []


def silent_lines(event: HostsSilent) -> list[str]:
    """Hosts of a sweep that are only counted; nothing of those that are down, as of all that are."""
    return [] if event.status is HostStatus.DOWN else [f"Not shown: {silent_words(event)}"]


def progress_lines(event: TaskProgress, started: float) -> list[str]:
    """The two lines of ``--stats-every`` and of a key press (spec sheet 6.4). ``started``: of the scan, epoch."""
    hosts = f"{counted(event.hosts_done, 'host')} completed ({event.hosts_up} up)"
    timing = f"{event.task} Timing: About {event.percent:.2f}% done"
    if event.remaining is not None:
        clock = minute(started + event.at + event.remaining)
        timing += f"; ETC: {clock} ({clock_span(event.remaining)} remaining)"
    return [
        f"Stats: {clock_span(event.at)} elapsed; {hosts}, {event.hosts_active} undergoing {event.task}",
        timing,
    ]


def _quiet_notice_lines(event: Notice | TargetSkipped, plan: OutputPlan) -> list[str]:
    if isinstance(event, TargetSkipped) or event.level in ("warning", "error"):
        return []
    return _lines_of(event.text) if event.level == "info" or plan.debugging > 0 else []


def _lines_of(text: str) -> list[str]:
    """A message of several lines; the further ones are indented, so none can pass for a line of its own."""
    first, *others = text.split("\n")
    return [for_terminal(first), *(f"  {for_terminal(line)}" for line in others)]
