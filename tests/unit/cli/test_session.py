"""Whatever happens, the reports get a last event and the exit status tells what happened."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import cast

import pytest

from leadline.cli.session import Session
from leadline.cli.terminal import Terminal
from leadline.engine.control import Control
from leadline.errors import LinkError
from leadline.link.recorder import RecordedNetwork
from leadline.model.event import Event, HostDone, Notice, ScanEnded, ScanStarted
from leadline.model.host import Host, HostStatus
from leadline.model.plan import OutputPlan, Plan
from leadline.model.port import Reason
from leadline.report.sink import Sink

START = ScanStarted(1e9, "0.1.0", ("leadline",))
HOST = HostDone(1.0, Host(ip_address("10.0.0.1"), HostStatus.UP, Reason.USER_SET))
END = ScanEnded(2.0, 1e9 + 2, "success", hosts_up=1, hosts_total=1)


class Clock:
    def __init__(self) -> None:
        self.time = 10.0

    def now(self) -> float:
        self.time += 1.0
        return self.time

    def epoch(self) -> float:
        return 1e9 + self.time


class Report:
    def __init__(self) -> None:
        self.plan = OutputPlan()
        self.events: list[Event] = []

    def feed(self, event: Event) -> str:
        self.events.append(event)
        return f"{type(event).__name__}\n"


class Destination:
    """``full_at``: the write that fails (0-based)."""

    name = "out.txt"

    def __init__(self, full_at: int = -1, close_fails: bool = False) -> None:
        self.full_at, self.close_fails = full_at, close_fails
        self.texts: list[str] = []
        self.closed = 0

    def write(self, text: str) -> None:
        if len(self.texts) == self.full_at:
            raise OSError(28, "No space left on device")
        self.texts.append(text)

    def close(self) -> None:
        self.closed += 1
        if self.close_fails:
            raise OSError(5, "Input/output error")


class Scene:
    def __init__(self, debugging: int = 0, destination: Destination | None = None) -> None:
        self.control = Control()
        self.report, self.destination = Report(), destination or Destination()
        plan = Plan(output=OutputPlan(debugging=debugging), arguments=("leadline", "x"))
        sinks = [Sink(self.report, self.destination)]
        terminal = Terminal(self.control, sinks, interactive=False, term="")
        self.session = Session(plan, self.control, sinks, Clock(), terminal)

    def run(self, events: Iterator[Event]) -> int:
        return self.session.run(events)

    @property
    def last(self) -> ScanEnded:
        ends = [event for event in self.report.events if isinstance(event, ScanEnded)]
        assert len(ends) == 1
        assert self.report.events[-1] is ends[0]
        assert isinstance(self.report.events[0], ScanStarted)
        assert self.destination.closed == 1
        return ends[0]


def test_success() -> None:
    scene = Scene()
    assert scene.run(iter([START, HOST, END])) == 0
    assert scene.report.events == [START, HOST, END]
    assert scene.last == END


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_interrupted_in_good_order(name: str, status: int) -> None:
    scene = Scene()

    def events() -> Iterator[Event]:
        yield START
        scene.control.stop = name
        yield ScanEnded(1.0, 1e9, "interrupted", f"interrupted by {name}")

    assert scene.run(events()) == status
    assert scene.last.exit == "interrupted"


def test_second_signal_in_the_pipeline() -> None:
    scene = Scene()
    closed = []

    def events() -> Iterator[Event]:
        try:
            yield START
            scene.control.stop = "SIGINT"
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    assert scene.run(events()) == 130
    assert scene.last.exit == "interrupted"
    assert scene.last.message == "interrupted by SIGINT"
    assert scene.last.at > 0
    assert closed


def test_second_signal_in_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    closed = []

    def events() -> Iterator[Event]:
        try:
            yield START
            yield HOST
        finally:
            closed.append(True)

    def feed(event: Event) -> str:
        if isinstance(event, HostDone):
            scene.control.stop = "SIGTERM"
            raise KeyboardInterrupt
        return Report.feed(scene.report, event)

    monkeypatch.setattr(scene.report, "feed", feed)
    assert scene.run(events()) == 143
    assert scene.last.exit == "interrupted"
    assert closed


def test_error_that_the_pipeline_told() -> None:
    scene = Scene()

    def events() -> Iterator[Event]:
        yield START
        yield ScanEnded(1.0, 1e9, "error", "eth0: no such interface")
        raise LinkError("eth0: no such interface")

    assert scene.run(events()) == 1
    assert scene.last.message == "eth0: no such interface"


def test_error_before_the_first_event() -> None:
    scene = Scene()

    def events() -> Iterator[Event]:
        raise LinkError("no interface")
        yield START

    assert scene.run(events()) == 1
    assert scene.last.message == "no interface"
    started = scene.report.events[0]
    assert isinstance(started, ScanStarted)
    assert started.arguments == ("leadline", "x")


def test_a_fault_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    scene = Scene()

    def events() -> Iterator[Event]:
        yield START
        raise ZeroDivisionError("oops")

    assert scene.run(events()) == 1
    assert scene.last.message.startswith("internal error: ZeroDivisionError: oops (")
    assert "Traceback" not in capsys.readouterr().err


def test_a_fault_of_ours_with_debugging(capsys: pytest.CaptureFixture[str]) -> None:
    scene = Scene(debugging=1)

    def events() -> Iterator[Event]:
        yield START
        yield END
        raise ZeroDivisionError("late")

    assert scene.run(events()) == 1
    assert scene.last == END
    assert "ZeroDivisionError: late" in capsys.readouterr().err


def test_a_pipeline_without_a_last_word() -> None:
    scene = Scene()
    assert scene.run(iter([START, HOST])) == 1
    assert scene.last.exit == "error"


def test_a_scan_that_nobody_reads_is_stopped() -> None:
    scene = Scene(destination=Destination(full_at=1))

    def events() -> Iterator[Event]:
        yield START
        yield HOST
        while not scene.control.stop:
            yield Notice(1.0, "info", "going on")
        yield ScanEnded(2.0, 1e9, "interrupted", "interrupted by output")

    assert scene.run(events()) == 1
    assert scene.control.stop == "output"
    assert scene.destination.texts == ["ScanStarted\n"]


def test_a_report_that_cannot_be_closed(capsys: pytest.CaptureFixture[str]) -> None:
    scene = Scene(destination=Destination(close_fails=True))
    assert scene.run(iter([START, END])) == 1
    assert "out.txt" in capsys.readouterr().err


class Recorded:
    """``full_after``: how many looks find the recording well."""

    def __init__(self, full_after: int) -> None:
        self.looks_left, self.closed = full_after, 0

    @property
    def problem(self) -> str:
        self.looks_left -= 1
        return "Cannot write to r.pcapng: it is full" if self.looks_left < 0 else ""

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(("full_after", "noticed"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_recording_that_breaks_off_is_told_once(
    full_after: int, noticed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    scene, recorded = Scene(), Recorded(full_after)
    scene.session._recorded = cast(RecordedNetwork, recorded)
    assert scene.run(iter([START, HOST, END])) == 1
    told = [event for event in scene.report.events if isinstance(event, Notice)]
    assert len(told) == noticed
    assert capsys.readouterr().err.count("r.pcapng") == (not noticed)
    assert scene.last == END
    assert recorded.closed == 1


def test_hosts_are_counted_when_the_pipeline_did_not_get_to_its_end() -> None:
    scene = Scene()

    def events() -> Iterator[Event]:
        yield START
        yield HOST
        raise KeyboardInterrupt

    scene.control.stop = "SIGINT"
    assert scene.run(events()) == 130
    assert (scene.last.hosts_up, scene.last.hosts_down, scene.last.hosts_total) == (1, 0, 1)
