"""One TCP connection of a dialogue: its socket, and what is spoken over it as it grows from connecting to open."""

from __future__ import annotations

import errno
import os
import select
import socket
from typing import TYPE_CHECKING

from leadline.net.base import MOST_AT_ONCE, DialEvent, Ended, Endpoint, Opened, Received
from leadline.net.burst import PENDING
from leadline.net.connector import RESET_ON_CLOSE
from leadline.net.origin import Origin

if TYPE_CHECKING:
    from leadline.net.proxy import Tunnel
    from leadline.net.tls import TlsLayer, TlsStep

# What may wait to be sent on one stream: far more than any probe has, and a bound for who never reads.
MOST_QUEUED = 1 << 20
_AGAIN = frozenset({errno.EAGAIN, errno.EINTR, errno.ENOBUFS})

SocketAddress = tuple[str, int] | tuple[str, int, int, int]


class Stream:
    """Owned by a dialer, which calls ``ready`` when epoll says so and keeps the socket registered for ``interest``.

    Its phases: ``connect``, ``proxy`` (with a ``tunnel``), ``tls``, ``stream``. Nothing here waits, and nothing raises
    for what the other side does. After ``ended`` it is good for nothing more.
    """

    def __init__(
        self, token: int, endpoint: Endpoint, tunnel: Tunnel | None = None, origin: Origin | None = None
    ) -> None:
        self._origin = origin or Origin()
        self.token, self.endpoint = token, endpoint
        self.ended = False
        self._tunnel = tunnel
        self._tls: TlsLayer | None = None
        self._socket: socket.socket | None = None
        self._phase = "connect"
        self._early = bytearray()  # to be sent when the way is open
        self._outgoing = bytearray()  # to be sent as it is
        self._failure = 0  # what a send met: told when all that had arrived before is read

    @property
    def descriptor(self) -> int:
        """Of the socket; -1 when there is none."""
        return self._socket.fileno() if self._socket is not None else -1

    @property
    def interest(self) -> int:
        """What epoll is to watch for."""
        if self._phase == "connect":
            return select.EPOLLOUT
        return select.EPOLLIN | select.EPOLLOUT if self._outgoing else select.EPOLLIN

    @property
    def plain(self) -> bool:
        """Open, and without TLS so far."""
        return self._phase == "stream" and self._tls is None

    def connect(self, family: int, destination: SocketAddress) -> int:
        """Begin; 0, or the errno with which it failed at once."""
        try:
            self._socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, socket.IPPROTO_TCP)
        except OSError as error:
            return error.errno or errno.EIO
        # A dialogue is small pieces in turn: none of them is to wait for the acknowledgement of the one before.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        result = self._origin.prepare(self._socket) or self._socket.connect_ex(destination)
        if result in PENDING:
            # Over loopback a refusal is there already: cheaper to look than to go through epoll.
            result = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if result:
            self.close()
        return result

    def revive(self) -> None:
        """After ``connect`` failed for a shortage on our side: it may be called again; nothing queued is lost."""
        self.ended = False

    def ready(self, mask: int, at: float) -> list[DialEvent]:
        """Do what is possible now: connect, or write what waits and read once."""
        if self._phase == "connect":
            return self._connected(at)
        if mask & select.EPOLLOUT:
            self._flush()
        return self._read(at) if mask & ~select.EPOLLOUT or self._failure else []

    def _connected(self, at: float) -> list[DialEvent]:
        assert self._socket is not None
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not error and self._to_oneself():
            error = errno.EAGAIN
        if error:
            return [self.fail(at, error)]
        if self._tunnel is None:
            return self._through(at)
        self._phase = "proxy"
        self._outgoing += self._tunnel.start()
        self._flush()
        return []

    def _to_oneself(self) -> bool:
        """The kernel may choose the very port that is tried as our own: such a connection proves nothing."""
        assert self._socket is not None
        try:
            return bool(self._socket.getsockname()[:2] == self._socket.getpeername()[:2])
        except OSError:
            return False  # accepted and torn down again before we looked: reading will tell

    def _through(self, at: float) -> list[DialEvent]:
        """The target is reached."""
        if self.endpoint.tls:
            return self.start_tls(self.endpoint.name, at)
        self._phase = "stream"
        self._outgoing += self._early
        self._early.clear()
        self._flush()
        return [Opened(self.token, at)]

    def start_tls(self, name: str, at: float) -> list[DialEvent]:
        """Begin a TLS handshake after what is queued already. ``name``: see ``Endpoint.name``."""
        from leadline.net.tls import TlsLayer

        self._phase = "tls"
        self._tls = TlsLayer(name)
        return self._step(self._tls.begin(), at)

    def _read(self, at: float) -> list[DialEvent]:
        assert self._socket is not None
        try:
            data = self._socket.recv(MOST_AT_ONCE)
        except OSError as problem:
            error = problem.errno or errno.EIO
            if error in _AGAIN:
                return [self.fail(at, self._failure)] if self._failure else []
            # EPIPE: the other side ended in order, and reset when something of ours came after that.
            return self._closed(at) if error == errno.EPIPE else [self.fail(at, error)]
        if data:
            return self._take(data, at)
        return self._closed(at) if self._failure in (0, errno.EPIPE) else [self.fail(at, self._failure)]

    def _closed(self, at: float) -> list[DialEvent]:
        """The other side ended the connection in order, at whatever point."""
        if self._tunnel is not None and self._phase == "proxy":
            self._tunnel.close()
            return self._refused(at)
        if self._phase == "tls":
            return [self.fail(at, 0, "closed during the handshake")]
        return [self.fail(at, 0, "closed without close_notify" if self._tls is not None else "")]

    def _take(self, data: bytes, at: float) -> list[DialEvent]:
        """Bytes of the other side, whoever that is by now."""
        if self._phase == "proxy":
            return self._tunnelled(data, at)
        if self._tls is not None:
            return self._step(self._tls.receive(data), at)
        return [Received(self.token, at, data)]

    def _tunnelled(self, data: bytes, at: float) -> list[DialEvent]:
        assert self._tunnel is not None
        self._outgoing += self._tunnel.receive(data)
        self._flush()
        if self._tunnel.refusal is not None or not self._tunnel.done:
            return self._refused(at)
        events = self._through(at)
        if self._tunnel.rest and not self.ended:
            events += self._take(self._tunnel.rest, at)
        return events

    def _refused(self, at: float) -> list[DialEvent]:
        refusal = self._tunnel.refusal if self._tunnel is not None else None
        if refusal is None:
            return []
        self.close()
        return [Ended(self.token, at, "connect" if refusal.of_target else "proxy", refusal.error, refusal.message)]

    def _step(self, step: TlsStep, at: float) -> list[DialEvent]:
        """Pass on what the TLS layer made of some bytes."""
        assert self._tls is not None
        events: list[DialEvent] = []
        if step.opened is not None:
            self._phase = "stream"
            events.append(Opened(self.token, at, step.opened))
            if not step.ended:
                step = self._merged(step, self._tls.send(bytes(self._early)))
                self._early.clear()
        pieces = (step.data[start : start + MOST_AT_ONCE] for start in range(0, len(step.data), MOST_AT_ONCE))
        events += [Received(self.token, at, bytes(piece)) for piece in pieces]
        self._outgoing += self._tls.outgoing()
        self._flush()
        if step.ended:
            self._phase = "tls" if step.error else self._phase
            events.append(self.fail(at, step.error, step.message))
        else:
            events += self._bounded(at)
        return events

    @staticmethod
    def _merged(first: TlsStep, second: TlsStep) -> TlsStep:
        second.data[:0] = first.data
        return second

    def send(self, data: bytes, at: float) -> list[DialEvent]:
        """Queue bytes and write what the kernel takes now; ``Ended`` when more waits than may."""
        if self._phase != "stream":
            self._early += data
        elif self._tls is not None:
            return self._step(self._tls.send(data), at)
        else:
            self._outgoing += data
            self._flush()
        return self._bounded(at)

    def _bounded(self, at: float) -> list[DialEvent]:
        if len(self._outgoing) + len(self._early) <= MOST_QUEUED:
            return []
        return [self.fail(at, errno.ENOBUFS, f"more than {MOST_QUEUED} bytes wait to be sent")]

    def _flush(self) -> None:
        if not self._outgoing or self._socket is None:
            return
        try:
            del self._outgoing[: self._socket.send(self._outgoing)]
        except OSError as error:
            if error.errno not in _AGAIN:
                self._failure = error.errno or errno.EIO
                self._outgoing.clear()

    def fail(self, at: float, error: int, message: str = "") -> Ended:
        """Close it, and say why."""
        phase, message = self._phase, message or (os.strerror(error) if error else "")
        if self._tunnel is not None and phase in ("connect", "proxy"):
            from leadline.net.proxy import proxy_text

            phase, message = "proxy", f"{proxy_text(self._tunnel.proxy)}: {message}"
        self.close()
        return Ended(self.token, at, phase, error, message)

    def close(self, reset: bool = False) -> None:
        """Close the socket, with a RST instead of a FIN if asked. Closing twice is fine."""
        self.ended = True
        opened, self._socket = self._socket, None
        if opened is None:
            return
        if reset:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        opened.close()
