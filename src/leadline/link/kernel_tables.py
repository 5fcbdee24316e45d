"""What the kernel knows of interfaces, addresses, routes and rules, read once over netlink as plain values.

Numbers are the kernel's (``linux/rtnetlink.h``, ``linux/fib_rules.h``, ``linux/if_arp.h``, ``linux/if_addr.h``).
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import field
from ipaddress import IPv4Address, IPv6Address

from leadline.errors import LinkError
from leadline.link import netlink
from leadline.link.base import Interface
from leadline.link.netlink import Message
from leadline.model.address import Address
from leadline.model.quick_dataclass import dataclass

ARP_HARDWARE_ETHERNET = 1
ARP_HARDWARE_LOOPBACK = 772
FLAG_UP, FLAG_LOOPBACK, FLAG_NO_ARP = 0x1, 0x8, 0x80

UNICAST, LOCAL, BROADCAST, ANYCAST, MULTICAST, BLACKHOLE, UNREACHABLE, PROHIBIT, THROW = range(1, 10)
NEXT_HOP_DEAD = 1

TO_TABLE, GO_TO, NOTHING, RULE_BLACKHOLE, RULE_UNREACHABLE, RULE_PROHIBIT = 1, 2, 3, 6, 7, 8
RULE_INVERT = 2

ADDRESS_SECONDARY, ADDRESS_DUPLICATE, ADDRESS_DEPRECATED, ADDRESS_TENTATIVE = 0x01, 0x08, 0x20, 0x40
SCOPE_LINK = 253

# Attribute numbers.
_LINK_ADDRESS, _LINK_NAME, _LINK_MTU = 1, 3, 4
_OWN_ADDRESS, _OWN_LOCAL, _OWN_FLAGS = 1, 2, 8
_ROUTE_TO, _ROUTE_OUT, _ROUTE_GATEWAY, _ROUTE_METRIC, _ROUTE_SOURCE = 1, 4, 5, 6, 7
_ROUTE_HOPS, _ROUTE_TABLE, _ROUTE_VIA = 9, 15, 18
_RULE_TO, _RULE_IN, _RULE_GO_TO, _RULE_PRIORITY, _RULE_MARK = 1, 3, 4, 6, 10
_RULE_SUPPRESS, _RULE_TABLE, _RULE_OUT, _RULE_MASTER = 14, 15, 17, 19
_RULE_USERS, _RULE_PROTOCOL, _RULE_FROM_PORT, _RULE_TO_PORT = 20, 22, 23, 24
# A packet of ours never meets a rule that wants these: it has no mark, no device and no socket's ports yet.
_NEVER = (_RULE_OUT, _RULE_MASTER, _RULE_PROTOCOL, _RULE_FROM_PORT, _RULE_TO_PORT)

_LINK_HEADER = struct.Struct("=BBHiII")  # ifinfomsg: family, -, type, index, flags, change
_OWN_HEADER = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefix length, flags, scope, index
_ROUTE_HEADER = struct.Struct("=BBBBBBBBI")  # rtmsg, fib_rule_hdr: family, to, from, tos, table, -, -, type, flags
_HOP_HEADER = struct.Struct("=HBBi")  # rtnexthop: length, flags, weight, index


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """An address of this machine. ``scope``: rtnetlink's (0 global, 253 link, 254 host)."""

    address: Address
    prefix_length: int
    interface_index: int
    scope: int = 0
    deprecated: bool = False
    secondary: bool = False


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One route of one table. ``kind``: ``UNICAST`` ... ``THROW``; ``interface_index`` 0 when it names none."""

    table: int
    network: Address
    prefix_length: int
    kind: int = UNICAST
    interface_index: int = 0
    gateway: Address | None = None
    source: Address | None = None
    metric: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy rule, as it is for a packet of ours without mark and whose source is not chosen yet.

    ``matches``: whether all selectors but the destination hold. ``suppress``: routes with at most that prefix length do
    not count (-1: all do). ``target``: the priority that ``GO_TO`` jumps to.
    """

    priority: int
    action: int = TO_TABLE
    table: int = 0
    matches: bool = True
    invert: bool = False
    network: Address | None = None
    prefix_length: int = 0
    suppress: int = -1
    target: int = 0


DEFAULT_RULES = (Rule(0, table=255), Rule(32766, table=254), Rule(32767, table=253))


@dataclass(frozen=True, slots=True)
class KernelTables:
    """Everything at one moment; ``routes`` and ``rules`` by family (4, 6)."""

    interfaces: tuple[Interface, ...]
    addresses: tuple[OwnAddress, ...] = ()
    routes: dict[int, tuple[RouteEntry, ...]] = field(default_factory=dict)
    rules: dict[int, tuple[Rule, ...]] = field(default_factory=dict)


def read_tables() -> KernelTables:
    """Ask the kernel. Raises ``LinkError`` when netlink does not work here."""
    families = {4: socket.AF_INET, 6: socket.AF_INET6}
    try:
        links = netlink.dump(netlink.GET_LINK, socket.AF_UNSPEC)
        owned = netlink.dump(netlink.GET_ADDRESS, socket.AF_UNSPEC)
        routes = {family: netlink.dump(netlink.GET_ROUTE, number) for family, number in families.items()}
        rules = {family: _rules(number) for family, number in families.items()}
    except OSError as error:
        raise LinkError(f"cannot read the kernel's routes: {error.strerror or error}") from error
    addresses = tuple(found for message in owned if (found := own_address(message)) is not None)
    return KernelTables(
        interfaces=tuple(interface_of(message, addresses) for message in links),
        addresses=addresses,
        routes={
            family: tuple(entry for message in messages if (entry := entry_of(message, family)) is not None)
            for family, messages in routes.items()
        },
        rules={family: tuple(map(rule_of, messages)) or DEFAULT_RULES for family, messages in rules.items()},
    )


def _rules(family: int) -> list[Message]:
    """None where the kernel is built without policy rules for the family."""
    try:
        return netlink.dump(netlink.GET_RULE, family)
    except OSError:
        return []


def _number(message: Message, name: int, default: int = 0) -> int:
    value = message.attributes.get(name, b"")
    return int.from_bytes(value, sys.byteorder) if len(value) == 4 else default


def _text(message: Message, name: int) -> str:
    return message.attributes.get(name, b"").rstrip(b"\0").decode("ascii", "replace")


def _address(value: bytes | None) -> Address | None:
    if value is not None and len(value) == 4:
        return IPv4Address(value)
    return IPv6Address(value) if value is not None and len(value) == 16 else None


def own_address(message: Message) -> OwnAddress | None:
    """An ``RTM_NEWADDR`` message; ``None`` for addresses that may not be used (tentative, duplicate)."""
    _, prefix_length, short_flags, scope, index = _OWN_HEADER.unpack(message.header)
    given = message.attributes
    address = _address(given.get(_OWN_LOCAL)) or _address(given.get(_OWN_ADDRESS))
    flags = _number(message, _OWN_FLAGS, short_flags)
    if address is None or flags & (ADDRESS_TENTATIVE | ADDRESS_DUPLICATE):
        return None
    return OwnAddress(
        address=address,
        prefix_length=min(prefix_length, address.max_prefixlen),
        interface_index=index,
        scope=scope,
        deprecated=bool(flags & ADDRESS_DEPRECATED),
        secondary=bool(flags & ADDRESS_SECONDARY),
    )


def interface_of(message: Message, addresses: tuple[OwnAddress, ...]) -> Interface:
    """An ``RTM_NEWLINK`` message with the addresses that belong to it."""
    _, _, hardware, index, flags, _ = _LINK_HEADER.unpack(message.header)
    if hardware == ARP_HARDWARE_LOOPBACK or flags & FLAG_LOOPBACK:
        kind = "loopback"
    else:
        kind = "ethernet" if hardware == ARP_HARDWARE_ETHERNET and not flags & FLAG_NO_ARP else "point"
    has_header = hardware in (ARP_HARDWARE_ETHERNET, ARP_HARDWARE_LOOPBACK)
    mac = message.attributes.get(_LINK_ADDRESS, b"")
    return Interface(
        name=_text(message, _LINK_NAME) or f"if{index}",
        index=index,
        kind=kind,
        link_header=14 if has_header else 0,
        mtu=_number(message, _LINK_MTU, 1500),
        mac=mac if has_header and len(mac) == 6 else bytes(6),
        up=bool(flags & FLAG_UP),
        addresses=tuple((own.address, own.prefix_length) for own in addresses if own.interface_index == index),
    )


def entry_of(message: Message, family: int) -> RouteEntry | None:
    """An ``RTM_NEWROUTE`` message; ``None`` when no next hop lives."""
    _, length, _, _, table, _, _, kind, flags = _ROUTE_HEADER.unpack(message.header)
    given = message.attributes
    hop, index = given, _number(message, _ROUTE_OUT)
    if _ROUTE_HOPS in given:
        living = next(_living_hops(given[_ROUTE_HOPS]), None)
        if living is None:
            return None
        index, hop = living
    elif flags & NEXT_HOP_DEAD:
        return None
    return RouteEntry(
        table=_number(message, _ROUTE_TABLE, table),
        network=_address(given.get(_ROUTE_TO)) or (IPv4Address(0) if family == 4 else IPv6Address(0)),
        prefix_length=min(length, 32 if family == 4 else 128),
        kind=kind,
        interface_index=index,
        gateway=_address(hop.get(_ROUTE_GATEWAY)) or _address(hop.get(_ROUTE_VIA, b"")[2:]),
        source=_address(given.get(_ROUTE_SOURCE)),
        metric=_number(message, _ROUTE_METRIC),
    )


def _living_hops(data: bytes) -> Iterator[tuple[int, dict[int, bytes]]]:
    """Interface index and attributes of each next hop that is not dead (the kernel spreads flows over them)."""
    position = 0
    while position + _HOP_HEADER.size <= len(data):
        length, flags, _, index = _HOP_HEADER.unpack_from(data, position)
        if length < _HOP_HEADER.size:
            return
        if not flags & NEXT_HOP_DEAD:
            yield index, netlink.attributes_of(data[position + _HOP_HEADER.size : position + length])
        position += (length + 3) & ~3


def rule_of(message: Message) -> Rule:
    """An ``RTM_NEWRULE`` message, its selectors decided for packets that this process sends."""
    _, to_length, from_length, tos, table, _, _, action, flags = _ROUTE_HEADER.unpack(message.header)
    given = message.attributes
    matches = not (
        _number(message, _RULE_MARK)
        or from_length
        or tos
        or _text(message, _RULE_IN) not in ("", "lo")
        or any(name in given for name in _NEVER)
        or not _is_for_us(given.get(_RULE_USERS))
    )
    suppress = _number(message, _RULE_SUPPRESS, 0xFFFFFFFF)
    return Rule(
        priority=_number(message, _RULE_PRIORITY),
        action=action,
        table=_number(message, _RULE_TABLE, table),
        matches=matches,
        invert=bool(flags & RULE_INVERT),
        network=_address(given.get(_RULE_TO)),
        prefix_length=to_length,
        suppress=-1 if suppress > 128 else suppress,
        target=_number(message, _RULE_GO_TO),
    )


def _is_for_us(users: bytes | None) -> bool:
    """``FRA_UID_RANGE``: two numbers, inclusive."""
    if users is None or len(users) != 8:
        return True
    first, last = struct.unpack("=II", users)
    return bool(first <= os.geteuid() <= last)
