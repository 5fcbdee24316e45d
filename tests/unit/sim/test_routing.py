from __future__ import annotations

from ipaddress import ip_address

from leadline.link.base import Interface, Route
from leadline.model.address import columns_of
from leadline.sim.routing import RouteTable, source_towards

LO = Interface("lo", 1, "loopback", 14, 65536, bytes(6), True, ((ip_address("127.0.0.1"), 8), (ip_address("::1"), 128)))
ETH = Interface(
    "eth0",
    2,
    "ethernet",
    14,
    1500,
    bytes(6),
    True,
    ((ip_address("fe80::5"), 64), (ip_address("10.0.0.5"), 24), (ip_address("2001:db8::5"), 64)),
)
OWN = frozenset(address for one in (LO, ETH) for address, _ in one.addresses)


def route(target: str, gateway: str | None = None) -> Route | None:
    address = ip_address(target)
    table = RouteTable(address.version, *columns_of([address]))
    table.connected(ETH)
    if gateway:
        table.default(ETH, ip_address(gateway))
    table.local(LO, OWN)
    return table.routes[table.route_of[0]] if table.route_of[0] >= 0 else None


def test_connected_default_none() -> None:
    assert route("10.0.0.9") == Route(ETH, ip_address("10.0.0.5"))
    assert route("10.0.1.9", "10.0.0.1") == Route(ETH, ip_address("10.0.0.5"), ip_address("10.0.0.1"))
    assert route("10.0.1.9") is None
    assert route("2001:db9::1", "fe80::1") == Route(ETH, ip_address("fe80::5"), ip_address("fe80::1"))


def test_own_addresses_are_local() -> None:
    for text in ("10.0.0.5", "2001:db8::5", "127.0.0.1", "::1"):
        assert route(text) == Route(LO, ip_address(text), None, local=True)
    assert route("127.3.4.5") == Route(LO, ip_address("127.0.0.1"), None, local=True)


def test_scoped_targets_take_their_interface_or_none() -> None:
    table = RouteTable(6, *columns_of([ip_address("fe80::9"), ip_address("fe80::9")]))
    table.scoped(0, ETH)
    table.scoped(1, None)
    assert table.route_of.tolist() == [0, -1]
    assert table.routes == [Route(ETH, ip_address("fe80::5"))]


def test_source_prefers_the_same_network_then_global_addresses() -> None:
    assert source_towards(ETH, ip_address("fe80::77")) == ip_address("fe80::5")
    assert source_towards(ETH, ip_address("2001:db9::1")) == ip_address("2001:db8::5")
    assert source_towards(Interface("x", 3, "point", 0, 1500, bytes(6), True), ip_address("10.0.0.1")) is None
