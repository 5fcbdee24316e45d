"""What the kernel knows of interfaces, addresses, routes and rules, read once over netlink as plain values.

Numbers are the kernel's (``linux/rtnetlink.h``, ``linux/fib_rules.h``, ``linux/if_arp.h``, ``linux/if_addr.h``).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TypeAlias

from leadline.errors import LinkError
from leadline.link.base import Interface
from leadline.model.address import Address

ARP_HARDWARE_ETHERNET = 1
ARP_HARDWARE_LOOPBACK = 772
FLAG_UP, FLAG_LOOPBACK, FLAG_NO_ARP = 0x1, 0x8, 0x80

UNICAST, LOCAL, BROADCAST, ANYCAST, MULTICAST, BLACKHOLE, UNREACHABLE, PROHIBIT, THROW = range(1, 10)
NEXT_HOP_DEAD = 1

TO_TABLE, GO_TO, NOTHING, RULE_BLACKHOLE, RULE_UNREACHABLE, RULE_PROHIBIT = 1, 2, 3, 6, 7, 8
RULE_INVERT = 2

ADDRESS_SECONDARY, ADDRESS_DUPLICATE, ADDRESS_DEPRECATED, ADDRESS_TENTATIVE = 0x01, 0x08, 0x20, 0x40
SCOPE_LINK = 253

# One netlink message as pyroute2 gives it: looked into by ``_get`` alone.
Message: TypeAlias = Mapping[str, object]


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
    try:
        from pyroute2 import IPRoute  # not at the top: the import takes longer than the start of the program

        with IPRoute() as netlink:
            links: list[Message] = list(netlink.get_links())
            owned: list[Message] = list(netlink.get_addr())
            families = {4: socket.AF_INET, 6: socket.AF_INET6}
            routes: dict[int, list[Message]] = {}
            rules: dict[int, list[Message]] = {}
            for family, number in families.items():
                routes[family] = _dump(netlink.get_routes, number)
                rules[family] = _dump(netlink.get_rules, number)
    except OSError as error:
        raise LinkError(f"cannot read the kernel's routes: {error.strerror or error}") from error
    addresses = tuple(found for message in owned if (found := own_address(message)) is not None)
    interfaces = tuple(interface_of(message, addresses) for message in links)
    return KernelTables(
        interfaces=interfaces,
        addresses=addresses,
        routes={family: tuple(entries_of(messages, family)) for family, messages in routes.items()},
        rules={family: tuple(map(rule_of, messages)) or DEFAULT_RULES for family, messages in rules.items()},
    )


def _dump(ask: Callable[..., Iterable[Message]], family: int) -> list[Message]:
    """A dump that is empty where the kernel lacks the family or policy rules."""
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        return list(ask(family=family))
    except NetlinkError:
        return []


def _get(message: Message, name: str) -> object:
    """An attribute of a netlink message (``None`` when it is missing)."""
    attributes = message.get("attrs")
    if isinstance(attributes, Sequence):
        for pair in attributes:  # pairs by index only: pyroute2 decodes an attribute when it is looked at
            if pair[0] == name:
                found: object = pair[1]
                return found
    return None


def _number(value: object, default: int = 0) -> int:
    return value if isinstance(value, int) else default


def _address(value: object) -> Address | None:
    """An address as pyroute2 writes it: text, or (``RTA_VIA``) a mapping with family and ``addr``."""
    if isinstance(value, Mapping):
        value = value.get("addr")
    if not isinstance(value, str):
        return None
    try:
        return ip_address(value)
    except ValueError:
        return None


def own_address(message: Message) -> OwnAddress | None:
    """An ``RTM_NEWADDR`` message; ``None`` for addresses that may not be used (tentative, duplicate)."""
    address = _address(_get(message, "IFA_LOCAL")) or _address(_get(message, "IFA_ADDRESS"))
    flags = _number(_get(message, "IFA_FLAGS"), _number(message.get("flags")))
    if address is None or flags & (ADDRESS_TENTATIVE | ADDRESS_DUPLICATE):
        return None
    return OwnAddress(
        address=address,
        prefix_length=_number(message.get("prefixlen")),
        interface_index=_number(message.get("index")),
        scope=_number(message.get("scope")),
        deprecated=bool(flags & ADDRESS_DEPRECATED),
        secondary=bool(flags & ADDRESS_SECONDARY),
    )


def interface_of(message: Message, addresses: tuple[OwnAddress, ...]) -> Interface:
    """An ``RTM_NEWLINK`` message with the addresses that belong to it."""
    hardware, flags = _number(message.get("ifi_type")), _number(message.get("flags"))
    index = _number(message.get("index"))
    if hardware == ARP_HARDWARE_LOOPBACK or flags & FLAG_LOOPBACK:
        kind = "loopback"
    else:
        kind = "ethernet" if hardware == ARP_HARDWARE_ETHERNET and not flags & FLAG_NO_ARP else "point"
    has_header = hardware in (ARP_HARDWARE_ETHERNET, ARP_HARDWARE_LOOPBACK)
    mac = str(_get(message, "IFLA_ADDRESS") or "")
    return Interface(
        name=str(_get(message, "IFLA_IFNAME") or f"if{index}"),
        index=index,
        kind=kind,
        link_header=14 if has_header else 0,
        mtu=_number(_get(message, "IFLA_MTU"), 1500),
        mac=bytes.fromhex(mac.replace(":", "")) if has_header and len(mac) == 17 else bytes(6),
        up=bool(flags & FLAG_UP),
        addresses=tuple((own.address, own.prefix_length) for own in addresses if own.interface_index == index),
    )


def entries_of(messages: Sequence[Message], family: int) -> Iterable[RouteEntry]:
    """``RTM_NEWROUTE`` messages; of several next hops the first that lives (the kernel spreads by flow)."""
    bits = 32 if family == 4 else 128
    for message in messages:
        hop = _live_hop(message)
        if hop is None:
            continue
        network = _address(_get(message, "RTA_DST")) or ip_address("0.0.0.0" if family == 4 else "::")
        yield RouteEntry(
            table=_number(_get(message, "RTA_TABLE"), _number(message.get("table"))),
            network=network,
            prefix_length=min(_number(message.get("dst_len")), bits),
            kind=_number(message.get("type"), UNICAST),
            interface_index=_number(_get(hop, "RTA_OIF"), _number(hop.get("oif"))),
            gateway=_address(_get(hop, "RTA_GATEWAY")) or _address(_get(hop, "RTA_VIA")),
            source=_address(_get(message, "RTA_PREFSRC")),
            metric=_number(_get(message, "RTA_PRIORITY")),
        )


def _live_hop(message: Message) -> Message | None:
    hops = _get(message, "RTA_MULTIPATH")
    candidates: list[Message] = [message]
    if isinstance(hops, Sequence) and hops:
        candidates = [hop for hop in hops if isinstance(hop, Mapping)]
    for hop in candidates:
        if not _number(hop.get("flags")) & NEXT_HOP_DEAD:
            return hop
    return None


def rule_of(message: Message) -> Rule:
    """An ``RTM_NEWRULE`` message, its selectors decided for packets that this process sends."""
    mark, input_name = _number(_get(message, "FRA_FWMARK")), _get(message, "FRA_IIFNAME")
    ids = _get(message, "FRA_UID_RANGE")
    matches = not (
        mark
        or (input_name and input_name != "lo")
        or _get(message, "FRA_OIFNAME")
        or _number(message.get("src_len"))
        or _number(message.get("tos"))
        or _get(message, "FRA_L3MDEV")
        or _get(message, "FRA_IP_PROTO")
        or _get(message, "FRA_SPORT_RANGE")
        or _get(message, "FRA_DPORT_RANGE")
        or (ids is not None and not _in_range(ids, os.geteuid()))
    )
    suppress = _number(_get(message, "FRA_SUPPRESS_PREFIXLEN"), 0xFFFFFFFF)
    return Rule(
        priority=_number(_get(message, "FRA_PRIORITY")),
        action=_number(message.get("action"), TO_TABLE),
        table=_number(_get(message, "FRA_TABLE"), _number(message.get("table"))),
        matches=matches,
        invert=bool(_number(message.get("flags")) & RULE_INVERT),
        network=_address(_get(message, "FRA_DST")),
        prefix_length=_number(message.get("dst_len")),
        suppress=-1 if suppress > 128 else suppress,
        target=_number(_get(message, "FRA_GOTO")),
    )


def _in_range(ids: object, user: int) -> bool:
    """``FRA_UID_RANGE`` as pyroute2 writes it: ``first:last`` or a mapping."""
    if isinstance(ids, Mapping):
        return _number(ids.get("start")) <= user <= _number(ids.get("end"), 1 << 32)
    first, _, last = str(ids).partition(":")
    return first.isdecimal() and last.isdecimal() and int(first) <= user <= int(last)
