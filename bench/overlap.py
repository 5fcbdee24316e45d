"""What a few slow hosts cost the many: simulated, so the seconds are those of the network, not of this machine."""

from __future__ import annotations

from ipaddress import ip_address

from bench.table import table
from leadline.engine.control import Control
from leadline.model.event import HostDone, ScanEnded
from leadline.pipeline import run
from leadline.plan.build import build_plan
from leadline.plan.options import Options
from leadline.sim.faults import NO_FAULTS, LinkFaults, TokenBucket
from leadline.sim.network import SimNetwork
from leadline.sim.services import silent
from leadline.sim.world import Behaviour, SimHost, World, ports, simple_world

HOSTS, SLOW = 40, (4, 18)
FAR = LinkFaults(latency=0.15, loss=0.2)


def _world(kind: str, services: bool) -> World:
    hosts = []
    for last in range(1, HOSTS + 1):
        slow = kind if last in SLOW else ""
        hosts.append(
            SimHost(
                (ip_address(f"10.0.0.{last}"),),
                tcp=ports(22, 80, default=Behaviour.FILTERED if slow == "drops" else Behaviour.CLOSED),
                services=(silent(80),) if services else (),
                reset_limit=TokenBucket(20.0, 20) if slow == "limited" else None,
                faults=FAR if slow == "far, lossy" else NO_FAULTS,
            )
        )
    return simple_world(hosts)


def overlap() -> str:
    """When hosts are told while two of forty are slow (virtual seconds)."""
    rows = []
    for kind, services in (("drops", False), ("limited", False), ("far, lossy", False), ("limited", True)):
        network = SimNetwork(_world(kind, services), 1)
        options = Options(
            targets=(f"10.0.0.1-{HOSTS}",), ports="1-300", max_hostgroup=10, versions=services, reverse="never", seed=1
        )
        quick, total, found = [], 0.0, 0
        for event in run(build_plan(options, True), network, network.resolver(), Control()):
            if isinstance(event, HostDone):
                found += sum(port.state.label == "open" for port in event.host.ports)
                if int(event.host.address) % 256 not in SLOW:
                    quick.append(event.at)
            elif isinstance(event, ScanEnded):
                total = event.at
        quick.sort()
        name = kind + (", -sV" if services else "")
        rows.append([name, f"{total:.2f} s", f"{quick[len(quick) // 2]:.2f} s", f"{quick[-1]:.2f} s", f"{found}"])
    head = ["two slow hosts", "all hosts", "half of the quick told", "last quick told", f"open of {2 * HOSTS}"]
    return table(head, rows)
