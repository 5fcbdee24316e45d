"""A path that drops what it cannot carry: what share of the packets gets through, over time, and what is found.

``paths`` are simulated bottlenecks (a queue with tail drop, as routers and policers have) in front of many hosts.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address

import numpy as np

from bench.table import table
from leadline.engine.control import Control
from leadline.model.event import Event
from leadline.sim.faults import LinkFaults
from leadline.sim.network import SimNetwork
from leadline.sim.world import Behaviour, PortTable, SimHost, World, simple_world
from tests.support.sim_scan import open_ports, sim_scan

WORKERS = 2
TENTHS = 10
OPEN = frozenset({22, 80, 110, 143, 199})


@dataclass(frozen=True, slots=True)
class Path:
    """``hosts`` with ``ports`` ports each, which are ``others`` where not open, behind ``rate`` packets a second."""

    name: str
    hosts: int
    ports: int
    others: Behaviour
    rate: float
    queue: int
    latency: float
    loss: float = 0.0

    def world(self) -> World:
        """All hosts alike."""
        hosts = [
            SimHost((ip_address(f"10.0.{row // 250}.{1 + row % 250}"),), tcp=PortTable(self.others, OPEN))
            for row in range(self.hosts)
        ]
        faults = LinkFaults(
            latency=self.latency, jitter=self.latency / 4, rate=self.rate, queue=self.queue, loss=self.loss
        )
        return simple_world(hosts, network="10.0.0.0/16", faults=faults)

    @property
    def targets(self) -> list[str]:
        """All its hosts."""
        return [f"10.0.{row}.1-{min(250, self.hosts - 250 * row)}" for row in range(-(-self.hosts // 250))]


PATHS = (
    Path("24 closed hosts, 1,000/s, 20 ms", 24, 300, Behaviour.CLOSED, 1000, 64, 0.01),
    Path("24 closed hosts, 1,000/s, 0.2 ms", 24, 300, Behaviour.CLOSED, 1000, 20, 0.0001),
    Path("24 closed hosts, 1,000/s, 20 ms, 2 % loss", 24, 300, Behaviour.CLOSED, 1000, 64, 0.01, 0.02),
    Path("24 filtered hosts, 1,000/s, 20 ms", 24, 100, Behaviour.FILTERED, 1000, 64, 0.01),
    Path("100 closed hosts, 500/s, 0.2 ms", 100, 30, Behaviour.CLOSED, 500, 10, 0.0001),
    Path("1 closed host, 300/s, 0.2 ms", 1, 2000, Behaviour.CLOSED, 300, 5, 0.0001),
    Path("1 filtered host, 300/s, 20 ms", 1, 1000, Behaviour.FILTERED, 300, 10, 0.01),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``shares``: packets delivered of those sent, in each tenth of the scan; ``rates``: sent a second in each."""

    seconds: float
    packets: int
    shares: tuple[float, ...]
    rates: tuple[float, ...]
    missed: int
    false: int


def measure(path: Path, seed: int = 1) -> Outcome:
    """Scan all that is behind the path."""
    network = SimNetwork(path.world(), seed)
    counts: list[tuple[float, int, int]] = [(0.0, 0, 0)]

    def watch(event: Event, control: Control) -> None:
        tally = network.tally
        counts.append((network.clock.now(), tally.probes, tally.arrived))

    scan = sim_scan(network.world, *path.targets, seed=seed, network=network, watch=watch, ports=f"1-{path.ports}")
    times, sent, arrived = (np.array(column, dtype=float) for column in zip(*counts, strict=True))
    times -= times[1]
    times[0] = 0
    marks = np.linspace(0, times[-1], TENTHS + 1)
    sent_at, arrived_at = np.interp(marks, times, sent), np.interp(marks, times, arrived)
    shares = np.diff(arrived_at) / np.maximum(1, np.diff(sent_at))
    rates = np.diff(sent_at) / np.diff(marks)
    wanted = {number for number in OPEN if number <= path.ports}
    found = [open_ports(host) for host in scan.hosts.values()]
    missed = path.hosts * len(wanted) - sum(len(ports & wanted) for ports in found)
    false = sum(len(ports - wanted) for ports in found)
    return Outcome(scan.seconds, scan.ended.packets_sent, tuple(shares), tuple(rates), missed, false)


def overload() -> str:
    """Simulated bottlenecks: share of the packets delivered and rate in each tenth of the scan, ports missed."""
    with ProcessPoolExecutor(WORKERS) as pool:
        outcomes = list(pool.map(measure, PATHS))
    return "\n".join([_shares(outcomes), "", _rates(outcomes)])


def _shares(outcomes: Sequence[Outcome]) -> str:
    head = [
        "delivered %",
        *(f"{10 * (tenth + 1)}%" for tenth in range(TENTHS)),
        "s",
        "packets",
        "least",
        "missed",
        "false",
    ]
    rows = []
    for path, one in zip(PATHS, outcomes, strict=True):
        least = path.hosts * path.ports
        rows.append([
            path.name, *(f"{100 * share:.0f}" for share in one.shares), f"{one.seconds:.1f}", str(one.packets),
            str(least), str(one.missed), str(one.false),
        ])  # fmt: skip
    return table(head, rows)


def _rates(outcomes: Sequence[Outcome]) -> str:
    head = ["packets/s", *(f"{10 * (tenth + 1)}%" for tenth in range(TENTHS)), "carried"]
    rows = [
        [path.name, *(f"{rate:.0f}" for rate in one.rates), f"{path.rate:.0f}"]
        for path, one in zip(PATHS, outcomes, strict=True)
    ]
    return table(head, rows)
