"""Many conversations at once: whose turn it is to connect, within the bounds of host, network and rate."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import Protocol

from leadline.model import port as model_port
from leadline.model.ip import Address
from leadline.model.service import Service
from leadline.net.base import Dialer, DialEvent, Ended, Endpoint, Opened, Received
from leadline.services.commands import Close, Conversation, Open, Send, StartTls
from leadline.services.dialogue import Dialogue, Subject
from leadline.services.fingerprint import FingerprintFacts
from leadline.services.matcher import Matcher
from leadline.services.order import LISTED
from leadline.services.start_tls import StartTlsConversation, can_start_tls
from leadline.services.verdict import service_of
from leadline.services.waiting import Waits

# Streams open at once in all; template 3 of Nmap asks 20 services at a time, one stream each (spec sheet 3.2).
MOST_STREAMS = 1000


@dataclass(frozen=True, slots=True)
class PortTarget:
    """One port to be asked. ``host`` and ``port``: the caller's numbers of both; ``rtt`` negative: never measured.
    ``heard``: see ``model.port.Port``.
    """

    host: int
    index: int
    address: Address
    port: int
    protocol: model_port.Protocol = model_port.Protocol.TCP
    scope: str = ""
    name: str = ""
    rtt: float = -1.0
    table_name: str = ""
    heard: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A port is finished. ``responsive``: it answered, or accepted a connection; ``complete``: it was not cut short."""

    target: PortTarget
    service: Service
    responsive: bool
    complete: bool = True


class Pace(Protocol):
    """What the scan's rate limit is asked (``engine.rate.RateLimiter`` is one)."""

    def room(self, now: float, wanted: int) -> int:
        """How many of ``wanted`` connections may be begun now."""
        ...

    def sent(self, count: int) -> None:
        """Book that so many were begun."""
        ...

    def next_time(self, now: float) -> float | None:
        """When there is room again; ``None``: time changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Asking:
    """How to ask, for all ports. ``epoch``: clock seconds at which the scan began; ``delay``: seconds between two
    connections to one host. ``trace`` hears of each step of each dialogue.
    """

    matcher: Matcher
    intensity: int
    waits: Waits
    facts: FingerprintFacts
    epoch: float = 0.0
    delay: float = 0.0
    trace: Callable[[PortTarget, float, str], None] | None = None


@dataclass(slots=True, eq=False)
class _Talk:
    """One port's conversation. ``streams``: token of each open stream; ``dialogue`` is kept while STARTTLS follows."""

    target: PortTarget
    dialogue: Dialogue
    conversation: Conversation
    streams: dict[int, int] = field(default_factory=dict)
    timer: float | None = None


@dataclass(slots=True)
class _HostState:
    waiting: deque[PortTarget] = field(default_factory=deque)
    talks: int = 0
    streams: int = 0
    ready_at: float = 0.0
    began: float | None = None
    spent: float = 0.0


class ServiceMachine:
    """``add`` ports, then ``start`` and ``take`` in turn until ``done``; ``answers`` gives what is finished.

    ``limit``: streams open at once. The probes that recognised services on unusual ports are tried first on the same
    port of other hosts.
    """

    def __init__(self, dialer: Dialer, asking: Asking, pace: Pace, limit: int = MOST_STREAMS) -> None:
        self._dialer = dialer
        self._limit = max(1, min(limit, dialer.capacity))
        if self._limit == 1:
            # A second connection would wait until the first has run out of its time.
            asking = replace(asking, waits=replace(asking.waits, streams=1, per_host=1, patient=True))
        self._asking = asking
        # Conversations at once: as many as leave each of them room for a second stream.
        self._most_talks = self._limit // 2 if asking.waits.streams > 1 else self._limit
        self._pace = pace
        self._hosts: dict[int, _HostState] = {}
        self._ready: deque[int] = deque()
        self._opens: deque[tuple[_Talk, Conversation, Open]] = deque()
        self._streams: dict[int, tuple[_Talk, int]] = {}  # by token
        self._talks: dict[_Talk, None] = {}  # those that go on, in the order in which they began
        self._timers: list[tuple[float, int, _Talk]] = []
        self._tokens = self._serial = 0
        self._answers: list[Answer] = []
        self._likely: dict[tuple[int, model_port.Protocol], str] = {}
        self.added = self.finished = self.opened = 0

    @property
    def done(self) -> bool:
        return self.finished == self.added

    def add(self, target: PortTarget) -> None:
        """Let a port be asked."""
        host = self._hosts.setdefault(target.host, _HostState())
        if not host.waiting:
            self._ready.append(target.host)
        host.waiting.append(target)
        self.added += 1

    def begin_host(self, host: int, spent: float) -> None:
        """Ports of this host will be added; ``spent``: seconds that earlier stages worked on it."""
        self._hosts.setdefault(host, _HostState()).spent = spent

    def answers(self) -> list[Answer]:
        """Ports that were finished since the last call."""
        taken, self._answers = self._answers, []
        return taken

    def start(self, now: float) -> None:
        """Begin what may be begun now and see to what is due."""
        while self._timers and self._timers[0][0] <= now:
            at, _, talk = heappop(self._timers)
            if talk.timer == at and not talk.conversation.done:
                talk.timer = None
                talk.conversation.advance(now)
                self._carry_out(talk, now)
        self._connect(now)
        self._admit(now)
        self._connect(now)

    def take(self, events: list[DialEvent], now: float) -> None:
        """What the dialer reported."""
        for event in events:
            found = self._streams.get(event.token)
            if found is None:
                continue
            talk, stream = found
            match event:
                case Opened():
                    talk.conversation.opened(stream, event.tls, event.at)
                case Received():
                    talk.conversation.received(stream, event.data, event.at)
                case Ended():
                    self._forget(talk, stream)
                    talk.conversation.ended(stream, event, event.at)
            self._carry_out(talk, now)

    def next_timer(self, now: float) -> float | None:
        """When ``start`` is to be called again if nothing happens."""
        times = [self._timers[0][0]] if self._timers else []
        if self._opens or self._ready:
            times += [at for at in (self._pace.next_time(now),) if at is not None]
            if self._asking.delay:
                times += [host.ready_at for host in self._hosts.values() if host.ready_at > now]
        return min(times, default=None)

    def overdue(self, now: float, seconds: float) -> list[int]:
        """Hosts that are not finished after so long: earlier stages, and since their first connection."""
        return [
            number for number, host in self._hosts.items()
            if host.began is not None and host.spent + now - host.began > seconds and (host.talks or host.waiting)
        ]  # fmt: skip

    def stop(self, now: float, host: int | None = None) -> None:
        """Cut the dialogues of one host, or all: each gives what it knows. Ports that wait stay without an answer."""
        for number, state in self._hosts.items():
            if host is None or number == host:
                self.finished += len(state.waiting)
                state.waiting.clear()
        for talk in [talk for talk in self._talks if host is None or talk.target.host == host]:
            talk.dialogue.stop(now)
            self._end(talk, now, complete=False)

    def forget(self, host: int) -> None:
        """Nothing goes on with this host any more: its number may be used again."""
        self._hosts.pop(host, None)

    # ------------------------------------------------------------------------------------------------ beginning

    def _admit(self, now: float) -> None:
        """New conversations, host by host in turn: as many as leave each of them room for a second stream."""
        waits = self._asking.waits
        most = max(1, waits.per_host // 2) if waits.streams > 1 else waits.per_host
        for _ in range(len(self._ready)):
            if not self._room():
                return
            number = self._ready.popleft()
            host = self._hosts[number]
            while host.waiting and host.talks < most and self._room():
                self._begin(host, host.waiting.popleft(), now)
            if host.waiting:
                self._ready.append(number)

    def _room(self) -> bool:
        """Whether one more conversation may begin."""
        return len(self._talks) < self._most_talks and len(self._streams) + len(self._opens) < self._limit

    def _begin(self, host: _HostState, target: PortTarget, now: float) -> None:
        asking = self._asking
        trace = asking.trace
        tell = None if trace is None else (lambda at, text: trace(target, at, text))
        likely = self._likely.get((target.port, target.protocol), "")
        subject = Subject(target.port, target.protocol, target.rtt, likely, target.name, target.heard)
        matcher = asking.matcher
        dialogue = Dialogue(subject, matcher.probes, matcher, asking.intensity, asking.waits, tell)
        talk = _Talk(target, dialogue, dialogue)
        self._talks[talk] = None
        host.talks += 1
        dialogue.start(now)
        self._carry_out(talk, now)

    def _connect(self, now: float) -> None:
        """Carry out the openings that wait, oldest first, as far as host, limit and rate allow."""
        delayed: deque[tuple[_Talk, Conversation, Open]] = deque()
        while self._opens and len(self._streams) < self._limit:
            talk, conversation, command = self._opens.popleft()
            # What waited for room may no longer be wanted.
            if conversation.done or conversation is not talk.conversation or talk not in self._talks:
                continue
            host = self._hosts[talk.target.host]
            if host.streams >= self._asking.waits.per_host or host.ready_at > now:
                delayed.append((talk, conversation, command))
                continue
            if not self._pace.room(now, 1):
                delayed.append((talk, conversation, command))
                break
            self._pace.sent(1)
            host.ready_at = now + self._asking.delay
            self._dial(talk, command, host, now)
        self._opens.extendleft(reversed(delayed))

    def _dial(self, talk: _Talk, command: Open, host: _HostState, now: float) -> None:
        target = talk.target
        self._tokens += 1
        self.opened += 1
        self._streams[self._tokens] = (talk, command.stream)
        talk.streams[command.stream] = self._tokens
        host.streams += 1
        host.began = now if host.began is None else host.began
        endpoint = Endpoint(
            target.address, target.port, target.protocol, target.scope, tls=command.tls, name=target.name
        )
        talk.conversation.begun(command.stream, now)
        self._dialer.open(self._tokens, endpoint)
        self._set_timer(talk)

    # -------------------------------------------------------------------------------------------------- carrying

    def _carry_out(self, talk: _Talk, now: float) -> None:
        for command in talk.conversation.commands():
            match command:
                case Open():
                    self._opens.append((talk, talk.conversation, command))
                case Send(stream=stream, data=data):
                    if stream in talk.streams:
                        self._dialer.send(talk.streams[stream], data)
                case StartTls(stream=stream):
                    if stream in talk.streams:
                        self._dialer.start_tls(talk.streams[stream], talk.target.name)
                case Close(stream=stream):
                    self._withdraw(talk, stream)
                    self._hang_up(talk, stream)
        if talk.conversation.done:
            self._done(talk, now)
        else:
            self._set_timer(talk)

    def _set_timer(self, talk: _Talk) -> None:
        at = talk.conversation.next_timer()
        if at is not None and at != talk.timer:
            self._serial += 1
            heappush(self._timers, (at, self._serial, talk))
        talk.timer = at

    def _withdraw(self, talk: _Talk, stream: int) -> None:
        """An opening that still waits for room is not carried out: nobody would speak on it, nor close it."""
        if stream not in talk.streams:
            self._opens = deque(
                (other, conversation, command)
                for other, conversation, command in self._opens
                if conversation is not talk.conversation or command.stream != stream
            )

    def _hang_up(self, talk: _Talk, stream: int) -> None:
        token = talk.streams.get(stream)
        if token is not None:
            self._dialer.close(token)
            self._forget(talk, stream)

    def _hang_up_all(self, talk: _Talk) -> None:
        for stream in list(talk.streams):
            self._hang_up(talk, stream)
        talk.timer = None

    def _forget(self, talk: _Talk, stream: int) -> None:
        token = talk.streams.pop(stream, None)
        if token is not None:
            del self._streams[token]
            self._hosts[talk.target.host].streams -= 1

    # ----------------------------------------------------------------------------------------------------- ends

    def _done(self, talk: _Talk, now: float) -> None:
        verdict = talk.dialogue.verdict
        if talk.conversation is talk.dialogue and verdict is not None:
            self._learn(talk)
            name = verdict.match.service if verdict.match is not None else ""
            tcp = talk.target.protocol is model_port.Protocol.TCP
            if verdict.match is not None and tcp and not verdict.tunnel and can_start_tls(name):
                self._hang_up_all(talk)
                target = talk.target
                talk.conversation = StartTlsConversation(name, target.name, self._asking.waits, target.rtt)
                talk.conversation.start(now)
                self._carry_out(talk, now)
                return
        self._end(talk, now, complete=True)

    def _learn(self, talk: _Talk) -> None:
        """What recognised this port is likely to recognise the same port elsewhere."""
        verdict, target = talk.dialogue.verdict, talk.target
        if verdict is None or verdict.kind != "match":
            return
        for run in talk.dialogue.history:
            if run.probe.name == verdict.probe and run.place[0] > LISTED:
                self._likely[(target.port, target.protocol)] = verdict.probe

    def _end(self, talk: _Talk, now: float, *, complete: bool) -> None:
        if talk not in self._talks:
            return
        del self._talks[talk]
        self._hang_up_all(talk)
        self._hosts[talk.target.host].talks -= 1
        self.finished += 1
        conversation = talk.conversation
        facts = conversation.facts if isinstance(conversation, StartTlsConversation) else None
        asking, dialogue = self._asking, talk.dialogue
        service = service_of(dialogue, talk.target.table_name, asking.facts, asking.epoch, now, facts)
        # A connection that was accepted is an answer, though not a word was said on it.
        accepts = talk.target.protocol is model_port.Protocol.TCP
        responsive = any(run.total or (accepts and run.spoke is not None) for run in dialogue.history)
        self._answers.append(Answer(talk.target, service, responsive, complete))
