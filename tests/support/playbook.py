"""Conversations written as dialogues: what happens, and which commands must follow."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from typing import Any

from leadline.data.service_grammar import parse
from leadline.model.port import Protocol
from leadline.model.service import TlsFacts
from leadline.net.base import Ended
from leadline.services.commands import Close, Command, Conversation, Open, Send
from leadline.services.dialogue import Dialogue, Subject
from leadline.services.matcher import Matcher
from leadline.services.waiting import Waits
from leadline.sim.tls_records import client_hello

RTT = 0.001
TLS = TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384")

HELLO = client_hello("playbook")
RULES = b"""
Exclude T:9100-9107
Probe TCP NULL q||
totalwaitms 6000
tcpwrappedms 3000
match ssh m|^SSH-([\\d.]+)-OpenSSH_([^\\r\\n]+)| p/OpenSSH/ v/$2/ i/protocol $1/ cpe:/a:openbsd:openssh:$2/
match smtp m|^220 \\S+ ESMTP Postfix| p/Postfix smtpd/
softmatch ftp m|^220[ -].*ftp|i
Probe TCP GenericLines q|\\r\\n\\r\\n|
rarity 1
ports 7
match echo m|^\\r\\n\\r\\n$|
match line m|^E: line| p/Line server/
Probe TCP GetRequest q|GET / HTTP/1.0\\r\\n\\r\\n|
rarity 1
ports 80,8080
sslports 443
match http m|^HTTP/1\\.[01] \\d\\d\\d .*\\r\\nServer: nginx/([\\d.]+)|s p/nginx/ v/$1/
match http-app m|^HTTP/1\\.[01] 200 .*\\r\\n\\r\\nThe app|s p/App/
softmatch http m|^HTTP/1\\.[01] \\d\\d\\d |
Probe TCP Help q|HELP\\r\\n|
rarity 3
ports 21
fallback GetRequest
match ftp m|^214-Commands of Exact FTP ([\\d.]+)| p/Exact FTP/ v/$1/
match line m|^H: help| p/Helpful/
Probe TCP TLSSessionReq q|HELLO|
rarity 1
ports 443,993
match ssl m|^\\x16\\x03|
Probe TCP Rare q|rare|
rarity 9
match rare m|^RARE| p/Rare/
Probe UDP DNS q|dns?|
rarity 1
ports 53
match domain m|^dns!| p/Name server/
Probe UDP Other q|other?|
rarity 2
match other m|^other!| p/Other/
""".replace(b"HELLO", b"".join(b"\\x%02x" % byte for byte in HELLO))


def matcher(rules: bytes = RULES) -> Matcher:
    """Of a small file of rules."""
    return Matcher(parse([("rules", rules)]))


class Playbook:
    """Drives one conversation; ``at`` moves the time, each happening returns the commands that it caused."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation, self.now = conversation, 0.0
        conversation.start(self.now)

    def commands(self) -> list[Command]:
        """Commands since the last call; connections are begun at once."""
        commands = self.conversation.commands()
        for command in commands:
            if isinstance(command, Open):
                self.conversation.begun(command.stream, self.now)
        return commands

    def at(self, now: float) -> list[Command]:
        """Let the time pass, timer by timer."""
        while (timer := self.conversation.next_timer()) is not None and timer <= now and not self.conversation.done:
            self.now = max(self.now, timer)
            before = timer
            self.conversation.advance(self.now)
            if self.conversation.next_timer() == before:
                raise AssertionError(f"the timer {before} does nothing")
            if commands := self.commands():
                return commands
        self.now = max(self.now, now)
        return self.commands()

    def opened(self, stream: int, tls: bool = False) -> list[Command]:
        """A round trip later the connection is there."""
        self.now += RTT
        self.conversation.opened(stream, TLS if tls else None, self.now)
        return self.commands()

    def received(self, stream: int, data: bytes) -> list[Command]:
        """Bytes arrive a round trip later."""
        self.now += RTT
        self.conversation.received(stream, data, self.now)
        return self.commands()

    def ended(self, stream: int, error: int = 0, phase: str = "stream") -> list[Command]:
        """The other side closes, or the connection fails."""
        self.now += RTT
        self.conversation.ended(stream, Ended(0, self.now, phase, error), self.now)
        return self.commands()

    def refused(self, stream: int) -> list[Command]:
        """Nobody is let in."""
        return self.ended(stream, errno.ECONNREFUSED, "connect")


def dialogue(
    port: int,
    *,
    intensity: int = 7,
    waits: Waits | None = None,
    udp: bool = False,
    likely: str = "",
    name: str = "",
    heard: tuple[bytes, ...] = (),
) -> Dialogue:
    """With a port, by the small file of rules."""
    judge = matcher()
    protocol = Protocol.UDP if udp else Protocol.TCP
    return Dialogue(Subject(port, protocol, RTT, likely, name, heard), judge.probes, judge, intensity, waits or Waits())


PATIENT = Waits(streams=1, per_host=1, patient=True)


def listening(port: int, **given: Any) -> tuple[Dialogue, Playbook]:
    """A dialogue whose first connection is open; ``given``: see ``dialogue``."""
    talk = dialogue(port, **given)
    play = Playbook(talk)
    play.commands()
    play.opened(0)
    return talk, play


Said = Callable[[bytes], Iterable[tuple[float, bytes | None]]]


def serve(talk: Dialogue, says: Said, most: int = 4, longest: float = 60.0) -> float:
    """Let a server that treats every connection alike answer; gives the seconds that it took.

    ``says``: for what it hears (nothing: a new connection) the seconds until each thing that it says; ``None``: it
    hangs up. ``most``: connections that may be open at once.
    """
    now = 0.0
    serial = count()
    happenings: list[tuple[float, int, int, bytes | bool | None]] = []
    live: set[int] = set()

    def reply(stream: int, heard: bytes, at: float) -> None:
        for seconds, what in says(heard):
            heappush(happenings, (at + seconds, next(serial), stream, what))

    talk.start(now)
    while not talk.done:
        for command in talk.commands():
            match command:
                case Open(stream=stream, tls=tls):
                    live.add(stream)
                    talk.begun(stream, now)
                    heappush(happenings, (now + RTT, next(serial), stream, tls))
                case Send(stream=stream, data=data):
                    assert stream in live
                    reply(stream, data, now + RTT)
                case Close(stream=stream):
                    live.discard(stream)
        assert len(live) <= most
        timer = talk.next_timer()
        assert timer is not None or happenings
        if happenings and (timer is None or happenings[0][0] <= timer):
            now, _, stream, what = heappop(happenings)
            if stream not in live:
                continue
            if isinstance(what, bool):
                talk.opened(stream, TLS if what else None, now)
                reply(stream, b"", now)
            elif what is not None:
                talk.received(stream, what, now)
            else:
                live.discard(stream)
                talk.ended(stream, Ended(0, now, "stream", 0), now)
        elif timer is not None:
            now = max(now, timer)
            talk.advance(now)
        assert now < longest
    return now
