from __future__ import annotations

from dataclasses import replace

import pytest

from leadline.model.event import (
    Event,
    HostDone,
    HostFound,
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
from leadline.model.evidence import Evidence
from leadline.model.plan import OutputPlan
from leadline.model.port import Protocol, Reason
from leadline.report.text import ErrorText, NormalText, notice_lines, progress_lines
from tests.support.report_events import STARTED, WEB, down_host, port, web_host, whole_scan
from tests.support.timezone import utc

__all__ = ["utc"]  # the fixture

pytestmark = pytest.mark.usefixtures("utc")

START = ScanStarted(STARTED, "0.1.0", ("leadline", "10.0.0.1"))
END = ScanEnded(2.5, STARTED + 2.5, "success", "", 1, 0, 1, 10, 440, 9, 396)
PROGRESS = TaskProgress(40.0, "SYN Stealth Scan", 12.3, 100.0, 0, 0, 0.0, 1, 2, 3)


def last_text(plan: OutputPlan, *events: Event, file: bool = False) -> str:
    """What the report says of the last event."""
    report = NormalText(plan, file=file)
    return [report.feed(event) for event in (START, *events)][-1]


def test_first_lines() -> None:
    assert NormalText(OutputPlan()).feed(START) == "Starting Leadline 0.1.0 at 2026-11-23 12:25 UTC\n"
    assert NormalText(OutputPlan(), file=True).feed(START) == (
        "# Leadline 0.1.0 scan initiated Mon Nov 23 12:25:44 2026 as: leadline 10.0.0.1\n"
    )


SUMMARY = "1 IP address (1 host up) scanned in 2.50 seconds"


@pytest.mark.parametrize(
    ("exit_word", "message", "terminal", "file"),
    [
        ("success", "", f"Leadline done: {SUMMARY}", f"# Leadline done at Mon Nov 23 12:25:46 2026 -- {SUMMARY}"),
        (
            "interrupted",
            "interrupted by SIGINT",
            f"Leadline interrupted by SIGINT: {SUMMARY}",
            f"# Leadline interrupted by SIGINT at Mon Nov 23 12:25:46 2026 -- {SUMMARY}",
        ),
        (
            "error",
            "no route",
            f"Leadline stopped by an error: {SUMMARY}",
            f"# Leadline stopped by an error at Mon Nov 23 12:25:46 2026 -- {SUMMARY}; no route",
        ),
    ],
)
def test_last_lines(exit_word: str, message: str, terminal: str, file: str) -> None:
    end = replace(END, exit=exit_word, message=message)
    assert last_text(OutputPlan(), end) == terminal + "\n"
    assert last_text(OutputPlan(), end, file=True) == file + "\n"


def test_packets_are_counted_with_verbosity() -> None:
    text = last_text(OutputPlan(verbosity=1), END)
    assert text.endswith("\n           Raw packets sent: 10 (440B) | Rcvd: 9 (396B)\n")
    assert "Raw" not in last_text(OutputPlan(verbosity=1), replace(END, packets_sent=0))
    assert "Raw" not in last_text(OutputPlan(verbosity=1), END, file=True)


def test_a_single_host_that_is_down_gets_a_hint() -> None:
    none_up = replace(END, hosts_up=0, hosts_down=1)
    assert "try -Pn\nLeadline done: " in last_text(OutputPlan(), HostDone(1.0, down_host()), none_up)
    assert "-Pn" not in last_text(OutputPlan(), none_up)  # a list scan
    for probe in ("arp", "neighbor"):
        unheard = replace(down_host(), evidence=Evidence(probe, 2, at=2.0, rule="no reply to any probe -> down"))
        told = last_text(OutputPlan(), HostDone(1.0, unheard), none_up)
        assert "nobody on the local link answers for its address\nLeadline done: " in told
        assert "-Pn" not in told
    nowhere = HostDone(1.0, replace(down_host(), reason=Reason.NO_ROUTE, evidence=None))
    assert last_text(OutputPlan(), nowhere, none_up).startswith("Leadline done: ")
    two = replace(none_up, hosts_total=2)
    assert "-Pn" not in last_text(OutputPlan(), HostDone(1.0, down_host()), two)


def test_a_scan_of_nothing_says_so() -> None:
    assert last_text(OutputPlan(), replace(END, hosts_total=0)).startswith("No address was scanned.\n")


PASSING: list[tuple[Event, OutputPlan, str]] = [
    (TaskStarted(60.0, "Ping Scan"), OutputPlan(verbosity=1), "Initiating Ping Scan at 12:26\n"),
    (TaskStarted(0.0, "A", "b\tc"), OutputPlan(verbosity=1), "Initiating A of b\\x09c at 12:25\n"),
    (
        TaskStarted(0.0, "Ping Scan", "2 hosts"),
        OutputPlan(verbosity=1),
        "Initiating Ping Scan at 12:25\nScanning 2 hosts\n",
    ),
    (TaskEnded(1.0, "A", "", 1.234), OutputPlan(verbosity=1), "Completed A at 12:25, 1.23s elapsed\n"),
    (PortFound(1.0, WEB, port(22)), OutputPlan(verbosity=1), "Discovered open port 22/tcp on 10.0.0.1\n"),
    (PacketTraced(0.05, "RCVD", "TCP \x1b"), OutputPlan(packet_trace=True), "RCVD (0.0500s) TCP \\x1b\n"),
    (
        TimingDecision(1.0, WEB, "scan_delay", "loss", 0.0, 0.005),
        OutputPlan(debugging=1),
        "Timing of 10.0.0.1 at 1.000s: scan_delay 0 -> 0.005 (loss)\n",
    ),
    (
        TimingDecision(1.0, None, "cwnd", "loss", 10.0, 1.0),
        OutputPlan(debugging=2),
        "Timing of the group at 1.000s: cwnd 10 -> 1 (loss)\n",
    ),
    (
        replace(PROGRESS, remaining=None),
        OutputPlan(stats_every=30.0),
        "Stats: 0:00:40 elapsed; 1 host completed (2 up), 3 undergoing SYN Stealth Scan\n"
        "SYN Stealth Scan Timing: About 12.30% done\n",
    ),
]


@pytest.mark.parametrize(("event", "plan", "text"), PASSING)
def test_what_passes_is_for_terminals_that_asked(event: Event, plan: OutputPlan, text: str) -> None:
    assert last_text(plan, event) == text
    assert last_text(OutputPlan(), event) == ""
    assert last_text(plan, event, file=True) == ""


def test_window_moves_need_more_debugging() -> None:
    assert last_text(OutputPlan(debugging=1), TimingDecision(1.0, WEB, "cwnd", "reply", 1.0, 2.0)) == ""


def test_early_notice_of_a_host_gives_no_text() -> None:
    assert last_text(OutputPlan(verbosity=3, debugging=3), HostFound(1.0, WEB, Reason.RESET)) == ""


def test_progress_tells_when_it_will_be_done() -> None:
    assert progress_lines(PROGRESS, STARTED)[1] == (
        "SYN Stealth Scan Timing: About 12.30% done; ETC: 12:28 (0:01:40 remaining)"
    )


def test_a_status_can_be_asked_for() -> None:
    report = NormalText(OutputPlan())
    report.feed(START)
    assert report.feed(PROGRESS) == ""
    report.request_status()
    assert report.feed(PROGRESS).startswith("Stats: ")
    assert report.feed(PROGRESS) == ""


def test_verbosity_may_change_while_the_scan_runs() -> None:
    report = NormalText(OutputPlan())
    assert report.feed(HostDone(1.0, down_host())) == ""
    report.plan = replace(report.plan, verbosity=1)
    assert report.feed(HostDone(1.0, down_host())) == "Leadline scan report for 10.0.0.9 [host down]\n"


def test_hosts_without_open_ports_are_left_out_with_open_only() -> None:
    plan = OutputPlan(open_only=True)
    report = NormalText(plan)
    report.feed(whole_scan()[0])
    closed = replace(web_host(), ports=(), summaries=web_host().summaries)
    assert report.feed(HostDone(1.0, closed)) == ""
    assert "Leadline scan report" in report.feed(HostDone(1.0, web_host()))


NOTICES: list[tuple[Event, str, str, str]] = [
    (Notice(0.0, "info", "Hello."), "Hello.\n", "", "Hello.\n"),
    (Notice(0.0, "debug", "Inner."), "", "", ""),
    (Notice(0.0, "warning", "Beware."), "", "WARNING: Beware.\n", "WARNING: Beware.\n"),
    (Notice(0.0, "error", "Bad.\nVery."), "", "ERROR: Bad.\n  Very.\n", "ERROR: Bad.\n  Very.\n"),
    (
        TargetSkipped(0.0, "no\x1bsuch", "does not resolve."),
        "",
        'Target "no\\x1bsuch" skipped: does not resolve.\n',
        'Target "no\\x1bsuch" skipped: does not resolve.\n',
    ),
]


@pytest.mark.parametrize(("event", "terminal", "error", "file"), NOTICES)
def test_where_notices_go(event: Event, terminal: str, error: str, file: str) -> None:
    assert last_text(OutputPlan(), event) == terminal
    assert ErrorText(OutputPlan()).feed(event) == error
    assert last_text(OutputPlan(), event, file=True) == file


def test_debug_notices_need_debugging() -> None:
    event = Notice(0.0, "debug", "Inner.")
    assert last_text(OutputPlan(debugging=1), event) == "Inner.\n"
    assert last_text(OutputPlan(debugging=1), event, file=True) == "Inner.\n"
    assert notice_lines(event) == []


def test_the_error_stream_says_why_a_scan_stopped() -> None:
    errors = ErrorText(OutputPlan())
    assert errors.feed(START) == ""
    assert errors.feed(END) == ""
    assert errors.feed(replace(END, exit="error")) == ""
    assert errors.feed(replace(END, exit="error", message="No\x07 link")) == "ERROR: No\\x07 link\nQUITTING!\n"
    assert errors.feed(replace(END, exit="interrupted", message="SIGINT")) == ""
    coloured = ErrorText(OutputPlan(), colour=True).feed(Notice(0.0, "error", "Bad."))
    assert coloured == "\x1b[33mERROR: Bad.\x1b[0m\n"


def test_an_error_that_was_told_when_it_came_is_not_told_again_at_the_end() -> None:
    errors = ErrorText(OutputPlan())
    assert errors.feed(Notice(0.0, "error", "No link")) == "ERROR: No link\n"
    assert errors.feed(replace(END, exit="error", message="No link")) == "QUITTING!\n"


def test_a_skipped_target_is_named_once() -> None:
    plain = ErrorText(OutputPlan()).feed(TargetSkipped(1.0, "a.example", "unresolvable"))
    assert plain == 'Target "a.example" skipped: unresolvable.\n'
    told = ErrorText(OutputPlan()).feed(TargetSkipped(1.0, "10.0.0.300", 'Target "10.0.0.300" has the octet 300.'))
    assert told == 'Target "10.0.0.300" has the octet 300: skipped.\n'


def test_steps_of_dialogues_pass_on_the_terminal() -> None:
    step = ServiceTraced(1.25, WEB, 80, Protocol.TCP, "closed\x1b[2J")
    assert last_text(OutputPlan(), step) == "SERVICE (1.2500s) 80/tcp on 10.0.0.1: closed\\x1b[2J\n"
    assert last_text(OutputPlan(), step, file=True) == ""


def test_the_scan_of_services_is_told_like_other_scans() -> None:
    begun = TaskStarted(1.0, "Service scan", "13 services on 10.0.0.1")
    assert last_text(OutputPlan(verbosity=1), begun) == (
        "Initiating Service scan at 12:25\nScanning 13 services on 10.0.0.1\n"
    )
