"""The UDP side of a dialogue: one connected socket, so that ICMP errors come back to whom they concern."""

from __future__ import annotations

import errno
import os
import select
import socket
from collections import deque

from leadline.net.base import MOST_AT_ONCE, DialEvent, Ended, Endpoint, Opened, Received
from leadline.net.origin import Origin
from leadline.net.stream import SocketAddress

# Datagrams that may wait to be sent.
MOST_WAITING = 64
_IP_RECVERR, _IPV6_RECVERR = 11, 25  # linux/in.h, linux/in6.h; in Python's socket only from 3.14
_AGAIN = frozenset({errno.EAGAIN, errno.EINTR, errno.ENOBUFS, errno.ENOMEM})


class Datagrams:
    """Used by a dialer as ``Stream`` is. An error that somebody's ICMP message brought ends it, with that errno."""

    def __init__(self, token: int, endpoint: Endpoint, origin: Origin | None = None) -> None:
        self._origin = origin or Origin()
        self.token, self.endpoint = token, endpoint
        self.ended = False
        self._socket: socket.socket | None = None
        self._waiting: deque[bytes] = deque()

    @property
    def descriptor(self) -> int:
        """Of the socket; -1 when there is none."""
        return self._socket.fileno() if self._socket is not None else -1

    @property
    def interest(self) -> int:
        """What epoll is to watch for."""
        return select.EPOLLIN | select.EPOLLOUT if self._waiting else select.EPOLLIN

    def connect(self, family: int, destination: SocketAddress) -> int:
        """Bind the socket to its peer; 0, or the errno with which that failed."""
        try:
            self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.IPPROTO_UDP)
        except OSError as error:
            return error.errno or errno.EIO
        # Every ICMP error counts, also those that Linux keeps from applications by default (host unreachable).
        if family == socket.AF_INET:
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        result = self._origin.prepare(self._socket) or self._socket.connect_ex(destination)
        if result:
            self.close()
        return result

    def revive(self) -> None:
        """After ``connect`` failed for a shortage on our side: it may be called again; nothing queued is lost."""
        self.ended = False

    def opened(self, at: float) -> list[DialEvent]:
        """Nobody is asked, so it is open at once; what was queued before goes out."""
        return [Opened(self.token, at), *self._flush(at)]

    def ready(self, mask: int, at: float) -> list[DialEvent]:
        """Send what waits and read one datagram."""
        events = self._flush(at) if mask & select.EPOLLOUT else []
        if not self.ended and mask & ~select.EPOLLOUT:
            events += self._read(at)
        return events

    def _read(self, at: float) -> list[DialEvent]:
        assert self._socket is not None
        try:
            return [Received(self.token, at, self._socket.recv(MOST_AT_ONCE))]
        except OSError as error:
            return self._failed(error, at)

    def send(self, data: bytes, at: float) -> list[DialEvent]:
        """Send one datagram, or queue it while the kernel has no room."""
        if len(self._waiting) >= MOST_WAITING:
            return [self.fail(at, errno.ENOBUFS, f"more than {MOST_WAITING} datagrams wait to be sent")]
        self._waiting.append(data)
        return self._flush(at) if self._socket is not None else []

    def _flush(self, at: float) -> list[DialEvent]:
        while self._waiting and self._socket is not None:
            try:
                self._socket.send(self._waiting[0])
            except OSError as error:
                return self._failed(error, at)
            self._waiting.popleft()
        return []

    def _failed(self, problem: OSError, at: float) -> list[DialEvent]:
        error = problem.errno or errno.EIO
        return [] if error in _AGAIN else [self.fail(at, error)]

    def fail(self, at: float, error: int, message: str = "") -> Ended:
        """Close it, and say why."""
        phase = "stream" if self._socket is not None else "connect"
        self.close()
        return Ended(self.token, at, phase, error, message or os.strerror(error))

    def close(self, reset: bool = False) -> None:
        """Close the socket. Closing twice is fine."""
        self.ended = True
        opened, self._socket = self._socket, None
        if opened is not None:
            opened.close()
