"""The send half of the fast path: a TPACKET_V2 ring filled column by column, one system call a batch.

Every slot carries a virtio header (``PACKET_VNET_HDR``) whose only use is ``hdr_len`` = the whole frame: the kernel
then copies the frame into the packet buffer. Without it the packet only refers to the ring's pages, and a receiver that
queues it (a veth peer, a tun reader, a delaying qdisc) would see the bytes change when the slot is filled again. The
copy also sends half as fast again, since receivers need not pull the headers together.
"""

from __future__ import annotations

import errno
import mmap
import socket
import struct
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from leadline.errors import LinkError
from leadline.link import packet_socket
from leadline.link.base import Interface, LinkStatistics
from leadline.link.packet_socket import Mapped

SLOTS = 2048
SLOT_BYTES = 2048
SEND_BUFFER = 16 << 20
BLOCK_BYTES = 65536
LARGEST_SLOT = 16384

STATUS, LENGTH, DATA = 0, 4, 32
VIRTIO_HEADER = 10
VIRTIO_COPY_LENGTH = 2  # offset of hdr_len in struct virtio_net_hdr
AVAILABLE, SEND_REQUEST = 0, 1


def slot_size(interface: Interface) -> int:
    """Bytes of a slot that holds a frame of the interface's MTU (a power of two, at most ``LARGEST_SLOT``)."""
    needed = DATA + VIRTIO_HEADER + interface.link_header + interface.mtu
    size = SLOT_BYTES
    while size < needed and size < LARGEST_SLOT:
        size *= 2
    return size


def map_ring(opened: socket.socket, slots: int = SLOTS, slot_bytes: int = SLOT_BYTES) -> mmap.mmap:
    """Give a packet socket, not bound yet, its transmit ring. Raises ``OSError``."""
    size = slots * slot_bytes
    level = packet_socket.SOL_PACKET
    opened.setsockopt(level, packet_socket.PACKET_VERSION, packet_socket.TPACKET_V2)
    opened.setsockopt(level, packet_socket.PACKET_VNET_HDR, 1)
    # A frame that the kernel finds malformed is skipped instead of stopping the ring.
    opened.setsockopt(level, packet_socket.PACKET_LOSS, 1)
    for option_level, option, value in (
        (level, packet_socket.PACKET_QDISC_BYPASS, 1),
        (socket.SOL_SOCKET, packet_socket.SO_SNDBUFFORCE, SEND_BUFFER),
    ):
        try:
            opened.setsockopt(option_level, option, value)
        except OSError:
            pass  # slower without, still right
    request = struct.pack("@IIII", BLOCK_BYTES, size // BLOCK_BYTES, slot_bytes, slots)
    packet_socket.request_ring(opened, packet_socket.PACKET_TX_RING, request)
    return mmap.mmap(opened.fileno(), size)


class TransmitRing:
    """Sends frames of one interface past its queueing discipline.

    ``protocol``: ethertype given for header-less frames (an Ethernet header tells it itself, then 0). ``mapped``: a
    socket that has its ring already (``map_ring``); it is this object's from now on, or closed if its slots do not fit.
    Raises ``PrivilegeError`` or ``LinkError`` when the ring cannot be set up.
    """

    def __init__(
        self, interface: Interface, protocol: int, statistics: LinkStatistics, slots: int = SLOTS, *,
        mapped: Mapped | None = None,
    ) -> None:  # fmt: skip
        self._interface = interface
        self._statistics = statistics
        self._slots = slots
        self._slot_bytes = slot_size(interface)
        self._destination = (interface.name, protocol)
        self._head = 0
        memory = mapped[1] if mapped else None
        if mapped is not None and memory is not None and len(memory) != slots * self._slot_bytes:
            packet_socket.give_up(*mapped)  # its slots are too small for this interface
            mapped = memory = None
        self._socket = mapped[0] if mapped else packet_socket.open_packet_socket()
        try:
            self._memory = memory or self._map()
            packet_socket.bind(self._socket, interface, 0)
        except OSError as error:
            self._socket.close()
            raise packet_socket.own_error(f"no transmit ring on {interface.name}", error) from error
        except Exception:
            self._socket.close()
            raise
        stride = (self._slot_bytes,)
        self._status: NDArray[np.uint32] = np.ndarray((slots,), np.uint32, self._memory, STATUS, stride)
        self._lengths: NDArray[np.uint32] = np.ndarray((slots,), np.uint32, self._memory, LENGTH, stride)
        copied: NDArray[np.uint16] = np.ndarray((slots,), np.uint16, self._memory, DATA + VIRTIO_COPY_LENGTH, stride)
        self._copied = copied
        room = self._slot_bytes - DATA - VIRTIO_HEADER
        self._frames: NDArray[np.uint8] = np.ndarray(
            (slots, room), np.uint8, self._memory, DATA + VIRTIO_HEADER, (self._slot_bytes, 1)
        )
        self._longest = min(room, interface.mtu + interface.link_header)

    def _map(self) -> mmap.mmap:
        return map_ring(self._socket, self._slots, self._slot_bytes)

    def push(self, frames: NDArray[np.uint8], lengths: NDArray[np.int32], offset: int) -> int:
        """Queue rows in order and start sending; returns how many were taken.

        ``offset``: where the network header starts. Frames that cannot be on this link (longer than the MTU, shorter
        than their link header) count as taken and as failed. Raises ``LinkError`` when the interface is gone.
        """
        return self._push(frames, lengths, offset, self._fill_and_send)

    def queue(self, frames: NDArray[np.uint8], lengths: NDArray[np.int32], offset: int) -> int:
        """As ``push``, but what finds a free slot is only made ready: ``flush`` sends it."""
        return self._push(frames, lengths, offset, self._fill)

    def _push(
        self, frames: NDArray[np.uint8], lengths: NDArray[np.int32], offset: int,
        fill: Callable[[NDArray[np.uint8], NDArray[np.int32]], int],
    ) -> int:  # fmt: skip
        good = (lengths > max(offset, 1)) & (lengths <= min(self._longest, frames.shape[1]))
        if good.all():
            return fill(frames, lengths)
        rows = np.flatnonzero(good)
        taken = fill(frames[rows], lengths[rows])
        total = len(lengths) if taken == len(rows) else int(rows[taken])
        self._statistics.send_failures += total - taken
        return total

    def _fill_and_send(self, frames: NDArray[np.uint8], lengths: NDArray[np.int32]) -> int:
        taken = 0
        while taken < len(lengths):
            count = self._fill(frames[taken:], lengths[taken:])
            self.flush()
            if not count:
                count = self._fill(frames[taken:], lengths[taken:])
                if not count:
                    break
                self.flush()
            taken += count
        return taken

    def _fill(self, frames: NDArray[np.uint8], lengths: NDArray[np.int32]) -> int:
        """Copy rows into free slots; returns how many found one."""
        taken = 0
        while taken < len(lengths):
            count = self._free(min(len(lengths) - taken, self._slots - self._head))
            if not count:
                break
            first, last = self._head, self._head + count
            rows = slice(taken, taken + count)
            row_lengths = lengths[rows]
            width = int(row_lengths.max())
            self._frames[first:last, :width] = frames[rows, :width]
            self._lengths[first:last] = row_lengths + VIRTIO_HEADER
            self._copied[first:last] = row_lengths
            self._status[first:last] = SEND_REQUEST
            self._head = last % self._slots
            self._statistics.sent += count
            self._statistics.sent_bytes += int(row_lengths.sum())
            taken += count
        return taken

    def _free(self, wanted: int) -> int:
        """How many slots from the head on may be filled, at most ``wanted``."""
        used = self._status[self._head : self._head + wanted] != AVAILABLE
        return int(used.argmax()) if used.any() else wanted

    @property
    def waiting(self) -> bool:
        """Whether the kernel has not taken everything yet: it goes by the order of the slots."""
        return int(self._status[self._head - 1]) == SEND_REQUEST

    def backlog(self) -> int:
        """Frames that the kernel has not taken yet."""
        return int(np.count_nonzero(self._status == SEND_REQUEST))

    def flush(self) -> bool:
        """Let the kernel send what is queued; false when it had no room for all (call again later).

        Another thread may queue more meanwhile: the kernel goes on until it finds a slot that is free.
        """
        while self.waiting:
            try:
                self._socket.sendto(b"", socket.MSG_DONTWAIT, self._destination)
            except OSError as error:
                if error.errno in packet_socket.GONE:
                    raise packet_socket.own_error(f"cannot send on {self._interface.name}", error) from error
                if error.errno not in packet_socket.BUSY and self._skip_oldest():
                    continue
            return not self.waiting
        return True

    def _skip_oldest(self) -> bool:
        """The kernel refuses the frame at its own head for good: make it malformed, which it passes over."""
        positions = (self._head + np.arange(self._slots)) % self._slots
        waiting = np.flatnonzero(self._status[positions] == SEND_REQUEST)
        if not len(waiting):
            return False
        oldest = int(positions[waiting[0]])
        if not int(self._lengths[oldest]):
            raise LinkError(f"the transmit ring of {self._interface.name} is stuck ({errno.errorcode[errno.EIO]})")
        self._lengths[oldest] = 0
        self._statistics.send_failures += 1
        return True

    def close(self) -> None:
        """Frames that the kernel has not taken yet get a last chance. A second call does nothing."""
        if self._socket.fileno() < 0:
            return
        if self.waiting:
            try:
                self.flush()
            except LinkError:
                pass
        del self._status, self._lengths, self._copied, self._frames
        packet_socket.give_up(self._socket, self._memory)
