"""Route lookups against a slow and simple reading of the same tables."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.link.base import Interface, Route
from leadline.link.kernel_tables import (
    ANYCAST,
    BLACKHOLE,
    BROADCAST,
    GO_TO,
    LOCAL,
    NOTHING,
    RULE_UNREACHABLE,
    THROW,
    UNREACHABLE,
    KernelTables,
    OwnAddress,
    RouteEntry,
    Rule,
)
from leadline.link.routes import PrefixTable, Router
from leadline.model.address import columns_of

LO = Interface("lo", 1, "loopback", 14, 65536, bytes(6), True)
ETH = Interface("eth0", 2, "ethernet", 14, 1500, b"\2\0\0\0\0\1", True)
TUN = Interface("tun0", 3, "point", 0, 1400, bytes(6), True)
DOWN = Interface("eth1", 4, "ethernet", 14, 1500, b"\2\0\0\0\0\2", False)

OWNED = (
    OwnAddress(ip_address("127.0.0.1"), 8, 1, scope=254),
    OwnAddress(ip_address("10.0.0.1"), 24, 2),
    OwnAddress(ip_address("10.8.0.1"), 32, 3),
    OwnAddress(ip_address("::1"), 128, 1, scope=254),
    OwnAddress(ip_address("fd00::1"), 64, 2),
    OwnAddress(ip_address("2001:db8::1"), 64, 2),
    OwnAddress(ip_address("fe80::1"), 64, 2, scope=253),
    OwnAddress(ip_address("fe80::3"), 64, 3, scope=253),
)


def entry(prefix: str, index: int = 2, gateway: str = "", table: int = 254, **rest: object) -> RouteEntry:
    network = ip_network(prefix)
    via = ip_address(gateway) if gateway else None
    return RouteEntry(table, network.network_address, network.prefixlen, interface_index=index, gateway=via, **rest)  # type: ignore[arg-type]


V4 = (
    entry("127.0.0.0/8", 1, table=255, kind=LOCAL, source=ip_address("127.0.0.1")),
    entry("10.0.0.1/32", 2, table=255, kind=LOCAL),
    entry("10.3.0.9/32", 4, table=255, kind=LOCAL),
    entry("10.0.0.255/32", 2, table=255, kind=BROADCAST),
    entry("10.0.0.0/24", source=ip_address("10.0.0.1")),
    entry("0.0.0.0/0", gateway="10.0.0.254", metric=100),
    entry("0.0.0.0/0", 3, metric=50),
    entry("0.0.0.0/0", 4, gateway="10.3.0.1", metric=1),
    entry("10.9.0.0/16", 0, kind=UNREACHABLE),
    entry("10.9.9.0/24", gateway="10.0.0.253"),
    entry("10.10.0.0/16", 0, kind=BLACKHOLE),
)
V6 = (
    entry("::1/128", 1, table=255, kind=LOCAL),
    entry("fd00::1/128", 2, table=255, kind=LOCAL),
    entry("fe80::1/128", 2, table=255, kind=LOCAL),
    entry("fe80::3/128", 3, table=255, kind=LOCAL),
    entry("fd00::/128", 2, table=255, kind=ANYCAST),
    entry("fd00::/64"),
    entry("fe80::/64", 2, metric=256),
    entry("fe80::/64", 3, metric=256),
    entry("::/0", gateway="fe80::99"),
)


def router(v4: tuple[RouteEntry, ...] = V4, v6: tuple[RouteEntry, ...] = V6, *rules: Rule) -> Router:
    chosen = {4: rules, 6: rules} if rules else {}
    return Router(KernelTables((LO, ETH, TUN, DOWN), OWNED, {4: v4, 6: v6}, chosen))


def routed(target: str, scope: str = "", use: Router | None = None) -> Route | None:
    address = ip_address(target)
    answer = (use or router()).routes(address.version, *columns_of([address]), {0: scope} if scope else {})
    number = int(answer.route_of[0])
    return None if number < 0 else answer.routes[number]


@pytest.mark.parametrize(
    ("target", "interface", "source", "gateway", "local"),
    [
        ("127.1.2.3", LO, "127.0.0.1", "", True),
        ("10.0.0.1", LO, "10.0.0.1", "", True),
        ("10.3.0.9", LO, "10.3.0.9", "", True),  # although its interface is down
        ("10.0.0.7", ETH, "10.0.0.1", "", False),
        ("10.0.0.255", ETH, "10.0.0.1", "", False),
        ("8.8.8.8", TUN, "10.8.0.1", "", False),  # the lowest metric of the interfaces that are up
        ("10.9.9.1", ETH, "10.0.0.1", "10.0.0.253", False),
        ("::1", LO, "::1", "", True),
        ("fd00::1", LO, "fd00::1", "", True),
        ("fd00::", LO, "fd00::1", "", True),
        ("fd00::7", ETH, "fd00::1", "", False),
        ("2620::1", ETH, "2001:db8::1", "fe80::99", False),
        ("fd99::1", ETH, "fd00::1", "fe80::99", False),
        ("fe80::7", ETH, "fe80::1", "", False),
    ],
)
def test_one_target(target: str, interface: Interface, source: str, gateway: str, local: bool) -> None:
    via = ip_address(gateway) if gateway else None
    assert routed(target) == Route(interface, ip_address(source), via, local)


@pytest.mark.parametrize("target", ["10.9.1.1", "10.10.1.1"])
def test_forbidden_targets_have_no_route(target: str) -> None:
    assert routed(target) is None


def test_without_a_source_there_is_no_route() -> None:
    tables = KernelTables((LO, ETH), (), {4: (entry("0.0.0.0/0"),)})
    assert routed("10.1.1.1", use=Router(tables)) is None
    tables = KernelTables((ETH,), OWNED, {4: (entry("10.0.0.1/32", table=255, kind=LOCAL),)})
    assert routed("10.0.0.1", use=Router(tables)) is None  # no loopback to go over


@pytest.mark.parametrize(
    ("target", "scope", "interface", "source"),
    [
        ("fe80::7", "tun0", TUN, "fe80::3"),
        ("fe80::7", "3", TUN, "fe80::3"),
        ("fe80::7", "eth0", ETH, "fe80::1"),
        ("fe80::1", "eth0", LO, "fe80::1"),
        ("::1", "lo", LO, "::1"),
    ],
)
def test_scopes_choose_the_interface(target: str, scope: str, interface: Interface, source: str) -> None:
    route = routed(target, scope)
    assert route is not None
    assert (route.interface, route.source) == (interface, ip_address(source))


@pytest.mark.parametrize("scope", ["nowhere", "eth1", "tun0"])
def test_scopes_without_a_route(scope: str) -> None:
    assert routed("fd00::7", scope) is None


def test_scoped_and_free_targets_in_one_block() -> None:
    addresses = [ip_address(each) for each in ("fe80::7", "2620::1", "fe80::8", "fe80::9")]
    answer = router().routes(6, *columns_of(addresses), {0: "eth0", 2: "tun0", 3: "gone"})
    names = [answer.routes[number].interface.name if number >= 0 else "" for number in answer.route_of]
    assert names == ["eth0", "eth0", "tun0", ""]
    assert answer.route_of.dtype == np.int32


def test_equal_routes_are_one() -> None:
    hi, lo = columns_of([ip_address(f"10.9.9.{number}") for number in range(200)])
    answer = router().routes(4, hi, lo, {})
    assert len(answer.routes) == 1
    assert set(answer.route_of) == {0}


def test_no_targets_and_no_tables() -> None:
    assert router().routes(4, *columns_of([]), {}).routes == []
    assert routed("1.1.1.1", use=Router(KernelTables(()))) is None


OTHER = (*V4, entry("10.20.0.0/16", gateway="10.0.0.77", table=100), entry("0.0.0.0/0", 3, table=101))
MAIN = Rule(32766, table=254)


@pytest.mark.parametrize(
    ("rules", "target", "gateway"),
    [
        ((Rule(5, table=100), MAIN), "10.20.0.1", "10.0.0.77"),
        ((Rule(5, table=100), MAIN), "10.9.9.1", "10.0.0.253"),
        ((Rule(5, table=100, matches=False), MAIN), "10.9.9.1", "10.0.0.253"),
        ((Rule(5, table=101, matches=False, invert=True), MAIN), "10.9.9.1", ""),
        ((Rule(5, table=101, network=ip_address("10.9.0.0"), prefix_length=16), MAIN), "10.9.9.1", ""),
        ((Rule(5, table=101, network=ip_address("10.7.0.0"), prefix_length=16), MAIN), "10.9.9.1", "10.0.0.253"),
        ((Rule(5, table=254, suppress=0), Rule(6, table=101)), "10.9.9.1", "10.0.0.253"),
        ((Rule(5, table=254, suppress=24), Rule(6, table=101)), "10.9.9.1", ""),
        ((Rule(5, action=NOTHING), MAIN), "10.9.9.1", "10.0.0.253"),
        ((Rule(5, action=GO_TO, target=7), Rule(6, table=101), Rule(7, table=254)), "10.9.9.1", "10.0.0.253"),
        ((Rule(5, action=RULE_UNREACHABLE), MAIN), "10.9.9.1", None),
        ((Rule(5, table=102),), "10.9.9.1", None),
    ],
)
def test_policy_rules(rules: tuple[Rule, ...], target: str, gateway: str | None) -> None:
    route = routed(target, use=router(OTHER, V6, *rules))
    if gateway is None:
        assert route is None
    else:
        assert route is not None
        assert str(route.gateway or "") == gateway


def test_throw_goes_on_with_the_next_rule() -> None:
    routes = (*V4, entry("10.9.9.0/25", 0, table=100, kind=THROW), entry("10.9.9.0/24", 3, table=100))
    use = router(routes, V6, Rule(5, table=100), MAIN)
    below, above = routed("10.9.9.1", use=use), routed("10.9.9.200", use=use)
    assert below is not None
    assert above is not None
    assert (below.interface, above.interface) == (ETH, TUN)


prefixes = st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128), st.integers(0, 3))


@given(st.sampled_from([4, 6]), st.lists(prefixes, max_size=30), st.lists(st.integers(0, 2**128 - 1), max_size=20))
def test_longest_prefix_like_a_walk_over_all_routes(
    family: int, drawn: list[tuple[int, int, int]], targets: list[int]
) -> None:
    bits = 32 if family == 4 else 128
    kind = ip_network("0.0.0.0/0" if family == 4 else "::/0").__class__
    entries = []
    for number, length, metric in drawn:
        length = min(length, bits)
        network = kind((number >> (128 - bits) >> (bits - length) << (bits - length), length))
        entries.append(RouteEntry(254, network.network_address, length, metric=metric))
    wanted = [target >> (128 - bits) for target in targets]
    wanted += [int(each.network) for each in entries] + [int(each.network) ^ 1 for each in entries]
    hi = np.array([target >> 64 for target in wanted], np.uint64)
    lo = np.array([target & (1 << 64) - 1 for target in wanted], np.uint64)
    found, lengths = PrefixTable(family, list(enumerate(entries))).lookup(hi, lo)
    for row, target in enumerate(wanted):
        matching = [
            (-each.prefix_length, each.metric)
            for each in entries
            if (target ^ int(each.network)) >> (bits - each.prefix_length) == 0
        ]
        if not matching:
            assert found[row] == -1
            continue
        best = entries[found[row]]
        assert (-best.prefix_length, best.metric) == min(matching)
        assert lengths[row] == best.prefix_length
        assert (target ^ int(best.network)) >> (bits - best.prefix_length) == 0
