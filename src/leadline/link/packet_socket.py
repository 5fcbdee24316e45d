"""AF_PACKET sockets: the constants that Python's ``socket`` lacks, opening, filtering, binding.

Numbers are the kernel's (``linux/if_packet.h``, ``linux/if_ether.h``, ``asm-generic/socket.h``; packet(7)).
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import select
import socket
import struct
from collections.abc import Sequence
from typing import TypeAlias

from leadline.errors import LinkError, PrivilegeError
from leadline.link.base import Interface
from leadline.link.filter import Program

SOL_PACKET = 263
PACKET_ADD_MEMBERSHIP = 1
PACKET_RX_RING = 5
PACKET_STATISTICS = 6
PACKET_VERSION = 10
PACKET_TX_RING = 13
PACKET_LOSS = 14
PACKET_VNET_HDR = 15
PACKET_QDISC_BYPASS = 20
PACKET_IGNORE_OUTGOING = 23
TPACKET_V2 = 1
PACKET_MR_PROMISC = 1

ETH_P_ALL = 0x0003
ETH_P_IP = 0x0800
ETH_P_IPV6 = 0x86DD

SO_ATTACH_FILTER = 26
SO_SNDBUFFORCE = 32
SO_RCVBUFFORCE = 33

Mapped: TypeAlias = tuple[socket.socket, mmap.mmap | None]
"""A packet socket and the memory of its ring, ``None`` while it has none."""

EXACT_SECONDS = 0.02
SELECT_LIMIT = 1024  # FD_SETSIZE

# Our own interface is not usable (any more): nothing that a later try on the same socket could mend.
GONE = frozenset({errno.ENETDOWN, errno.ENXIO, errno.ENODEV, errno.EBADF})
# The kernel has no room now: the same frames may be offered again.
BUSY = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.EINTR})


def own_error(what: str, error: OSError) -> LinkError | PrivilegeError:
    """The Leadline error for an ``OSError`` of our own side: who can mend it decides the class."""
    text = f"{what}: {os.strerror(error.errno or 0)}"
    if error.errno in (errno.EPERM, errno.EACCES):
        return PrivilegeError(f"{text} (CAP_NET_RAW is needed)")
    return LinkError(text)


def open_packet_socket() -> socket.socket:
    """A non-blocking AF_PACKET SOCK_RAW socket that receives nothing until it is bound with a protocol.

    Raises ``PrivilegeError`` or ``LinkError``.
    """
    try:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except OSError as error:
        raise own_error("cannot open a packet socket", error) from error
    opened.setblocking(False)
    return opened


def attach_filter(opened: socket.socket, program: Program) -> None:
    """Attach a classic BPF program (``struct sock_fprog``). Raises ``OSError``."""
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    opened.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(buffer)))


def request_ring(opened: socket.socket, option: int, request: bytes) -> None:
    """Ask for a ring (``struct tpacket_req``). Raises ``OSError``.

    The kernel takes ten milliseconds, in which other threads may run: ``setsockopt`` of a socket would stop them.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if library.setsockopt(opened.fileno(), SOL_PACKET, option, request, len(request)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def bind(opened: socket.socket, interface: Interface, protocol: int) -> None:
    """Bind to an interface; ``protocol``: ethertype in host order, 0 receives nothing.

    Raises ``LinkError`` when the interface is gone or down.
    """
    try:
        opened.bind((interface.name, protocol))
        pending = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    except OSError as error:
        raise own_error(f"cannot use interface {interface.name}", error) from error
    if pending:
        raise LinkError(f"cannot use interface {interface.name}: {os.strerror(pending)}")


def see_everything(opened: socket.socket, interface: Interface) -> None:
    """Frames that are addressed to others, too (promiscuous mode, ``struct packet_mreq``), while the socket is open.

    Raises ``LinkError`` where the kernel refuses.
    """
    request = struct.pack("=iHH8s", interface.index, PACKET_MR_PROMISC, 0, bytes(8))
    try:
        opened.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, request)
    except OSError as error:
        raise own_error(f"cannot listen to all frames on {interface.name}", error) from error


def open_capture_socket(interface: Interface, program: Program, opened: socket.socket | None = None) -> socket.socket:
    """A packet socket (``opened``, if there is one) with its filter in place, not yet bound: nothing unfiltered can
    ever reach it.
    """
    opened = opened or open_packet_socket()
    try:
        attach_filter(opened, program)
    except OSError as error:
        opened.close()
        raise own_error(f"cannot filter on {interface.name}", error) from error
    try:
        opened.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    except OSError:
        pass  # before Linux 4.20; the filter drops outgoing frames as well
    return opened


def take_drops(opened: socket.socket) -> int:
    """Frames that found no room since the last call (the kernel resets its counters when they are read)."""
    try:
        _, drops = struct.unpack("=II", opened.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    except OSError:
        return 0
    return int(drops)


def wait_any(descriptors: Sequence[int], timeout: float) -> None:
    """Sleep until one of these descriptors is readable, or ``timeout`` seconds; as exact as ``wait_readable``."""
    if timeout < EXACT_SECONDS and max(descriptors, default=0) < SELECT_LIMIT:
        select.select(descriptors, [], [], timeout)
        return
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    poller.poll(timeout * 1000)


def wait_readable(opened: socket.socket, timeout: float) -> bool:
    """Sleep until there is something to read (or an error to fetch), or ``timeout`` seconds; true unless time ran out.

    Short waits are exact to microseconds where ``select`` takes the descriptor; ``poll`` only knows milliseconds.
    """
    descriptor = opened.fileno()
    if timeout < EXACT_SECONDS and descriptor < SELECT_LIMIT:
        return bool(select.select([descriptor], [], [], timeout)[0])
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(timeout * 1000))


def check_alive(opened: socket.socket, interface: Interface) -> None:
    """Raises ``LinkError`` when the interface of a bound socket went down."""
    pending = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if pending in GONE:
        raise LinkError(f"interface {interface.name} cannot be used any more: {os.strerror(pending)}")


def give_up(opened: socket.socket, memory: mmap.mmap | None) -> None:
    """Close a socket and the mapping of its ring, which holds the socket as well.

    Freed by the collector the mapping would be given up with Python's lock held: so it is where somebody still reads.
    """
    opened.close()
    if memory is not None:
        try:
            memory.close()
        except BufferError:
            pass
