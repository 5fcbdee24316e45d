"""The dialogue of an FTP bounce scan (spec sheet 5; RFC 959): a server is told to open its data connection elsewhere.

``PORT`` names the port of the target, ``LIST`` makes the server connect there; how that went is told by its reply.
Sans-IO: bytes and times in, bytes and verdicts out. Whatever the server says is bounded, and escaped where it is shown.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from ipaddress import IPv4Address

from leadline.model.plan import FtpRelay
from leadline.model.port import PortState

# Seconds to wait (spec sheet 5): for the greeting and each reply to a command, to LIST, for the end of a transfer.
REPLY_WAIT, LIST_WAIT, TRANSFER_WAIT = 15.0, 12.0, 10.0
# After ABOR: for a first reply, and for further ones after it.
ABORT_WAIT, ABORT_REST = 5.0, 0.5
# A reply is at most so long, and has so many lines; a greeting may be wordy.
MOST_LINE, MOST_LINES = 1024, 500
# Connections in a row that came to nothing before the scan is given up.
MOST_FAILURES = 3
PRIVILEGED = 1024


class Command(Enum):
    """What the dialogue asks of its connection."""

    OPEN = auto()
    CLOSE = auto()


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete reply: its code, and the text of its first line. Code 0: the connection ended."""

    code: int
    text: str

    @property
    def words(self) -> str:
        """As users may see it."""
        shown = "".join(one if one.isprintable() else "?" for one in self.text[:120])
        return f"{self.code} {shown}".strip() if self.code else "the connection ended"


@dataclass(slots=True)
class Verdict:
    """Of one port. ``at``: clock seconds."""

    state: PortState
    reply: str
    at: float
    tries: int = 1


class Replies:
    """Bytes to replies (RFC 959 section 4.2): a line, or all lines from ``123-`` to one that begins with ``123 ``."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._first: tuple[int, str] | None = None
        self._lines = 0

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are complete now. What is too long is cut, what is no reply is left out."""
        found = []
        for piece in data.splitlines(keepends=True):
            room = MOST_LINE - len(self._line)
            self._line += piece.rstrip(b"\r\n")[: max(0, room)]
            if piece.endswith((b"\n", b"\r")):
                line, self._line = bytes(self._line), bytearray()
                reply = self._take(line)
                if reply is not None:
                    found.append(reply)
        return found

    def _take(self, line: bytes) -> Reply | None:
        text = line.decode("latin-1")
        code = int(text[:3]) if text[:3].isascii() and text[:3].isdigit() and len(text) >= 3 else -1
        if self._first is not None:
            self._lines += 1
            begun, words = self._first
            if (code == begun and text[3:4] != "-") or self._lines > MOST_LINES:
                self._first = None
                return Reply(begun, words)
            return None
        if not 100 <= code <= 599:
            return None
        if text[3:4] == "-":
            self._first, self._lines = (code, text[4:]), 0
            return None
        return Reply(code, text[4:])


Steps = Generator[float, None, None]


@dataclass(slots=True)
class _Wire:
    """What is to be sent, in order."""

    out: list[bytes | Command] = field(default_factory=list)


class BounceDialogue:
    """``ports``: in the order of asking. ``failure``: why the server is of no use, as the end of a sentence about it.

    ``skipped``: the ports below 1024 that the server refuses to connect to.
    """

    def __init__(self, relay: FtpRelay, target: IPv4Address, ports: Iterable[int], now: float) -> None:
        self.relay, self.target = relay, target
        self.verdicts: dict[int, Verdict] = {}
        self.skipped: list[int] = []
        self.failure = ""
        self.done = False
        self._ports = list(ports)
        self._now = self._until = now
        self._wire = _Wire()
        self._replies = Replies()
        self._inbox: list[Reply] = []
        self._connected = False
        self._opening = False
        self._refused = False
        self._privileged = True
        self._script = self._all()

    # ---- what the outside does with it --------------------------------------------------------------------------

    def poll(self, now: float) -> list[bytes | Command]:
        """What is to be done now: open a connection, send bytes on it, close it."""
        self._now = max(now, self._now)
        while not self.done and (self._now >= self._until or self._inbox or (self._opening and self._connected)):
            self._opening = self._opening and not self._connected
            try:
                self._until = next(self._script)
            except StopIteration:
                self.done = True
        out, self._wire.out = self._wire.out, []
        return out

    def opened(self, now: float) -> None:
        """The connection that was asked for is there."""
        self._connected = True

    def received(self, data: bytes, now: float) -> None:
        """Bytes of the server."""
        self._inbox += self._replies.feed(data)

    def ended(self, now: float, why: str) -> None:
        """The connection is over, or could not be made; ``why`` in words of ours."""
        self._connected, self._refused = False, True
        self._inbox.append(Reply(0, why))

    def next_timer(self) -> float:
        """When ``poll`` wants to be called again at the latest (clock seconds)."""
        return self._until

    def progress(self) -> float:
        """Share of the ports that are decided."""
        return (len(self.verdicts) + len(self.skipped)) / max(1, len(self._ports))

    # ---- what happens, in order ---------------------------------------------------------------------------------

    def _all(self) -> Steps:
        failures = 0
        at_hand = False
        for port in self._ports:
            if port < PRIVILEGED and not self._privileged:
                self.skipped.append(port)
                continue
            while port not in self.verdicts and port not in self.skipped:
                if not at_hand:
                    yield from self._log_in()
                    if self.failure:
                        return
                at_hand = yield from self._ask(port)
                failures = 0 if at_hand or port in self.verdicts or port in self.skipped else failures + 1
                if self.failure:
                    return
                if failures >= MOST_FAILURES:
                    self.failure = "it hangs up, or stops answering, when it is told to connect elsewhere"
                    return
        self._wire.out += [b"QUIT\r\n", Command.CLOSE]

    def _log_in(self) -> Steps:
        self._wire.out += [Command.CLOSE, Command.OPEN]
        self._replies, self._inbox = Replies(), []
        self._connected, self._refused, self._opening = False, False, True
        greeting = yield from self._next(REPLY_WAIT, 2)
        if greeting is None or greeting.code // 100 != 2:
            self.failure = _no(greeting, "it did not greet us")
            return
        reply = yield from self._say(f"USER {self.relay.user}")
        if reply is not None and reply.code // 100 == 3:
            reply = yield from self._say(f"PASS {self.relay.password}")
        if reply is None or reply.code // 100 != 2:
            self.failure = _no(reply, f"it does not let {self.relay.user!r} in")

    def _say(self, command: str) -> Generator[float, None, Reply | None]:
        self._wire.out.append(command.encode("utf-8", "replace") + b"\r\n")
        return (yield from self._next(REPLY_WAIT, 2))

    def _next(self, patience: float, least: int) -> Generator[float, None, Reply | None]:
        """The next reply whose class is at least ``least``; ``None``: it did not come."""
        end = self._now + patience
        while True:
            while self._inbox:
                reply = self._inbox.pop(0)
                if not reply.code or reply.code // 100 >= least:
                    return reply
            if self._now >= end:
                return None
            yield end

    def _ask(self, port: int) -> Generator[float, None, bool]:
        """One port; whether the connection can be used again."""
        self._inbox.clear()
        where = ",".join(str(one) for one in (*self.target.packed, port >> 8, port & 0xFF))
        reply = yield from self._say(f"PORT {where}")
        if reply is None or not reply.code:
            return False
        if reply.code // 100 != 2:
            if reply.code // 100 == 5 and port < PRIVILEGED:
                self._privileged = False
                self.skipped.append(port)
                return True
            self.failure = f"it refuses to connect elsewhere ({reply.words})"
            return False
        self._wire.out.append(b"LIST\r\n")
        reply = yield from self._next(LIST_WAIT, 1)
        if reply is not None and reply.code // 100 == 1:
            reply = yield from self._next(TRANSFER_WAIT, 2)
        if reply is None:
            self.verdicts[port] = Verdict(PortState.FILTERED, "", self._now)
            return (yield from self._abort())
        if not reply.code:
            return False
        if reply.code == 421:
            return False
        if reply.code // 100 == 5 and port < PRIVILEGED:
            # Some servers refuse such ports only now, and hang up, with last words that would be taken for the reply to
            # the next command.
            self._privileged = False
            self.skipped.append(port)
            return False
        self.verdicts[port] = Verdict(_MEANINGS.get(reply.code, _by_class(reply.code)), reply.words, self._now)
        return True

    def _abort(self) -> Generator[float, None, bool]:
        """The server still tries to connect: make it stop. One that does not listen meanwhile is left."""
        self._wire.out.append(b"ABOR\r\n")
        reply = yield from self._next(ABORT_WAIT, 2)
        if reply is None or not reply.code:
            return False
        while (yield from self._next(ABORT_REST, 2)) is not None:
            if self._refused:
                return False
        return True


def _no(reply: Reply | None, what: str) -> str:
    return f"{what} ({reply.words if reply is not None else 'no answer'})"


def _by_class(code: int) -> PortState:
    return PortState.OPEN if code // 100 == 2 else PortState.CLOSED


# 426: the connection was made, and broken by the other side (RFC 959 section 5.4).
_MEANINGS = {426: PortState.OPEN}
