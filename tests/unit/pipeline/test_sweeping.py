"""Sweeps in the pipeline: failures of links, and what comes beside (whole sweeps are in tests/sim/test_sweeps.py)."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from leadline.errors import LinkError
from leadline.model.event import Notice, ScanEnded
from leadline.model.swept import HostsSilent, HostsSwept
from leadline.sim.faults import LinkFaults
from leadline.sim.link import SimLink
from leadline.sim.network import SimNetwork
from leadline.sim.world import SimHost, ports, simple_world
from leadline.wire.batch import FrameBatch
from tests.support.pipelines import collect


def test_a_broken_link_ends_the_sweep_after_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadline.pipeline.order.LARGEST_SCAN", 100)
    base = int(ip_address("10.0.0.0"))
    hosts = [SimHost((ip_address(base + number),), tcp=ports(80)) for number in range(1, 2000, 2)]
    network = SimNetwork(simple_world(hosts, network="10.0.0.0/20", faults=LinkFaults(latency=0.005)), 1)
    send, sent = SimLink.send, [0]

    def failing(link: SimLink, batch: FrameBatch) -> int:
        sent[0] += len(batch)
        if sent[0] > 3000:
            raise LinkError("eth0: the cable is out")
        return send(link, batch)

    monkeypatch.setattr(SimLink, "send", failing)
    events, error = collect(network, "10.0.0.0/20", techniques=("syn",), skip_discovery=True, ports="80")
    assert isinstance(error, LinkError)
    swept = [event for event in events if isinstance(event, HostsSwept)]
    assert sum(len(event) for event in swept) > 100
    assert {event.interrupted for event in swept} == {"SYN Stealth Scan"}
    (silent,) = [event for event in events if isinstance(event, HostsSilent)]
    assert silent.interrupted
    last = events[-1]
    assert isinstance(last, ScanEnded)
    assert (last.exit, last.hosts_total) == ("error", 4096)


def test_nothing_but_the_local_link_is_no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadline.pipeline.order.LARGEST_SCAN", 100)
    network = SimNetwork(simple_world([SimHost((ip_address("192.0.2.9"),), tcp=ports(80))]), 1)
    events, error = collect(network, "192.0.2.0/24", techniques=("syn",), skip_discovery=True, ports="80")
    assert error is None
    assert not any(isinstance(event, HostsSwept | HostsSilent | Notice) for event in events)
    assert isinstance(events[-1], ScanEnded)
    assert events[-1].hosts_up == 3  # the host, the gateway, and this machine
