from __future__ import annotations

from dataclasses import replace

from leadline.model.event import TaskEnded, TaskProgress, TaskStarted
from leadline.model.plan import OutputPlan
from leadline.report.progress import ProgressGate


def at(seconds: float) -> TaskProgress:
    return TaskProgress(seconds, "SYN Stealth Scan", 10.0, None, 0, 0, 0.0)


def admitted(gate: ProgressGate, plan: OutputPlan, *times: float) -> list[float]:
    return [seconds for seconds in times if gate.admits(at(seconds), plan)]


def test_quiet_scans_give_no_progress() -> None:
    assert admitted(ProgressGate(), OutputPlan(), 1, 100, 10_000) == []


def test_one_line_for_each_interval() -> None:
    times = (1, 4, 5, 6, 9, 10.5, 14, 15.5, 30)
    assert admitted(ProgressGate(), OutputPlan(stats_every=5.0), *times) == [5, 10.5, 15.5, 30]


def test_verbose_interval_starts_with_the_stage() -> None:
    gate, plan = ProgressGate(), OutputPlan(verbosity=1)
    gate.task_started(TaskStarted(25.0, "SYN Stealth Scan"), plan)
    assert admitted(gate, plan, 31, 54, 55, 60, 85) == [55, 85]


def test_asked_interval_does_not_start_anew_with_a_stage() -> None:
    gate, plan = ProgressGate(), OutputPlan(stats_every=30.0)
    gate.task_started(TaskStarted(25.0, "SYN Stealth Scan"), plan)
    assert admitted(gate, plan, 31) == [31]


def test_asking_lets_exactly_one_through() -> None:
    gate = ProgressGate()
    gate.ask()
    assert admitted(gate, OutputPlan(), 1, 2) == [1]


def test_tasks_that_overlap_have_lines_of_their_own() -> None:
    gate, plan = ProgressGate(), OutputPlan(stats_every=5.0)
    both = [replace(at(6.0), task=task) for task in ("SYN", "Service scan")]
    assert [gate.admits(event, plan) for event in both] == [True, True]
    assert [gate.admits(event, plan) for event in both] == [False, False]
    gate.ask()
    assert [gate.admits(event, plan) for event in both] == [True, True], "each of them answers"
    assert [gate.admits(event, plan) for event in both] == [False, False], "once"


def test_a_group_that_joins_its_task_does_not_put_the_line_off() -> None:
    gate, plan = ProgressGate(), OutputPlan(verbosity=1)
    gate.task_started(TaskStarted(0.0, at(0.0).task), plan)
    gate.task_started(TaskStarted(29.0, at(0.0).task), plan)
    assert gate.admits(at(30.0), plan)
    for _ in range(2):
        gate.task_ended(TaskEnded(31.0, at(0.0).task))
    gate.task_started(TaskStarted(50.0, at(0.0).task), plan)
    assert not gate.admits(at(65.0), plan), "a later one begins anew"
