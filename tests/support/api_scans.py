"""Scans over the Python API of two simulated hosts."""

from __future__ import annotations

from ipaddress import ip_address

import leadline
from leadline import api
from leadline.model.plan import Plan
from leadline.sim.network import SimNetwork
from leadline.sim.world import SimHost, World, ports, simple_world

WORLD = simple_world(
    [
        SimHost((ip_address("10.0.0.5"),), hostname="web.example", tcp=ports(80, 443)),
        SimHost((ip_address("10.0.0.6"),), hostname="gate.example", tcp=ports(22)),
    ]
)


def scan_of(targets: str = "10.0.0.4/30", world: World = WORLD, **arguments: object) -> api.Scan:
    """A scan of the world that was prepared and not begun."""
    network = SimNetwork(world, seed=1)
    given = {"ports": "22,80,443", "seed": 1, "network": network, "resolver": network.resolver()} | arguments
    return leadline.scan(targets, **given)  # type: ignore[arg-type]


def plan_of(**arguments: object) -> Plan:
    """What these arguments mean."""
    return scan_of(**arguments).plan  # type: ignore[arg-type]
