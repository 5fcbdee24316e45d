"""One lossy host with ten open ports among the default thousand, in every shape, and what a scan makes of it.

Used by tests/sim/test_accuracy.py with some seeds and by bench/accuracy.py with a thousand.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from ipaddress import ip_address

import numpy as np

from leadline.data.ranking import top_ports
from leadline.model.host import HostStatus
from leadline.model.port import PortState, Protocol
from leadline.sim.faults import LinkFaults
from leadline.sim.world import Behaviour, PortTable, SimHost, World, simple_world
from tests.support.sim_scan import SimScan, open_ports, sim_scan, state_of

OPEN_PORTS = 10
SCANNED = 1000
# Both directions suffer the loss, so about a tenth of the round trips fails.
FAULTS = LinkFaults(latency=0.005, jitter=0.003, loss=0.05, duplication=0.02)
OTHERS = ("closed", "filtered", "rejected", "mixed")


@dataclass(frozen=True, slots=True)
class Shape:
    """``others``: what the ports do that are not open. ``raw``: SYN scan, else connect scan."""

    others: str
    raw: bool
    family: int
    on_link: bool

    def __str__(self) -> str:
        technique = "syn" if self.raw else "connect"
        return f"{self.others} {technique} v{self.family} {'on-link' if self.on_link else 'routed'}"


def shape_of(seed: int) -> Shape:
    """All 32 shapes come round in 32 seeds."""
    rest, others = divmod(seed, len(OTHERS))
    return Shape(OTHERS[others], rest % 2 == 0, 6 if rest // 2 % 2 else 4, rest // 4 % 2 == 1)


@dataclass(frozen=True, slots=True)
class Result:
    """``missed``/``false``: open ports not found, ports called open that are not; ``wrong``: any other wrong state.

    ``virtual`` and ``cpu`` are seconds.
    """

    seed: int
    shape: Shape
    up: bool
    found: int
    missed: tuple[int, ...]
    false: tuple[int, ...]
    wrong: tuple[int, ...]
    packets: int
    virtual: float
    cpu: float


def lossy_world(seed: int, shape: Shape, faults: LinkFaults = FAULTS) -> tuple[World, str, PortTable]:
    """The world, the address of its host, and the truth about its ports."""
    random = np.random.default_rng(seed)
    numbers = random.permutation(np.array(top_ports(Protocol.TCP, SCANNED))).tolist()
    if not shape.raw:
        # Discovery by connections asks these two only: a host that is silent on both is down to everybody.
        numbers = [80, 443] + [number for number in numbers if number not in (80, 443)]
    opened, others = frozenset(numbers[:OPEN_PORTS]), numbers[OPEN_PORTS:]
    if shape.others == "mixed":
        table = PortTable(
            Behaviour.CLOSED, opened, filtered=frozenset(others[:400]), rejected=frozenset(others[400:600])
        )
    else:
        table = PortTable(Behaviour[shape.others.upper()], opened)
    prefix = {
        (4, True): "192.0.2.", (4, False): "10.0.0.", (6, True): "2001:db8:ffff::", (6, False): "2001:db8:1::"
    }[shape.family, shape.on_link]  # fmt: skip
    address = f"{prefix}{random.integers(10, 99)}"
    host = SimHost((ip_address(address),), tcp=table, faults=faults if shape.on_link else LinkFaults())
    network = "10.0.0.0/24" if shape.family == 4 else "2001:db8:1::/64"
    world = simple_world([host], network=network, faults=faults)
    return World(world.interfaces, world.subnets, world.hosts, world.local, raw=shape.raw), address, table


def scan_lossy(seed: int, shape: Shape | None = None, faults: LinkFaults = FAULTS) -> tuple[SimScan, Result]:
    """Scan one such host with default options and compare with the truth."""
    shape = shape or shape_of(seed)
    world, address, table = lossy_world(seed, shape, faults)
    began = time.process_time()
    scan = sim_scan(world, address, seed=seed)
    cpu = time.process_time() - began
    host = scan.host(address)
    found = open_ports(host)
    wrong = []
    if host.status is HostStatus.UP:
        for number in set(top_ports(Protocol.TCP, SCANNED)) - table.open:
            truth = PortState.CLOSED if table.behaviour(number) is Behaviour.CLOSED else PortState.FILTERED
            if state_of(host, number) not in (truth, PortState.OPEN):
                wrong.append(number)
    ended = scan.ended
    result = Result(
        seed, shape, host.status is HostStatus.UP, len(found & table.open), tuple(sorted(table.open - found)),
        tuple(sorted(found - table.open)), tuple(sorted(wrong)), ended.packets_sent, ended.at, cpu,
    )  # fmt: skip
    return scan, result
