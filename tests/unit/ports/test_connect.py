from __future__ import annotations

import errno
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.engine.prober import Prober
from leadline.errors import NetworkError
from leadline.link.base import Connected
from leadline.model.event import PacketTraced, PortFound
from leadline.model.plan import TimingPlan
from leadline.model.port import PortState, Reason
from leadline.ports.connect import ConnectScan
from leadline.ports.probes import port_matrix
from tests.support.machines import T0, FakeClock, FakeConnector

OPEN, CLOSED, FILTERED = PortState.OPEN, PortState.CLOSED, PortState.FILTERED
PORTS = (22, 80, 443)


def silent() -> FakeConnector:
    """Nothing ends but what a test says."""
    return FakeConnector(FakeClock(), lambda address, port: None)


def machine_of(connector: FakeConnector, *, tracing: bool = False) -> ConnectScan:
    matrix = port_matrix([PORTS] * 2, (), True, np.random.default_rng(1))
    prober = Prober(2, len(PORTS), matrix.order, TimingPlan(), T0)
    addresses = [ip_address("10.9.0.10"), ip_address("10.9.0.11")]
    machine = ConnectScan(
        addresses, {}, matrix, prober, connector, T0,
        names=lambda number, protocol: "ssh" if number == 22 else "", materialised=25, tracing=tracing,
    )  # fmt: skip
    machine.start(T0, 100)
    return machine


def end(machine: ConnectScan, connector: FakeConnector, *ends: tuple[int, int], at: float = 0.1) -> list[object]:
    """``ends``: port of the first host and error of each."""
    tokens = {one[2]: one[0] for one in connector.started if str(one[1]) == "10.9.0.10"}
    for port, _ in ends:
        del connector.pending[tokens[port]]
    machine.take([Connected(tokens[port], error, T0 + at) for port, error in ends], T0 + at)
    return list(machine.events())


def states(machine: ConnectScan, *, complete: bool = False) -> dict[int, tuple[PortState, Reason]]:
    return {port.number: (port.state, port.reason) for port in machine.result(0, T0 + 9, complete)[0]}


def test_each_end_decides_its_port() -> None:
    connector = silent()
    machine = machine_of(connector)
    events = end(machine, connector, (22, 0), (80, errno.ECONNREFUSED), (443, errno.EHOSTUNREACH))
    (found,) = [event for event in events if isinstance(event, PortFound)]
    assert (str(found.address), found.port.number, found.at) == ("10.9.0.10", 22, pytest.approx(0.1))
    evidence = found.port.evidence
    assert evidence is not None
    assert (evidence.probe, evidence.reply, evidence.rule) == ("connect", "syn-ack", "connect: syn-ack -> open")
    assert (evidence.rtt, evidence.at) == (pytest.approx(0.1), pytest.approx(0.1))
    assert states(machine) == {
        22: (OPEN, Reason.SYN_ACK),
        80: (CLOSED, Reason.CONN_REFUSED),
        443: (FILTERED, Reason.HOST_UNREACH),
    }
    assert machine.result(1, T0 + 9, False) == ((), ())


def test_silence_is_an_answer_only_at_the_end() -> None:
    connector = silent()
    machine = machine_of(connector)
    end(machine, connector, (22, 0))
    assert states(machine) == {22: (OPEN, Reason.SYN_ACK)}
    assert states(machine, complete=True)[443] == (FILTERED, Reason.NO_RESPONSE)


def test_time_outs_of_the_kernel_are_left_to_ours() -> None:
    connector = silent()
    machine = machine_of(connector)
    end(machine, connector, (22, errno.ETIMEDOUT), (80, errno.EHOSTDOWN), (443, errno.EINVAL))
    assert states(machine) == {}
    assert machine.prober.active[0]


def test_a_connection_to_oneself_is_tried_again() -> None:
    connector = silent()
    machine = machine_of(connector)
    before = len(connector.started)
    end(machine, connector, (80, errno.EAGAIN), (22, 0))
    assert states(machine) == {22: (OPEN, Reason.SYN_ACK)}
    machine.start(T0 + 0.2, 100)
    assert 80 in {one[2] for one in connector.started[before:]}


@pytest.mark.parametrize("error", [errno.ENETDOWN, errno.ENETRESET])
def test_without_a_network_of_our_own_the_scan_ends(error: int) -> None:
    connector = silent()
    machine = machine_of(connector)
    with pytest.raises(NetworkError, match=errno.errorcode[error]):
        end(machine, connector, (22, error))


def test_tracing_names_each_end() -> None:
    connector = silent()
    machine = machine_of(connector, tracing=True)
    events = end(machine, connector, (22, 0), (80, errno.ECONNREFUSED))
    traced = [event for event in events if isinstance(event, PacketTraced)]
    assert [(event.direction, event.summary) for event in traced] == [
        ("CONN", "TCP localhost > 10.9.0.10:22 => Connected"),
        ("CONN", "TCP localhost > 10.9.0.10:80 => ECONNREFUSED"),
    ]
