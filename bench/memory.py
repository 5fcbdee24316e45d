"""Memory of large scans: what is kept must not grow with the number of hosts, only with what is at work at a time."""

from __future__ import annotations

from bench.measure import LEADLINE, Cost, measure
from bench.table import table
from tests.support.netns import routed_lab

PORTS = 65_535
# Hosts of each run: a group takes 16, and two groups may be kept at a time, so the first run fills what is kept.
RUNS = {32: "10.88.2.0/27", 64: "10.88.2.0/26"}
WANTED = 4096


def many_ports() -> str:
    """Memory of -sS -Pn -p- on 32 and 64 hosts behind a router, and what follows for 4,096."""
    costs: dict[int, Cost] = {}
    with routed_lab() as lab:
        lab.target.answers_for("10.88.2.0/24")
        for hosts, targets in RUNS.items():
            command = (*LEADLINE, "-n", "-Pn", "-sS", "-p-", targets, "-oG", "-")
            costs[hosts] = measure(lab.scanner.command(*command))
    rows = [
        [
            f"{hosts:,}",
            f"{hosts * PORTS:,}",
            f"{cost.wall:.1f} s",
            f"{cost.cpu:.1f} s",
            f"{cost.memory / 2**20:.0f} MiB",
        ]
        for hosts, cost in costs.items()
    ]
    before, most = costs
    each = max(0.0, (costs[most].memory - costs[before].memory) / (most - before))
    total = _mebibytes(costs[most].memory + each * (WANTED - most))
    growth = f"{before} to {most} hosts: {each / 1024:.0f} KiB for each more; with that {WANTED:,} hosts need {total}"
    return table(["hosts", "probes", "wall", "CPU", "peak memory"], rows) + "\n" + growth


def _mebibytes(amount: float) -> str:
    return f"{amount / 2**20:.0f} MiB"
