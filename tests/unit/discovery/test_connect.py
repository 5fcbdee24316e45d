from __future__ import annotations

import errno
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.discovery.connect import ConnectDiscovery, connect_ports
from leadline.engine.prober import Prober
from leadline.link.base import Connected
from leadline.model.event import HostFound
from leadline.model.host import HostStatus
from leadline.model.plan import DiscoveryPlan, PingKind, PingProbe, TimingPlan
from leadline.model.port import Reason
from tests.support.machines import T0, FakeClock, FakeConnector

UP, UNKNOWN = HostStatus.UP, HostStatus.UNKNOWN


def silent() -> FakeConnector:
    """Nothing ends but what a test says."""
    return FakeConnector(FakeClock(), lambda address, port: None)


def machine_of(connector: FakeConnector, hosts: int = 2, *, ignore_reset: bool = False) -> ConnectDiscovery:
    ports = np.array([80, 443], dtype=np.int64)
    prober = Prober(hosts, 2, np.arange(2), TimingPlan(), T0)
    addresses = [ip_address(f"10.9.0.{10 + host}") for host in range(hosts)]
    return ConnectDiscovery(addresses, {}, ports, prober, connector, T0, ignore_reset=ignore_reset)


def token_of(connector: FakeConnector, address: str, port: int) -> int:
    return next(one[0] for one in connector.started if (str(one[1]), one[2]) == (address, port))


def end(
    machine: ConnectDiscovery, connector: FakeConnector, address: str, port: int, error: int, at: float = 0.1
) -> list[HostFound]:
    token = token_of(connector, address, port)
    connector.pending.pop(token, None)
    machine.take([Connected(token, error, T0 + at)], T0 + at)
    return [event for event in machine.events() if isinstance(event, HostFound)]


def test_ports_of_a_family_each_once() -> None:
    plan = DiscoveryPlan(
        probes_v4=tuple(PingProbe(PingKind.TCP_CONNECT, port) for port in (80, 443, 80)),
        probes_v6=(PingProbe(PingKind.TCP_SYN, 22), PingProbe(PingKind.TCP_CONNECT, 25)),
    )
    assert connect_ports(plan, 4).tolist() == [80, 443]
    assert connect_ports(plan, 6).tolist() == [25]


@pytest.mark.parametrize(("error", "reason"), [(0, Reason.SYN_ACK), (errno.ECONNREFUSED, Reason.CONN_REFUSED)])
def test_an_answer_means_up_and_ends_the_host(error: int, reason: Reason) -> None:
    connector = silent()
    machine = machine_of(connector)
    assert machine.start(T0, 100) == 4
    (found,) = end(machine, connector, "10.9.0.10", 443, error)
    assert (str(found.address), found.reason) == ("10.9.0.10", reason)
    assert machine.status.tolist() == [UP, UNKNOWN]
    assert machine.prober.active.tolist() == [False, True]
    assert token_of(connector, "10.9.0.10", 80) in connector.cancelled
    evidence = machine.evidence(0, T0 + 9)
    assert (evidence.probe, evidence.reply, evidence.tries, evidence.answered_try) == (
        "tcp-connect 443", reason.label, 1, 1,
    )  # fmt: skip
    assert evidence.rule == f"tcp-connect 443: {reason.label} -> up"
    assert evidence.rtt == pytest.approx(0.1)
    assert evidence.at == pytest.approx(0.1)
    # A second answer of the same batch is not needed any more.
    assert end(machine, connector, "10.9.0.10", 80, 0) == []


def test_two_answers_of_one_batch_find_the_host_once() -> None:
    connector = silent()
    machine = machine_of(connector, hosts=1)
    machine.start(T0, 100)
    connector.pending.clear()
    machine.take([Connected(token, 0, T0 + 0.1) for token, *_ in connector.started], T0 + 0.1)
    assert len([event for event in machine.events() if isinstance(event, HostFound)]) == 1


def test_a_refusal_can_be_ignored() -> None:
    connector = silent()
    machine = machine_of(connector, hosts=1, ignore_reset=True)
    machine.start(T0, 100)
    assert end(machine, connector, "10.9.0.10", 80, errno.ECONNREFUSED) == []
    assert end(machine, connector, "10.9.0.10", 443, errno.ECONNREFUSED) == []
    machine.start(T0 + 0.2, 100)
    assert machine.done
    assert (machine.status[0], machine.reasons[0]) == (UNKNOWN, Reason.NO_RESPONSE)
    assert machine.evidence(0, T0 + 9).rule == "no connection was answered -> down"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errno.EHOSTUNREACH, Reason.HOST_UNREACH),
        (errno.ENETUNREACH, Reason.NET_UNREACH),
        (errno.EACCES, Reason.ADMIN_PROHIBITED),
    ],
)
def test_errors_from_the_way_prove_nobody_but_are_told(error: int, reason: Reason) -> None:
    connector = silent()
    machine = machine_of(connector, hosts=1)
    machine.start(T0, 100)
    assert end(machine, connector, "10.9.0.10", 80, error) == []
    assert (machine.status[0], machine.reasons[0]) == (UNKNOWN, reason)
    assert end(machine, connector, "10.9.0.10", 443, error) == []
    machine.start(T0 + 0.2, 100)
    assert machine.done
    evidence = machine.evidence(0, T0 + 9)
    assert evidence.rule == f"connections failed: {reason.label} -> down"
    assert (evidence.probe, evidence.tries) == ("tcp-connect 80, tcp-connect 443", 2)


def test_a_connection_to_oneself_is_tried_again() -> None:
    connector = silent()
    machine = machine_of(connector, hosts=1)
    machine.start(T0, 100)
    assert end(machine, connector, "10.9.0.10", 80, errno.EAGAIN) == []
    assert machine.start(T0 + 0.2, 100) == 1
    assert (str(connector.started[-1][1]), connector.started[-1][2]) == ("10.9.0.10", 80)


def test_errors_without_a_meaning_are_left_to_the_timer() -> None:
    connector = silent()
    machine = machine_of(connector, hosts=1)
    machine.start(T0, 100)
    assert end(machine, connector, "10.9.0.10", 80, errno.ETIMEDOUT) == []
    assert machine.reasons[0] == Reason.NO_RESPONSE
    assert machine.prober.active[0]
    assert machine.evidence(0, T0 + 0.2).rule == "no answer before the scan was cut -> unknown"
