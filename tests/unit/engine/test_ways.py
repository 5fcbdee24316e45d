from __future__ import annotations

from collections.abc import Iterator

from leadline.engine.control import Control
from leadline.engine.driver import FULL_LINK_WAIT
from leadline.engine.progress import ProgressMeter, Tally
from leadline.engine.shared_link import SharedLink
from leadline.engine.turns import awake
from leadline.engine.ways import drive_ways
from leadline.model.event import Event, Notice, PacketTraced, TaskProgress
from leadline.wire.batch import FrameBatch, concatenate, single
from tests.support.machines import T0, FakeClock, FakeLink, FakeNetwork

FRAME = bytes(12) + b"\x08\x00" + bytes(20)


class Echo:
    """Sends two frames on each way, then waits for one frame on the first link."""

    def __init__(self, ways: int) -> None:
        self.done = False
        self.heard = 0
        self._to_send = list(range(ways))

    def poll(self, now: float) -> list[tuple[int, FrameBatch]]:
        ways, self._to_send = self._to_send, []
        return [(way, concatenate([single(FRAME, 14), single(FRAME, 14)])) for way in ways]

    def receive(self, frames: FrameBatch, now: float) -> None:
        self.heard += len(frames)
        self.done = True

    def next_timer(self) -> float:
        return T0 + 1000.0

    def events(self) -> Iterator[Event]:
        yield Notice(0.0, "info", "turn")

    def progress(self) -> float:
        return 0.5


def back(_: FrameBatch) -> FrameBatch:
    return single(FRAME, 14)


def nothing(_: FrameBatch) -> None:
    return None


def run(machine: Echo, links: list[SharedLink], clock: FakeClock, control: Control) -> list[Event]:
    meter = ProgressMeter("Task", Tally(), T0, T0)
    return list(awake(drive_ways(machine, links, clock, control, meter, T0), FakeNetwork(clock)))


def test_each_way_has_its_link_and_the_first_is_heard() -> None:
    clock = FakeClock()
    first, second = FakeLink(clock, back), FakeLink(clock, back)
    machine = Echo(2)
    run(machine, [SharedLink(first), SharedLink(second)], clock, Control())
    assert (len(first.sent), len(second.sent)) == (2, 2)
    assert machine.heard == 1
    assert not first.closed


def test_one_link_may_serve_both() -> None:
    clock = FakeClock()
    link = FakeLink(clock, back)
    shared = SharedLink(link)
    machine = Echo(2)
    run(machine, [shared, shared], clock, Control())
    assert len(link.sent) == 4
    assert machine.heard >= 1


def test_what_the_link_does_not_take_is_sent_later() -> None:
    clock = FakeClock()
    link = FakeLink(clock, back, room=[0, 1, 0, 1])
    run(Echo(1), [SharedLink(link)], clock, Control())
    assert len(link.sent) == 2
    assert any(0 < wait <= FULL_LINK_WAIT + 1e-9 for wait in link.waits)


def test_traced_and_told() -> None:
    clock, control = FakeClock(), Control()
    control.packet_trace = control.status_requested = True
    events = run(Echo(1), [SharedLink(FakeLink(clock, back))], clock, control)
    directions = [event.direction for event in events if isinstance(event, PacketTraced)]
    assert directions == ["SENT", "SENT", "RCVD"]
    (progress,) = [event for event in events if isinstance(event, TaskProgress)]
    assert (progress.percent, progress.sent) == (50.0, 2)


def test_stops_when_asked() -> None:
    clock, control = FakeClock(), Control()
    machine = Echo(1)
    link = FakeLink(clock, nothing)
    for event in awake(
        drive_ways(machine, [SharedLink(link)], clock, control, ProgressMeter("Task", Tally(), T0, T0), T0),
        FakeNetwork(clock),
    ):
        assert isinstance(event, Notice)
        control.stop = "SIGINT"
    assert not machine.done
