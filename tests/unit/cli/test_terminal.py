"""Progress line and keys together, and nothing where there is no terminal."""

import io
import sys
from collections.abc import Callable

import pytest

from leadline.cli import terminal as terminal_module
from leadline.cli.interaction import KEYS_HELP
from leadline.cli.live import InFront
from leadline.cli.terminal import Terminal, has_colour
from leadline.engine.control import Control
from leadline.model.event import Notice, TaskProgress
from leadline.model.plan import OutputPlan
from leadline.report.sink import Sink, StandardStream
from leadline.report.text import NormalText

PROGRESS = TaskProgress(1.0, "SYN Stealth Scan", 50.0, None, 1, 1, 5.0)


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def put_on_screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Standard output and error on one terminal; standard input none. (No fixture: pytest's capturing comes after.)"""
    made = Screen()
    monkeypatch.setattr(sys, "stdout", made)
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return made


def test_colour_is_for_people() -> None:
    assert has_colour(Screen(), {"TERM": "xterm"})
    assert not has_colour(io.StringIO(), {"TERM": "xterm"})
    assert not has_colour(Screen(), {"TERM": "dumb"})
    assert not has_colour(Screen(), {})
    assert not has_colour(Screen(), {"TERM": "xterm", "NO_COLOR": "1"})
    closed = io.StringIO()
    closed.close()
    assert not has_colour(closed, {"TERM": "xterm"})
    assert not has_colour(None, {"TERM": "xterm"})


def test_line_around_text(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = put_on_screen(monkeypatch)
    plan = OutputPlan()
    sink = Sink(NormalText(plan), StandardStream("stdout"))
    terminal = Terminal(Control(), [sink], interactive=True, term="xterm")
    with terminal:
        assert isinstance(sys.stdout, InFront)
        terminal.before(PROGRESS)
        sink.feed(PROGRESS)
        terminal.after(PROGRESS)
        assert screen.getvalue().endswith("50%  0 done (0 up)  5 packets/s")
        notice = Notice(1.0, "info", "hello")
        sink.feed(notice)
        assert screen.getvalue().endswith("\r\x1b[Khello\n")
        terminal.restore()
    assert sys.stdout is screen
    assert sys.stderr is screen


def test_line_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = put_on_screen(monkeypatch)
    with Terminal(Control(), [], interactive=True, term="xterm") as terminal:
        terminal.after(PROGRESS)
    assert screen.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(("interactive", "term"), [(False, "xterm"), (True, "dumb")])
def test_nothing_where_nothing_is_wanted(monkeypatch: pytest.MonkeyPatch, interactive: bool, term: str) -> None:
    screen = put_on_screen(monkeypatch)
    with Terminal(Control(), [], interactive, term) as terminal:
        terminal.before(PROGRESS)
        terminal.after(PROGRESS)
        assert sys.stdout is screen
    assert screen.getvalue() == ""


def test_keys_change_the_text_and_not_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = put_on_screen(monkeypatch)
    text = Sink(NormalText(OutputPlan()), StandardStream("stdout"))
    other = Sink(NormalText(OutputPlan(), file=True), StandardStream("stderr"))
    terminal = Terminal(Control(), [text, other], interactive=True, term="xterm")
    terminal._interaction.pressed("v")
    terminal.before(PROGRESS)
    assert text.report.plan.verbosity == 1
    assert other.report.plan.verbosity == 0
    assert "Verbosity is now 1." in screen.getvalue()


def test_keys_are_read_from_a_terminal_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = put_on_screen(monkeypatch)
    calls: list[str] = []

    class Keys:
        def __init__(self, descriptor: int, pressed: Callable[[str], None]) -> None:
            calls.append(f"made for {descriptor}")
            self.pressed = pressed

        def start(self) -> bool:
            calls.append("start")
            self.pressed("?")
            return True

        def close(self) -> None:
            calls.append("close")

        def restore(self) -> None:
            calls.append("restore")

    class Keyboard(Screen):
        def fileno(self) -> int:
            return 77

    monkeypatch.setattr(sys, "stdin", Keyboard())
    monkeypatch.setattr(terminal_module, "Keys", Keys)
    control = Control()
    with Terminal(control, [], interactive=True, term="xterm") as terminal:
        assert control.status_requested
        terminal.before(PROGRESS)
        terminal.restore()
    assert screen.getvalue() == KEYS_HELP
    assert calls == ["made for 77", "start", "restore", "close"]
