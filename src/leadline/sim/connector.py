"""Ordinary TCP connections in the simulated network, as a kernel would open them."""

from __future__ import annotations

import errno
from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from leadline.link.base import Connected
from leadline.model.address import Address, columns_of
from leadline.sim.clock import CALL_COST
from leadline.sim.traffic import ACK, RST, SYN, AnswerKind, Answers, Probes
from leadline.wire.columns import Kind

if TYPE_CHECKING:
    from leadline.sim.network import SimNetwork

# Linux: six retransmissions of the SYN at doubling intervals, then it gives up (tcp_syn_retries; RFC 6298 section 2.1).
_RESENDS = (1.0, 3.0, 7.0, 15.0, 31.0, 63.0)
_GIVE_UP = 127.0
_NEIGHBOR_FAILS = 3.0
_START_COST = 0.000_02
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


@dataclass(slots=True)
class _Attempt:
    token: int
    address: Address
    port: int
    scope: str
    started: float
    sequence: int = 0
    source_port: int = 0
    source: Address | None = None
    resends: int = 0


class SimConnector:
    """``link.base.Connector``. More attempts than ``capacity`` wait for a free place, oldest first."""

    def __init__(self, network: SimNetwork, capacity: int) -> None:
        self.capacity = capacity
        self._network = network
        self._pending: dict[int, _Attempt] = {}
        self._waiting: deque[_Attempt] = deque()
        self._unsent: list[_Attempt] = []
        self._endings: list[tuple[float, int, _Attempt, int]] = []
        self._serial = 0

    def start(self, token: int, address: Address, port: int, scope: str = "") -> None:
        """Begin an attempt; a token that is pending is begun anew."""
        self.cancel(token)
        attempt = _Attempt(token, address, port, scope, self._network.clock.now())
        self._network.clock.advance(_START_COST)
        if len(self._pending) >= self.capacity:
            self._waiting.append(attempt)
        else:
            self._launch(attempt)

    def cancel(self, token: int) -> None:
        """Forget an attempt, pending or waiting."""
        if self._pending.pop(token, None) is None and self._waiting:
            self._waiting = deque(attempt for attempt in self._waiting if attempt.token != token)

    def poll(self, timeout: float) -> list[Connected]:
        """Move the clock to the first ending, or by ``timeout``; all endings of that moment."""
        clock = self._network.clock
        end = clock.now() + max(CALL_COST, timeout)
        while True:
            self._admit()
            self._send_all()
            ended = self._take_endings(clock.now())
            moment = self._endings[0][0] if self._endings else None
            if ended or clock.now() >= end or moment is None or moment > end:
                if not ended:
                    clock.advance_to(end)
                return ended
            clock.advance_to(moment)

    def close(self) -> None:
        """Forget everything."""
        self._pending.clear()
        self._waiting.clear()
        self._unsent.clear()
        self._endings.clear()

    def _admit(self) -> None:
        while self._waiting and len(self._pending) < self.capacity:
            attempt = self._waiting.popleft()
            attempt.started = self._network.clock.now()
            self._launch(attempt)

    def _launch(self, attempt: _Attempt) -> None:
        random = self._network.state.random
        attempt.sequence = int(random.integers(0, 1 << 32))
        attempt.source_port = int(random.integers(32_768, 60_999))
        self._pending[attempt.token] = attempt
        self._unsent.append(attempt)

    def _put(self, moment: float, attempt: _Attempt, error: int) -> None:
        self._serial += 1
        heappush(self._endings, (moment, self._serial, attempt, error))

    def _take_endings(self, now: float) -> list[Connected]:
        """Endings that are due; an ending of -1 is a resend."""
        ended: list[Connected] = []
        while self._endings and self._endings[0][0] <= now:
            moment, _, attempt, error = heappop(self._endings)
            if self._pending.get(attempt.token) is not attempt:
                continue
            if error < 0:
                attempt.resends += 1
                self._unsent.append(attempt)
            else:
                del self._pending[attempt.token]
                ended.append(Connected(attempt.token, error, moment))
        if self._unsent:
            self._send_all()
        return ended

    def _send_all(self) -> None:
        """The SYNs that are due go out in one batch for each family."""
        unsent = [one for one in self._unsent if self._pending.get(one.token) is one]
        self._unsent = []
        for family in (4, 6):
            attempts = [attempt for attempt in unsent if attempt.address.version == family]
            if attempts:
                self._send(family, attempts)

    def _send(self, family: int, attempts: list[_Attempt]) -> None:
        hi, lo = columns_of([attempt.address for attempt in attempts])
        scopes = {row: attempt.scope for row, attempt in enumerate(attempts) if attempt.scope}
        routed = self._network.routes(family, hi, lo, scopes)
        groups: dict[bool, list[_Attempt]] = {False: [], True: []}
        owners = self._network.terrain.endpoints[family]
        owner = owners.index.find(hi, lo)
        for row, attempt in enumerate(attempts):
            if routed.route_of[row] < 0:
                self._put(attempt.started, attempt, errno.ENETUNREACH)
                continue
            route = routed.routes[routed.route_of[row]]
            attempt.source = route.source
            silent = owner[row] < 0 or not self._network.terrain.neighbor[owners.host[owner[row]]]
            if route.on_link and silent:
                self._put(attempt.started + _NEIGHBOR_FAILS, attempt, errno.EHOSTUNREACH)
                continue
            self._plan_resend(attempt)
            groups[route.local].append(attempt)
        for local, members in groups.items():
            if members:
                self._exchange(family, members, local)

    def _plan_resend(self, attempt: _Attempt) -> None:
        if attempt.resends < len(_RESENDS):
            self._put(attempt.started + _RESENDS[attempt.resends], attempt, -1)
        else:
            self._put(attempt.started + _GIVE_UP, attempt, errno.ETIMEDOUT)

    def _exchange(self, family: int, attempts: list[_Attempt], local: bool) -> None:
        exchange = self._network.exchange
        probes = _probes(attempts)
        honest, lies = exchange.connect(family, probes, local)
        for answers in (honest, *lies):
            self._believe(family, attempts, exchange.suffer(family, answers))

    def _believe(self, family: int, attempts: list[_Attempt], answers: Answers) -> None:
        """What a kernel accepts as an answer in state SYN-SENT (RFC 9293 section 3.10.7.3), the rest it ignores."""
        number = -1 - answers.frame
        mine = [int(attempt.source_port) for attempt in attempts]
        source_port = np.array(mine, np.uint16)[number]
        expected = np.array([(attempt.sequence + 1) & 0xFFFFFFFF for attempt in attempts], np.uint32)[number]
        hi, lo = columns_of([attempt.address for attempt in attempts])
        ports = np.array([attempt.port for attempt in attempts], np.uint16)[number]
        tcp = (answers.kind == AnswerKind.TCP) & (answers.target_port == source_port) & (answers.source_port == ports)
        tcp &= (answers.source_hi == hi[number]) & (answers.source_lo == lo[number])
        tcp &= ((answers.flags & ACK) != 0) & (answers.acknowledgment == expected)
        refused = tcp & ((answers.flags & RST) != 0)
        accepted = tcp & ((answers.flags & (SYN | RST)) == SYN)
        codes = _ERRNO_V4 if family == 4 else _ERRNO_V6
        decided = accepted | refused | (answers.kind == AnswerKind.ERROR)
        for row in np.flatnonzero(decided).tolist():
            if accepted[row]:
                error = 0
            elif refused[row]:
                error = errno.ECONNREFUSED
            else:
                error = codes.get((int(answers.icmp_type[row]), int(answers.icmp_code[row])), errno.EHOSTUNREACH)
            self._put(float(answers.time[row]), attempts[number[row]], error)


def _probes(attempts: list[_Attempt]) -> Probes:
    count = len(attempts)
    target_hi, target_lo = columns_of([attempt.address for attempt in attempts])
    source_hi, source_lo = columns_of([a.source if a.source is not None else a.address for a in attempts])
    nobody = np.full(count, -1, np.int32)
    times = np.array([a.started + (_RESENDS[a.resends - 1] if a.resends else 0.0) for a in attempts], np.float64)
    zero16, zero32 = np.zeros(count, np.uint16), np.zeros(count, np.uint32)
    return Probes(
        frame=-1 - np.arange(count, dtype=np.int32),
        kind=np.full(count, Kind.TCP, np.uint8),
        source_hi=source_hi,
        source_lo=source_lo,
        target_hi=target_hi,
        target_lo=target_lo,
        protocol=np.full(count, 6, np.uint8),
        ttl=np.full(count, 64, np.uint8),
        source_port=np.array([attempt.source_port for attempt in attempts], np.uint16),
        target_port=np.array([attempt.port for attempt in attempts], np.uint16),
        sequence=np.array([attempt.sequence for attempt in attempts], np.uint32),
        acknowledgment=zero32,
        flags=np.full(count, SYN, np.uint16),
        length=np.zeros(count, np.int32),
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
