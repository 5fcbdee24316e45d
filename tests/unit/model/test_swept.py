"""Columns of hosts, and each of them as a host."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np

from leadline.model.host import HostStatus
from leadline.model.port import PortState, Reason
from tests.support.swept_events import swept_event


def test_a_row_is_a_host() -> None:
    event = swept_event()
    assert len(event) == len(list(event.hosts())) == 40
    host = event.host(1)
    assert (host.address, host.status, host.reason) == (ip_address("10.0.0.7"), HostStatus.UP, Reason.USER_SET)
    assert [port.state for port in host.ports] == [PortState.OPEN, PortState.OPEN]
    evidence = host.ports[0].evidence
    assert evidence is not None
    assert (evidence.reply, evidence.rule, evidence.rtt) == ("tcp SA", "syn: b", event.trips[1, 0])
    assert host.ports[0].service is not None
    assert host.ports[1].service is None
    assert host.latency == event.rtt[1]


def test_silence_and_foreign_answers() -> None:
    event = swept_event()
    silent = event.host(0).ports[0]
    assert silent.evidence is not None
    assert (silent.state, silent.evidence.rtt, silent.evidence.reply) == (PortState.FILTERED, None, "")
    assert event.host(2).ports[0].reason_address == ip_address("192.0.2.254")
    assert event.host(3).ports[0].reason_address is None


def test_undecided_ports_are_absent_and_unmeasured_hosts_have_no_latency() -> None:
    event = swept_event(3)
    event.states[1, 0] = 0
    event.rtt[1] = np.nan
    host = event.host(1)
    assert [port.number for port in host.ports] == [443]
    assert (host.latency, host.rttvar, host.timeout) == (None, None, None)


def test_a_subset_keeps_what_belongs_to_its_hosts() -> None:
    event = swept_event()
    part = event.subset(np.array([2, 7, 39]))
    assert [host.address for host in part.hosts()] == [event.address(row) for row in (2, 7, 39)]
    assert list(part.hosts()) == [event.host(row) for row in (2, 7, 39)]
    assert part.statuses() == {HostStatus.UP: 3}
    assert list(swept_event(2).subset(np.array([1])).hosts()) == [swept_event(2).host(1)]
    assert swept_event(5, family=6).host(1).address == ip_address("2001:db8::c")
