from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from leadline.engine.control import Control
from leadline.engine.driver import FULL_LINK_WAIT, LONGEST_WAIT, drive, drive_connections
from leadline.engine.progress import ProgressMeter, Tally
from leadline.engine.shared_link import SharedLink
from leadline.engine.turns import awake
from leadline.model.event import Event, Notice, PacketTraced, TaskProgress
from leadline.model.plan import TimingPlan
from leadline.wire.batch import FrameBatch
from tests.support.groups import batch_of, packets, tcp_reply
from tests.support.machines import (
    T0,
    Connections,
    FakeClock,
    FakeConnector,
    FakeLink,
    FakeNetwork,
    Ports,
    ports_machine,
)


def all_answer(sent: FrameBatch) -> FrameBatch:
    return batch_of([tcp_reply(one) for one in packets(sent)])


def none_answers(sent: FrameBatch) -> None:
    return None


def meter() -> ProgressMeter:
    return ProgressMeter("Task", Tally(), T0, T0)


def driven(
    machine: Ports, link: FakeLink, clock: FakeClock, control: Control, progress: ProgressMeter
) -> Iterator[Event]:
    return awake(drive(machine, SharedLink(link), clock, control, progress), FakeNetwork(clock))


def connected(
    machine: Connections, connector: FakeConnector, clock: FakeClock, control: Control, progress: ProgressMeter
) -> Iterator[Event]:
    return awake(drive_connections(machine, connector, clock, control, progress), FakeNetwork(clock))


def of(kind: type, events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


# ---- raw -------------------------------------------------------------------------------------------------------------


def test_a_machine_is_run_to_its_end() -> None:
    clock, machine = FakeClock(), ports_machine(hosts=3, ports=range(1, 41))
    link = FakeLink(clock, all_answer)
    events = list(driven(machine, link, clock, Control(), meter()))
    assert machine.done
    assert len(machine.heard) == 120
    assert len(link.sent) == 120
    assert len(of(Notice, events)) >= 1
    assert not link.closed
    assert clock.now() < T0 + 1


def test_packets_that_cannot_leave_are_told_of() -> None:
    clock, machine = FakeClock(), ports_machine(hosts=1)
    link = FakeLink(clock, none_answers)
    link.statistics.send_failures = 2
    warnings = [event for event in driven(machine, link, clock, Control(), meter()) if isinstance(event, Notice)]
    assert [event.text.split(" on ")[0] for event in warnings if event.level == "warning"] == [
        "2 packets could not be sent"
    ]


def test_silence_passes_in_long_waits_with_progress() -> None:
    clock, machine = FakeClock(), ports_machine(hosts=1)
    link = FakeLink(clock, none_answers)
    events = list(driven(machine, link, clock, Control(), meter()))
    assert machine.done
    assert clock.now() == pytest.approx(T0 + 2, abs=0.2)
    assert max(link.waits) <= LONGEST_WAIT
    assert len(link.waits) < 100
    progress = of(TaskProgress, events)
    assert len(progress) >= 6
    assert [one.sent for one in progress][-1] == 4
    assert all(first.percent <= second.percent for first, second in pairwise(progress))


def test_a_minimum_rate_with_nothing_to_send_does_not_spin() -> None:
    clock, machine = FakeClock(), ports_machine(hosts=1, plan=TimingPlan(min_rate=1000.0))
    link = FakeLink(clock, none_answers)
    list(driven(machine, link, clock, Control(), meter()))
    assert machine.done
    assert len(link.waits) < 200


def test_what_the_link_does_not_take_is_offered_again_in_order() -> None:
    clock, machine = FakeClock(), ports_machine(hosts=1, ports=range(1, 11))
    link = FakeLink(clock, all_answer, room=[3, 0, 0, 2, 1])
    list(driven(machine, link, clock, Control(), meter()))
    assert len(machine.heard) == 10
    assert len(link.sent) == len(set(link.sent)) == 10
    assert any(wait == pytest.approx(FULL_LINK_WAIT) for wait in link.waits)


def test_a_full_link_is_not_asked_without_pause() -> None:
    clock, machine = FakeClock(), ports_machine(hosts=1, ports=(80,))
    link = FakeLink(clock, none_answers, room=[0] * 50)
    list(driven(machine, link, clock, Control(), meter()))
    assert clock.now() - T0 > 50 * FULL_LINK_WAIT


def test_tracing_shows_both_directions_and_only_what_was_taken() -> None:
    clock, machine = FakeClock(), ports_machine(hosts=1, ports=(80, 81))
    control = Control()
    control.packet_trace = True
    link = FakeLink(clock, all_answer, room=[1])
    events = [one for one in driven(machine, link, clock, control, meter()) if isinstance(one, PacketTraced)]
    assert [one.direction for one in events] == ["SENT", "SENT", "RCVD", "RCVD"]
    assert "TCP" in events[0].summary
    assert events[-1].at == pytest.approx(0.01)


@pytest.mark.parametrize("stop_after", [0, 1])
def test_stopping_ends_the_loop_with_what_is_known(stop_after: int) -> None:
    clock, machine, control = FakeClock(), ports_machine(hosts=1, ports=range(1, 100)), Control()
    link = FakeLink(clock, all_answer)
    if not stop_after:
        control.stop = "SIGINT"
    events = []
    for event in driven(machine, link, clock, control, meter()):
        events.append(event)
        control.stop = "SIGINT"
    assert not machine.done
    assert len(events) == stop_after


def test_a_status_request_gives_one_progress_event() -> None:
    clock, machine, control = FakeClock(), ports_machine(hosts=1), Control()
    control.status_requested = True
    events = list(driven(machine, FakeLink(clock, all_answer), clock, control, meter()))
    assert len(of(TaskProgress, events)) == 1
    assert not control.status_requested


# ---- connections -----------------------------------------------------------------------------------------------------


def test_a_connect_machine_is_run_to_its_end() -> None:
    clock = FakeClock()
    connector = FakeConnector(clock, lambda address, port: None if port % 2 else 0, capacity=7)
    machine = Connections(2, range(1, 11), connector)
    control = Control()
    control.status_requested = True
    events = list(connected(machine, connector, clock, control, meter()))
    assert machine.done
    assert sorted({(host, column) for host, column, _, _ in machine.heard}) == [
        (host, column) for host in range(2) for column in range(1, 10, 2)
    ]
    assert connector.pending == {}
    progress = of(TaskProgress, events)
    assert progress
    assert 0 < progress[-1].received <= machine.ended
    assert not control.status_requested


def test_stopping_cancels_what_is_pending() -> None:
    clock, control = FakeClock(), Control()
    connector = FakeConnector(clock, lambda address, port: None)
    machine = Connections(1, range(1, 11), connector)
    for _ in connected(machine, connector, clock, control, meter()):
        control.stop = "SIGTERM"
    assert not machine.done
    assert connector.pending == {}
    assert len(connector.cancelled) == len(connector.started)


def test_a_minimum_rate_does_not_spin_either() -> None:
    clock = FakeClock()
    connector = FakeConnector(clock, lambda address, port: None)
    machine = Connections(1, (80,), connector, TimingPlan(min_rate=500.0))
    list(connected(machine, connector, clock, Control(), meter()))
    assert machine.done
