"""What the stage of the idle scan says of hosts that it cannot scan; whole scans are in tests/sim/test_idle_scan.py."""

from __future__ import annotations

import pytest

from leadline.model.event import HostDone, Notice, TaskEnded, TaskStarted, TimingDecision
from leadline.ports.idle_stage import _hindrance
from tests.sim.test_idle_scan import scan, world
from tests.support.groups import group_of, lone


@pytest.mark.parametrize(
    ("target", "zombie", "words"),
    [
        (lone("10.9.0.5"), None, "no IPv4 address"),
        (group_of(kind="loopback"), lone("10.9.0.9"), "this machine itself"),
        (lone("10.9.0.9"), lone("10.9.0.9"), "the zombie itself"),
        (lone("10.9.0.5"), lone("10.9.0.9"), ""),
    ],
)
def test_hindrances(target: object, zombie: object, words: str) -> None:
    told = _hindrance(target, 0, zombie)  # type: ignore[arg-type]
    assert words in told
    assert bool(told) is bool(words)


def test_tasks_and_decisions_are_told() -> None:
    done = scan(world(loss=0.05), ports="20-90", seed=4, debugging=1)
    (started,), (ended,) = done.of(TaskStarted), done.of(TaskEnded)
    assert (started.task, started.detail) == ("idle scan against 10.0.0.5", "71 ports")
    assert ended.detail == "71 ports"
    assert any("IP IDs are incremental" in notice.text for notice in done.of(Notice))
    assert all(decision.what in ("scan_delay", "answer_wait") for decision in done.of(TimingDecision))
    (host,) = [event.host for event in done.of(HostDone)]
    assert host.timeout is not None
    assert host.timeout > 0
