"""A thousand seeds over the simulated network with loss, jitter and duplication: what default options find and miss."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from bench.table import table
from tests.support.accuracy import FAULTS, OPEN_PORTS, OTHERS, Result, scan_lossy

SEEDS = 1000
WORKERS = 2


def accuracy() -> str:
    """1,000 simulated hosts, 10 open of 1,000 ports, 5 % loss each way (goal: 999 complete, 0 false)."""
    with ProcessPoolExecutor(WORKERS) as pool:
        results = list(pool.map(_one, range(SEEDS), chunksize=10))
    groups = {f"{others}, {name}": _group(results, others, raw) for others in OTHERS for name, raw in _TECHNIQUES}
    rows = [_row(name, group) for name, group in groups.items()]
    head = ["other ports", "scans", "complete", "found", "missed", "false", "wrong", "packets", "virtual s", "cpu s"]
    incomplete = [
        f"  seed {one.seed} ({one.shape}): missed {one.missed}, false {one.false}" for one in _faulty(results)
    ]
    loss = f"loss {FAULTS.loss:.0%} each way, duplication {FAULTS.duplication:.0%}; packets and seconds are means"
    return "\n".join([loss, table(head, [*rows, _row("all", results)]), *incomplete])


_TECHNIQUES = (("syn", True), ("connect", False))


def _one(seed: int) -> Result:
    return scan_lossy(seed)[1]


def _group(results: Sequence[Result], others: str, raw: bool) -> list[Result]:
    return [one for one in results if one.shape.others == others and one.shape.raw is raw]


def _faulty(results: Sequence[Result]) -> list[Result]:
    return [one for one in results if one.found < OPEN_PORTS or one.false]


def _row(name: str, results: Sequence[Result]) -> list[str]:
    count = len(results)
    return [
        name,
        str(count),
        str(sum(one.found == OPEN_PORTS for one in results)),
        str(sum(one.found for one in results)),
        str(sum(len(one.missed) for one in results)),
        str(sum(len(one.false) for one in results)),
        str(sum(len(one.wrong) for one in results)),
        f"{sum(one.packets for one in results) / count:.0f}",
        f"{sum(one.virtual for one in results) / count:.2f}",
        f"{sum(one.cpu for one in results) / count:.2f}",
    ]
