"""Very many TCP connections at once, each only opened and closed again: the connect scan's hands.

A small epoll loop of its own instead of asyncio: a connection costs three to five system calls, and no future, task or
stream.
"""

from __future__ import annotations

import errno
import resource
import select
import socket
import struct
from collections import OrderedDict, deque

from leadline.link.base import Clock, Connected, Connector
from leadline.model.address import Address
from leadline.model.plan import Proxy
from leadline.model.quick_dataclass import dataclass

# Descriptors left for everything else: output files, the resolver, capture links.
RESERVE = 64
# Our own side is out of something (descriptors, ports, memory): says nothing about the target.
SHORTAGE = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.EAGAIN}
)
SHORTAGE_SECONDS = 3.0
RETRY_SECONDS = 0.01
PENDING = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EINTR})
"""What ``connect`` says of a connection that is under way."""
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""For ``SO_LINGER``: close with a RST, which leaves no port of ours waiting."""


@dataclass(slots=True)
class _Start:
    """A connection that is to be started. ``since``: when a shortage first held it back."""

    family: int
    destination: tuple[str, int] | tuple[str, int, int, int]
    since: float | None = None


def descriptor_capacity(limit: int | None) -> int:
    """How many connections may be pending: the descriptor limit (raised to its hard value), less a reserve; >= 1."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (ValueError, OSError):
            pass  # an infinite hard limit above the kernel's own: keep what we have
    available = 1 << 16 if soft == resource.RLIM_INFINITY else max(soft - RESERVE, soft // 4, 1)
    return max(min(available, limit if limit is not None else available), 1)


class EpollConnector:
    """``Connector`` over non-blocking sockets. Not thread-safe.

    What is started beyond ``capacity``, or while descriptors or local ports are short, waits inside and is started by a
    later ``poll``. A shortage that lasts ``SHORTAGE_SECONDS`` is reported with its errno after all (an IPv6 target for
    which we have no source address is ``EADDRNOTAVAIL`` for ever). A connection that is accepted is closed with a RST.
    """

    def __init__(self, clock: Clock, limit: int | None = None) -> None:
        self.capacity = descriptor_capacity(limit)
        self._clock = clock
        self._epoll = select.epoll()
        self._sockets: dict[int, tuple[int, socket.socket]] = {}  # by descriptor
        self._descriptors: dict[int, int] = {}  # by token
        self._queue: OrderedDict[int, _Start] = OrderedDict()
        self._ended: deque[Connected] = deque()
        self._latest: tuple[Address | None, str] = (None, "")

    def start(self, token: int, address: Address, port: int, scope: str = "") -> None:
        """Begin one connection; its end comes out of ``poll``. ``scope``: interface (name or index) of a link-local
        address. ``token`` must not be pending already (``ValueError``).
        """
        if token in self._descriptors or token in self._queue:
            raise ValueError(f"token {token} is pending")
        if address.version == 4:
            if address is not self._latest[0]:
                # Neighbouring attempts mostly go to one host: its text is made once.
                self._latest = (address, str(address))
            start = _Start(socket.AF_INET, (self._latest[1], port))
        else:
            index = scope_index(scope)
            if index is None:
                self._end(token, errno.ENODEV)
                return
            start = _Start(socket.AF_INET6, (str(address).partition("%")[0], port, 0, index))
        if self._queue or len(self._sockets) >= self.capacity or not self._open(token, start):
            self._queue[token] = start

    def _open(self, token: int, start: _Start) -> bool:
        """Start a connection now; false when our own side has no room for it."""
        try:
            opened = socket.socket(start.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, socket.IPPROTO_TCP)
        except OSError as error:
            return self._short(token, start, error.errno or errno.EIO)
        result = opened.connect_ex(start.destination)
        if result in PENDING:
            # Over loopback a refusal is there already: cheaper to look than to go through epoll.
            result = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not result:
                descriptor = opened.fileno()
                self._epoll.register(descriptor, select.EPOLLOUT)
                self._sockets[descriptor] = (token, opened)
                self._descriptors[token] = descriptor
                return True
        if result in SHORTAGE:
            opened.close()
            return self._short(token, start, result)
        self._finish(token, opened, result)
        return True

    def _short(self, token: int, start: _Start, error: int) -> bool:
        now = self._clock.now()
        if error not in SHORTAGE or (start.since is not None and now - start.since > SHORTAGE_SECONDS):
            self._end(token, error)
            return True
        if start.since is None:
            start.since = now
        return False

    def _finish(self, token: int, opened: socket.socket, error: int) -> None:
        if not error:
            error = self._accepted(opened)
        opened.close()
        self._end(token, error)

    @staticmethod
    def _accepted(opened: socket.socket) -> int:
        """0 for a connection to somebody else, ``EAGAIN`` for one to ourselves (our own port was the one tried)."""
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            return errno.EAGAIN if opened.getsockname()[:2] == opened.getpeername()[:2] else 0
        except OSError:
            return 0  # accepted and torn down again before we looked

    def _end(self, token: int, error: int) -> None:
        self._ended.append(Connected(token, error, self._clock.now()))

    def cancel(self, token: int) -> None:
        """Forget a pending attempt; unknown tokens are ignored. Nothing is reported for it any more."""
        self._queue.pop(token, None)
        descriptor = self._descriptors.pop(token, None)
        if descriptor is not None:
            self._sockets.pop(descriptor)[1].close()  # closing takes it out of the epoll set
        elif self._ended:
            self._ended = deque(each for each in self._ended if each.token != token)

    def poll(self, timeout: float) -> list[Connected]:
        """Attempts that ended; waits at most ``timeout`` seconds for the first."""
        deadline = self._clock.now() + max(timeout, 0.0)
        while True:
            self._drain_queue()
            left = 0.0 if self._ended else max(deadline - self._clock.now(), 0.0)
            if self._queue and len(self._sockets) < self.capacity:
                left = min(left, RETRY_SECONDS)
            for descriptor, _ in self._epoll.poll(left, max(len(self._sockets), 1)):
                self._resolve(descriptor)
            if self._ended or self._clock.now() >= deadline:
                break
        self._drain_queue()
        ended, self._ended = list(self._ended), deque()
        return ended

    def _resolve(self, descriptor: int) -> None:
        token, opened = self._sockets.pop(descriptor)
        del self._descriptors[token]
        self._finish(token, opened, opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _drain_queue(self) -> None:
        while self._queue and len(self._sockets) < self.capacity:
            token, start = next(iter(self._queue.items()))
            if not self._open(token, start):
                return
            self._queue.pop(token, None)

    def close(self) -> None:
        """Close everything; pending attempts are forgotten."""
        for _, opened in self._sockets.values():
            opened.close()
        self._sockets.clear()
        self._descriptors.clear()
        self._queue.clear()
        self._ended.clear()
        self._epoll.close()


def scope_index(scope: str) -> int | None:
    """Interface index of a scope; 0 for none, ``None`` for an interface that does not exist."""
    if not scope:
        return 0
    if scope.isascii() and scope.isdecimal():
        return int(scope) & 0xFFFFFFFF
    try:
        return socket.if_nametoindex(scope)
    except (OSError, ValueError):
        return None


def open_connector(clock: Clock, limit: int | None, proxies: tuple[Proxy, ...] = ()) -> Connector:
    """The connector of a scan: straight, or through a chain of proxies. See ``Network.connector``."""
    if not proxies:
        return EpollConnector(clock, limit)
    from leadline.net.proxy_connector import ProxyConnector

    return ProxyConnector(clock, limit, proxies)
