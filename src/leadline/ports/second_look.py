"""Looks again at hosts that seem to have every port open: a few whole connections, what is said, how they end."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Iterator
from dataclasses import field, replace

from leadline.engine.driver import LONGEST_WAIT
from leadline.engine.progress import hosts_text
from leadline.engine.session import Session
from leadline.engine.turns import Pause, Step
from leadline.model.address import Address
from leadline.model.event import TaskEnded, TaskStarted
from leadline.model.quick_dataclass import dataclass
from leadline.net.base import DialEvent, Ended, Endpoint, Opened, Received
from leadline.ports.everywhere_open import Answer, Trial

TASK = "Handshake test"
# Seconds: for a connection, for a word of welcome, for an answer to what we say.
CONNECT, LISTEN, ANSWER = 4.0, 1.0, 2.0
MOST_STREAMS = 500
# What few services leave without an answer, and none takes for an attack.
GREETING = b"\r\n\r\n"
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Looked:
    """The trials of the host with the caller's number ``row``; ``complete``: none was cut."""

    row: int
    random: tuple[Trial, ...]
    named: tuple[Trial, ...]
    complete: bool


@dataclass(slots=True)
class _Host:
    address: Address
    scope: str
    random: tuple[int, ...]
    named: tuple[int, ...]
    trials: dict[int, Trial] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        return len(self.trials) == len({*self.random, *self.named})

    def looked(self, row: int) -> Looked:
        nothing = Trial(0, Answer.NOTHING)
        random, named = (
            tuple(self.trials.get(port, replace(nothing, port=port)) for port in ports)
            for ports in (self.random, self.named)
        )
        return Looked(row, random, named, self.done)


@dataclass(slots=True)
class _Stream:
    row: int
    port: int
    until: float
    opened: bool = False
    greeted: bool = False


class SecondLook:
    """``add`` hosts at any time, and run ``steps`` meanwhile."""

    def __init__(self, session: Session) -> None:
        most = session.plan.timing.max_parallelism
        self._session = session
        self._dialer = session.network.dialer(min(MOST_STREAMS, most or MOST_STREAMS), session.plan.proxies)
        self._hosts: dict[int, _Host] = {}
        self._queue: deque[tuple[int, int]] = deque()
        self._streams: dict[int, _Stream] = {}
        self._tokens = self._added = 0
        self._complete = False

    @property
    def idle(self) -> bool:
        """No host is being looked at."""
        return not self._hosts

    def add(self, row: int, address: Address, scope: str, random: tuple[int, ...], named: tuple[int, ...]) -> None:
        """Try these ports of one more host; ``row``: the caller's number of it."""
        self._hosts[row] = _Host(address, scope, random, named)
        self._queue.extend((row, port) for port in dict.fromkeys((*random, *named)))
        self._added += 1

    def finish(self) -> None:
        """No more hosts will come."""
        self._complete = True

    def steps(self) -> Iterator[Step | Looked]:
        """Look until all hosts are done, or the user stops; every host is given once."""
        session = self._session
        began = session.clock.now()
        yield TaskStarted(session.at(), TASK, hosts_text(self._added))
        try:
            while not (self._complete and self.idle) and not session.control.stop:
                self._open(session.clock.now())
                longest = session.clock.now() + LONGEST_WAIT
                timers = [stream.until for stream in self._streams.values()]
                yield Pause((self._dialer,), self._dialer.next_look(min([longest, *timers])))
                for event in self._dialer.poll(0.0):
                    self._take(event)
                self._expire(session.clock.now())
                for row in [row for row, host in self._hosts.items() if host.done]:
                    yield self._hosts.pop(row).looked(row)
        finally:
            self._dialer.close_all()
        for row, host in self._hosts.items():
            yield host.looked(row)
        self._hosts.clear()
        yield TaskEnded(session.at(), TASK, hosts_text(self._added), session.clock.now() - began)

    def _open(self, now: float) -> None:
        rate = self._session.rate
        while self._queue and len(self._streams) < self._dialer.capacity and rate.room(now, 1):
            row, port = self._queue.popleft()
            host = self._hosts[row]
            self._tokens += 1
            self._streams[self._tokens] = _Stream(row, port, now + CONNECT)
            rate.sent(1)
            self._dialer.open(self._tokens, Endpoint(host.address, port, scope=host.scope))

    def _take(self, event: DialEvent) -> None:
        stream = self._streams.get(event.token)
        if stream is None:
            return
        match event:
            case Opened():
                stream.opened, stream.until = True, event.at + LISTEN
            case Received():
                self._end(event.token, Answer.SPOKE, event.data[:_KEPT])
            case Ended() if event.phase == "stream" or stream.opened:
                self._end(event.token, Answer.DROPPED)
            case Ended():
                refused = event.error == errno.ECONNREFUSED
                # Reset right behind the handshake: it was accepted, though nobody had a chance to speak.
                dropped = event.error == errno.ECONNRESET
                answer = Answer.REFUSED if refused else Answer.DROPPED if dropped else Answer.NOTHING
                self._end(event.token, answer)

    def _expire(self, now: float) -> None:
        for token, stream in [(token, one) for token, one in self._streams.items() if one.until <= now]:
            if stream.opened and not stream.greeted:
                stream.greeted, stream.until = True, now + ANSWER
                self._dialer.send(token, GREETING)
            else:
                self._end(token, Answer.SILENT if stream.opened else Answer.NOTHING)

    def _end(self, token: int, answer: Answer, said: bytes = b"") -> None:
        stream = self._streams.pop(token)
        self._dialer.close(token)
        self._hosts[stream.row].trials[stream.port] = Trial(stream.port, answer, said)
