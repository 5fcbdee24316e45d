"""Firewall rules of routers: first match wins, no match lets pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Network, IPv6Network

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64

NetworkRange = IPv4Network | IPv6Network


class Action(IntEnum):
    """``RESET``: a RST in the target's name; ``REJECT``: an ICMP error of the router."""

    ACCEPT = 0
    DROP = 1
    RESET = 2
    REJECT = 3


@dataclass(frozen=True, slots=True)
class IcmpError:
    """Type and code of one refusal in both families (RFC 792, RFC 4443, registry of ICMP parameters)."""

    v4: tuple[int, int]
    v6: tuple[int, int]


NET_UNREACHABLE = IcmpError((3, 0), (1, 0))
HOST_UNREACHABLE = IcmpError((3, 1), (1, 3))
PROTOCOL_UNREACHABLE = IcmpError((3, 2), (4, 1))
PORT_UNREACHABLE = IcmpError((3, 3), (1, 4))
NET_PROHIBITED = IcmpError((3, 9), (1, 5))
HOST_PROHIBITED = IcmpError((3, 10), (1, 1))
ADMIN_PROHIBITED = IcmpError((3, 13), (1, 1))
TIME_EXCEEDED = IcmpError((11, 0), (3, 0))


@dataclass(frozen=True, slots=True)
class Rule:
    """Everything given must match.

    ``protocol``: IP protocol number (1 also means ICMPv6); ``ports``: inclusive ranges of the destination port;
    ``networks``: of the destination; ``flags``: mask and value of the TCP flags.
    """

    action: Action
    protocol: int | None = None
    ports: tuple[tuple[int, int], ...] = ()
    networks: tuple[NetworkRange, ...] = ()
    flags: tuple[int, int] | None = None
    error: IcmpError = ADMIN_PROHIBITED


def in_network(network: NetworkRange, family: int, hi: U64, lo: U64) -> NDArray[np.bool_]:
    """Which addresses of one family lie in ``network``; ``hi``/``lo`` uint64 ``(N,)``."""
    if network.version != family:
        return np.zeros(len(lo), dtype=np.bool_)
    base, mask = int(network.network_address), int(network.netmask)
    low = (1 << 64) - 1
    inside: NDArray[np.bool_] = (lo & np.uint64(mask & low)) == np.uint64(base & low)
    if family == 6:
        inside &= (hi & np.uint64(mask >> 64)) == np.uint64(base >> 64)
    return inside


def verdicts(
    rules: Sequence[Rule],
    family: int,
    hi: U64,
    lo: U64,
    protocol: NDArray[np.uint8],
    port: NDArray[np.uint16],
    flags: NDArray[np.uint16],
) -> NDArray[np.int32]:
    """Index of the first matching rule of each packet, -1 without one. All columns ``(N,)``."""
    found = np.full(len(lo), -1, dtype=np.int32)
    for index, rule in enumerate(rules):
        match = found < 0
        if rule.protocol is not None:
            number = 58 if rule.protocol == 1 and family == 6 else rule.protocol
            match &= protocol == number
        if rule.ports:
            inside = np.zeros(len(lo), dtype=np.bool_)
            for first, last in rule.ports:
                inside |= (port >= first) & (port <= last)
            match &= inside & ((protocol == 6) | (protocol == 17) | (protocol == 132))
        if rule.networks:
            inside = np.zeros(len(lo), dtype=np.bool_)
            for network in rule.networks:
                inside |= in_network(network, family, hi, lo)
            match &= inside
        if rule.flags is not None:
            mask, value = rule.flags
            match &= (protocol == 6) & ((flags & mask) == value)
        found[match] = index
    return found
