"""What the scanner's own kernel sends for a connection or a datagram socket: routed, answered, translated to errno."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadline.model.address import Address, columns_of
from leadline.sim.traffic import SYN, Answers, Probes
from leadline.wire.columns import Kind

if TYPE_CHECKING:
    from leadline.sim.network import SimNetwork

FIRST_PORT, PAST_LAST_PORT = 32_768, 60_999
# Seconds after which the search for a neighbour has failed (three questions, one a second: mcast_solicit).
NEIGHBOR_FAILS = 3.0
# Linux's translations of ICMP errors (the tables icmp_err_convert and tab_unreach of its sources, by their meaning).
_ERRNO_V4 = {
    (3, 0): errno.ENETUNREACH,
    (3, 2): errno.ENOPROTOOPT,
    (3, 3): errno.ECONNREFUSED,
    (3, 6): errno.ENETUNREACH,
    (3, 7): errno.EHOSTDOWN,
    (3, 8): errno.ENONET,
    (3, 9): errno.ENETUNREACH,
    (3, 11): errno.ENETUNREACH,
}
_ERRNO_V6 = {
    (1, 0): errno.ENETUNREACH,
    (1, 1): errno.EACCES,
    (1, 4): errno.ECONNREFUSED,
    (1, 5): errno.EACCES,
    (1, 6): errno.EACCES,
}
# The errors that a connected UDP socket hears of (marked as fatal in the same tables): what may pass is not among them.
_HARD_V4 = frozenset((3, code) for code in (2, 3, 6, 7, 8, 9, 10, 13, 14, 15))
_HARD_V6 = frozenset((1, code) for code in (1, 4, 5, 6))


@dataclass(slots=True)
class Packet:
    """One SYN or datagram. ``sent``: when it left; ``source`` is filled in by its route."""

    address: Address
    port: int
    source_port: int
    sent: float
    scope: str = ""
    sequence: int = 0
    length: int = 0
    source: Address | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of some packets of one family: ``answers`` (their ``frame`` is ``-1 - row`` of ``rows``).

    ``error`` says instead why these rows could not be sent at all (``ENETUNREACH``, ``EHOSTUNREACH``).
    """

    rows: list[int]
    answers: tuple[Answers, ...] = ()
    error: int = 0


def error_number(family: int, icmp_type: int, icmp_code: int) -> int:
    """The errno into which Linux translates an ICMP error."""
    codes = _ERRNO_V4 if family == 4 else _ERRNO_V6
    return codes.get((icmp_type, icmp_code), errno.EHOSTUNREACH)


def is_hard(family: int, icmp_type: int, icmp_code: int) -> bool:
    """Whether a connected UDP socket is told of an ICMP error; others it must not give up for (RFC 1122 4.2.3.9)."""
    return (icmp_type, icmp_code) in (_HARD_V4 if family == 4 else _HARD_V6)


def exchange(network: SimNetwork, family: int, packets: Sequence[Packet], kind: Kind) -> Iterator[Batch]:
    """Send packets of one family through the network. ``kind``: ``Kind.TCP`` (SYNs) or ``Kind.UDP``."""
    hi, lo = columns_of([packet.address for packet in packets])
    scopes = {row: packet.scope for row, packet in enumerate(packets) if packet.scope}
    routed = network.routes(family, hi, lo, scopes)
    owners = network.terrain.endpoints[family]
    owner = owners.index.find(hi, lo)
    groups: dict[bool, list[int]] = {False: [], True: []}
    no_route: list[int] = []
    no_neighbor: list[int] = []
    for row, packet in enumerate(packets):
        if routed.route_of[row] < 0:
            no_route.append(row)
            continue
        route = routed.routes[routed.route_of[row]]
        packet.source = route.source
        silent = owner[row] < 0 or not network.terrain.neighbor[owners.host[owner[row]]]
        if route.on_link and silent:
            no_neighbor.append(row)
        else:
            groups[route.local].append(row)
    if no_route:
        yield Batch(no_route, error=errno.ENETUNREACH)
    if no_neighbor:
        yield Batch(no_neighbor, error=errno.EHOSTUNREACH)
    for local, rows in groups.items():
        if rows:
            probes = _probes([packets[row] for row in rows], kind)
            honest, lies = network.exchange.connect(family, probes, local)
            answers = tuple(network.exchange.suffer(family, part) for part in (honest, *lies))
            yield Batch(rows, answers)


def _probes(packets: Sequence[Packet], kind: Kind) -> Probes:
    count = len(packets)
    target_hi, target_lo = columns_of([packet.address for packet in packets])
    source_hi, source_lo = columns_of([p.source if p.source is not None else p.address for p in packets])
    nobody = np.full(count, -1, np.int32)
    times = np.array([packet.sent for packet in packets], np.float64)
    zero16, zero32 = np.zeros(count, np.uint16), np.zeros(count, np.uint32)
    tcp = kind == Kind.TCP
    return Probes(
        frame=-1 - np.arange(count, dtype=np.int32),
        kind=np.full(count, kind, np.uint8),
        source_hi=source_hi,
        source_lo=source_lo,
        target_hi=target_hi,
        target_lo=target_lo,
        protocol=np.full(count, 6 if tcp else 17, np.uint8),
        ttl=np.full(count, 64, np.uint8),
        source_port=np.array([packet.source_port for packet in packets], np.uint16),
        target_port=np.array([packet.port for packet in packets], np.uint16),
        sequence=np.array([packet.sequence for packet in packets], np.uint32),
        acknowledgment=zero32,
        flags=np.full(count, SYN if tcp else 0, np.uint16),
        length=np.array([packet.length for packet in packets], np.int32),
        identifier=zero16,
        icmp_sequence=zero16,
        time=times,
        host=nobody,
        path=nobody,
        depth=nobody,
        arrival=times,
        back=times,
        survives=np.zeros(count, np.float64),
        hops=np.zeros(count, np.uint8),
    )
