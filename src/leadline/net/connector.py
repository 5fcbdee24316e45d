"""Very many TCP connections at once, each only opened and closed again: the connect scan's hands.

A small epoll loop of its own instead of asyncio: a connection costs two to five system calls, and no future, task or
stream. What is started in one go is shared by two threads, as nearly all of it is the kernel's work.
"""

from __future__ import annotations

import errno
import resource
import select
import socket
import struct
from collections import deque
from collections.abc import Sequence
from functools import partial

from leadline.link.base import Attempt, Clock, Connected, Connector
from leadline.link.second_thread import SecondThread
from leadline.model.address import Address
from leadline.model.plan import PacketShape, Proxy
from leadline.net.burst import PENDING, Burst, Pending, SpareSockets, launch, scope_index, soft_error
from leadline.net.origin import Origin

# Descriptors left for everything else: output files, the resolver, capture links.
RESERVE = 64
# Our own side is out of something (descriptors, ports, memory): says nothing about the target.
SHORTAGE = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.EAGAIN}
)
SHORTAGE_SECONDS = 3.0
RETRY_SECONDS = 0.01
# What is reset before it is accepted is refused: with ECONNRESET there was a connection, torn down before we looked.
ACCEPTED = frozenset({0, errno.ECONNRESET})
# Attempts that are worth waking another thread for.
WORTH_SHARING = 64
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""For ``SO_LINGER``: close with a RST, which leaves no port of ours waiting."""


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

    def __init__(self, clock: Clock, limit: int | None = None, origin: Origin | None = None) -> None:
        self.capacity = descriptor_capacity(limit)
        self._clock = clock
        self._epoll = select.epoll()
        self._armed: set[int] = set()  # descriptors that epoll knows
        self._pending: dict[int, Pending] = {}  # by descriptor
        self._descriptors: dict[int, int] = {}  # by token
        self._queue: dict[int, Attempt] = {}  # by token, oldest first
        self._short_since: dict[int, float] = {}  # by token
        self._ended: deque[Connected] = deque()
        self._spares = SpareSockets(origin)
        self._second: SecondThread[Burst] | None = SecondThread("connections") if SecondThread.pays() else None

    def start(self, token: int, address: Address, port: int, scope: str = "") -> None:
        """Begin one connection, see ``start_all``."""
        self.start_all([(token, address, port, scope)])

    def start_all(self, attempts: Sequence[Attempt]) -> None:
        """Begin connections; their ends come out of ``poll``. ``ValueError`` for a token that is pending already."""
        tokens = [attempt[0] for attempt in attempts]
        for held in (self._descriptors, self._queue):
            if held and not held.keys().isdisjoint(tokens):
                raise ValueError(f"pending already: {sorted(held.keys() & set(tokens))}")
        if any(attempt[3] for attempt in attempts):
            attempts = [attempt for attempt in attempts if self._has_scope(attempt)]
        room = 0 if self._queue else max(self.capacity - len(self._pending), 0)
        self._queue.update((attempt[0], attempt) for attempt in attempts[room:])
        self._launch(attempts[:room])

    def _has_scope(self, attempt: Attempt) -> bool:
        if attempt[1].version == 4 or scope_index(attempt[3]) is not None:
            return True
        self._end(attempt[0], errno.ENODEV)
        return False

    def _launch(self, attempts: Sequence[Attempt]) -> None:
        now = self._clock.now
        if self._second is None or len(attempts) < WORTH_SHARING:
            self._settle(launch(attempts, self._spares, now))
            return
        half = len(attempts) // 2
        self._second.begin(partial(launch, attempts[half:], self._spares, now))
        ours = launch(attempts[:half], self._spares, now)
        theirs = self._second.result()
        self._settle(ours)
        self._settle(theirs)

    def _settle(self, burst: Burst) -> None:
        self._ended += map(Connected._make, burst.refused)
        if self._short_since:
            for token in [end[0] for end in burst.refused] + [one.token for one in burst.pending]:
                self._short_since.pop(token, None)
        for one in burst.pending:
            descriptor = one.opened.fileno()
            self._pending[descriptor] = one
            self._descriptors[one.token] = descriptor
            self._arm(descriptor)
        for attempt, opened, error in burst.others:
            if error in SHORTAGE:
                self._close(opened)
                self._held_back(attempt, error)
            else:
                self._finish(attempt[0], opened, error)
        for attempt in burst.unopened:
            if burst.error in SHORTAGE:
                self._held_back(attempt, burst.error)
            else:
                self._end(attempt[0], burst.error)

    def _arm(self, descriptor: int) -> None:
        """Tell when the connection's end is known, once: a spare socket has nothing to tell."""
        if descriptor in self._armed:
            self._epoll.modify(descriptor, select.EPOLLOUT | select.EPOLLONESHOT)
        else:
            self._epoll.register(descriptor, select.EPOLLOUT | select.EPOLLONESHOT)
            self._armed.add(descriptor)

    def _held_back(self, attempt: Attempt, error: int) -> None:
        """Our own side has no room for it now."""
        token, now = attempt[0], self._clock.now()
        if now - self._short_since.setdefault(token, now) > SHORTAGE_SECONDS:
            self._end(token, error)
        else:
            self._queue[token] = attempt

    def _finish(self, token: int, opened: socket.socket, error: int) -> None:
        if error in ACCEPTED:
            error = self._accepted(opened)
        self._close(opened)
        self._end(token, error)

    @staticmethod
    def _accepted(opened: socket.socket) -> int:
        """0 for a connection to somebody else, ``EAGAIN`` for one to ourselves (our own port was the one tried)."""
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            return errno.EAGAIN if opened.getsockname()[:2] == opened.getpeername()[:2] else 0
        except OSError:
            return 0  # accepted and torn down again before we looked

    def _close(self, opened: socket.socket) -> None:
        self._armed.discard(opened.fileno())  # closing takes it out of the epoll set
        opened.close()

    def _end(self, token: int, error: int) -> None:
        self._short_since.pop(token, None)
        self._ended.append(Connected(token, error, self._clock.now()))

    def cancel(self, token: int) -> None:
        """Forget a pending attempt; unknown tokens are ignored. Nothing is reported for it any more."""
        self._queue.pop(token, None)
        self._short_since.pop(token, None)
        descriptor = self._descriptors.pop(token, None)
        if descriptor is not None:
            self._close(self._pending.pop(descriptor).opened)
        elif self._ended:
            self._ended = deque(each for each in self._ended if each.token != token)

    def poll(self, timeout: float) -> list[Connected]:
        """Attempts that ended; waits at most ``timeout`` seconds for the first."""
        deadline = self._clock.now() + max(timeout, 0.0)
        while True:
            self._drain_queue()
            left = 0.0 if self._ended else max(deadline - self._clock.now(), 0.0)
            if self._queue and len(self._pending) < self.capacity:
                left = min(left, RETRY_SECONDS)
            for descriptor, _ in self._epoll.poll(left, max(len(self._pending), 1)):
                self._resolve(descriptor)
            if self._ended or self._clock.now() >= deadline:
                break
        self._drain_queue()
        ended, self._ended = list(self._ended), deque()
        return ended

    @property
    def descriptor(self) -> int:
        """The epoll set's."""
        return self._epoll.fileno()

    def next_look(self, until: float) -> float:
        """See ``Source.next_look``; soon while attempts wait for room."""
        if self._ended:
            return 0.0
        waits = self._queue and len(self._pending) < self.capacity
        return min(until, self._clock.now() + RETRY_SECONDS) if waits else until

    def _resolve(self, descriptor: int) -> None:
        token, opened, destination = self._pending[descriptor]
        error = opened.connect_ex(destination)
        told = soft_error(opened) if error in PENDING else error
        if error in PENDING and not told:
            self._arm(descriptor)
            return
        del self._pending[descriptor]
        del self._descriptors[token]
        if error == errno.ECONNREFUSED:
            self._spares.put(opened)
            self._end(token, error)
        else:
            self._finish(token, opened, told)

    def _drain_queue(self) -> None:
        while self._queue and len(self._pending) < self.capacity:
            waiting = list(self._queue.values())[: self.capacity - len(self._pending)]
            for attempt in waiting:
                del self._queue[attempt[0]]
            self._launch(waiting)
            if self._queue.keys() & {attempt[0] for attempt in waiting}:
                return  # held back again

    def close(self) -> None:
        """Close everything; pending attempts are forgotten."""
        if self._second is not None:
            self._second.close()
        for one in self._pending.values():
            one.opened.close()
        self._spares.close()
        self._pending.clear()
        self._descriptors.clear()
        self._armed.clear()
        self._queue.clear()
        self._ended.clear()
        self._epoll.close()


def open_connector(
    clock: Clock, limit: int | None, proxies: tuple[Proxy, ...] = (), shape: PacketShape | None = None
) -> Connector:
    """The connector of a scan: straight, or through a chain of proxies. See ``Network.connector``."""
    if not proxies:
        return EpollConnector(clock, limit, Origin(shape))
    from leadline.net.proxy_connector import ProxyConnector

    return ProxyConnector(clock, limit, proxies)
