"""Whole connections to suspected hosts in a simulated network: how each kind of port bears them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import numpy as np

from leadline.engine.control import Control
from leadline.engine.rate import RateLimiter
from leadline.engine.session import Session
from leadline.engine.turns import awake
from leadline.model.event import Event, TaskEnded, TaskStarted
from leadline.model.plan import Plan, TimingPlan
from leadline.ports.everywhere_open import Answer
from leadline.ports.second_look import TASK, Looked, SecondLook
from leadline.sim.liars import Tarpit
from leadline.sim.network import SimNetwork
from leadline.sim.services import silent, ssh, wrapped
from leadline.sim.world import Behaviour, SimHost, ports, simple_world

NEAR, TAR = ip_address("10.0.0.5"), ip_address("10.0.0.6")


def session_of(network: SimNetwork, **timing: object) -> Session:
    plan = Plan(timing=TimingPlan(**timing))  # type: ignore[arg-type]
    return Session(
        plan, network, Control(), True, bytes(16), 40_000, np.random.default_rng(1),
        RateLimiter(plan.timing.max_rate, None, network.clock.now()), network.clock.now(),
    )  # fmt: skip


def network_of() -> SimNetwork:
    services = (ssh(22, "OpenSSH_9.2p1"), silent(80), wrapped(81))
    table = replace(ports(22, 80, 81), default=Behaviour.CLOSED)
    far = SimHost((NEAR,), tcp=table, services=services)
    return SimNetwork(simple_world([far, SimHost((TAR,), lie=Tarpit())]))


def look(session: Session, network: SimNetwork, *, stop: bool = False) -> tuple[list[Event], dict[int, Looked]]:
    stage = SecondLook(session)
    assert stage.idle
    stage.add(7, NEAR, "", (1025, 80), (22, 80, 81))
    stage.add(8, TAR, "", (60_000, 60_001), (22,))
    assert not stage.idle
    stage.finish()
    events: list[Event] = []
    looked: dict[int, Looked] = {}
    for step in awake(stage.steps(), network):
        if isinstance(step, Looked):
            assert step.row not in looked
            looked[step.row] = step
            if stop:
                session.control.stop = "SIGINT"
        else:
            events.append(step)
    assert stage.idle
    return events, looked


def test_how_ports_bear_a_whole_connection() -> None:
    network = network_of()
    events, looked = look(session_of(network), network)
    honest, tarpit = looked[7], looked[8]
    assert honest.complete
    assert {trial.port: trial.answer for trial in honest.random} == {1025: Answer.REFUSED, 80: Answer.SILENT}
    assert {trial.port: trial.answer for trial in honest.named} == {
        22: Answer.SPOKE,
        80: Answer.SILENT,
        81: Answer.DROPPED,
    }
    assert honest.named[0].said.startswith(b"SSH-2.0")
    assert {trial.answer for trial in (*tarpit.random, *tarpit.named)} == {Answer.SILENT}
    assert [type(event) for event in events] == [TaskStarted, TaskEnded]
    assert {event.task for event in events if isinstance(event, TaskStarted | TaskEnded)} == {TASK}
    ended = events[-1]
    assert isinstance(ended, TaskEnded)
    assert 3.0 <= ended.seconds < 4.0


def test_who_answers_nothing_is_given_up() -> None:
    network = SimNetwork(simple_world([SimHost((NEAR,), tcp=ports(default=Behaviour.FILTERED))]))
    session = session_of(network)
    stage = SecondLook(session)
    stage.add(0, NEAR, "", (9,), ())
    stage.finish()
    (looked,) = [step for step in awake(stage.steps(), network) if isinstance(step, Looked)]
    assert looked.complete
    assert looked.random[0].answer is Answer.NOTHING


def test_the_rate_of_the_scan_holds_for_it_too() -> None:
    network = network_of()
    events, looked = look(session_of(network, max_rate=1.0), network)
    assert all(one.complete for one in looked.values())
    ended = events[-1]
    assert isinstance(ended, TaskEnded)
    assert ended.seconds > 6.0, "seven connections, one a second"


def test_what_was_cut_is_not_complete() -> None:
    network = network_of()
    session = session_of(network)
    session.control.stop = "SIGTERM"
    _, looked = look(session, network)
    assert not any(one.complete for one in looked.values())
    assert {trial.answer for one in looked.values() for trial in one.random} == {Answer.NOTHING}
