from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadline.errors import UsageError
from leadline.model.event import Event, Notice, ScanStarted
from leadline.model.plan import OutputPlan
from leadline.report.json_lines import JsonLines
from leadline.report.sink import OutputFile, Sink, StandardStream, close_all, feed_all, open_sinks
from leadline.report.text import NormalText
from tests.support.nmap_xml import validated
from tests.support.report_events import STARTED, whole_scan

INFO, WARNING = Notice(1.0, "info", "Hello."), Notice(2.0, "warning", "Beware.")


class BrokenDestination:
    """Takes ``room`` writes, then has no space left."""

    name = "scan.txt"

    def __init__(self, room: int = 0, problem: Exception | None = None) -> None:
        self.room = room
        self.closed = 0
        self.problem = problem or OSError(28, "No space left on device")

    def write(self, text: str) -> None:
        self.room -= 1
        if self.room < 0:
            raise self.problem

    def close(self) -> None:
        self.closed += 1
        if self.room < 0:
            raise self.problem


def full_plan(folder: Path, **more: bool) -> OutputPlan:
    names = {kind: str(folder / f"scan.{kind}") for kind in ("normal", "xml", "grepable", "json")}
    return OutputPlan(**names, **more)  # type: ignore[arg-type]


def run(plan: OutputPlan, events: list[Event]) -> list[Sink]:
    sinks = open_sinks(plan)
    for event in events:
        feed_all(sinks, event)
    close_all(sinks)
    return sinks


def test_all_outputs_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sinks = run(full_plan(tmp_path), whole_scan())
    assert [sink.error for sink in sinks] == [""] * 6
    assert (tmp_path / "scan.normal").read_text().startswith("# Leadline 0.1.0 scan initiated")
    assert (tmp_path / "scan.grepable").read_text().count("Host:") == 7
    assert len((tmp_path / "scan.json").read_text().splitlines()) == len(whole_scan())
    validated((tmp_path / "scan.xml").read_text())
    captured = capsys.readouterr()
    assert captured.out.startswith("Starting Leadline")
    assert captured.err.startswith('Target "nosuch')


def test_files_are_there_before_the_scan_and_written_at_once(tmp_path: Path) -> None:
    sinks = open_sinks(full_plan(tmp_path))
    assert len(list(tmp_path.iterdir())) == 4
    feed_all(sinks, INFO)
    assert (tmp_path / "scan.normal").read_text() == "Hello.\n"
    close_all(sinks)


def test_append_keeps_what_was_there(tmp_path: Path) -> None:
    for append in (False, True, True):
        run(OutputPlan(normal=str(tmp_path / "log"), append=append, stdout_text=False), [INFO])
    assert (tmp_path / "log").read_text() == "Hello.\n" * 2 + "Hello.\n"
    run(OutputPlan(normal=str(tmp_path / "log"), stdout_text=False), [INFO])
    assert (tmp_path / "log").read_text() == "Hello.\n"


def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    run(OutputPlan(xml="-", stdout_text=False), whole_scan())
    captured = capsys.readouterr()
    validated(captured.out)
    assert "WARNING: 10.0.0.7 limits its replies." in captured.err


def test_every_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    plan = OutputPlan(
        normal=str(tmp_path / "no" / "a"), xml=str(tmp_path), json="x\0y", grepable=str(tmp_path / "fine")
    )
    with pytest.raises(UsageError) as caught:
        open_sinks(plan)
    assert caught.value.messages == (
        f"Cannot open output file '{tmp_path}/no/a': No such file or directory",
        f"Cannot open output file '{tmp_path}': Is a directory",
        "Cannot open output file 'x\\x00y': embedded null byte",
    )


def test_a_sink_that_fails_is_told_once_and_the_others_go_on() -> None:
    log = io.StringIO()
    destination = BrokenDestination(room=1)
    bad = Sink(NormalText(OutputPlan(), file=True), destination)
    good = Sink(NormalText(OutputPlan(), file=True), StringDestination(log))
    for event in (INFO, WARNING, INFO):
        feed_all([bad, good], event)
    assert log.getvalue() == (
        "Hello.\nWARNING: Beware.\n"
        "ERROR: Cannot write to scan.txt: No space left on device; this output ends here.\nHello.\n"
    )
    assert bad.error == "Cannot write to scan.txt: No space left on device; this output ends here."
    assert destination.closed == 1
    assert close_all([bad, good]) == []


class StringDestination:
    name = "string"

    def __init__(self, log: io.StringIO) -> None:
        self.log = log

    def write(self, text: str) -> None:
        self.log.write(text)

    def close(self) -> None:
        """Nothing to close."""


def test_failure_at_the_first_event_and_at_the_end() -> None:
    first = Sink(JsonLines(OutputPlan()), BrokenDestination())
    feed_all([first], ScanStarted(STARTED, "0.1.0", ()))
    assert first.error
    late = Sink(JsonLines(OutputPlan()), BrokenDestination(room=-1))
    assert close_all([late]) == ["Cannot write to scan.txt: No space left on device; this output ends here."]
    closed = Sink(JsonLines(OutputPlan()), BrokenDestination(problem=ValueError("I/O operation on closed file")))
    assert closed.feed(INFO) == "Cannot write to scan.txt: I/O operation on closed file; this output ends here."


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk(tmp_path: Path) -> None:
    sinks = run(OutputPlan(normal="/dev/full", json=str(tmp_path / "json"), stdout_text=False), [INFO, WARNING])
    errors = [sink.error for sink in sinks if sink.error]
    assert errors == ["Cannot write to /dev/full: No space left on device; this output ends here."]
    lines = (tmp_path / "json").read_text().splitlines()
    assert len(lines) == 3
    assert "No space left" in lines[1]


def test_undecodable_names_do_not_break_a_file(tmp_path: Path) -> None:
    file = OutputFile(str(tmp_path / "x"))
    file.write("a\udcff\n")
    file.close()
    assert (tmp_path / "x").read_text() == "a\\udcff\n"


def test_a_terminal_of_few_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    stream = StandardStream("stdout")
    stream.write("Müller\n")
    stream.close()
    assert raw.getvalue() == b"M\\xfcller\n"
    assert not raw.closed


PROGRAM = """
import sys
from leadline.model.event import Notice
from leadline.model.plan import OutputPlan
from leadline.report.sink import feed_all, open_sinks
sinks = open_sinks(OutputPlan(json=sys.argv[1]))
sys.stdin.read()
for number in range(3):
    feed_all(sinks, Notice(0.0, "info", "x"))
sys.exit(7)
"""


def test_a_closed_pipe_neither_stops_nor_stains(tmp_path: Path) -> None:
    target = tmp_path / "json"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")},
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 7
    assert errors.decode() == "ERROR: Cannot write to standard output: Broken pipe; this output ends here.\n"
    assert len(target.read_text().splitlines()) == 4


def test_status_requests_reach_the_reports_that_know_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sinks = open_sinks(full_plan(tmp_path))
    for sink in sinks:
        sink.request_status()
    progress = [event for event in whole_scan() if type(event).__name__ == "TaskProgress"]
    for event in progress:
        feed_all(sinks, event)
    close_all(sinks)
    assert capsys.readouterr().out.count("Stats: ") == 1
    assert {sink.name for sink in sinks} >= {"standard output", "standard error"}
