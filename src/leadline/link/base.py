"""What the engine needs from a network, real or simulated.

A ``Network`` answers routing questions and opens links; a ``Link`` moves batches of frames; a ``Connector`` opens
ordinary TCP connections without blocking. Time comes from the network's clock: real monotonic seconds, or the virtual
ones of the simulator, whose ``wait`` moves the time on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64, Address
from leadline.model.plan import PacketShape, Proxy
from leadline.model.quick_dataclass import dataclass
from leadline.net.base import Dialer
from leadline.wire.batch import FrameBatch


@dataclass(frozen=True, slots=True)
class Interface:
    """``link_header``: bytes before the network header (14 on Ethernet and loopback, 0 on tun and the like).

    ``kind``: ``ethernet`` (has neighbours to resolve), ``loopback``, ``point`` (header-less or point to point).
    ``mac``: 6 bytes, zeros where there is none. ``addresses``: its own, with prefix length. ``by_kernel``: packets are
    handed to the kernel's IP layer, which makes the frames (``--send-ip``).
    """

    name: str
    index: int
    kind: str
    link_header: int
    mtu: int
    mac: bytes
    up: bool
    addresses: tuple[tuple[Address, int], ...] = ()
    by_kernel: bool = False

    @property
    def has_neighbors(self) -> bool:
        """Whether we have to find out the hardware addresses of next hops."""
        return self.kind == "ethernet" and not self.by_kernel


@dataclass(frozen=True, slots=True)
class Route:
    """Where packets to some targets go. ``source``: our address on the way. ``gateway``: ``None`` on the local link.

    ``gateway`` may be an IPv6 address for IPv4 targets (RFC 8950 routes). ``local``: the target is one of this
    machine's own addresses (the kernel routes it over loopback).
    """

    interface: Interface
    source: Address
    gateway: Address | None = None
    local: bool = False

    @property
    def on_link(self) -> bool:
        """Directly connected on a link that has neighbours: ARP or ND tells who is there."""
        return self.gateway is None and not self.local and self.interface.has_neighbors


@dataclass(slots=True)
class RoutedTargets:
    """Answer for a block: ``route_of[i]`` indexes ``routes``, -1 where this machine has no route. int32 ``(N,)``."""

    routes: list[Route]
    route_of: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class CaptureFilter:
    """What may reach the receive ring of a link (compiled to kernel BPF; a superset is always allowed).

    ``source``: our address, the destination of replies. TCP and UDP replies are wanted only with a destination port in
    ``[first_port, last_port]`` (inclusive); ICMP (ICMPv6) errors and replies to ``source`` are always wanted;
    ``neighbors`` asks for ARP replies, or neighbour advertisements, too. ``protocols``: further IP protocols wanted,
    from anybody. ``promiscuous``: frames to other hardware addresses, too.
    Frames that this host itself sends out are never wanted (but loopback's incoming copies are).
    """

    family: int
    source: Address
    first_port: int
    last_port: int
    neighbors: bool = False
    protocols: tuple[int, ...] = ()
    promiscuous: bool = False


@dataclass(slots=True)
class LinkStatistics:
    """Counters since the link was opened. ``dropped``: frames that the receive ring had no room for."""

    sent: int = 0
    sent_bytes: int = 0
    received: int = 0
    received_bytes: int = 0
    dropped: int = 0
    send_failures: int = 0


class Source(Protocol):
    """What a scan waits for: a link, a connector, a dialer. ``Network.rest`` waits for several of them together."""

    @property
    def descriptor(self) -> int:
        """Readable when there may be something to take; -1 where there are no descriptors (simulated networks)."""
        ...

    def next_look(self, until: float) -> float:
        """Until when (clock seconds, at most ``until``) one may sleep; the past when there is something to take now."""
        ...


class Link(Source, Protocol):
    """Moves frames. Not thread-safe. ``interface`` tells the framing; errors of our own side raise ``LinkError``."""

    interface: Interface
    statistics: LinkStatistics

    def send(self, batch: FrameBatch) -> int:
        """Queue frames in row order; returns how many were taken (the rest may be offered again). Never blocks long."""
        ...

    def receive(self) -> FrameBatch:
        """All frames that are ready now, possibly none; valid until the next call on this link."""
        ...

    def wait(self, timeout: float) -> None:
        """Sleep until a frame is ready or ``timeout`` seconds have passed (>= 0; bounded by the caller)."""
        ...

    def close(self) -> None: ...


class Connected(NamedTuple):
    """The end of one connection attempt: ``error`` is 0 when it was accepted, else the errno; ``at``: clock seconds."""

    token: int
    error: int
    at: float


Attempt: TypeAlias = tuple[int, Address, int, str]
"""A connection attempt: its token, the address and port, and the interface of a link-local address (name or index)."""


class Connector(Source, Protocol):
    """Opens many TCP connections at once without blocking; a connection that succeeds is closed (RST) at once.

    ``capacity``: how many may be pending (descriptor limit). A connection to oneself (same address and port at both
    ends) is detected, closed and reported with errno ``EAGAIN``: start again.
    """

    capacity: int

    def start_all(self, attempts: Sequence[Attempt]) -> None:
        """Begin attempts; no token may be pending already."""
        ...

    def cancel(self, token: int) -> None:
        """Forget a pending attempt (its time is up)."""
        ...

    def poll(self, timeout: float) -> list[Connected]:
        """Attempts that ended, waiting at most ``timeout`` seconds for the first."""
        ...

    def close(self) -> None: ...


class Clock(Protocol):
    """Time of a network: real, or the simulator's."""

    def now(self) -> float:
        """Seconds on a monotonic clock of unknown origin."""
        ...

    def epoch(self) -> float:
        """Seconds since 1970 (for people)."""
        ...


class Network(Protocol):
    """A whole network as one scan sees it: the kernel's (``link.kernel``) or a simulated one (``sim``)."""

    @property
    def clock(self) -> Clock: ...

    def interfaces(self) -> list[Interface]: ...

    def routes(self, family: int, hi: U64, lo: U64, scopes: dict[int, str]) -> RoutedTargets:
        """Routes for columns of targets (``scopes[i]``: forced interface of a link-local target)."""
        ...

    def boundaries(self, family: int) -> list[int]:
        """Addresses at which another route may begin: between two of them (ascending) all targets have the same."""
        ...

    def can_send_raw(self) -> bool:
        """Found out by trying to open a raw link, not by looking at the user id."""
        ...

    def open_link(self, interface: Interface, capture: CaptureFilter) -> Link:
        """Raises ``PrivilegeError`` or ``LinkError``."""
        ...

    def rest(self, sources: Sequence[Source], until: float) -> None:
        """Sleep until one of these has something, or until ``until`` (clock seconds; in the past: not at all).

        What each of them said in ``next_look`` is in ``until`` already.
        """
        ...

    def neighbor(self, interface: Interface, address: Address) -> bytes | None:
        """The MAC the kernel already knows for a next hop, else ``None`` (then our own ARP/ND asks)."""
        ...

    def connector(
        self, limit: int | None, proxies: tuple[Proxy, ...] = (), shape: PacketShape | None = None
    ) -> Connector:
        """For a connect scan, ``limit`` attempts at once at most, through a chain of proxies if there is one.

        ``shape``: where connections start from, and their IP headers. Raises ``UsageError`` for proxies that cannot be
        used, ``NetworkError`` for a chain that does not work, ``LinkError`` for a shape that the kernel refuses.
        """
        ...

    def dialer(self, limit: int | None, proxies: tuple[Proxy, ...] = (), shape: PacketShape | None = None) -> Dialer:
        """For dialogues with services, ``limit`` streams at most (``None``: as many as descriptors allow).

        Raises as ``connector`` does.
        """
        ...
