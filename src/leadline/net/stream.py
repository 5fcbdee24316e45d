"""One TCP connection of a dialogue: its socket, and what is spoken over it as it grows from connecting to open."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct

from leadline.net.base import MOST_AT_ONCE, DialEvent, Ended, Endpoint, Opened, Received

# What may wait to be sent on one stream: far more than any probe has, and a bound for who never reads.
MOST_QUEUED = 1 << 20
_PENDING = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EINTR})
_AGAIN = frozenset({errno.EAGAIN, errno.EINTR, errno.ENOBUFS})
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

SocketAddress = tuple[str, int] | tuple[str, int, int, int]


class Stream:
    """Owned by a dialer, which calls ``ready`` when epoll says so and keeps the socket registered for ``interest``.

    Nothing here waits, and nothing raises for what the other side does. After ``ended`` it is good for nothing more.
    """

    def __init__(self, token: int, endpoint: Endpoint) -> None:
        self.token, self.endpoint = token, endpoint
        self.ended = False
        self._socket: socket.socket | None = None
        self._phase = "connect"
        self._outgoing = bytearray()
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

    def connect(self, family: int, destination: SocketAddress) -> int:
        """Begin; 0, or the errno with which it failed at once."""
        try:
            self._socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, socket.IPPROTO_TCP)
        except OSError as error:
            return error.errno or errno.EIO
        result = self._socket.connect_ex(destination)
        if result in _PENDING:
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
            return [self._end(at, error)]
        self._phase = "stream"
        self._flush()
        return [Opened(self.token, at)]

    def _to_oneself(self) -> bool:
        """The kernel may choose the very port that is tried as our own: such a connection proves nothing."""
        assert self._socket is not None
        try:
            return bool(self._socket.getsockname()[:2] == self._socket.getpeername()[:2])
        except OSError:
            return False  # accepted and torn down again before we looked: reading will tell

    def _read(self, at: float) -> list[DialEvent]:
        assert self._socket is not None
        try:
            data = self._socket.recv(MOST_AT_ONCE)
        except OSError as problem:
            error = problem.errno or errno.EIO
            if error in _AGAIN:
                return [self._end(at, self._failure)] if self._failure else []
            # The other side ended in order, and reset when something of ours came after that.
            return [self._end(at, 0 if error == errno.EPIPE else error)]
        if not data:
            return [self._end(at, 0 if self._failure == errno.EPIPE else self._failure)]
        return [Received(self.token, at, data)]

    def send(self, data: bytes, at: float) -> list[DialEvent]:
        """Queue bytes and write what the kernel takes now; ``Ended`` when more waits than may."""
        self._outgoing += data
        if self._phase != "connect":
            self._flush()
        if len(self._outgoing) > MOST_QUEUED:
            return [self._end(at, errno.ENOBUFS, f"more than {MOST_QUEUED} bytes wait to be sent")]
        return []

    def _flush(self) -> None:
        if not self._outgoing or self._socket is None:
            return
        try:
            del self._outgoing[: self._socket.send(self._outgoing)]
        except OSError as error:
            if error.errno not in _AGAIN:
                self._failure = error.errno or errno.EIO
                self._outgoing.clear()

    def _end(self, at: float, error: int, message: str = "") -> Ended:
        self.close()
        return Ended(self.token, at, self._phase, error, message or (os.strerror(error) if error else ""))

    def close(self, reset: bool = False) -> None:
        """Close the socket, with a RST instead of a FIN if asked. Closing twice is fine. ``revive`` undoes it."""
        self.ended = True
        opened, self._socket = self._socket, None
        if opened is None:
            return
        if reset:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        opened.close()
