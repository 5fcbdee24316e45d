"""TCP handshakes in the simulated network, as a kernel makes them: SYNs, resends, and which answers are believed."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from leadline.link.base import Connected
from leadline.model.address import Address, columns_of
from leadline.sim.known_ports import KnownPorts
from leadline.sim.outgoing import FIRST_PORT, NEIGHBOR_FAILS, PAST_LAST_PORT, Packet, error_number, exchange
from leadline.sim.traffic import ACK, RST, SYN, AnswerKind, Answers
from leadline.wire.columns import Kind

if TYPE_CHECKING:
    from leadline.sim.network import SimNetwork

# Linux: six retransmissions of the SYN at doubling intervals, then it gives up (tcp_syn_retries; RFC 6298 section 2.1).
_RESENDS = (1.0, 3.0, 7.0, 15.0, 31.0, 63.0)
_GIVE_UP = 127.0
_RESEND = -1


@dataclass(slots=True)
class _Attempt:
    token: int
    packet: Packet
    started: float
    resends: int = 0


class Handshakes:
    """Attempts under way, by token. SYNs that are due go out together with ``send``, in one batch for each family.

    ``known``: a memory of open ports, for whoever connects to the same ones again and again.
    """

    def __init__(self, network: SimNetwork, known: KnownPorts | None = None) -> None:
        self._network, self._known = network, known
        self._pending: dict[int, _Attempt] = {}
        self._unsent: list[_Attempt] = []
        self._endings: list[tuple[float, int, _Attempt, int]] = []
        self._serial = 0

    def __len__(self) -> int:
        return len(self._pending)

    def launch(self, token: int, address: Address, port: int, scope: str = "") -> None:
        """Begin an attempt now; ``token`` must not be pending."""
        random = self._network.state.random
        started = self._network.clock.now()
        sequence = int(random.integers(0, 1 << 32))
        source_port = int(random.integers(FIRST_PORT, PAST_LAST_PORT))
        attempt = _Attempt(token, Packet(address, port, source_port, started, scope, sequence), started)
        self._pending[token] = attempt
        self._unsent.append(attempt)

    def cancel(self, token: int) -> bool:
        """Forget an attempt; whether there was one."""
        return self._pending.pop(token, None) is not None

    def clear(self) -> None:
        """Forget all attempts."""
        self._pending.clear()
        self._unsent.clear()
        self._endings.clear()

    def next_time(self) -> float | None:
        """When something is to happen next, ``None`` when nothing is. All SYNs have been sent."""
        return self._endings[0][0] if self._endings else None

    def take(self, now: float) -> list[Connected]:
        """Attempts that have ended by ``now``; SYNs that are due again are sent."""
        ended: list[Connected] = []
        while self._endings and self._endings[0][0] <= now:
            moment, _, attempt, error = heappop(self._endings)
            if self._pending.get(attempt.token) is not attempt:
                continue
            if error == _RESEND:
                attempt.packet.sent = attempt.started + _RESENDS[attempt.resends]
                attempt.resends += 1
                self._unsent.append(attempt)
            else:
                del self._pending[attempt.token]
                if self._known is not None and not error:
                    self._known.learn(attempt.packet.address, attempt.packet.port, attempt.packet.scope)
                ended.append(Connected(attempt.token, error, moment))
        self.send()
        return ended

    def send(self) -> None:
        """The SYNs that are due go out."""
        if not self._unsent:
            return
        unsent = [one for one in self._unsent if self._pending.get(one.token) is one]
        self._unsent = []
        if self._known is not None:
            unsent = self._send_to_known(self._known, unsent)
        for family in (4, 6):
            attempts = [attempt for attempt in unsent if attempt.packet.address.version == family]
            if attempts:
                self._send(family, attempts)

    def _send_to_known(self, known: KnownPorts, attempts: list[_Attempt]) -> list[_Attempt]:
        """Settle the attempts at known ports; the others are left."""
        left = []
        for attempt in attempts:
            packet = attempt.packet
            if not known.knows(packet.address, packet.port, packet.scope):
                left.append(attempt)
                continue
            self._plan_resend(attempt)
            moment = known.answer(packet.address, packet.port, packet.scope, packet.sent)
            if moment is not None:
                self._put(moment, attempt, 0)
        return left

    def _put(self, moment: float, attempt: _Attempt, error: int) -> None:
        self._serial += 1
        heappush(self._endings, (moment, self._serial, attempt, error))

    def _send(self, family: int, attempts: list[_Attempt]) -> None:
        packets = [attempt.packet for attempt in attempts]
        for batch in exchange(self._network, family, packets, Kind.TCP):
            members = [attempts[row] for row in batch.rows]
            for attempt in members:
                if batch.error == errno.ENETUNREACH:
                    self._put(attempt.started, attempt, batch.error)
                elif batch.error:
                    self._put(attempt.started + NEIGHBOR_FAILS, attempt, batch.error)
                else:
                    self._plan_resend(attempt)
            for answers in batch.answers:
                self._believe(family, members, answers)

    def _plan_resend(self, attempt: _Attempt) -> None:
        if attempt.resends < len(_RESENDS):
            self._put(attempt.started + _RESENDS[attempt.resends], attempt, _RESEND)
        else:
            self._put(attempt.started + _GIVE_UP, attempt, errno.ETIMEDOUT)

    def _believe(self, family: int, attempts: list[_Attempt], answers: Answers) -> None:
        """What a kernel accepts as an answer in state SYN-SENT (RFC 9293 section 3.10.7.3), the rest it ignores."""
        number = -1 - answers.frame
        packets = [attempt.packet for attempt in attempts]
        source_port = np.array([packet.source_port for packet in packets], np.uint16)[number]
        expected = np.array([(packet.sequence + 1) & 0xFFFFFFFF for packet in packets], np.uint32)[number]
        hi, lo = columns_of([packet.address for packet in packets])
        ports = np.array([packet.port for packet in packets], np.uint16)[number]
        tcp = (answers.kind == AnswerKind.TCP) & (answers.target_port == source_port) & (answers.source_port == ports)
        tcp &= (answers.source_hi == hi[number]) & (answers.source_lo == lo[number])
        tcp &= ((answers.flags & ACK) != 0) & (answers.acknowledgment == expected)
        refused = tcp & ((answers.flags & RST) != 0)
        accepted = tcp & ((answers.flags & (SYN | RST)) == SYN)
        decided = accepted | refused | (answers.kind == AnswerKind.ERROR)
        for row in np.flatnonzero(decided).tolist():
            if accepted[row]:
                error = 0
            elif refused[row]:
                error = errno.ECONNREFUSED
            else:
                error = error_number(family, int(answers.icmp_type[row]), int(answers.icmp_code[row]))
            self._put(float(answers.time[row]), attempts[number[row]], error)
