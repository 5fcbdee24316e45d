"""The progress line."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.cli.live import InFront, LiveLine, progress_line
from leadline.model.event import Notice, ScanEnded, TaskEnded, TaskProgress, TaskStarted


def progress(percent: float = 41.0, **more: object) -> TaskProgress:
    fields: dict[str, object] = {
        "at": 2.0, "task": "SYN Stealth Scan", "percent": percent, "remaining": 12.4, "sent": 100, "received": 50,
        "rate": 1210.4, "hosts_done": 8, "hosts_up": 7, "hosts_active": 3,
    }  # fmt: skip
    return TaskProgress(**(fields | more))  # type: ignore[arg-type]


class Terminal:
    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.time = 0.0
        self.width = 120
        self.line = LiveLine(self.stream, lambda: self.width, lambda: self.time)

    def feed(self, event: object) -> str:
        """What is written for one event, a second after the one before."""
        self.time += 1.0
        return self.take(lambda: self.line.feed(event))  # type: ignore[arg-type]

    def take(self, action: object) -> str:
        before = len(self.stream.getvalue())
        action()  # type: ignore[operator]
        return self.stream.getvalue()[before:]


def test_whole_line() -> None:
    assert progress_line(progress(), 120) == (
        "SYN Stealth Scan  [####......]   41%  3 hosts at work  8 done (7 up)  1,210 packets/s  0:00:12 left"
    )


def test_unknown_parts_are_left_out() -> None:
    line = progress_line(progress(remaining=None, hosts_active=0), 120)
    assert "left" not in line
    assert "at work" not in line


@pytest.mark.parametrize(("percent", "words"), [(-5.0, "  0%"), (250.0, "100%"), (100.0, "[##########]")])
def test_odd_percentages(percent: float, words: str) -> None:
    assert words in progress_line(progress(percent), 120)


@given(st.integers(0, 130), st.floats(0, 100), st.none() | st.floats(0, 1e9))
def test_never_wider_than_the_terminal(width: int, percent: float, remaining: float | None) -> None:
    line = progress_line(progress(percent, remaining=remaining), width)
    assert len(line) <= width
    if width >= 24:
        assert "SYN Stealth Scan" in line
        assert "%" in line


def test_drawn_and_redrawn_in_place() -> None:
    terminal = Terminal()
    first = terminal.feed(progress(1.0))
    assert first.startswith("\r\x1b[K")
    assert "\n" not in first
    assert terminal.feed(progress(1.0)) == ""
    assert "  2%" in terminal.feed(progress(2.0))


def test_not_redrawn_too_often() -> None:
    terminal = Terminal()
    terminal.feed(progress(1.0))
    assert terminal.take(lambda: terminal.line.feed(progress(50.0))) == ""
    assert " 51%" in terminal.feed(progress(51.0))


def test_wiped_away_before_other_text_and_drawn_again_after_it() -> None:
    terminal = Terminal()
    out = io.StringIO()
    front = InFront(out, terminal.line)
    terminal.feed(progress(1.0))
    assert terminal.take(lambda: front.write("found\n")) == "\r\x1b[K"
    assert out.getvalue() == "found\n"
    assert terminal.take(lambda: front.write("more\n")) == ""
    assert "  1%" in terminal.feed(Notice(1.0, "info", "x"))


def test_gone_when_the_stage_ends() -> None:
    for end in (TaskEnded(1.0, "SYN Stealth Scan"), ScanEnded(1.0, 2.0, "success")):
        terminal = Terminal()
        terminal.feed(TaskStarted(0.0, "SYN Stealth Scan"))
        terminal.feed(progress())
        assert terminal.feed(end) == "\r\x1b[K"
        assert terminal.feed(Notice(1.0, "info", "x")) == ""
        assert terminal.take(terminal.line.erase) == ""


def test_a_terminal_that_is_gone_harms_nothing() -> None:
    terminal = Terminal()
    terminal.stream.close()
    terminal.line.feed(progress())
    terminal.line.erase()


def test_in_front_passes_on() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    front = InFront(stream, Terminal().line)
    assert front.encoding == "ascii"
    assert front.write("") == 0
    front.write("x")
    front.flush()
    assert raw.getvalue() == b"x"
    assert not front.isatty()
    with pytest.raises(io.UnsupportedOperation):
        front.fileno()


def test_stages_that_overlap_share_the_line() -> None:
    terminal = Terminal()
    for task in ("SYN Stealth Scan", "SYN Stealth Scan", "Service scan"):
        terminal.feed(TaskStarted(0.0, task))
    terminal.feed(progress(40.0))
    shown = terminal.feed(progress(20.0, task="Service scan"))
    assert shown.startswith("\r\x1b[KSYN Stealth Scan")
    assert shown.endswith("+ Service scan 20%")
    terminal.feed(TaskEnded(1.0, "SYN Stealth Scan"))
    assert "SYN Stealth Scan" in terminal.feed(progress(21.0, task="Service scan")), "another group is at work"
    terminal.feed(TaskEnded(1.0, "SYN Stealth Scan"))
    assert "SYN Stealth Scan" not in terminal.feed(progress(22.0, task="Service scan"))
    terminal.width = 30
    assert "+" not in progress_line(progress(), 30, [progress(task="Service scan")])
