"""Netlink messages become plain values."""

from __future__ import annotations

import os
import struct
from ipaddress import ip_address

import pytest

from leadline.errors import LinkError
from leadline.link import kernel_tables, netlink
from leadline.link.kernel_tables import (
    GO_TO,
    RouteEntry,
    entry_of,
    interface_of,
    own_address,
    read_tables,
    rule_of,
)
from leadline.link.netlink import Message, attribute


def packed(text: str) -> bytes:
    return ip_address(text).packed


def u32(number: int) -> bytes:
    return struct.pack("=I", number)


def own(prefix: int, index: int, attributes: dict[int, bytes], scope: int = 0, flags: int = 0) -> Message:
    return Message(struct.pack("=BBBBI", 2, prefix, flags, scope, index), attributes)


def route(attributes: dict[int, bytes], length: int = 0, table: int = 254, kind: int = 1, flags: int = 0) -> Message:
    return Message(struct.pack("=BBBBBBBBI", 2, length, 0, 0, table, 0, 0, kind, flags), attributes)


def hop(index: int, flags: int, attributes: bytes) -> bytes:
    return struct.pack("=HBBi", 8 + len(attributes), flags, 0, index) + attributes


def test_addresses() -> None:
    found = own_address(own(24, 3, {1: packed("10.0.0.9"), 2: packed("10.0.0.1"), 8: u32(0x81)}))
    assert found == kernel_tables.OwnAddress(ip_address("10.0.0.1"), 24, 3, secondary=True)
    found = own_address(own(64, 3, {1: packed("fe80::1")}, scope=253, flags=0x20))
    assert found == kernel_tables.OwnAddress(ip_address("fe80::1"), 64, 3, 253, deprecated=True)


@pytest.mark.parametrize(
    "attributes", [{}, {1: b""}, {1: b"12345"}, {1: packed("fe80::1"), 8: u32(0x40)}, {1: packed("fe80::1"), 8: u32(8)}]
)
def test_addresses_that_cannot_be_used(attributes: dict[int, bytes]) -> None:
    assert own_address(own(64, 3, attributes)) is None


MAC = b"\2\0\0\0\0\x0a"


@pytest.mark.parametrize(
    ("hardware", "flags", "mac", "kind", "link_header", "kept"),
    [
        (1, 0x1, MAC, "ethernet", 14, MAC),
        (1, 0x81, MAC, "point", 14, MAC),
        (772, 0x9, bytes(6), "loopback", 14, bytes(6)),
        (65534, 0x91, b"", "point", 0, bytes(6)),
        (768, 0x1, b"\x0a\0\0\1", "point", 0, bytes(6)),
    ],
)
def test_interfaces(hardware: int, flags: int, mac: bytes, kind: str, link_header: int, kept: bytes) -> None:
    owned = kernel_tables.OwnAddress(ip_address("10.0.0.1"), 24, 5)
    other = kernel_tables.OwnAddress(ip_address("10.0.0.2"), 24, 6)
    header = struct.pack("=BBHiII", 0, 0, hardware, 5, flags, 0)
    found = interface_of(Message(header, {1: mac, 3: b"dev5\0", 4: u32(1400)}), (owned, other))
    assert (found.name, found.index, found.kind, found.link_header) == ("dev5", 5, kind, link_header)
    assert (found.mtu, found.mac, found.up) == (1400, kept, True)
    assert found.addresses == ((ip_address("10.0.0.1"), 24),)
    assert interface_of(Message(header, {}), ()).name == "if5"


HOPS = hop(2, 1, attribute(5, packed("10.0.0.7"))) + hop(3, 0, attribute(18, b"\x0a\0" + packed("fe80::7")))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            route({15: u32(1000), 1: packed("10.1.0.0"), 4: u32(4)}, length=16, table=252),
            RouteEntry(1000, ip_address("10.1.0.0"), 16, interface_index=4),
        ),
        (
            route({5: packed("10.0.0.9"), 4: u32(4), 7: packed("10.0.0.1")}),
            RouteEntry(
                254,
                ip_address("0.0.0.0"),
                0,
                interface_index=4,
                gateway=ip_address("10.0.0.9"),
                source=ip_address("10.0.0.1"),
            ),
        ),
        (
            route({6: u32(30), 9: HOPS}),
            RouteEntry(254, ip_address("0.0.0.0"), 0, 1, 3, ip_address("fe80::7"), metric=30),
        ),
        (route({9: hop(2, 1, b"")}), None),
        (route({9: b"\4\0\0\0\0\0\0\0"}), None),
        (route({4: u32(4)}, flags=1), None),
        (route({1: packed("10.9.0.0")}, length=99, kind=7), RouteEntry(254, ip_address("10.9.0.0"), 32, kind=7)),
    ],
)
def test_routes(message: Message, expected: RouteEntry | None) -> None:
    assert entry_of(message, 4) == expected


def rule(attributes: dict[int, bytes], *, to: int = 0, source: int = 0, tos: int = 0, action: int = 1) -> Message:
    return Message(struct.pack("=BBBBBBBBI", 2, to, source, tos, 252, 0, 0, action, 2), attributes)


def users(first: int, last: int) -> bytes:
    return struct.pack("=II", first, last)


@pytest.mark.parametrize(
    ("message", "matches"),
    [
        (rule({}), True),
        (rule({10: u32(5)}), False),  # fwmark
        (rule({10: u32(0), 16: u32(255)}), True),
        (rule({3: b"eth0\0"}), False),  # iif
        (rule({3: b"lo\0"}), True),
        (rule({17: b"eth0\0"}), False),  # oif
        (rule({19: b"\1"}), False),  # l3mdev
        (rule({22: b"\6"}), False),  # ipproto
        (rule({23: bytes(4)}), False),  # sport
        (rule({24: bytes(4)}), False),  # dport
        (rule({20: users(os.geteuid(), os.geteuid())}), True),
        (rule({20: users(os.geteuid() + 1, os.geteuid() + 5)}), False),
        (rule({20: b"odd"}), True),
        (rule({}, source=8), False),
        (rule({}, tos=16), False),
    ],
)
def test_rule_selectors(message: Message, matches: bool) -> None:
    assert rule_of(message).matches is matches


def test_rules() -> None:
    found = rule_of(
        rule({6: u32(100), 15: u32(1000), 1: packed("10.0.0.0"), 14: u32(0), 4: u32(200)}, to=8, action=GO_TO)
    )
    assert found == kernel_tables.Rule(
        100, GO_TO, 1000, invert=True, network=ip_address("10.0.0.0"), prefix_length=8, suppress=0, target=200
    )
    assert rule_of(rule({14: u32(0xFFFFFFFF)})).suppress == -1
    assert rule_of(rule({})).table == 252


def test_this_machine_has_a_loopback() -> None:
    tables = read_tables()
    loopback = next(each for each in tables.interfaces if each.kind == "loopback")
    assert loopback.link_header == 14
    assert any(entry.kind == kernel_tables.LOCAL for entry in tables.routes[4])
    assert tables.rules[4]


def test_netlink_that_fails_is_a_link_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(kind: int, family: int) -> list[Message]:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(netlink, "dump", refuse)
    with pytest.raises(LinkError, match="not permitted"):
        read_tables()


def test_a_kernel_without_policy_rules_has_the_usual_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(kind: int, family: int) -> list[Message]:
        if kind == netlink.GET_RULE:
            raise OSError(95, "not supported")
        return []

    monkeypatch.setattr(netlink, "dump", answer)
    tables = read_tables()
    assert tables.routes == {4: (), 6: ()}
    assert tables.rules[6] == kernel_tables.DEFAULT_RULES
