"""Servers on loopback that do one thing each, and dialogues with them that end or fail within seconds."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address

from leadline.model.port import Protocol
from leadline.net.base import Dialer, DialEvent, Ended, Endpoint, Opened, Received

Handler = Callable[[socket.socket], None]


class RealClock:
    """Monotonic, and forward by ``ahead`` seconds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return time.monotonic() + self.ahead

    def epoch(self) -> float:
        return time.time()


@contextlib.contextmanager
def serving(handler: Handler, host: str = "127.0.0.1") -> Iterator[int]:
    """A server whose every connection gets ``handler`` in a thread of its own; gives its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family, backlog=512) as server:
        threading.Thread(target=_accept, args=(server, handler), daemon=True).start()
        try:
            yield int(server.getsockname()[1])
        finally:
            # Closing alone does not wake who waits in accept.
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket, handler: Handler) -> None:
    while True:
        try:
            opened, _ = server.accept()
        except OSError:
            return
        opened.settimeout(20)
        threading.Thread(target=_handle, args=(opened, handler), daemon=True).start()


def _handle(opened: socket.socket, handler: Handler) -> None:
    with opened, contextlib.suppress(OSError):
        handler(opened)


def closed_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])


def here(port: int, *, tls: bool = False, name: str = "", udp: bool = False, host: str = "127.0.0.1") -> Endpoint:
    """An endpoint on this machine."""
    protocol = Protocol.UDP if udp else Protocol.TCP
    return Endpoint(ip_address(host), port, protocol, tls=tls, name=name)


class Talk:
    """Turns a dialer and keeps what happened, in order."""

    def __init__(self, dialer: Dialer) -> None:
        self.dialer = dialer
        self.events: list[DialEvent] = []

    def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> list[DialEvent]:
        """Poll until ``condition`` holds; fails when it does not in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"nothing of that within {seconds} s: {self.events[-5:]!r}"
            self.events += self.dialer.poll(0.2)
        return self.events

    def until_ended(self, *tokens: int, seconds: float = 10.0) -> None:
        """Poll until each of ``tokens`` has ended."""
        self.until(lambda: set(tokens) <= self.ended_tokens(), seconds)

    def until_opened(self, token: int) -> Opened:
        """Poll until it is open (for the last time)."""
        self.until(lambda: any(isinstance(each, Opened) and each.token == token for each in self.events))
        return [each for each in self.events if isinstance(each, Opened) and each.token == token][-1]

    def until_received(self, token: int, data: bytes) -> None:
        """Poll until ``data`` is all that came."""
        self.until(lambda: len(self.received(token)) >= len(data))
        assert self.received(token) == data

    def ended_tokens(self) -> set[int]:
        """Those that have ended."""
        return {each.token for each in self.events if isinstance(each, Ended)}

    def ended(self, token: int) -> tuple[str, int, str]:
        """Phase, errno and message of the one end of a stream."""
        (found,) = [each for each in self.events if isinstance(each, Ended) and each.token == token]
        return found.phase, found.error, found.message

    def received(self, token: int) -> bytes:
        """All bytes of a stream."""
        return b"".join(each.data for each in self.events if isinstance(each, Received) and each.token == token)

    def kinds(self, token: int) -> list[str]:
        """Names of a stream's events, repeated ``Received`` only once."""
        names: list[str] = []
        for each in self.events:
            name = type(each).__name__
            if each.token == token and names[-1:] != [name]:
                names.append(name)
        return names
