"""The user's chain of proxies before anything goes through it: checked, its nearest found, its last reached once."""

from __future__ import annotations

import select
import socket
from ipaddress import IPv4Address

from leadline.errors import NetworkError, UsageError
from leadline.link.base import Clock
from leadline.model.plan import Proxy
from leadline.model.quick_dataclass import dataclass
from leadline.net.base import Ended, Endpoint, Opened
from leadline.net.proxy import Hop, Tunnel, proxy_problem, proxy_text
from leadline.net.stream import SocketAddress, Stream

# Each hop of a chain is a connection over half the world, and the first packet of one may be lost.
PATIENCE = 10.0
_MOST_PLACES = 8


@dataclass(frozen=True, slots=True)
class Relays:
    """``chain``: nearest first; ``places``: family and socket address of its first proxy, those to be tried in turn.

    Only that one is resolved here: the names of the others are for the proxies before them, who may know them alone.
    """

    chain: tuple[Proxy, ...]
    places: tuple[tuple[int, SocketAddress], ...]

    @property
    def nearest(self) -> tuple[int, SocketAddress]:
        """Where to connect to: the first place, which is the one that works after ``reach``."""
        return self.places[0]

    def tunnel(self, endpoint: Endpoint) -> Tunnel:
        """A new way through the whole chain."""
        return Tunnel(self.chain, Hop(str(endpoint.address).partition("%")[0], endpoint.port))

    def reach(self, clock: Clock) -> Relays:
        """Connect to the last proxy, through all others, and close again; the same with the place that worked only.

        Raises ``NetworkError`` when no place does, or when it takes longer than ``PATIENCE`` seconds.
        """
        deadline = clock.now() + PATIENCE
        told = ""
        for place in self.places:
            told = self._try(place, clock, deadline)
            if not told:
                return Relays(self.chain, (place,))
        raise NetworkError(f"the proxy cannot be used: {told}")

    def _try(self, place: tuple[int, SocketAddress], clock: Clock, deadline: float) -> str:
        """Why the last proxy cannot be reached; empty when it can."""
        last = self.chain[-1]
        tunnel = Tunnel(self.chain[:-1], Hop(last.host, last.port)) if len(self.chain) > 1 else None
        stream = Stream(0, Endpoint(IPv4Address(0), last.port), tunnel)
        error = stream.connect(*place)
        ended = stream.fail(clock.now(), error) if error else None
        try:
            while ended is None:
                watch = select.poll()
                watch.register(stream.descriptor, stream.interest)
                ready = watch.poll(max(deadline - clock.now(), 0.0) * 1000)
                if not ready:
                    return f"{proxy_text(last)}: no connection within {PATIENCE:.0f} seconds"
                events = stream.ready(ready[0][1], clock.now())
                if any(isinstance(each, Opened) for each in events):
                    return ""
                ended = next((each for each in events if isinstance(each, Ended)), None)
        finally:
            stream.close()
        return ended.message if tunnel is not None else f"{proxy_text(last)}: {ended.message}"


def find_relays(chain: tuple[Proxy, ...]) -> Relays:
    """Raises ``UsageError`` with every proxy that cannot be, ``NetworkError`` when the nearest has no address."""
    problems = [f"{proxy_text(proxy)}: {problem}" for proxy in chain if (problem := proxy_problem(proxy))]
    if problems:
        raise UsageError(*problems)
    nearest = chain[0]
    try:
        found = socket.getaddrinfo(nearest.host, nearest.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "no such name can be"
        raise NetworkError(f"{proxy_text(nearest)}: {told}") from None
    return Relays(chain, tuple((family, _place(address)) for family, _, _, _, address in found[:_MOST_PLACES]))


def _place(address: tuple[object, ...]) -> SocketAddress:
    host, port, *rest = address
    if rest:
        flow, scope = rest
        return str(host), int(str(port)), int(str(flow)), int(str(scope))
    return str(host), int(str(port))
