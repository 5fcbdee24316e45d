"""The real ``Network``: this machine's kernel, its clock, its tables and its sockets."""

from __future__ import annotations

import socket
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from leadline.errors import LinkError, ScanError
from leadline.link import packet_socket
from leadline.link.base import CaptureFilter, Clock, Connector, Interface, Link, LinkStatistics, RoutedTargets, Source
from leadline.link.filter import Program, compile_filter
from leadline.link.kernel_tables import KernelTables, read_tables
from leadline.link.neighbors import known_mac
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


class KernelNetwork:
    """``Network`` over the kernel. Tables are read at the first question and kept for the life of the object.

    ``rings``: false to use plain packet sockets only (for tests, and where shared rings are not wanted).
    """

    def __init__(self, rings: bool = True) -> None:
        self.clock: Clock = KernelClock()
        self._rings = rings
        self._raw: bool | None = None
        self._spare: socket.socket | None = None
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
                self._spare = packet_socket.open_packet_socket()
                # A scan may end before it opens a link.
                weakref.finalize(self, self._spare.close)
                self._raw = True
            except ScanError:
                self._raw = False
        return self._raw

    def open_link(self, interface: Interface, capture: CaptureFilter) -> Link:
        """A link with rings where the kernel grants them, else with plain sockets.

        Raises ``PrivilegeError`` without CAP_NET_RAW, ``LinkError`` when the interface cannot be used.
        """
        statistics = LinkStatistics()
        # Both at the same time: the kernel waits for all processors before it hands out a ring.
        beside: SecondThread[Sender] = SecondThread("link")
        beside.begin(partial(self._sender, interface, capture, statistics))
        try:
            receiver = self._receiver(interface, capture, statistics)
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

    def _receiver(self, interface: Interface, capture: CaptureFilter, statistics: LinkStatistics) -> Receiver:
        receiver = self._quiet_receiver(interface, compile_filter(capture, interface.link_header), statistics)
        if capture.promiscuous:
            try:
                receiver.see_everything()
            except ScanError:
                receiver.close()
                raise
        return receiver

    def _quiet_receiver(self, interface: Interface, program: Program, statistics: LinkStatistics) -> Receiver:
        if self._rings:
            try:
                return ReceiveRing(interface, program, self.clock, statistics)
            except LinkError:
                pass  # no memory for it, or a kernel without rings: slower, not wrong
        return PacketReceiver(interface, program, self.clock, statistics)

    def _sender(self, interface: Interface, capture: CaptureFilter, statistics: LinkStatistics) -> Sender:
        if interface.by_kernel:
            return InternetSender(interface, capture.family, statistics)
        if interface.kind == "loopback":
            return InternetSender(self._owner(capture.source) or interface, capture.family, statistics)
        ethertype = packet_socket.ETH_P_IP if capture.family == 4 else packet_socket.ETH_P_IPV6
        protocol = 0 if interface.link_header else ethertype
        if self._rings:
            try:
                return self._ring(interface, protocol, statistics)
            except LinkError:
                pass
        return PacketSender(interface, protocol, statistics)

    def _ring(self, interface: Interface, protocol: int, statistics: LinkStatistics) -> Sender:
        spare, self._spare = self._spare, None
        first = TransmitRing(interface, protocol, statistics, opened=spare)
        if not SecondThread.pays():
            return first
        return TwinSender(first, partial(TransmitRing, interface, protocol, statistics))

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
