from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from leadline.sim.world import Behaviour, PortTable, SimHost, made_up_mac, ports, simple_world, subnet_of


def test_port_sets_in_their_order_of_precedence() -> None:
    every = frozenset({5})
    table = PortTable(
        Behaviour.FILTERED, open=frozenset({1}), closed=every | {1}, filtered=every, rejected=frozenset({7, 5})
    )
    assert [table.behaviour(port) for port in (1, 5, 7, 9)] == [
        Behaviour.OPEN,
        Behaviour.CLOSED,
        Behaviour.REJECTED,
        Behaviour.FILTERED,
    ]


def test_short_form() -> None:
    assert ports(22, 80).behaviour(80) is Behaviour.OPEN
    assert ports(22, default=Behaviour.FILTERED).behaviour(23) is Behaviour.FILTERED


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.7", "10.0.0.0/24"),
        ("192.0.2.9", "192.0.2.0/24"),
        ("203.0.113.1", None),
        ("2001:db8:ffff::9", "2001:db8:ffff::/64"),
    ],
)
def test_subnet_of(address: str, network: str | None) -> None:
    subnet = subnet_of(simple_world([]), ip_address(address))
    assert (subnet.network if subnet else None) == (ip_network(network) if network else None)


def test_worlds_are_values() -> None:
    one, other = (simple_world([SimHost((ip_address("10.0.0.1"),), tcp=ports(22))]) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)


def test_made_up_macs_are_local_and_distinct() -> None:
    macs = {made_up_mac(ip_address(f"10.0.{i}.{j}")) for i in range(4) for j in range(4)}
    assert len(macs) == 16
    assert all(len(mac) == 6 and mac[0] == 2 for mac in macs)
