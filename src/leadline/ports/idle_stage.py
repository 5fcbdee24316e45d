"""Runs the idle scan (``-sI``) on a group, one host after the other: one zombie counts for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from leadline.engine.group import HostGroup
from leadline.engine.identity import SLOTS
from leadline.engine.session import Session
from leadline.engine.turns import Step
from leadline.engine.ways import drive_ways
from leadline.errors import NetworkError
from leadline.model.event import Notice, PortFound, TaskEnded, TaskStarted
from leadline.model.plan import Zombie
from leadline.ports.bounds import Bound, Bounds
from leadline.ports.idle import IdleMachine, ZombieState
from leadline.ports.idle_frames import IdleFrames
from leadline.ports.idle_pace import Pace
from leadline.ports.idle_result import idle_port, idle_ports
from leadline.ports.idle_search import IdleSearch
from leadline.ports.listing import Listing
from leadline.ports.probes import PortMatrix
from leadline.ports.stage import IDLE_TASK as TASK
from leadline.ports.stage import HostPorts


def idle_hosts(
    group: HostGroup,
    ports: Sequence[tuple[int, ...]],
    matrix: PortMatrix,
    session: Session,
    listing: Listing,
    bounds: Bounds,
) -> Iterator[Step | HostPorts]:
    """Scan the hosts that have ``ports``; those that cannot be scanned are given without any, and a notice says why.

    Raises ``NetworkError`` when the zombie cannot be used; hosts that were scanned before are given until then.
    """
    plan = session.plan.ports.zombie
    zombie = session.zombies.get(group.family)
    states: dict[int, ZombieState] = {}
    for row in range(len(group)):
        if session.control.stop or not ports[row]:
            cut = TASK if session.control.stop else ""
            yield HostPorts(row, (), (), -1.0, -1.0, 0.0, cut)
            continue
        why = _hindrance(group, row, zombie)
        if why or zombie is None or plan is None:
            yield Notice(session.at(), "warning", f"{group.address(row)} was not scanned: {why}.")
            yield HostPorts(row, (), (), -1.0, -1.0, 0.0)
            continue
        if group.family not in states:
            address = str(zombie.address(0))
            name = address if plan.host == address else f"{plan.host} ({address})"
            states[group.family] = ZombieState(name, Pace(session.plan.timing))
        order = tuple(int(number) for number in matrix.numbers[matrix.ports_of(row)])
        yield from _one(_Case(group, row, order, zombie, plan, states[group.family]), session, listing, bounds)


def _hindrance(group: HostGroup, row: int, zombie: HostGroup | None) -> str:
    """Why this host cannot be a target, as a clause; empty when it can."""
    if zombie is None:
        return f"the zombie has no IPv{group.family} address"
    if group.route.local or group.route.interface.kind == "loopback":
        return "an idle scan of this machine itself is impossible, since its answers do not leave it"
    if group.address(row) == zombie.address(0):
        return "it is the zombie itself"
    return ""


@dataclass(frozen=True, slots=True)
class _Case:
    group: HostGroup
    row: int
    order: tuple[int, ...]
    zombie: HostGroup
    plan: Zombie
    state: ZombieState


def _one(case: _Case, session: Session, listing: Listing, bounds: Bounds) -> Iterator[Step | HostPorts]:
    group, row, clock = case.group, case.row, session.clock
    timing = session.plan.timing
    target = group.subset(np.array([row], dtype=np.int64))
    task = f"idle scan against {target.address(0)}"
    began = clock.now()
    yield TaskStarted(session.at(), task, f"{len(case.order)} ports")
    case.state.pace.begin(float(group.srtt[row]), float(group.rttvar[row]))
    fixed = session.outfit.shape.source_port
    ours = (
        range(session.first_port + SLOTS, session.first_port + 2 * SLOTS) if fixed is None else range(fixed, fixed + 1)
    )
    frames = IdleFrames(case.zombie, target, case.plan.port, session.key, ours)
    search = IdleSearch(case.order, case.state.chances, timing.max_retries, timing.max_parallelism)
    machine = IdleMachine(case.state, frames, search, session.rate, session.epoch, began)
    links = (session.link(case.zombie.route), session.link(group.route))
    bounds.begin(row, began)
    bound: Bound | None = None
    known = case.state.counter
    try:
        for event in drive_ways(machine, links, clock, session.control, session.meter(task), session.epoch):
            yield event
            for found in _news(machine, session, listing):
                bounds.see(found)
                yield found
            bound = bounds.reached(row, clock.now())
            if bound is not None:
                break
            if known is None and case.state.counter is not None:
                known = case.state.counter
                text = f"Idle scan by the zombie {case.state.name}: its IP IDs are {known.label}."
                yield Notice(session.at(), "info", text)
    finally:
        cut = "" if search.done and not machine.failure else task
        bound = bound if cut else None
        step = case.state.counter.step if case.state.counter is not None else 1
        told = idle_ports(search.standings, step, listing)
        patience = case.state.pace.patience
        spent = bounds.end(row, clock.now())
        result = HostPorts(
            row, *told, -1.0, -1.0, patience, cut, bound is Bound.TIME, bound is Bound.OPEN_PORTS, spent=spent
        )
    yield from _news(machine, session, listing)
    yield result
    yield TaskEnded(session.at(), task, f"{len(case.order)} ports", clock.now() - began)
    if machine.failure:
        raise NetworkError(f"the zombie {case.state.name} cannot be used: {machine.failure}")


def _news(machine: IdleMachine, session: Session, listing: Listing) -> Iterator[Step]:
    """Open ports that were found since the last call."""
    for number in machine.fresh():
        counter = machine.zombie.counter
        port = idle_port(number, machine.search.standings[number], counter.step if counter else 1, listing.names)
        yield PortFound(session.at(), machine.frames.target.address(0), port)
