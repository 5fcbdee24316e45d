"""Links without rings: raw IP sockets for what goes over loopback, plain packet sockets where rings are refused.

The kernel takes frames injected into ``lo`` for martians, so packets to this machine's own addresses are sent
with a header-included raw socket and routed by the kernel. One system call a frame: the exception to the rule that
no Python runs per frame.
"""

from __future__ import annotations

import socket

import numpy as np
from numpy.typing import NDArray

from leadline.link import packet_socket
from leadline.link.base import Clock, Interface, LinkStatistics
from leadline.link.filter import Program
from leadline.wire.batch import FrameBatch

RECEIVE_AT_ONCE = 1024
RECEIVE_BUFFER = 8 << 20
SEND_BUFFER = 4 << 20
LONGEST_KEPT = 2048


class InternetSender:
    """Sends IP packets through the kernel's own routing (raw(7), header included, both families).

    The kernel fills in an IPv4 header's total length, checksum, and an identification of zero. Refused packets (by a
    firewall rule, for their size or their destination) count as failures. Opening raises ``PrivilegeError`` or
    ``LinkError``.
    """

    def __init__(self, interface: Interface, family: int, statistics: LinkStatistics) -> None:
        self._interface = interface
        self._family = family
        self._statistics = statistics
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        try:
            self._socket = socket.socket(kind, socket.SOCK_RAW, socket.IPPROTO_RAW)
        except OSError as error:
            raise packet_socket.own_error("cannot open a raw IP socket", error) from error
        self._socket.setblocking(False)
        if interface.by_kernel:
            self._bind(interface)
        _enlarge(self._socket, packet_socket.SO_SNDBUFFORCE, SEND_BUFFER)
        self._last: tuple[bytes, tuple[str, int] | tuple[str, int, int, int]] = (b"", ("", 0))

    def _bind(self, interface: Interface) -> None:
        """The kernel shall not route around the interface that was chosen."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.name.encode())
        except OSError as error:
            self._socket.close()
            raise packet_socket.own_error(f"cannot use interface {interface.name}", error) from error

    def push(self, frames: NDArray[np.uint8], lengths: NDArray[np.int32], offset: int) -> int:
        """Send rows in order until the kernel has no room; returns how many were taken."""
        first, last = (16, 20) if self._family == 4 else (24, 40)
        width = frames.shape[1]
        for taken, (row, length) in enumerate(zip(frames, lengths.tolist(), strict=True)):
            packet = row[offset : min(length, width)].tobytes()
            if len(packet) < last or packet[0] >> 4 != self._family:
                self._statistics.send_failures += 1
                continue
            try:
                self._socket.sendto(packet, self._destination(packet[first:last]))
            except OSError as error:
                if error.errno in packet_socket.BUSY:
                    return taken
                self._statistics.send_failures += 1
                continue
            self._statistics.sent += 1
            self._statistics.sent_bytes += len(packet)
        return len(lengths)

    def _destination(self, address: bytes) -> tuple[str, int] | tuple[str, int, int, int]:
        """The socket address of a packed destination; neighbouring packets mostly share it."""
        if self._last[0] == address:
            return self._last[1]
        if self._family == 4:
            made: tuple[str, int] | tuple[str, int, int, int] = (socket.inet_ntop(socket.AF_INET, address), 0)
        else:
            link_local = address[0] == 0xFE and address[1] & 0xC0 == 0x80
            scope = self._interface.index if link_local else 0
            made = (socket.inet_ntop(socket.AF_INET6, address), 0, 0, scope)
        self._last = (address, made)
        return made

    def flush(self) -> bool:
        """Nothing is ever queued here."""
        return True

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class PacketSender:
    """Sends whole frames one by one on a packet socket. ``protocol`` as for ``TransmitRing``."""

    def __init__(self, interface: Interface, protocol: int, statistics: LinkStatistics) -> None:
        self._interface = interface
        self._statistics = statistics
        self._destination = (interface.name, protocol)
        self._socket = packet_socket.open_packet_socket()
        try:
            packet_socket.bind(self._socket, interface, 0)
        except Exception:
            self._socket.close()
            raise
        _enlarge(self._socket, packet_socket.SO_SNDBUFFORCE, SEND_BUFFER)

    def push(self, frames: NDArray[np.uint8], lengths: NDArray[np.int32], offset: int) -> int:
        """Send rows in order until the kernel has no room; returns how many were taken."""
        width = frames.shape[1]
        for taken, (row, length) in enumerate(zip(frames, lengths.tolist(), strict=True)):
            try:
                sent = self._socket.sendto(row[: min(length, width)].tobytes(), self._destination)
            except OSError as error:
                if error.errno in packet_socket.BUSY:
                    return taken
                if error.errno in packet_socket.GONE:
                    raise packet_socket.own_error(f"cannot send on {self._interface.name}", error) from error
                self._statistics.send_failures += 1
                continue
            self._statistics.sent += 1
            self._statistics.sent_bytes += sent
        return len(lengths)

    def flush(self) -> bool:
        """Nothing is ever queued here."""
        return True

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class PacketReceiver:
    """Receives filtered frames one by one; at most ``RECEIVE_AT_ONCE`` a call. Times are those of reading."""

    def __init__(self, interface: Interface, program: Program, clock: Clock, statistics: LinkStatistics) -> None:
        self._interface = interface
        self._clock = clock
        self._statistics = statistics
        self._socket = packet_socket.open_capture_socket(interface, program)
        _enlarge(self._socket, packet_socket.SO_RCVBUFFORCE, RECEIVE_BUFFER)
        try:
            packet_socket.bind(self._socket, interface, packet_socket.ETH_P_ALL)
        except Exception:
            self._socket.close()
            raise

    def take(self) -> FrameBatch:
        """Frames that are ready, cut to ``LONGEST_KEPT`` bytes."""
        rows: list[bytes] = []
        while len(rows) < RECEIVE_AT_ONCE:
            try:
                rows.append(self._socket.recv(LONGEST_KEPT))
            except OSError as error:
                if error.errno in packet_socket.GONE:
                    raise packet_socket.own_error(f"cannot receive on {self._interface.name}", error) from error
                break
        self._statistics.received += len(rows)
        lengths = np.array([len(row) for row in rows], dtype=np.int32)
        self._statistics.received_bytes += int(lengths.sum())
        width = int(lengths.max(initial=0))
        joined = b"".join(row.ljust(width, b"\0") for row in rows)
        frames = np.frombuffer(joined, np.uint8).reshape(len(rows), width)
        return FrameBatch(frames, lengths, np.full(len(rows), self._clock.now()), self._interface.link_header)

    def wait(self, timeout: float) -> None:
        """Sleep until a frame is ready, or an error that ``take`` will raise."""
        packet_socket.wait_readable(self._socket, timeout)

    def see_everything(self) -> None:
        """From now on frames to other hardware addresses are received as well. Raises ``LinkError``."""
        packet_socket.see_everything(self._socket, self._interface)

    @property
    def descriptor(self) -> int:
        """The capture socket's."""
        return self._socket.fileno()

    def ready(self) -> bool:
        """Never known beforehand: the descriptor tells."""
        return False

    def close(self) -> None:
        """Close the socket; what it lost goes into the statistics."""
        if self._socket.fileno() >= 0:
            self._statistics.dropped += packet_socket.take_drops(self._socket)
        self._socket.close()


def _enlarge(opened: socket.socket, option: int, size: int) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, option, size)
    except OSError:
        pass  # CAP_NET_ADMIN is missing: the kernel's ordinary limit stays
