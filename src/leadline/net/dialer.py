"""Very many dialogues at once, TCP and UDP: the version detection's hands.

The same shape as the connector: an epoll loop of its own that the caller turns with ``poll``, so that real and
simulated networks have one seam and machines run under either kind of time (docs/decisions/0012).
"""

from __future__ import annotations

import errno
import select
import socket
from collections import OrderedDict
from typing import TYPE_CHECKING

from leadline.link.base import Clock
from leadline.model.plan import PacketShape, Proxy
from leadline.model.port import Protocol
from leadline.model.quick_dataclass import dataclass
from leadline.net.base import DialEvent, Ended, Endpoint
from leadline.net.burst import scope_index
from leadline.net.connector import RETRY_SECONDS, SHORTAGE, SHORTAGE_SECONDS, descriptor_capacity
from leadline.net.datagrams import Datagrams
from leadline.net.origin import Origin
from leadline.net.stream import SocketAddress, Stream

if TYPE_CHECKING:
    from leadline.net.relays import Relays

# Streams that one turn looks at: with one read each it bounds what a flood puts into memory at once. The kernel hands
# out ready descriptors in turn, so the others are the next to be asked.
MOST_A_TURN = 128
# Proxies serve few clients at once (tinyproxy 100, many less); more would be refused by the proxy, not the targets.
MOST_THROUGH_PROXIES = 100
SELF_CONNECT_TRIES = 3
# Shortages that may concern one destination only: no port (or no address) of ours is left for it.
_OF_ONE_DESTINATION = frozenset({errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.EAGAIN})


@dataclass(slots=True)
class _Dialogue:
    """What is open or waits for its turn. ``since``: when a shortage first held it back; ``watched``: epoll's mask."""

    stream: Stream | Datagrams
    since: float | None = None
    watched: int = 0
    tries: int = 1


class EpollDialer:
    """``Dialer`` over non-blocking sockets. Not thread-safe.

    What is opened beyond ``capacity``, or while descriptors or local ports are short, waits inside and is started by a
    later ``poll``; a shortage that lasts ``SHORTAGE_SECONDS`` is told with its errno after all. A flood of one server
    cannot starve the others: a turn reads at most once from each.

    With ``proxies`` every stream goes through that chain, at most ``MOST_THROUGH_PROXIES`` at once unless ``limit``
    says otherwise. Making the dialer looks up its nearest proxy, connects to the last one once, and raises
    ``UsageError`` or ``NetworkError`` when that cannot be. What the last proxy says of a target ends a stream in phase
    ``connect`` (see ``proxy.Refusal``), what fails on the way to it in phase ``proxy``.
    ``reset``: streams that are closed by us end with a RST, which leaves no port waiting. ``shape``: where streams
    start from (see ``Origin``); proxies are reached without it.
    """

    def __init__(
        self, clock: Clock, limit: int | None = None, proxies: tuple[Proxy, ...] = (), *, reset: bool = False,
        shape: PacketShape | None = None,
    ) -> None:  # fmt: skip
        self._origin = Origin(shape)
        self._relays: Relays | None = None
        if proxies:
            from leadline.net.relays import find_relays

            self._relays = find_relays(proxies)
            limit = MOST_THROUGH_PROXIES if limit is None else limit
        self._reset = reset
        self.capacity = descriptor_capacity(limit)
        self._clock = clock
        self.reach_proxies()
        self._epoll = select.epoll()
        self._open: dict[int, _Dialogue] = {}  # by token: those with a socket
        self._tokens: dict[int, int] = {}  # by descriptor
        self._queue: OrderedDict[int, _Dialogue] = OrderedDict()  # by token: those without
        self._events: list[DialEvent] = []
        self._told: set[int] = set()  # tokens of those events

    def reach_proxies(self) -> None:
        """Connect to the last proxy and close again, in at most ``relays.PATIENCE`` seconds; else ``NetworkError``."""
        if self._relays is not None:
            self._relays = self._relays.reach(self._clock)

    def open(self, token: int, endpoint: Endpoint) -> None:
        """See ``Dialer.open``."""
        self.close(token)
        refused = self._impossible(endpoint)
        if refused is not None:
            phase, error, message = refused
            self._tell([Ended(token, self._clock.now(), phase, error, message)])
            return
        dialogue = _Dialogue(self._made(token, endpoint))
        if self._queue or len(self._open) >= self.capacity or self._start(token, dialogue):
            self._queue[token] = dialogue

    def _impossible(self, endpoint: Endpoint) -> tuple[str, int, str] | None:
        """Phase, errno and reason of what needs no trying."""
        if endpoint.protocol is Protocol.UDP:
            if self._relays is not None:
                return "proxy", errno.EPROTONOSUPPORT, "UDP does not pass through these proxies"
            if endpoint.tls:
                return "tls", errno.EPROTONOSUPPORT, "DTLS is not spoken"
        elif self._relays is not None and endpoint.address.is_link_local and endpoint.address.version == 6:
            return "connect", errno.ENETUNREACH, "a link-local address means nothing to a proxy"
        return None

    def _made(self, token: int, endpoint: Endpoint) -> Stream | Datagrams:
        if endpoint.protocol is Protocol.UDP:
            return Datagrams(token, endpoint, self._origin)
        tunnel = self._relays.tunnel(endpoint) if self._relays is not None else None
        return Stream(token, endpoint, tunnel, self._origin)

    def _start(self, token: int, dialogue: _Dialogue) -> int:
        """Make the socket; the errno of a shortage when our own side has no room for it now, else 0."""
        stream = dialogue.stream
        where = self._destination(stream.endpoint)
        error = stream.connect(*where) if where is not None else errno.ENODEV
        error = error or self._watch(dialogue)
        now = self._clock.now()
        if error in SHORTAGE and (dialogue.since is None or now - dialogue.since <= SHORTAGE_SECONDS):
            dialogue.since = now if dialogue.since is None else dialogue.since
            stream.revive()
            return error
        if error:
            self._tell([stream.fail(now, error)])
            return 0
        self._open[token] = dialogue
        self._tokens[stream.descriptor] = token
        if isinstance(stream, Datagrams):
            self._settle(dialogue, stream.descriptor, stream.opened(now))
        return 0

    def _watch(self, dialogue: _Dialogue) -> int:
        """Have epoll watch a new socket; 0, or the errno that forbids it (then the socket is closed)."""
        dialogue.watched = dialogue.stream.interest
        try:
            self._epoll.register(dialogue.stream.descriptor, dialogue.watched)
        except OSError as error:
            dialogue.stream.close()
            return error.errno or errno.EIO
        return 0

    def send(self, token: int, data: bytes) -> None:
        """See ``Dialer.send``. A stream on which more waits than ``MOST_QUEUED`` ends with ``ENOBUFS``."""
        dialogue = self._open.get(token) or self._queue.get(token)
        if dialogue is not None:
            descriptor = dialogue.stream.descriptor
            self._settle(dialogue, descriptor, dialogue.stream.send(data, self._clock.now()))

    def start_tls(self, token: int, name: str = "") -> None:
        """See ``Dialer.start_tls``."""
        dialogue = self._open.get(token)
        if dialogue is None:
            if token in self._queue:
                raise ValueError(f"stream {token} is not open yet")
            return
        stream = dialogue.stream
        if isinstance(stream, Datagrams) or not stream.plain:
            raise ValueError(f"stream {token} is no open plain one")
        self._settle(dialogue, stream.descriptor, stream.start_tls(name, self._clock.now()))

    def close(self, token: int) -> None:
        """See ``Dialer.close``."""
        self._queue.pop(token, None)
        dialogue = self._open.get(token)
        if dialogue is not None:
            self._forget(token, dialogue.stream.descriptor)
            dialogue.stream.close(self._reset)  # closing takes it out of the epoll set
        if token in self._told:
            self._told.discard(token)
            self._events = [each for each in self._events if each.token != token]

    def poll(self, timeout: float) -> list[DialEvent]:
        """See ``Dialer.poll``."""
        deadline = self._clock.now() + max(timeout, 0.0)
        while True:
            self._drain_queue()
            left = 0.0 if self._events else max(deadline - self._clock.now(), 0.0)
            if self._queue and len(self._open) < self.capacity:
                left = min(left, RETRY_SECONDS)
            for descriptor, mask in self._epoll.poll(left, MOST_A_TURN):
                dialogue = self._open[self._tokens[descriptor]]
                self._settle(dialogue, descriptor, dialogue.stream.ready(mask, self._clock.now()))
            if self._events or self._clock.now() >= deadline:
                break
        self._drain_queue()
        events, self._events = self._events, []
        self._told.clear()
        return events

    @property
    def descriptor(self) -> int:
        """The epoll set's."""
        return self._epoll.fileno()

    def next_look(self, until: float) -> float:
        """See ``Source.next_look``; soon while streams wait for room."""
        if self._events:
            return 0.0
        waits = self._queue and len(self._open) < self.capacity
        return min(until, self._clock.now() + RETRY_SECONDS) if waits else until

    def _settle(self, dialogue: _Dialogue, descriptor: int, events: list[DialEvent]) -> None:
        """Book what a stream did: pass its events on, forget it at its end, watch for what it waits for now."""
        stream = dialogue.stream
        if stream.ended:
            self._forget(stream.token, descriptor)
            if self._again(dialogue, events):
                return
        self._tell(events)
        if not stream.ended and descriptor >= 0:
            interest = stream.interest
            if interest != dialogue.watched:
                dialogue.watched = interest
                self._epoll.modify(descriptor, interest)

    def _tell(self, events: list[DialEvent]) -> None:
        for event in events:
            self._events.append(event)
            self._told.add(event.token)

    def _again(self, dialogue: _Dialogue, events: list[DialEvent]) -> bool:
        """A connection to ourselves is tried again (with another port of ours), a few times."""
        last = events[-1] if events else None
        if not isinstance(last, Ended) or last.phase != "connect" or last.error != errno.EAGAIN:
            return False
        if dialogue.tries >= SELF_CONNECT_TRIES:
            return False
        dialogue.tries += 1
        dialogue.stream.revive()
        self._queue[last.token] = dialogue
        return True

    def _forget(self, token: int, descriptor: int) -> None:
        self._tokens.pop(descriptor, None)
        self._open.pop(token, None)
        self._queue.pop(token, None)

    def _drain_queue(self) -> None:
        held_back = 0
        while len(self._queue) > held_back and len(self._open) < self.capacity:
            token, dialogue = next(iter(self._queue.items()))
            error = self._start(token, dialogue)
            if not error:
                self._queue.pop(token, None)
            elif error in _OF_ONE_DESTINATION:
                self._queue.move_to_end(token)
                held_back += 1
            else:
                return  # the others would find nothing either

    def close_all(self) -> None:
        """See ``Dialer.close_all``. The dialer cannot be used any more."""
        for dialogue in self._open.values():
            dialogue.stream.close(self._reset)
        self._open.clear()
        self._tokens.clear()
        self._queue.clear()
        self._events, self._told = [], set()
        self._epoll.close()

    def _destination(self, endpoint: Endpoint) -> tuple[int, SocketAddress] | None:
        """Family and socket address; ``None`` when the scope names no interface of this machine."""
        if self._relays is not None:
            return self._relays.nearest
        if endpoint.address.version == 4:
            return socket.AF_INET, (str(endpoint.address), endpoint.port)
        index = scope_index(endpoint.scope)
        if index is None:
            return None
        return socket.AF_INET6, (str(endpoint.address).partition("%")[0], endpoint.port, 0, index)
