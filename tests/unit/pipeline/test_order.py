"""The order of the stages and what becomes of a scan that fails (whole scans are in tests/sim)."""

from __future__ import annotations

import pytest

from leadline.errors import LinkError
from leadline.model.event import (
    HostDone,
    HostFound,
    PortFound,
    ScanEnded,
    ScanStarted,
    TaskEnded,
    TaskStarted,
)
from leadline.model.host import HostStatus
from leadline.sim.network import SimNetwork
from tests.support.pipelines import NEAR, FailingResolver, break_links, check_failure, collect, done, world_of
from tests.support.sim_scan import sim_scan


def test_the_stages_come_in_their_order() -> None:
    scan = sim_scan(world_of(), *NEAR, ports="22-30", reverse=None)
    kinds = [type(event) for event in scan.events]
    assert kinds[0] is ScanStarted
    assert kinds[-1] is ScanEnded
    assert [event.task for event in scan.of(TaskStarted)] == [
        "ARP Ping Scan",
        "Parallel DNS resolution",
        "SYN Stealth Scan",
    ]
    assert len(scan.of(TaskEnded)) == 3
    order = [kinds.index(kind) for kind in (HostFound, PortFound, HostDone)]
    assert order == sorted(order)
    times = [event.at for event in scan.events if not isinstance(event, ScanStarted | HostFound | PortFound)]
    assert times == sorted(times)


def test_a_failure_in_discovery_comes_after_all_that_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    break_links(monkeypatch, 1)
    events, error = collect(SimNetwork(world_of()), *NEAR, "192.0.2.9", ports="22")
    check_failure(events, error, LinkError, "eth0: the interface is gone")
    hosts = done(events)
    cut = {HostStatus.UNKNOWN: "discovery", HostStatus.UP: "SYN Stealth Scan"}
    assert all(host.interrupted == cut[host.status] for host in hosts.values())
    assert hosts["192.0.2.9"].status is HostStatus.UNKNOWN


def test_links_are_closed_whatever_happens() -> None:
    for options in ({"ports": "22"}, {"ports": "22", "resolver": FailingResolver(ValueError("x")), "reverse": None}):
        network = SimNetwork(world_of())
        collect(network, *NEAR, **options)
        assert network._links == []


def test_the_same_seed_gives_the_same_events() -> None:
    first, second = (collect(SimNetwork(world_of(), 3), *NEAR, ports="1-100", seed=3)[0] for _ in range(2))
    assert first == second
