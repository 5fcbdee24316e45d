"""Ports: protocol, state, reason, and what is known of one port.

Enumerations are ``IntEnum`` so that columns (``uint8`` arrays) can hold them; ``label`` is the word users see.
Source of words: spec sheet sections 2.8 and 6.3 (Nmap's XML vocabulary).
"""

from __future__ import annotations

from enum import IntEnum

from leadline.model.evidence import Evidence
from leadline.model.ip import Address
from leadline.model.quick_dataclass import dataclass
from leadline.model.service import Service


class Protocol(IntEnum):
    """A transport whose ports are scanned; the value is the IP protocol number (RFC 790 registry).

    ``IP`` (0) stands for the IP protocol scan, whose "ports" are protocol numbers.
    """

    IP = 0
    TCP = 6
    UDP = 17
    SCTP = 132

    @property
    def label(self) -> str:
        return self.name.lower()


EXTENSION_HEADERS = frozenset({0, 43, 44, 50, 51, 60, 135, 139, 140, 253, 254})
"""IP protocol numbers that are extension headers in IPv6 (IANA), where a protocol is asked for by default no more."""


class PortState(IntEnum):
    """Spec sheet 2.8. ``UNKNOWN`` = not yet decided."""

    UNKNOWN = 0
    OPEN = 1
    CLOSED = 2
    FILTERED = 3
    UNFILTERED = 4
    OPEN_FILTERED = 5
    CLOSED_FILTERED = 6

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", "|")


MAYBE_OPEN = frozenset({PortState.OPEN, PortState.OPEN_FILTERED})
"""States of ports that are, or may be, open: something may be asked there."""


class Reason(IntEnum):
    """Why a port or a host has its state. ``label`` is the word of Nmap's ``reason`` attribute."""

    UNKNOWN_RESPONSE = 0
    NO_RESPONSE = 1
    SYN_ACK = 2
    SPLIT_HANDSHAKE_SYN = 3
    RESET = 4
    CONN_REFUSED = 5
    NET_UNREACH = 6
    HOST_UNREACH = 7
    PROTO_UNREACH = 8
    PORT_UNREACH = 9
    NET_PROHIBITED = 10
    HOST_PROHIBITED = 11
    ADMIN_PROHIBITED = 12
    DEST_UNREACH = 13
    TIME_EXCEEDED = 14
    ECHO_REPLY = 15
    TIMESTAMP_REPLY = 16
    ADDRESSMASK_REPLY = 17
    ARP_RESPONSE = 18
    ND_RESPONSE = 19
    LOCALHOST_RESPONSE = 20
    USER_SET = 21
    UDP_RESPONSE = 22
    PROTO_RESPONSE = 23
    PERM_DENIED = 24
    NO_ROUTE = 25
    BEYOND_SCOPE = 26
    PARAM_PROBLEM = 27
    REJECT_ROUTE = 29
    SOURCE_QUENCH = 30
    INIT_ACK = 31
    ABORT = 32
    IPID_CHANGE = 33
    NO_IPID_CHANGE = 34
    SCRIPT_SET = 35
    TCP_RESPONSE = 36

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Port:
    """One port of one host.

    ``reason_ttl`` is the TTL or hop limit of the deciding reply as received (0: none);
    ``reason_address`` is set when somebody other than the target answered (a router's ICMP error). ``heard``: datagrams
    with which it answered the port scan (UDP), bounded; version detection looks at them first.
    """

    number: int
    protocol: Protocol
    state: PortState
    reason: Reason
    reason_ttl: int = 0
    reason_address: Address | None = None
    service: Service | None = None
    evidence: Evidence | None = None
    heard: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class PortSummary:
    """Many ports of one host with the same protocol, state and reason, kept as ranges, not one by one.

    ``ranges``: ascending, inclusive ``(first, last)`` pairs; ``count`` is their total.
    """

    protocol: Protocol
    state: PortState
    reason: Reason
    ranges: tuple[tuple[int, int], ...]
    count: int
