"""What the stages need from ordinary networking, real (this package) or simulated (``sim``): names and dialogues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from leadline.model import port as model_port
from leadline.model.ip import Address
from leadline.model.quick_dataclass import dataclass
from leadline.model.service import TlsFacts


class Resolver(Protocol):
    """Looks up many names or addresses at once. Never raises because of what a name server does or says.

    ``stop`` is asked now and then; once it says yes the answers so far are returned.
    """

    def forward(
        self, names: Sequence[str], families: frozenset[int], stop: Callable[[], bool]
    ) -> dict[str, tuple[Address, ...]]:
        """The addresses of each name, IPv4 before IPv6, of the asked families (4, 6). No key: it does not resolve."""
        ...

    def reverse(self, addresses: Sequence[Address], stop: Callable[[], bool]) -> dict[Address, str]:
        """The name of each address that has one: printable, at most 255 characters, without the final dot."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a dialogue goes. ``protocol``: ``TCP`` or ``UDP``; ``scope``: interface of a link-local address.

    ``tls``: TLS (DTLS is not spoken) from the first byte. ``name``: the target's host name, sent as SNI when it is one.
    """

    address: Address
    port: int
    protocol: model_port.Protocol = model_port.Protocol.TCP
    scope: str = ""
    tls: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """Connected, through all proxies; with ``tls``: the handshake is finished (after ``start_tls`` as well)."""

    token: int
    at: float
    tls: TlsFacts | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """Some bytes of a stream (at most ``MOST_AT_ONCE``), or one datagram."""

    token: int
    at: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The stream is over and its token forgotten. ``phase``: ``connect``, ``proxy``, ``tls`` or ``stream``.

    ``error``: errno, 0 for an orderly end by the other side. ``message``: details (a TLS alert, a proxy's refusal).
    """

    token: int
    at: float
    phase: str
    error: int
    message: str = ""


DialEvent: TypeAlias = Opened | Received | Ended

MOST_AT_ONCE = 65_536


class Dialer(Protocol):
    """Carries on many dialogues at once, TCP (with or without TLS) and UDP, without blocking. Not thread-safe.

    Nothing that the other side does raises; times are clock seconds. ``capacity``: how many may be open at once
    (descriptors); a stream more waits for its turn.
    """

    capacity: int

    @property
    def descriptor(self) -> int:
        """Readable when there may be something to take; -1 where there are no descriptors (simulated networks)."""
        ...

    def next_look(self, until: float) -> float:
        """Until when (clock seconds, at most ``until``) one may sleep; the past when there is something to take now."""
        ...

    def open(self, token: int, endpoint: Endpoint) -> None:
        """Begin; ``Opened`` or ``Ended`` follows. UDP opens at once. A token that is in use is closed before."""
        ...

    def send(self, token: int, data: bytes) -> None:
        """Queue bytes (one datagram for UDP). On a stream that has ended nothing happens."""
        ...

    def start_tls(self, token: int, name: str = "") -> None:
        """Begin a TLS handshake on an open plain stream; ``Opened`` with ``tls``, or ``Ended`` in phase ``tls``."""
        ...

    def close(self, token: int) -> None:
        """Forget a stream; no event of it follows. What was not sent yet is lost."""
        ...

    def poll(self, timeout: float) -> list[DialEvent]:
        """What happened, waiting at most ``timeout`` seconds for the first event; in order for each token."""
        ...

    def close_all(self) -> None:
        """Close every stream and give all resources back."""
        ...
