"""Questions to name servers over UDP (RFC 1035): many at once, repeated, over TCP when cut short."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import struct
from collections.abc import Mapping, Sequence

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from leadline.model.quick_dataclass import dataclass
from leadline.net.capacity import Capacity
from leadline.net.system_files import NameServer

# Spec sheet 2.6: seconds to wait for each try, by how many servers there are; at most three servers are asked.
_PATIENCE = {1: (1.0, 1.5, 2.0), 2: (1.0, 1.0), 3: (0.5, 1.0)}
_MOST_SERVERS = 3
_TCP_PATIENCE = 3.0
# A server that left so many questions in a row without any answer is not asked again: thousands of reverse lookups must
# not each wait for a dead server. One that has answered before gets more patience: some drop only certain questions.
_DEAD_AFTER = 10
_DEAD_AFTER_ANSWERS = 100
# What dnspython raises on bytes that are no message, seen by fuzzing beside its own exceptions.
MALFORMED = (dns.exception.DNSException, ValueError, IndexError, KeyError, TypeError, struct.error, UnicodeError)


@dataclass(frozen=True, slots=True)
class Answer:
    """``message``: the server's, ``None`` without any. ``definite``: it says what is (or that there is nothing)."""

    message: dns.message.Message | None = None
    definite: bool = False


_NOTHING = Answer()


@dataclass(slots=True)
class Health:
    """What is known of one server, longer than an ``Exchange`` lives."""

    answered: bool = False
    unanswered: int = 0

    @property
    def dead(self) -> bool:
        """Not worth another question."""
        return self.unanswered >= (_DEAD_AFTER_ANSWERS if self.answered else _DEAD_AFTER)


class Exchange:
    """Asks up to three servers; opened and closed inside one run of one event loop."""

    def __init__(self, servers: Mapping[NameServer, Health]) -> None:
        self._lines = [_Line(server, health) for server, health in list(servers.items())[:_MOST_SERVERS]]
        self._patience = _PATIENCE[max(1, len(self._lines))]
        self._turn = -1

    async def ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> Answer:
        """The first definite answer of the servers, beginning with the next one in turn."""
        self._turn += 1
        count = len(self._lines)
        for step in range(count):
            line = self._lines[(self._turn + step) % count]
            if not line.health.dead:
                answer = await line.ask(name, kind, self._patience)
                if answer.definite:
                    return answer
        return _NOTHING

    def close(self) -> None:
        """Closes all sockets."""
        for line in self._lines:
            line.close()


class _Line(asyncio.DatagramProtocol):
    """One server on one connected socket: the kernel drops what other addresses send."""

    def __init__(self, server: NameServer, health: Health) -> None:
        self.health = health
        self._server = server
        self._capacity = Capacity()
        self._transport: asyncio.DatagramTransport | None = None
        self._opening = asyncio.Lock()
        self._open: dict[int, tuple[dns.message.Message, asyncio.Future[dns.message.Message | None]]] = {}

    async def ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType, patience: Sequence[float]) -> Answer:
        await self._capacity.enter()
        try:
            if self.health.dead:
                return _NOTHING
            for number, seconds in enumerate(patience):
                message = await self._try(name, kind, seconds)
                if message is not None:
                    self.health.answered, self.health.unanswered = True, 0
                    self._capacity.answered()
                    return _judged(message)
                if number + 1 < len(patience):
                    self._capacity.repeated()
            self.health.unanswered += 1
            self._capacity.given_up()
            return _NOTHING
        finally:
            self._capacity.leave()

    async def _try(
        self, name: dns.name.Name, kind: dns.rdatatype.RdataType, seconds: float
    ) -> dns.message.Message | None:
        """One question, one wait; a cut answer is asked for again over TCP."""
        transport = await self._connected()
        if transport is None:
            return None
        number = secrets.randbelow(1 << 16)
        while number in self._open:
            number = secrets.randbelow(1 << 16)
        query = dns.message.make_query(name, kind, id=number)
        future: asyncio.Future[dns.message.Message | None] = asyncio.get_running_loop().create_future()
        self._open[number] = (query, future)
        try:
            transport.sendto(query.to_wire())
            message = await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return None
        finally:
            del self._open[number]
        if message is not None and message.flags & dns.flags.TC:
            return await self._over_tcp(query)
        return message

    async def _over_tcp(self, query: dns.message.Message) -> dns.message.Message | None:
        with contextlib.suppress(OSError, EOFError, *MALFORMED):
            return await dns.asyncquery.tcp(
                query, self._server.address, timeout=_TCP_PATIENCE, port=self._server.port, ignore_trailing=True
            )
        return None

    async def _connected(self) -> asyncio.DatagramTransport | None:
        async with self._opening:
            if self._transport is None:
                loop = asyncio.get_running_loop()
                with contextlib.suppress(OSError):
                    self._transport, _ = await loop.create_datagram_endpoint(
                        lambda: self, remote_addr=(self._server.address, self._server.port)
                    )
        return self._transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Only the answer to a question that is open counts: number, name, type and class must be the same."""
        try:
            message = dns.message.from_wire(data, ignore_trailing=True)
            query, future = self._open[message.id]
            if query.is_response(message) and message.question and not future.done():
                future.set_result(message)
        except MALFORMED:
            return

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there (ICMP): no open try needs to wait any longer."""
        for _query, future in self._open.values():
            if not future.done():
                future.set_result(None)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _judged(message: dns.message.Message) -> Answer:
    """NOERROR and NXDOMAIN are answers; a server that fails or refuses leaves the question to the next one."""
    return Answer(message, message.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN))
