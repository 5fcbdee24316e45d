"""UDP of dialogues: datagrams through the simulated network, and what services answer to them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leadline.net.base import DialEvent, Ended, Endpoint, Received
from leadline.sim.agenda import Agenda
from leadline.sim.outgoing import FIRST_PORT, PAST_LAST_PORT, Packet, error_number, exchange, is_hard
from leadline.sim.server import reply_of
from leadline.sim.traffic import AnswerKind, Answers
from leadline.wire.columns import Kind

if TYPE_CHECKING:
    from leadline.sim.network import SimNetwork

_UDP = 17
# What fits into one datagram over IPv4: 65,535 bytes less the headers of IP and UDP.
_MOST = 65_507


@dataclass(slots=True)
class _Datagram:
    socket: SimSocket
    packet: Packet
    data: bytes


class SimSocket:
    """One connected UDP socket. An ICMP error that the kernel passes on ends it."""

    def __init__(self, token: int, endpoint: Endpoint, source_port: int, tell: Callable[[DialEvent], None]) -> None:
        self.token, self.endpoint, self.source_port = token, endpoint, source_port
        self._tell = tell
        self._closed = False

    def close(self) -> None:
        """Nothing is told any more."""
        self._closed = True

    def hear(self, data: bytes, at: float) -> None:
        """A datagram has come."""
        if not self._closed:
            self._tell(Received(self.token, at, data))

    def fail(self, error: int, at: float, phase: str = "stream") -> None:
        """An error has come."""
        if not self._closed:
            self._closed = True
            self._tell(Ended(self.token, at, phase, error, os.strerror(error)))


class Datagrams:
    """Datagrams of all sockets; those that wait go out together with ``send``, in one batch for each family."""

    def __init__(self, network: SimNetwork, agenda: Agenda) -> None:
        self._network, self._agenda = network, agenda
        self._unsent: list[_Datagram] = []

    def make(self, token: int, endpoint: Endpoint, tell: Callable[[DialEvent], None]) -> SimSocket:
        """A new socket with a port of its own."""
        source_port = int(self._network.state.random.integers(FIRST_PORT, PAST_LAST_PORT))
        return SimSocket(token, endpoint, source_port, tell)

    def post(self, socket: SimSocket, data: bytes) -> None:
        """One datagram is to be sent."""
        endpoint = socket.endpoint
        packet = Packet(
            endpoint.address,
            endpoint.port,
            socket.source_port,
            self._network.clock.now(),
            endpoint.scope,
            length=len(data),
        )
        self._unsent.append(_Datagram(socket, packet, data))

    def send(self) -> None:
        """What waits goes out."""
        if not self._unsent:
            return
        unsent, self._unsent = self._unsent, []
        for family in (4, 6):
            datagrams = [each for each in unsent if each.packet.address.version == family]
            if not datagrams:
                continue
            for batch in exchange(self._network, family, [each.packet for each in datagrams], Kind.UDP):
                members = [datagrams[row] for row in batch.rows]
                if batch.error == errno.ENETUNREACH:
                    for datagram in members:
                        datagram.socket.fail(batch.error, datagram.packet.sent, "connect")
                # A datagram without a neighbour is lost without a word: that error may pass (see ``is_hard``).
                for answers in batch.answers:
                    self._answered(family, members, answers)

    def clear(self) -> None:
        """Forget what waits."""
        self._unsent.clear()

    def _answered(self, family: int, datagrams: list[_Datagram], answers: Answers) -> None:
        fits = (answers.kind == AnswerKind.UDP) | (answers.kind == AnswerKind.ERROR)
        for row in np.flatnonzero(fits).tolist():
            datagram = datagrams[-1 - int(answers.frame[row])]
            at = float(answers.time[row])
            if answers.kind[row] == AnswerKind.ERROR:
                kind, code = int(answers.icmp_type[row]), int(answers.icmp_code[row])
                if is_hard(family, kind, code):
                    self._put_error(datagram.socket, error_number(family, kind, code), at)
            else:
                self._reply(datagram, int(answers.host[row]), at)

    def _put_error(self, socket: SimSocket, error: int, at: float) -> None:
        self._agenda.put(at, lambda moment: socket.fail(error, moment))

    def _reply(self, datagram: _Datagram, host: int, at: float) -> None:
        """``at``: when an answer given at once is back. A lost answer is not even made: nobody could tell."""
        terrain, port = self._network.terrain, datagram.packet.port
        service = terrain.service_of.get((host, _UDP, port))
        said, delay = terrain.payloads[0], 0.0
        if service is not None:
            reply, said = reply_of(service, datagram.data)
            said = said if reply is not None else service.banner
            delay = service.think + (reply.delay if reply is not None else 0.0)
        if said:
            answer = said[:_MOST]
            self._agenda.put(at + delay, lambda moment: datagram.socket.hear(answer, moment))
