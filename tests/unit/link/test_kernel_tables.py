"""Netlink messages, as pyroute2 hands them over, become plain values."""

from __future__ import annotations

import os
from ipaddress import ip_address

import pytest

from leadline.errors import LinkError
from leadline.link import kernel_tables
from leadline.link.kernel_tables import entries_of, interface_of, own_address, read_tables, rule_of


def message(*attributes: tuple[str, object], **fields: object) -> dict[str, object]:
    return {"attrs": list(attributes), **fields}


def test_addresses() -> None:
    found = own_address(
        message(("IFA_ADDRESS", "10.0.0.9"), ("IFA_LOCAL", "10.0.0.1"), ("IFA_FLAGS", 0x81), prefixlen=24, index=3)
    )
    assert found == kernel_tables.OwnAddress(ip_address("10.0.0.1"), 24, 3, secondary=True)
    found = own_address(message(("IFA_ADDRESS", "fe80::1"), prefixlen=64, index=3, scope=253, flags=0x20))
    assert found == kernel_tables.OwnAddress(ip_address("fe80::1"), 64, 3, 253, deprecated=True)


@pytest.mark.parametrize(
    "bad",
    [
        message(prefixlen=24),
        message(("IFA_ADDRESS", "nonsense")),
        message(("IFA_ADDRESS", 7)),
        message(("IFA_ADDRESS", "fe80::1"), ("IFA_FLAGS", 0x40)),
        message(("IFA_ADDRESS", "fe80::1"), ("IFA_FLAGS", 0x08)),
        {"attrs": None},
    ],
)
def test_addresses_that_cannot_be_used(bad: dict[str, object]) -> None:
    assert own_address(bad) is None


@pytest.mark.parametrize(
    ("hardware", "flags", "mac", "kind", "link_header", "kept"),
    [
        (1, 0x1, "02:00:00:00:00:0a", "ethernet", 14, b"\2\0\0\0\0\x0a"),
        (1, 0x81, "02:00:00:00:00:0a", "point", 14, b"\2\0\0\0\0\x0a"),
        (772, 0x9, "00:00:00:00:00:00", "loopback", 14, bytes(6)),
        (65534, 0x91, None, "point", 0, bytes(6)),
        (768, 0x1, "10.0.0.1", "point", 0, bytes(6)),
    ],
)
def test_interfaces(hardware: int, flags: int, mac: str | None, kind: str, link_header: int, kept: bytes) -> None:
    own = kernel_tables.OwnAddress(ip_address("10.0.0.1"), 24, 5)
    other = kernel_tables.OwnAddress(ip_address("10.0.0.2"), 24, 6)
    found = interface_of(
        message(
            ("IFLA_IFNAME", "dev5"), ("IFLA_MTU", 1400), ("IFLA_ADDRESS", mac), ifi_type=hardware, flags=flags, index=5
        ),
        (own, other),
    )
    assert (found.name, found.index, found.kind, found.link_header) == ("dev5", 5, kind, link_header)
    assert (found.mtu, found.mac, found.up) == (1400, kept, True)
    assert found.addresses == ((ip_address("10.0.0.1"), 24),)


def test_routes() -> None:
    hops = [
        message(("RTA_GATEWAY", "10.0.0.7"), oif=2, flags=1),
        message(("RTA_VIA", {"family": 10, "addr": "fe80::7"}), oif=3, flags=0),
    ]
    found = list(
        entries_of(
            [
                message(("RTA_TABLE", 1000), ("RTA_DST", "10.1.0.0"), ("RTA_OIF", 4), dst_len=16, table=252, type=1),
                message(("RTA_GATEWAY", "10.0.0.9"), ("RTA_OIF", 4), ("RTA_PREFSRC", "10.0.0.1"), table=254),
                message(("RTA_PRIORITY", 30), ("RTA_MULTIPATH", hops), table=254),
                message(("RTA_OIF", 4), table=254, flags=1),
                message(("RTA_DST", "10.9.0.0"), dst_len=99, table=254, type=7),
            ],
            4,
        )
    )
    zero, route = ip_address("0.0.0.0"), kernel_tables.RouteEntry
    assert found == [
        route(1000, ip_address("10.1.0.0"), 16, interface_index=4),
        route(254, zero, 0, interface_index=4, gateway=ip_address("10.0.0.9"), source=ip_address("10.0.0.1")),
        route(254, zero, 0, interface_index=3, gateway=ip_address("fe80::7"), metric=30),
        route(254, ip_address("10.9.0.0"), 32, kind=7),
    ]


@pytest.mark.parametrize(
    ("attributes", "fields", "matches"),
    [
        ([], {}, True),
        ([("FRA_FWMARK", 5)], {}, False),
        ([("FRA_FWMARK", 0), ("FRA_FWMASK", 255)], {}, True),
        ([("FRA_IIFNAME", "eth0")], {}, False),
        ([("FRA_IIFNAME", "lo")], {}, True),
        ([("FRA_OIFNAME", "eth0")], {}, False),
        ([("FRA_L3MDEV", 1)], {}, False),
        ([("FRA_IP_PROTO", 6)], {}, False),
        ([("FRA_UID_RANGE", f"{os.geteuid()}:{os.geteuid()}")], {}, True),
        ([("FRA_UID_RANGE", {"start": os.geteuid() + 1, "end": os.geteuid() + 5})], {}, False),
        ([("FRA_UID_RANGE", "odd")], {}, False),
        ([], {"src_len": 8}, False),
        ([], {"tos": 16}, False),
    ],
)
def test_rule_selectors(attributes: list[tuple[str, object]], fields: dict[str, object], matches: bool) -> None:
    assert rule_of(message(*attributes, **fields)).matches is matches


def test_rules() -> None:
    found = rule_of(
        message(
            ("FRA_PRIORITY", 100),
            ("FRA_TABLE", 1000),
            ("FRA_DST", "10.0.0.0"),
            ("FRA_SUPPRESS_PREFIXLEN", 0),
            ("FRA_GOTO", 200),
            action=2,
            flags=2,
            dst_len=8,
            table=252,
        )
    )
    assert found == kernel_tables.Rule(
        100, 2, 1000, invert=True, network=ip_address("10.0.0.0"), prefix_length=8, suppress=0, target=200
    )
    assert rule_of(message(("FRA_SUPPRESS_PREFIXLEN", 0xFFFFFFFF), table=254)).suppress == -1


def test_this_machine_has_a_loopback() -> None:
    tables = read_tables()
    loopback = next(each for each in tables.interfaces if each.kind == "loopback")
    assert loopback.link_header == 14
    assert any(entry.kind == kernel_tables.LOCAL for entry in tables.routes[4])
    assert tables.rules[4]


def test_netlink_that_fails_is_a_link_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pyroute2.IPRoute", refuse)
    with pytest.raises(LinkError, match="not permitted"):
        read_tables()


def test_a_kernel_without_a_family_has_no_routes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyroute2.netlink.exceptions import NetlinkError

    class Refusing:
        def __enter__(self) -> Refusing:
            return self

        def __exit__(self, *ended: object) -> None: ...

        def get_links(self) -> list[object]:
            return []

        get_addr = get_links

        def get_routes(self, family: int) -> list[object]:
            raise NetlinkError(95, "not supported")

        get_rules = get_routes

    monkeypatch.setattr("pyroute2.IPRoute", Refusing)
    tables = read_tables()
    assert tables.routes == {4: (), 6: ()}
    assert tables.rules[6] == kernel_tables.DEFAULT_RULES
