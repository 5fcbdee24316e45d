from __future__ import annotations

import pytest

from leadline.engine.ledger import Phase
from leadline.link.base import Connected
from leadline.model.event import Notice, TimingDecision
from leadline.model.plan import TimingPlan
from tests.support.machines import T0, Connections, FakeClock, FakeConnector
from tests.support.probing import check_books

REFUSED = 111


def world(end: object = lambda address, port: 0, *, capacity: int = 1000) -> tuple[FakeClock, FakeConnector]:
    clock = FakeClock()
    return clock, FakeConnector(clock, end, capacity=capacity)  # type: ignore[arg-type]


def test_tokens_carry_host_port_and_try_there_and_back() -> None:
    clock, connector = world(lambda address, port: REFUSED if port == 81 else 0)
    machine = Connections(2, (80, 81), connector)
    assert machine.start(clock.now(), 100) == 4
    assert {(str(address), port) for _, address, port, _ in connector.started} == {
        ("10.9.0.10", 80), ("10.9.0.10", 81), ("10.9.0.11", 80), ("10.9.0.11", 81),
    }  # fmt: skip
    assert {(str(address), scope) for _, address, _, scope in connector.started} == {
        ("10.9.0.10", "eth7"),
        ("10.9.0.11", ""),
    }
    machine.take(connector.poll(1.0), clock.now())
    assert sorted(machine.heard) == [(0, 0, 0, 0), (0, 1, 0, REFUSED), (1, 0, 0, 0), (1, 1, 0, REFUSED)]
    assert machine.ended == 4
    assert machine.prober.trips.srtt[0] == pytest.approx(0.01)
    assert list(machine.events()) == [Notice(pytest.approx(0.01), "info", "4 ends")]
    machine.start(clock.now(), 100)
    assert machine.done


def test_no_more_than_the_connector_holds() -> None:
    clock, connector = world(lambda address, port: None, capacity=3)
    machine = Connections(1, range(1, 20), connector)
    assert machine.start(clock.now(), 100) == 3
    assert machine.start(clock.now(), 100) == 0
    assert connector.most == 3


def test_overdue_attempts_are_cancelled_and_tried_again() -> None:
    clock, connector = world(lambda address, port: None)
    machine = Connections(1, (80,), connector)
    machine.start(clock.now(), 100)
    first = connector.started[0][0]
    clock.time += 1.01
    assert machine.start(clock.now(), 100) == 1
    assert connector.cancelled == [first]
    assert connector.started[1][0] == first + 1
    clock.time += 1.01
    machine.start(clock.now(), 100)
    assert machine.done
    assert connector.pending == {}
    assert machine.prober.items.phase.tolist() == [Phase.BENCHED]


def test_ends_of_cancelled_or_unknown_attempts_are_ignored() -> None:
    clock, connector = world(lambda address, port: None)
    machine = Connections(1, (80,), connector)
    machine.start(clock.now(), 100)
    machine.take([], clock.now())
    machine.take([Connected(999, 0, clock.now()), Connected(-5, 0, clock.now())], clock.now())
    assert machine.heard == []
    assert machine.ended == 0


def test_self_connects_start_again_as_the_same_try() -> None:
    clock, connector = world(lambda address, port: 11)
    machine = Connections(1, (80,), connector)
    machine.start(clock.now(), 100)
    machine.take(connector.poll(1.0), clock.now())
    assert machine.start(clock.now(), 100) == 1
    assert connector.started[0][0] == connector.started[1][0]
    check_books(machine.prober)


def test_errors_without_a_meaning_leave_the_attempt_to_its_timer() -> None:
    clock, connector = world(lambda address, port: 110)
    machine = Connections(1, (80,), connector)
    machine.start(clock.now(), 100)
    machine.take(connector.poll(1.0), clock.now())
    assert machine.start(clock.now(), 100) == 0
    clock.time = T0 + 1.01
    assert machine.start(clock.now(), 100) == 1


def test_ports_that_answered_serve_as_timing_pings() -> None:
    clock, connector = world(lambda address, port: {80: 13, 81: REFUSED}.get(port))
    machine = Connections(1, (80, 81, 82, 83), connector)
    machine.start(clock.now(), 100)
    machine.take(connector.poll(1.0), clock.now())
    assert machine.prober.pings.score.tolist() == [10]
    for _ in range(30):
        clock.time = machine.next_timer(clock.now()) or clock.time
        machine.start(clock.now(), 100)
        pings = [port for token, _, port, _ in connector.started if token < 0]
        if pings:
            break
    assert pings[0] == 81
    before = machine.prober.loss.sent[0]
    machine.take(connector.poll(1.0), clock.now())
    assert machine.prober.loss.sent[0] > before
    assert len([one for one in machine.heard if one[1] == 1]) == 1
    check_books(machine.prober)


def test_pings_that_are_given_up_are_cancelled() -> None:
    clock, connector = world(lambda address, port: 0 if port == 80 and clock.time == T0 else None)
    machine = Connections(1, (80, 81, 82, 83), connector)
    machine.start(clock.now(), 100)
    machine.take(connector.poll(1.0), clock.now())
    for _ in range(400):
        clock.time = max(clock.time + 1e-3, machine.next_timer(clock.now()) or 0)
        machine.start(clock.now(), 100)
        if machine.done:
            break
    machine.start(clock.now(), 100)
    assert machine.done
    assert any(token < 0 for token in connector.cancelled)
    assert connector.pending == {}
    decisions = [one for one in machine.events() if isinstance(one, TimingDecision)]
    assert {one.cause for one in decisions} >= {"timing ping lost"}
    assert {str(one.address) for one in decisions} == {"10.9.0.10", "None"}


def test_dropping_a_host_cancels_its_attempts_and_pings_alone() -> None:
    clock, connector = world(lambda address, port: None)
    machine = Connections(2, (80, 81), connector)
    machine.start(clock.now(), 100)
    machine._live.update({-1, -17})
    machine._live_pings.update({-1, -17})
    connector.pending.update({-1: (T0, None), -17: (T0, None)})
    machine.drop_host(0)
    assert sorted(connector.pending) == [-17, 32, 48]
    machine.drop_host(0)
    machine.cancel_all()
    assert connector.pending == {}


def test_weak_ends_teach_no_ping() -> None:
    clock, connector = world(lambda address, port: 13)
    machine = Connections(1, (80,), connector, TimingPlan())
    machine.start(clock.now(), 100)
    machine.take(connector.poll(1.0), clock.now())
    assert machine.prober.pings.score.tolist() == [0]
    assert machine.prober.items.phase.tolist() == [Phase.DECIDED]
