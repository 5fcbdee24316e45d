"""Hosts that stop answering in the middle of their scan: it is said, and what they answered before stays."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from leadline.model.event import TimingDecision
from leadline.model.port import PortState
from leadline.sim.faults import LinkFaults, TokenBucket
from leadline.sim.world import Behaviour, PortTable, SimHost, World, ports, simple_world
from tests.support.sim_scan import open_ports, sim_scan

FAULTS = LinkFaults(latency=0.005, jitter=0.002)
TABLE = ports(22, 80)
PORTS = 1000
WORDS = "it is gone or shuts this scanner out"


def world_of(answered: int | None, *, table: PortTable = TABLE, faults: LinkFaults = FAULTS) -> World:
    """One host that takes in ``answered`` probes, and nothing after them."""
    limit = None if answered is None else TokenBucket(0.0, answered)
    return simple_world([SimHost((ip_address("10.0.0.1"),), tcp=table, probe_limit=limit)], faults=faults)


@pytest.mark.parametrize("technique", ["syn", "connect"])
@pytest.mark.parametrize("answered", [50, 400, 990])
def test_a_host_that_vanishes_is_told_of(technique: str, answered: int) -> None:
    scan = sim_scan(world_of(answered), "10.0.0.1", ports=f"1-{PORTS}", techniques=(technique,))
    host = scan.host("10.0.0.1")
    assert len(host.remarks) == 1, (host.summaries, scan.seconds)
    (remark,) = host.remarks
    assert WORDS in remark
    assert remark.startswith("from 0.")
    assert host.silent_since is not None
    assert 0 < host.silent_since < scan.seconds
    filtered = sum(s.count for s in host.summaries if s.state is PortState.FILTERED)
    filtered += sum(port.state is PortState.FILTERED for port in host.ports)
    assert filtered >= PORTS - answered
    assert scan.seconds < 30
    told = [one for one in scan.of(TimingDecision) if "the host is gone" in one.cause]
    assert len(told) == 1


@pytest.mark.parametrize("technique", ["syn", "connect"])
@pytest.mark.parametrize("loss", [0.0, 0.15])
def test_a_host_that_is_there_is_not_doubted(technique: str, loss: float) -> None:
    faults = LinkFaults(latency=0.005, jitter=0.002, loss=loss)
    table = ports(22, 80, default=Behaviour.FILTERED)
    for seed in range(2):
        scan = sim_scan(
            world_of(None, table=table, faults=faults),
            "10.0.0.1",
            ports=f"1-{PORTS}",
            techniques=(technique,),
            seed=seed,
        )
        host = scan.host("10.0.0.1")
        assert host.remarks == ()
        assert host.silent_since is None
        assert open_ports(host) == {22, 80}
