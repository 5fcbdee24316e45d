"""Whole scans over the simulated network, in this process, from options to the last event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, TypeVar

from leadline.engine.control import Control
from leadline.model.event import Event, HostDone, ScanEnded
from leadline.model.host import Host
from leadline.model.port import Port, PortState
from leadline.net.base import Resolver
from leadline.pipeline import run
from leadline.plan.build import build_plan
from leadline.plan.options import Options
from leadline.sim.network import SimNetwork
from leadline.sim.world import World

SomeEvent = TypeVar("SomeEvent")
Watcher = Callable[[Event, Control], None]


@dataclass(slots=True)
class SimScan:
    """What a scan gave. ``seconds`` are virtual."""

    network: SimNetwork
    events: list[Event] = field(default_factory=list)

    def of(self, kind: type[SomeEvent]) -> list[SomeEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def hosts(self) -> dict[str, Host]:
        """Hosts by address; a scan that gives one twice shows it in ``of(HostDone)``."""
        return {str(event.host.address): event.host for event in self.of(HostDone)}

    def host(self, address: str) -> Host:
        return self.hosts[str(ip_address(address))]

    @property
    def ended(self) -> ScanEnded:
        last = self.events[-1]
        assert isinstance(last, ScanEnded)
        return last

    @property
    def seconds(self) -> float:
        return self.ended.at


def sim_scan(
    world: World,
    *targets: str,
    seed: int = 1,
    control: Control | None = None,
    watch: Watcher | None = None,
    resolver: Resolver | None = None,
    network: SimNetwork | None = None,
    **options: Any,
) -> SimScan:
    """Scan ``targets`` of a world; ``options`` are fields of ``Options``. ``watch`` sees each event as it comes."""
    network = network or SimNetwork(world, seed)
    control = control or Control()
    given = {"reverse": "never", "seed": seed} | options
    plan = build_plan(Options(targets=targets, **given), network.can_send_raw())
    scan = SimScan(network)
    for event in run(plan, network, resolver or network.resolver(), control):
        scan.events.append(event)
        if watch is not None:
            watch(event, control)
    return scan


def open_ports(host: Host) -> set[int]:
    return {port.number for port in host.ports if port.state is PortState.OPEN}


def port_of(host: Host, number: int) -> Port:
    return next(port for port in host.ports if port.number == number)


def state_of(host: Host, number: int) -> PortState:
    """State of one port, kept one by one or as part of a range; ``UNKNOWN`` where nothing is said."""
    for port in host.ports:
        if port.number == number:
            return port.state
    for summary in host.summaries:
        if any(first <= number <= last for first, last in summary.ranges):
            return summary.state
    return PortState.UNKNOWN


def told_ports(host: Host) -> list[int]:
    """Every port of which something is said, as often as it is said."""
    ranged = [
        number for summary in host.summaries for first, last in summary.ranges for number in range(first, last + 1)
    ]
    return sorted([port.number for port in host.ports] + ranged)


def stop_when(condition: Callable[[Event], bool], signal: str = "SIGINT") -> Watcher:
    """A watcher that asks the scan to stop at the first event that fits."""

    def watch(event: Event, control: Control) -> None:
        if not control.stop and condition(event):
            control.stop = signal

    return watch
