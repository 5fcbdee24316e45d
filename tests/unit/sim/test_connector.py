from __future__ import annotations

import errno
from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.errors import UsageError
from leadline.model.plan import Proxy
from leadline.sim.connector import SimConnector
from leadline.sim.faults import LinkFaults
from leadline.sim.firewall import ADMIN_PROHIBITED, HOST_UNREACHABLE, NET_PROHIBITED, PORT_UNREACHABLE, IcmpError
from leadline.sim.liars import LIES, Tarpit
from leadline.sim.network import SimNetwork
from leadline.sim.world import Behaviour, PortTable, SimHost, World, ports, simple_world

V4, V6 = ip_address("10.0.0.1"), ip_address("2001:db8:ffff::5")


def world(**fields: object) -> World:
    table = PortTable(open=frozenset({80}), filtered=frozenset({82}), rejected=frozenset({83}))
    return simple_world([SimHost((V4, V6), **({"tcp": table} | fields))], faults=LinkFaults(latency=0.01))  # type: ignore[arg-type]


def outcomes(connector: SimConnector, until: float = 200.0) -> dict[int, tuple[int, float]]:
    found: dict[int, tuple[int, float]] = {}
    clock = connector._network.clock
    start = clock.now()
    while clock.now() - start < until:
        for one in connector.poll(1.0):
            assert one.token not in found
            assert one.at <= clock.now()
            found[one.token] = (one.error, one.at - start)
    return found


@pytest.mark.parametrize("address", [V4, V6])
def test_open_closed_and_silent(address: object) -> None:
    connector = SimNetwork(world()).connector(None)
    for port in (80, 81, 82):
        connector.start(port, address, port)  # type: ignore[arg-type]
    found = outcomes(connector)
    assert {port: error for port, (error, _) in found.items()} == {
        80: 0,
        81: errno.ECONNREFUSED,
        82: errno.ETIMEDOUT,
    }
    assert found[80][1] < 0.05
    assert found[82][1] == pytest.approx(127.0, abs=0.1)


@pytest.mark.parametrize(
    ("error", "v4", "v6"),
    [
        (ADMIN_PROHIBITED, errno.EHOSTUNREACH, errno.EACCES),
        (PORT_UNREACHABLE, errno.ECONNREFUSED, errno.ECONNREFUSED),
        (HOST_UNREACHABLE, errno.EHOSTUNREACH, errno.EHOSTUNREACH),
        (NET_PROHIBITED, errno.ENETUNREACH, errno.EACCES),
        (IcmpError((3, 2), (1, 0)), errno.ENOPROTOOPT, errno.ENETUNREACH),
    ],
)
def test_errors_as_the_kernel_translates_them(error: IcmpError, v4: int, v6: int) -> None:
    connector = SimNetwork(world(tcp=PortTable(Behaviour.REJECTED, error=error))).connector(None)
    connector.start(4, V4, 1)
    connector.start(6, V6, 1)
    assert {token: code for token, (code, _) in outcomes(connector, 3.0).items()} == {4: v4, 6: v6}


def test_no_neighbor_and_no_route() -> None:
    base = world()
    connector = SimNetwork(base).connector(None)
    connector.start(1, ip_address("192.0.2.99"), 80)
    found = outcomes(connector, 5.0)
    assert found[1] == (errno.EHOSTUNREACH, pytest.approx(3.0, abs=0.01))
    lonely = replace(base, interfaces=(replace(base.interfaces[0], gateways=()),))
    connector = SimNetwork(lonely).connector(None)
    connector.start(1, V4, 80)
    assert connector.poll(1.0)[0].error == errno.ENETUNREACH


def test_unknown_networks_are_refused_by_the_gateway() -> None:
    connector = SimNetwork(world()).connector(None)
    connector.start(1, ip_address("203.0.113.1"), 80)
    assert connector.poll(1.0)[0].error == errno.ENETUNREACH


def test_own_ports() -> None:
    base = replace(world(), local=SimHost((), tcp=ports(631)))
    connector = SimNetwork(base).connector(None)
    connector.start(1, ip_address("127.0.0.1"), 631)
    connector.start(2, ip_address("192.0.2.2"), 632)
    assert {token: code for token, (code, _) in outcomes(connector, 1.0).items()} == {1: 0, 2: errno.ECONNREFUSED}


def test_the_kernel_sends_again_when_a_packet_is_lost() -> None:
    lossy = simple_world([SimHost((V4,), tcp=PortTable(Behaviour.OPEN))], faults=LinkFaults(loss=0.15))
    connector = SimNetwork(lossy, 3).connector(500)
    for port in range(200):
        connector.start(port, V4, port)
    found = outcomes(connector, 130.0)
    late = [at for _, at in found.values() if at > 0.9]
    assert {error for error, _ in found.values()} == {0}
    assert 30 < len(late) < 90
    assert any(2.9 < at < 3.2 for at in late)


def test_capacity_is_kept_and_the_rest_waits() -> None:
    connector = SimNetwork(world()).connector(5)
    assert connector.capacity == 5
    for port in range(100, 150):
        connector.start(port, V4, port)
    first = connector.poll(1.0)
    assert 0 < len(first) <= 5
    assert len(first) + len(outcomes(connector, 2.0)) == 50


def test_cancel_and_close_forget() -> None:
    connector = SimNetwork(world()).connector(1)
    for port in (80, 81, 84):
        connector.start(port, V4, port)
    connector.cancel(80)
    connector.cancel(84)
    connector.cancel(12345)
    assert list(outcomes(connector, 1.0)) == [81]
    connector.start(80, V4, 80)
    connector.close()
    assert outcomes(connector, 1.0) == {}


def test_a_token_started_again_ends_once() -> None:
    connector = SimNetwork(world()).connector(None)
    connector.start(1, V4, 81)
    connector.start(1, V4, 80)
    assert [error for error, _ in outcomes(connector, 1.0).values()] == [0]


def test_poll_waits_no_longer_than_told() -> None:
    network = SimNetwork(world())
    connector = network.connector(None)
    before = network.clock.now()
    assert connector.poll(0.25) == []
    assert network.clock.now() == before + 0.25
    connector.start(1, V4, 82)
    assert connector.poll(0.5) == []
    assert network.clock.now() == pytest.approx(before + 0.75, abs=0.001)


@pytest.mark.parametrize("lie", LIES, ids=repr)
def test_no_lie_is_believed(lie: object) -> None:
    connector = SimNetwork(world(tcp=ports(default=Behaviour.CLOSED), lie=lie)).connector(None)
    for port in range(1, 20):
        connector.start(port, V4, port)
    assert 0 not in {error for error, _ in outcomes(connector, 140.0).values()}


def test_a_tarpit_is_open_everywhere() -> None:
    connector = SimNetwork(world(lie=Tarpit())).connector(None)
    for port in range(1, 20):
        connector.start(port, V4, port)
    assert {error for error, _ in outcomes(connector, 1.0).values()} == {0}


def test_there_are_no_proxies_to_go_through() -> None:
    with pytest.raises(UsageError, match="no proxies"):
        SimNetwork(world()).connector(None, (Proxy("http", "192.0.2.1", 3128),))
