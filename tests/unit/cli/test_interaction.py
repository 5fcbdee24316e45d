"""Keys: spec sheet 6.4."""

from dataclasses import dataclass, field

from leadline.cli.interaction import KEYS_HELP, Interaction
from leadline.model.plan import OutputPlan


@dataclass
class Control:
    status_requested: bool = False
    packet_trace: bool = False


@dataclass
class Report:
    plan: OutputPlan


@dataclass
class Sink:
    report: Report = field(default_factory=lambda: Report(OutputPlan(verbosity=1)))
    asked: int = 0

    def request_status(self) -> None:
        self.asked += 1


class Scene:
    def __init__(self) -> None:
        self.control, self.sink, self.said = Control(), Sink(), list[str]()
        self.interaction = Interaction(self.control, [self.sink], self.said.append)

    def press(self, keys: str) -> OutputPlan:
        for key in keys:
            self.interaction.pressed(key)
        self.interaction.carry_out()
        return self.sink.report.plan


def test_nothing_happens_before_the_scan_s_thread_looks() -> None:
    scene = Scene()
    scene.interaction.pressed("v")
    assert scene.sink.report.plan.verbosity == 1
    assert scene.control.status_requested
    scene.interaction.carry_out()
    assert scene.sink.report.plan.verbosity == 2


def test_levels() -> None:
    scene = Scene()
    assert scene.press("vvV").verbosity == 2
    assert scene.press("VVVV").verbosity == 0
    assert scene.press("d").debugging == 1
    assert scene.press("D").debugging == 0
    assert scene.press("v" * 20).verbosity == 10
    assert "Verbosity is now 2.\n" in scene.said


def test_packets() -> None:
    scene = Scene()
    assert scene.press("p").packet_trace
    assert scene.control.packet_trace
    assert not scene.press("P").packet_trace
    assert not scene.control.packet_trace


def test_help() -> None:
    scene = Scene()
    scene.press("?")
    assert scene.said == [KEYS_HELP]
    assert scene.sink.asked == 0


def test_any_other_key_asks_for_the_status() -> None:
    scene = Scene()
    scene.press(" \n")
    assert scene.sink.asked == 2
    assert scene.control.status_requested
