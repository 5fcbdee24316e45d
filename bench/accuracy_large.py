"""10,000 simulated hosts of many kinds behind lossy and limited paths: what is found and missed, for how many packets.

100 seeds with 100 hosts each, all in one scan; every seed has a path of its own. Beside the scan as it is: the same
with one and with two tries at most, as scanners with a fixed number of tries have.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address

import numpy as np

from bench.table import table
from leadline.model.host import HostStatus
from leadline.model.port import PortState
from leadline.sim.faults import LinkFaults, TokenBucket
from leadline.sim.world import LINUX, WINDOWS, Behaviour, PortTable, SimHost, World, simple_world
from tests.support.sim_scan import open_ports, sim_scan, state_of

SEEDS, HOSTS, PORTS = 100, 100, 30
WORKERS = 2
OPEN = 3
# Remarks printed below one table.
TOLD = 40
# Share of the packets that the seed's path loses, each way, and packets a second that it carries (0: all).
LOSSES = (0.0, 0.01, 0.03, 0.05, 0.1)
RATES = (0.0, 0.0, 0.0, 3000.0)
TRIES = {"as it is": None, "two tries": 1, "one try": 0}


@dataclass(frozen=True, slots=True)
class Result:
    """Ports that are open, ``found``, ``down`` (missed because their host was thought down), ``false``, and other
    states that are ``wrong``; ``remarks``: which these are, where.
    """

    loss: float
    there: int
    found: int
    down: int
    false: int
    wrong: int
    packets: int
    virtual: float
    cpu: float
    remarks: tuple[str, ...]


def make(seed: int) -> tuple[World, dict[str, PortTable], float]:
    """The world, the truth about each address, and the path's loss each way."""
    random = np.random.default_rng(seed)
    loss = LOSSES[seed % len(LOSSES)]
    hosts, truth = [], {}
    for row in range(HOSTS):
        opened = frozenset((random.permutation(PORTS)[:OPEN] + 1).tolist())
        table = PortTable((Behaviour.CLOSED, Behaviour.FILTERED, Behaviour.REJECTED)[row % 3], opened)
        address = f"10.0.0.{1 + row}"
        hosts.append(
            SimHost(
                (ip_address(address),),
                tcp=table,
                personality=WINDOWS if row % 2 else LINUX,
                faults=LinkFaults(latency=float(random.uniform(0, 0.05)), loss=0.05 if row % 10 == 9 else 0.0),
                reset_limit=TokenBucket(100, 20) if row % 7 == 3 else None,
                icmp_limit=TokenBucket(50, 10) if row % 5 == 2 else None,
                probe_limit=TokenBucket(300, 30) if row % 11 == 5 else None,
            )
        )
        truth[address] = table
    rate = RATES[seed % len(RATES)]
    faults = LinkFaults(latency=0.005, jitter=0.003, loss=loss, duplication=0.01, rate=rate, queue=100)
    return simple_world(hosts, faults=faults), truth, loss


def scan(job: tuple[int, int | None]) -> Result:
    """One seed, with so many retries at most."""
    seed, retries = job
    world, truth, loss = make(seed)
    began = time.process_time()
    done = sim_scan(world, f"10.0.0.1-{HOSTS}", seed=seed, ports=f"1-{PORTS}", max_retries=retries)
    cpu = time.process_time() - began
    there = found = down = false = wrong = 0
    remarks = []
    for address, ports in truth.items():
        host = done.host(address)
        told = open_ports(host)
        there += len(ports.open)
        found += len(told & ports.open)
        false += len(told - ports.open)
        if host.status is not HostStatus.UP:
            down += len(ports.open)
            remarks.append(f"{address} is {host.status.label}")
            continue
        remarks += [f"{address} port {number} is missed" for number in sorted(ports.open - told)]
        remarks += [f"{address} port {number} is not open" for number in sorted(told - ports.open)]
        for number in set(range(1, PORTS + 1)) - ports.open:
            right = PortState.CLOSED if ports.behaviour(number) is Behaviour.CLOSED else PortState.FILTERED
            state = state_of(host, number)
            if state is not right:
                wrong += 1
                remarks.append(f"{address} port {number} is {right.label}, not {state.label}")
    where = tuple(f"seed {seed}: {remark}" for remark in remarks)
    return Result(loss, there, found, down, false, wrong, done.ended.packets_sent, done.seconds, cpu, where)


def accuracy_large(seeds: range = range(SEEDS)) -> str:
    """10,000 mixed simulated hosts, loss and limits: found and missed beside packets (about 40 minutes)."""
    jobs = [(seed, retries) for retries in TRIES.values() for seed in seeds]
    with ProcessPoolExecutor(WORKERS) as pool:
        results = list(zip(jobs, pool.map(scan, jobs, chunksize=2), strict=True))
    parts = [summary(name, [one for job, one in results if job[1] == retries]) for name, retries in TRIES.items()]
    return "\n\n".join(parts)


def summary(name: str, results: list[Result]) -> str:
    """The table of one kind of scan, and what it missed where."""
    rows = []
    for loss in LOSSES:
        some = [one for one in results if one.loss == loss]
        rows += [[f"{name}, {loss:.0%} lost each way", *_sums(some)]] if some else []
    rows.append([f"{name}, all", *_sums(results)])
    head = ["scan", "open", "found", "missed", "host down", "false", "wrong", "packets", "virtual s", "cpu s"]
    remarks = [remark for one in results for remark in one.remarks]
    told = [*remarks[:TOLD], f"and {len(remarks) - TOLD} more"] if len(remarks) > TOLD else remarks
    return "\n".join([table(head, rows), *(f"  {remark}" for remark in told)])


def _sums(some: list[Result]) -> list[str]:
    there, found = sum(one.there for one in some), sum(one.found for one in some)
    summed = [sum(getattr(one, name) for one in some) for name in ("down", "false", "wrong", "packets")]
    means = [sum(getattr(one, name) for one in some) / max(1, len(some)) for name in ("virtual", "cpu")]
    return [*map(str, (there, found, there - found, *summed)), *(f"{mean:.1f}" for mean in means)]
