"""What each rule of timing that is our own is worth: simulated scans with it, and with the older rule in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from unittest.mock import patch

import numpy as np

from bench.table import table
from leadline.engine import session
from leadline.engine.loss import LossMeter
from leadline.engine.timing import Windows
from leadline.model.event import HostDone
from leadline.sim.faults import LinkFaults
from leadline.sim.world import Behaviour, PortTable, SimHost, World, simple_world
from tests.support.sim_scan import open_ports, sim_scan

LOSSY = LinkFaults(latency=0.005, jitter=0.003, loss=0.05)
LOSSIER = LinkFaults(latency=0.005, jitter=0.003, loss=0.1)
FAR = LinkFaults(latency=0.05, jitter=0.003)
CLEAN = LinkFaults(latency=0.005, jitter=0.003)
OPEN = frozenset({22, 80, 110, 143, 199})
WORKERS = 2
SEEDS = range(3)


@dataclass(frozen=True, slots=True)
class Case:
    """``old``: puts the older rule in place. ``scan``: options."""

    name: str
    world: Callable[[], World]
    targets: str
    old: Callable[[], Any]
    scan: dict[str, Any]


def _hosts(count: int, others: Behaviour, faults: LinkFaults) -> World:
    """``count`` alike from 10.0.0.1 on."""
    tcp = PortTable(others, OPEN)
    hosts = [SimHost((ip_address(f"10.0.0.{1 + row}"),), tcp=tcp) for row in range(count)]
    return simple_world(hosts, faults=faults)


@contextmanager
def _host_windows_fall_to_one() -> Iterator[None]:
    """Spec sheet 2.2: a loss puts the host's window to the least and halves the group's."""
    ours = Windows.drop

    def drop(self: Windows, hosts: Any, sent: Any, now: float) -> Any:
        before = self.cwnd.copy()
        rows = ours(self, hosts, sent, now)
        self.cwnd[rows] = np.where(rows < len(before) - 1, self.low, np.maximum(self.low, before[rows] / 2))
        return rows

    with patch.object(Windows, "drop", drop):
        yield


def _retries_by_use(self: LossMeter) -> Any:
    return np.ones(len(self.sent) - 1, dtype=np.int64)


CASES = (
    Case(
        "window shrinks by share of losses", lambda: _hosts(1, Behaviour.CLOSED, LOSSY), "10.0.0.1",
        _host_windows_fall_to_one, {"ports": "1-5000"},
    ),
    Case(
        "windows beyond 300 where nothing is lost", lambda: _hosts(1, Behaviour.CLOSED, FAR), "10.0.0.1",
        lambda: patch.object(Windows, "_go_beyond", lambda self, full, gained: None), {"ports": "1-20000"},
    ),
    Case(
        "retries from measured loss", lambda: _hosts(1, Behaviour.FILTERED, LOSSIER), "10.0.0.1",
        lambda: patch.object(LossMeter, "retries_needed", _retries_by_use), {"ports": "1-1000"},
    ),
    Case(
        "memory of a path", lambda: _hosts(60, Behaviour.FILTERED, CLEAN), "10.0.0.1-60",
        lambda: patch.object(session, "recall", lambda prober, memory: None), {"ports": "1-200", "max_hostgroup": 20},
    ),
)  # fmt: skip


def timing_rules() -> str:
    """Our own rules of timing beside those of the spec sheet that they replace, over the simulated network."""
    jobs = [(number, old, seed) for number in range(len(CASES)) for old in (False, True) for seed in SEEDS]
    with ProcessPoolExecutor(WORKERS) as pool:
        results = list(pool.map(_one, jobs, chunksize=5))
    rows = []
    for number, case in enumerate(CASES):
        means = []
        for old in (False, True):
            of = [result for job, result in zip(jobs, results, strict=True) if job[:2] == (number, old)]
            means.append([float(np.mean(column)) for column in zip(*of, strict=True)])
        (seconds, packets, missed), (old_seconds, old_packets, old_missed) = means
        rows.append([
            case.name, f"{seconds:.2f}", f"{old_seconds:.2f}", f"{packets:.0f}", f"{old_packets:.0f}",
            f"{missed * len(SEEDS):.0f}", f"{old_missed * len(SEEDS):.0f}",
        ])  # fmt: skip
    head = ["rule", "host done s", "without", "packets", "without", "missed", "without"]
    return (
        f"means of {len(SEEDS)} seeds; host done: when half of the hosts are; missed: open ports, of all seeds\n"
        + table(head, rows)
    )


def _one(job: tuple[int, bool, int]) -> tuple[float, int, int]:
    number, old, seed = job
    case = CASES[number]
    if old:
        with case.old():
            return _measure(case, seed)
    return _measure(case, seed)


def _measure(case: Case, seed: int) -> tuple[float, int, int]:
    scan = sim_scan(case.world(), case.targets, seed=seed, **case.scan)
    there = [host for host in scan.hosts.values() if open_ports(host)]
    done = float(np.median([event.at for event in scan.of(HostDone)]))
    return done, scan.ended.packets_sent, sum(len(OPEN - open_ports(host)) for host in there)
