"""Many connection attempts in a row, in as few system calls as the kernel allows: the connect scan's inner loop.

A socket whose connection was refused is as good as new on Linux (``connect`` has disconnected it, and it takes another
port of ours the next time), so closed ports cost neither ``socket`` nor ``close``. On loopback the refusal is there as
soon as ``connect`` returns, but only a second ``connect`` tells it.
"""

from __future__ import annotations

import errno
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import NamedTuple, TypeAlias

from leadline.link.base import Attempt
from leadline.model.address import Address
from leadline.model.quick_dataclass import dataclass
from leadline.net.origin import Origin

PENDING = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EINTR})
"""What ``connect`` says of a connection that is under way."""

Destination: TypeAlias = tuple[str, int] | tuple[str, int, int, int]


class Pending(NamedTuple):
    """A connection under way."""

    token: int
    opened: socket.socket
    destination: Destination


@dataclass(slots=True)
class Burst:
    """What became of some attempts.

    ``refused``: ended (the fields of ``Connected``), their sockets are spare again. ``pending``: under way.
    ``others``: ended in another way, with their sockets, still open, and the errno (0: accepted). ``unopened``: not
    begun, as no socket could be had (``error``: the errno).
    """

    refused: list[tuple[int, int, float]] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    others: list[tuple[Attempt, socket.socket, int]] = field(default_factory=list)
    unopened: Sequence[Attempt] = ()
    error: int = 0


class SpareSockets:
    """Sockets without a connection, by family, that all start from one ``origin``.

    ``take`` and ``put`` may be called from several threads.
    """

    def __init__(self, origin: Origin | None = None) -> None:
        self._origin = origin or Origin()
        self._sockets: dict[int, deque[socket.socket]] = {socket.AF_INET: deque(), socket.AF_INET6: deque()}

    def take(self, family: int) -> socket.socket:
        """A socket for a connection that does not block. Raises ``OSError`` when no other can be had."""
        try:
            return self._sockets[family].pop()
        except IndexError:
            made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, socket.IPPROTO_TCP)
        error = self._origin.prepare(made)
        if error:
            made.close()
            raise OSError(error, "the socket cannot start from there")
        return made

    def put(self, spare: socket.socket) -> None:
        """Keep one whose connection was refused."""
        self._sockets[spare.family].append(spare)

    def close(self) -> None:
        """Close them all."""
        for sockets in self._sockets.values():
            while sockets:
                sockets.pop().close()


def launch(attempts: Sequence[Attempt], spares: SpareSockets, now: Callable[[], float]) -> Burst:
    """Start all attempts; their scopes must be known (``scope_index``). May run in any thread."""
    burst = Burst()
    # Every line of this loop is run for every port, and keeps other threads from running: names are local for that.
    refused, pending, others = burst.refused.append, burst.pending.append, burst.others.append
    under_way, refusal = PENDING, errno.ECONNREFUSED
    opened: socket.socket | None = None
    latest: Address | None = None
    family, text, latest_scope, index = socket.AF_INET, "", "", -1
    for place, attempt in enumerate(attempts):
        token, address, port, scope = attempt
        if address is not latest or scope != latest_scope:
            # Neighbouring attempts mostly go to one host: its text is made once.
            latest, latest_scope, text = address, scope, str(address).partition("%")[0]
            wanted = socket.AF_INET if address.version == 4 else socket.AF_INET6
            if opened is not None and wanted != family:
                spares.put(opened)
                opened = None
            family, index = wanted, -1 if wanted == socket.AF_INET else scope_index(scope) or 0
        if opened is None:
            try:
                opened = spares.take(family)
            except OSError as error:
                burst.error = error.errno or errno.EIO
                burst.unopened = attempts[place:]
                return burst
            connect = opened.connect_ex
        destination = (text, port) if index < 0 else (text, port, 0, index)
        result = connect(destination)
        if result in under_way:
            result = connect(destination)
        if result == refusal:
            refused((token, result, now()))
            continue
        told = soft_error(opened) if result in under_way else result
        if result in under_way and not told:
            pending(Pending(token, opened, destination))
        else:
            others((attempt, opened, told))
        opened = None
    if opened is not None:
        spares.put(opened)
    return burst


def soft_error(opened: socket.socket) -> int:
    """The errno of an ICMP error that came while the kernel was still in ``connect``: it is told only when asked for.

    0 where there is none. An error of the other kind, which ends the connection, is told by ``connect`` itself; told
    here, because it came just now, it leaves a socket that is not as good as new.
    """
    return opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


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
