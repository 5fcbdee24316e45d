"""The real ``Network``: this machine's kernel, its clock, its tables and its sockets."""

from __future__ import annotations

import mmap
import socket
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from leadline.errors import LinkError, ScanError
from leadline.link import packet_socket, receive_ring, transmit_ring
from leadline.link.base import CaptureFilter, Clock, Connector, Interface, Link, LinkStatistics, RoutedTargets, Source
from leadline.link.filter import Program, compile_filter
from leadline.link.kernel_tables import KernelTables, read_tables
from leadline.link.neighbors import known_mac
from leadline.link.packet_socket import Mapped
from leadline.link.rawsock import InternetSender, PacketReceiver, PacketSender
from leadline.link.receive_ring import ReceiveRing
from leadline.link.routes import Router, route_boundaries
from leadline.link.second_thread import SecondThread
from leadline.link.socket_link import Receiver, Sender, SocketLink
from leadline.link.transmit_ring import TransmitRing
from leadline.link.twin_sender import TwinSender
from leadline.model.address import U64, Address
from leadline.model.quick_dataclass import dataclass

if TYPE_CHECKING:
    from leadline.model.plan import PacketShape, Proxy
    from leadline.net.base import Dialer


@dataclass(frozen=True, slots=True)
class KernelClock:
    """Seconds of ``CLOCK_MONOTONIC``, and of 1970 for people."""

    # Asked for every connection: the functions themselves.
    now = staticmethod(time.monotonic)
    epoch = staticmethod(time.time)


def _give_up(unused: list[Mapped]) -> None:
    for mapped in unused:
        packet_socket.give_up(*mapped)


def _mapped(opened: socket.socket | None, give_ring: Callable[[socket.socket], mmap.mmap]) -> Mapped | None:
    """A socket with its ring, ``None`` where the kernel grants none."""
    try:
        opened = opened or packet_socket.open_packet_socket()
        return opened, give_ring(opened)
    except (OSError, ScanError):
        if opened is not None:
            opened.close()
        return None


class _Rings(NamedTuple):
    """Sockets that have their rings, or none, for one link. ``beside``: for a second sending thread."""

    receiving: Mapped | None = None
    sending: Mapped | None = None
    beside: Mapped | None = None

    def there(self) -> list[Mapped]:
        return [ring for ring in self if ring is not None]


class KernelNetwork:
    """``Network`` over the kernel. Tables are read at the first question and kept for the life of the object.

    ``rings``: false to use plain packet sockets only (for tests, and where shared rings are not wanted).
    """

    def __init__(self, rings: bool = True) -> None:
        self.clock: Clock = KernelClock()
        self._rings = rings
        self._raw: bool | None = None
        # A scan may end before it opens a link.
        self._unused: list[Mapped] = []
        weakref.finalize(self, _give_up, self._unused)
        self._early: SecondThread[_Rings] | None = None
        self._tables: KernelTables | None = None
        self._router: Router | None = None

    def _read(self) -> KernelTables:
        if self._tables is None:
            self._tables = read_tables()
        return self._tables

    def interfaces(self) -> list[Interface]:
        """All interfaces, in the kernel's order. Raises ``LinkError`` when netlink does not work."""
        return list(self._read().interfaces)

    def routes(self, family: int, hi: U64, lo: U64, scopes: dict[int, str]) -> RoutedTargets:
        """Routes for columns of targets; see ``Network.routes``."""
        if self._router is None:
            self._router = Router(self._read())
        return self._router.routes(family, hi, lo, scopes)

    def boundaries(self, family: int) -> list[int]:
        """Where routes may change; see ``Network.boundaries``."""
        return route_boundaries(self._read(), family)

    def can_send_raw(self) -> bool:
        """Whether packet sockets can be opened: tried, not guessed from the user id."""
        if self._raw is None:
            # The socket is kept for the link that is opened first: the kernel takes some milliseconds to close one.
            try:
                self._unused.append((packet_socket.open_packet_socket(), None))
                self._raw = True
            except ScanError:
                self._raw = False
        return self._raw

    def prepare(self) -> None:
        """Begin to make the rings of the first link, beside whatever the caller does next: the kernel takes its time.

        Does nothing where there are no rights to raw packets.
        """
        if self._rings and self._early is None and self.can_send_raw():
            self._early = SecondThread("rings")
            self._early.begin(self._map_rings)

    def _map_rings(self) -> _Rings:
        tried = self._unused.pop()[0] if self._unused else None
        rings = _Rings(
            _mapped(tried, receive_ring.map_ring),
            _mapped(None, transmit_ring.map_ring),
            _mapped(None, transmit_ring.map_ring) if SecondThread.pays() else None,
        )
        self._unused += rings.there()
        return rings

    def _take_rings(self) -> _Rings:
        """What was prepared, for the first link alone; at least the socket that was tried."""
        early, self._early = self._early, None
        found = _Rings()
        if early is not None:
            found = early.result()
            early.close()
        elif self._unused and self._rings:
            found = _Rings(self._unused[0])
        self._unused.clear()
        return found

    def open_link(self, interface: Interface, capture: CaptureFilter) -> Link:
        """A link with rings where the kernel grants them, else with plain sockets.

        Raises ``PrivilegeError`` without CAP_NET_RAW, ``LinkError`` when the interface cannot be used.
        """
        statistics = LinkStatistics()
        # Both at the same time: the kernel waits for all processors before it hands out a ring.
        rings = self._take_rings()
        beside: SecondThread[Sender] = SecondThread("link")
        beside.begin(partial(self._sender, interface, capture, statistics, rings))
        try:
            receiver = self._receiver(interface, capture, statistics, rings.receiving)
        except ScanError:
            with suppress(ScanError):
                beside.result().close()
            raise
        try:
            sender = beside.result()
        except ScanError:
            receiver.close()
            raise
        finally:
            beside.close()
        return SocketLink(interface, sender, receiver, statistics, self.clock)

    def _receiver(
        self, interface: Interface, capture: CaptureFilter, statistics: LinkStatistics, mapped: Mapped | None
    ) -> Receiver:
        receiver = self._quiet_receiver(interface, compile_filter(capture, interface.link_header), statistics, mapped)
        if capture.promiscuous:
            try:
                receiver.see_everything()
            except ScanError:
                receiver.close()
                raise
        return receiver

    def _quiet_receiver(
        self, interface: Interface, program: Program, statistics: LinkStatistics, mapped: Mapped | None
    ) -> Receiver:
        if self._rings:
            try:
                return ReceiveRing(interface, program, self.clock, statistics, mapped=mapped)
            except LinkError:
                pass  # no memory for it, or a kernel without rings: slower, not wrong
        return PacketReceiver(interface, program, self.clock, statistics)

    def _sender(
        self, interface: Interface, capture: CaptureFilter, statistics: LinkStatistics, rings: _Rings
    ) -> Sender:
        if interface.by_kernel or interface.kind == "loopback" or not self._rings:
            _give_up(rings._replace(receiving=None).there())
        if interface.by_kernel:
            return InternetSender(interface, capture.family, statistics)
        if interface.kind == "loopback":
            return InternetSender(self._owner(capture.source) or interface, capture.family, statistics)
        ethertype = packet_socket.ETH_P_IP if capture.family == 4 else packet_socket.ETH_P_IPV6
        protocol = 0 if interface.link_header else ethertype
        if self._rings:
            try:
                return self._ring(interface, protocol, statistics, rings)
            except LinkError:
                pass
        return PacketSender(interface, protocol, statistics)

    def _ring(self, interface: Interface, protocol: int, statistics: LinkStatistics, rings: _Rings) -> Sender:
        try:
            first = TransmitRing(interface, protocol, statistics, mapped=rings.sending)
        except LinkError:
            _give_up(_Rings(beside=rings.beside).there())
            raise
        if not SecondThread.pays():
            return first
        beside = rings.beside
        return TwinSender(
            first, partial(TransmitRing, interface, protocol, statistics, mapped=beside), at_hand=beside is not None
        )

    def _owner(self, address: Address) -> Interface | None:
        """Whose address it is: a link-local one of ours needs that interface as its scope, although it goes over lo."""
        for interface in self._read().interfaces:
            if any(own == address for own, _ in interface.addresses):
                return interface
        return None

    def rest(self, sources: Sequence[Source], until: float) -> None:
        """See ``Network.rest``."""
        left = until - self.clock.now()
        if left > 0:
            packet_socket.wait_any([source.descriptor for source in sources], left)

    def neighbor(self, interface: Interface, address: Address) -> bytes | None:
        """The MAC that the kernel knows for a next hop, else ``None``."""
        return known_mac(interface, address)

    def connector(
        self, limit: int | None, proxies: tuple[Proxy, ...] = (), shape: PacketShape | None = None
    ) -> Connector:
        """A connector with at most ``limit`` pending connections (``None``: as many as descriptors allow)."""
        from leadline.net.connector import open_connector

        return open_connector(self.clock, limit, proxies, shape)

    def dialer(self, limit: int | None, proxies: tuple[Proxy, ...] = (), shape: PacketShape | None = None) -> Dialer:
        """A dialer with at most ``limit`` streams open at once (``None``: as many as descriptors allow)."""
        from leadline.net.dialer import EpollDialer

        return EpollDialer(self.clock, limit, proxies, shape=shape)
