"""STARTTLS: how each protocol is asked to go on in TLS, to learn what its certificate tells.

A script is a generator: it yields what to send and how to see that the reply is complete, and is given the reply; it
returns whether the TLS handshake may begin.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TypeAlias

from leadline.model.service import TlsFacts
from leadline.net.base import Ended
from leadline.services.commands import Close, Command, Open, Send, StartTls
from leadline.services.waiting import Waits

# A reply longer than this is no reply to these questions.
MOST = 16_384


@dataclass(frozen=True, slots=True)
class Ask:
    """``complete``: whether the bytes received since are the whole reply."""

    data: bytes
    complete: Callable[[bytes], bool]


Script: TypeAlias = Generator[Ask, bytes, bool]

_REPLY = re.compile(rb"(?:^|\n)\d{3}(?: [^\n]*)?\n")
_TAGGED = re.compile(rb"(?:^|\n)a1 [^\n]*\n")
_SIEVE = re.compile(rb"(?:^|\n)(?:OK|NO|BYE)\b[^\n]*\n", re.IGNORECASE)


def _line(data: bytes) -> bool:
    return b"\n" in data


def _matches(pattern: re.Pattern[bytes]) -> Callable[[bytes], bool]:
    return lambda data: pattern.search(data) is not None


def _at_least(count: int) -> Callable[[bytes], bool]:
    return lambda data: len(data) >= count


def _mail(hello: bytes) -> Callable[[str], Script]:
    """RFC 3207 section 4 (SMTP), RFC 2033 (LMTP greets with LHLO)."""

    def script(name: str) -> Script:
        complete = _matches(_REPLY)
        if not (yield Ask(b"", complete)).startswith(b"220"):
            return False
        if b"STARTTLS" not in (yield Ask(hello + b" leadline.invalid\r\n", complete)).upper():
            return False
        return (yield Ask(b"STARTTLS\r\n", complete)).startswith(b"220")

    return script


def _ftp(name: str) -> Script:
    """RFC 4217 section 4."""
    complete = _matches(_REPLY)
    if not (yield Ask(b"", complete)).startswith(b"220"):
        return False
    return (yield Ask(b"AUTH TLS\r\n", complete)).startswith(b"234")


def _nntp(name: str) -> Script:
    """RFC 4642 section 2.2."""
    if not (yield Ask(b"", _line)).startswith(b"20"):
        return False
    return (yield Ask(b"STARTTLS\r\n", _line)).startswith(b"382")


def _imap(name: str) -> Script:
    """RFC 9051 section 6.2.1."""
    if not (yield Ask(b"", _line)).startswith(b"* OK"):
        return False
    return b"a1 OK" in (yield Ask(b"a1 STARTTLS\r\n", _matches(_TAGGED)))


def _pop3(name: str) -> Script:
    """RFC 2595 section 4."""
    if not (yield Ask(b"", _line)).startswith(b"+OK"):
        return False
    return (yield Ask(b"STLS\r\n", _line)).startswith(b"+OK")


def _sieve(name: str) -> Script:
    """RFC 5804 section 2.2."""
    complete = _matches(_SIEVE)
    if b"STARTTLS" not in (yield Ask(b"", complete)).upper():
        return False
    return (yield Ask(b"STARTTLS\r\n", complete)).upper().startswith(b"OK")


def _xmpp(name: str) -> Script:
    """RFC 6120 section 5.4."""
    to = name if re.fullmatch(r"[A-Za-z0-9.-]{1,255}", name) else "localhost"
    head = (
        f"<?xml version='1.0'?><stream:stream to='{to}' version='1.0' xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams'>"
    ).encode()
    features = yield Ask(head, lambda data: b"</stream:features>" in data or b"</stream:stream>" in data)
    if b"urn:ietf:params:xml:ns:xmpp-tls" not in features:
        return False
    wanted = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    return b"<proceed" in (yield Ask(wanted, lambda data: b">" in data))


def _ldap(name: str) -> Script:
    """RFC 4511 section 4.14: an extended request; the response's first enumerated value is its result code."""
    identifier = b"1.3.6.1.4.1.1466.20037"
    request = b"\x02\x01\x01\x77" + bytes([len(identifier) + 2]) + b"\x80" + bytes([len(identifier)]) + identifier
    reply = yield Ask(b"\x30" + bytes([len(request)]) + request, _at_least(12))
    return b"\x78" in reply[:12] and b"\x0a\x01\x00" in reply[:24]


def _postgresql(name: str) -> Script:
    """PostgreSQL protocol 3.0, SSLRequest."""
    return (yield Ask(struct.pack("!II", 8, 80877103), _at_least(1))) == b"S"


def _mysql(name: str) -> Script:
    """MySQL client/server protocol: the greeting's capability CLIENT_SSL, then a short handshake response."""

    def whole(data: bytes) -> bool:
        return len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:3], "little")

    greeting = (yield Ask(b"", whole))[4:]
    end = greeting.find(b"\0", 1)
    if greeting[:1] != b"\x0a" or end < 0 or len(greeting) < end + 16:
        return False
    if not int.from_bytes(greeting[end + 14 : end + 16], "little") & 0x0800:
        return False
    request = struct.pack("<IIB23x", 0x0000_8A00 | 0x0008_0000, 1 << 24, 45)
    # The server says nothing more in the clear.
    yield Ask(len(request).to_bytes(3, "little") + b"\x01" + request, _at_least(0))
    return True


def _remote_desktop(name: str) -> Script:
    """MS-RDPBCGR 2.2.1.1: an X.224 connection request that offers TLS and CredSSP."""
    request = bytes.fromhex("030000130ee000000000000100080003000000")
    reply = yield Ask(request, _at_least(19))
    return reply[11] == 2 and reply[15] in (1, 2)


_SCRIPTS: dict[str, Callable[[str], Script]] = {
    "smtp": _mail(b"EHLO"),
    "lmtp": _mail(b"LHLO"),
    "imap": _imap,
    "pop3": _pop3,
    "ftp": _ftp,
    "nntp": _nntp,
    "sieve": _sieve,
    "xmpp": _xmpp,
    "xmpp-client": _xmpp,
    "jabber": _xmpp,
    "ldap": _ldap,
    "postgresql": _postgresql,
    "mysql": _mysql,
    "ms-wbt-server": _remote_desktop,
}


def can_start_tls(service: str) -> bool:
    """Whether there is a way to ask this service for TLS."""
    return service in _SCRIPTS


class StartTlsConversation:
    """``services.commands.Conversation``; ``facts`` is its result, ``None`` when no TLS came of it.

    ``name``: the target's host name, where the protocol wants one. It is given up after ``waits.least`` without an end.
    """

    def __init__(self, service: str, name: str, waits: Waits, rtt: float) -> None:
        self.done = False
        self.facts: TlsFacts | None = None
        self._service = service
        self._script = _SCRIPTS[service](name)
        self._patience = waits.connect(tls=False), waits.least(max(rtt, 0.0))
        self._deadline: float | None = None
        self._commands: list[Command] = []
        self._asked: Ask | None = None
        self._reply = bytearray()

    def start(self, now: float) -> None:
        """``Conversation.start``."""
        self._commands.append(Open(0))

    def commands(self) -> list[Command]:
        """``Conversation.commands``."""
        taken, self._commands = self._commands, []
        return taken

    def begun(self, stream: int, now: float) -> None:
        """``Conversation.begun``."""
        self._deadline = now + self._patience[0]

    def opened(self, stream: int, tls: TlsFacts | None, now: float) -> None:
        """``Conversation.opened``: first the connection, then the handshake."""
        if tls is not None:
            self.facts = replace(tls, via=self._service)
            self._finish()
            return
        if self._asked is None:
            self._deadline = now + self._patience[1]
            self._go_on(None)

    def received(self, stream: int, data: bytes, now: float) -> None:
        """``Conversation.received``."""
        self._reply += data
        if len(self._reply) > MOST:
            self._finish()
        elif self._asked is not None and self._asked.complete(bytes(self._reply)):
            self._go_on(bytes(self._reply))

    def ended(self, stream: int, end: Ended, now: float) -> None:
        """``Conversation.ended``."""
        self.done = True

    def advance(self, now: float) -> None:
        """``Conversation.advance``."""
        if self._deadline is not None and now >= self._deadline:
            self._finish()

    def next_timer(self) -> float | None:
        """``Conversation.next_timer``."""
        return None if self.done else self._deadline

    def _go_on(self, reply: bytes | None) -> None:
        self._reply.clear()
        try:
            while True:
                ask = next(self._script) if reply is None else self._script.send(reply)
                self._asked = ask
                if ask.data:
                    self._commands.append(Send(0, ask.data))
                if not ask.complete(b""):
                    return
                reply = b""
        except StopIteration as result:
            self._asked = None
            if result.value:
                self._commands.append(StartTls(0))
            else:
                self._finish()

    def _finish(self) -> None:
        self.done = True
        self._commands.append(Close(0))
