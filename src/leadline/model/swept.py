"""Hosts of a sweep: many at once, in columns, each of which can be had as an ordinary ``Host``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64, Address, address_of
from leadline.model.evidence import Evidence
from leadline.model.host import Host, HostStatus
from leadline.model.port import Port, PortState, Protocol, Reason
from leadline.model.quick_dataclass import dataclass
from leadline.model.service import Service

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HostsSwept:
    """All that will be known of N hosts that were scanned together, at ``at`` seconds since the scan began.

    ``hi``/``lo``: addresses ``(N,)``, ascending. ``status``, ``reasons``, ``ttls``: of the hosts, uint8 ``(N,)``.
    ``rtt``: seconds, ``(N,)``, NaN where nothing was measured; ``rttvar`` and ``timeout`` likewise. ``numbers``: the
    ports that were scanned on each, with the names of their ``services`` (empty: none). Of the ports, ``(N, P)`` each:
    ``states``, ``port_reasons``, ``port_ttls``, ``tries``, ``answered_try`` uint8; ``replies``: indices into ``words``;
    ``rules``: into ``rule_words``; ``trips`` (NaN: none) and ``times`` float64. A state of 0: not decided.
    ``responders``: who answered for port ``(row, column)``, where it was not the host itself. ``interrupted``: the task
    during which the scan of all of them was cut. ``started`` and ``ended``: seconds since the epoch.
    """

    at: float
    family: int
    hi: U64
    lo: U64
    status: U8
    reasons: U8
    ttls: U8
    rtt: F64
    rttvar: F64
    timeout: F64
    probe: str
    protocol: Protocol
    numbers: tuple[int, ...]
    services: tuple[str, ...]
    states: U8
    port_reasons: U8
    port_ttls: U8
    tries: U8
    answered_try: U8
    replies: U16
    words: tuple[str, ...]
    rules: U16
    rule_words: tuple[str, ...]
    trips: F64
    times: F64
    started: float = 0.0
    ended: float = 0.0
    interrupted: str = ""
    responders: dict[tuple[int, int], Address] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lo)

    def address(self, row: int) -> Address:
        """The address of one host."""
        return address_of(self.family, int(self.hi[row]), int(self.lo[row]))

    def statuses(self) -> dict[HostStatus, int]:
        """How many hosts have which status."""
        counts = np.bincount(self.status, minlength=len(HostStatus)).tolist()
        return {status: counts[status] for status in HostStatus if counts[status]}

    def subset(self, rows: NDArray[np.int64]) -> HostsSwept:
        """The same for some of the hosts; ``rows`` ascend."""
        place = {int(row): number for number, row in enumerate(rows.tolist())} if self.responders else {}
        columns = {
            name: getattr(self, name)[rows]
            for name in (
                "hi", "lo", "status", "reasons", "ttls", "rtt", "rttvar", "timeout", "states", "port_reasons",
                "port_ttls", "tries", "answered_try", "replies", "rules", "trips", "times",
            )
        }  # fmt: skip
        responders = {(place[row], column): who for (row, column), who in self.responders.items() if row in place}
        return replace(self, responders=responders, **columns)

    def hosts(self) -> Iterator[Host]:
        """Each host by itself (slow: tens of microseconds each)."""
        return (self.host(row) for row in range(len(self)))

    def host(self, row: int) -> Host:
        """One host, as a scan of it alone would tell it."""
        rtt = float(self.rtt[row])
        measured = rtt == rtt
        return Host(
            address=self.address(row),
            status=HostStatus(int(self.status[row])),
            reason=Reason(int(self.reasons[row])),
            reason_ttl=int(self.ttls[row]),
            latency=rtt if measured else None,
            rttvar=float(self.rttvar[row]) if measured else None,
            timeout=float(self.timeout[row]) if measured else None,
            started=self.started,
            ended=self.ended,
            ports=tuple(self._port(row, column) for column in range(len(self.numbers)) if self.states[row, column]),
            interrupted=self.interrupted,
        )

    def _port(self, row: int, column: int) -> Port:
        state, reason = PortState(int(self.states[row, column])), Reason(int(self.port_reasons[row, column]))
        responder = self.responders.get((row, column))
        trip, ttl, service = float(self.trips[row, column]), int(self.port_ttls[row, column]), self.services[column]
        evidence = Evidence(
            probe=self.probe,
            tries=int(self.tries[row, column]),
            answered_try=int(self.answered_try[row, column]),
            reply=self.words[int(self.replies[row, column])],
            responder=responder,
            ttl=ttl,
            rtt=trip if trip == trip else None,
            at=float(self.times[row, column]),
            rule=self.rule_words[int(self.rules[row, column])],
        )
        return Port(
            number=self.numbers[column],
            protocol=self.protocol,
            state=state,
            reason=reason,
            reason_ttl=ttl,
            reason_address=responder,
            service=Service(service) if service else None,
            evidence=evidence,
        )


@dataclass(frozen=True, slots=True)
class HostsSilent:
    """``count`` hosts of a sweep of which no port answered, where they are not told one by one (with ``-v`` they are).

    Each has the ``status`` for that ``reason``, and so many ``ports``, all in one ``state`` (no response).
    ``interrupted``: the task that was cut before every probe to them was sent and waited for; then nothing is known of
    the ports.
    """

    at: float
    count: int
    status: HostStatus
    reason: Reason
    ports: int
    state: PortState
    interrupted: str = ""
