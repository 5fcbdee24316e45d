"""The receive half of the fast path: a TPACKET_V2 ring read in place.

All slots have one size, so a header field of the whole ring is one strided array and N captured frames are a view.
Slots are given back to the kernel when the next batch is asked for, so a returned batch stays valid until then.
Layout: Linux ``Documentation/networking/packet_mmap.rst``.
"""

from __future__ import annotations

import mmap
import socket
import struct

import numpy as np
from numpy.typing import NDArray

from leadline.link import packet_socket
from leadline.link.base import Clock, Interface, LinkStatistics
from leadline.link.filter import Program
from leadline.link.packet_socket import Mapped
from leadline.wire.batch import FrameBatch

SLOT_BYTES = 2048
SLOTS = 8192  # 16 MiB
BLOCK_BYTES = 65536

# struct tpacket2_hdr
STATUS, FULL_LENGTH, CAPTURED_LENGTH, FRAME_START, SECONDS, NANOSECONDS = 0, 4, 8, 12, 16, 20
HEADER_BYTES = 52  # tpacket2_hdr aligned to 16, and sockaddr_ll after it
OURS = 1  # TP_STATUS_USER: the slot holds a frame
LOSING = 4  # TP_STATUS_LOSING: frames were lost since the counters were read


def frame_start(link_header: int) -> int:
    """Where the kernel puts the frame in a slot: room for 16 bytes of link header, network header aligned to 16."""
    network = (HEADER_BYTES + max(link_header, 16) + 15) // 16 * 16
    return network - link_header


def map_ring(opened: socket.socket, slots: int = SLOTS) -> mmap.mmap:
    """Give a packet socket, not bound yet, its receive ring. Raises ``OSError``."""
    size = slots * SLOT_BYTES
    opened.setsockopt(packet_socket.SOL_PACKET, packet_socket.PACKET_VERSION, packet_socket.TPACKET_V2)
    request = struct.pack("@IIII", BLOCK_BYTES, size // BLOCK_BYTES, SLOT_BYTES, slots)
    packet_socket.request_ring(opened, packet_socket.PACKET_RX_RING, request)
    return mmap.mmap(opened.fileno(), size)


class ReceiveRing:
    """Captured frames of one interface, filtered by the kernel before they take a slot.

    Frames longer than a slot are cut (to ``SLOT_BYTES`` less 80): replies are read by their headers.
    ``mapped``: a socket that may have its ring already (``map_ring``, of as many slots); it is this object's from now
    on.
    Raises ``PrivilegeError`` or ``LinkError`` when the ring cannot be set up.
    """

    def __init__(
        self, interface: Interface, program: Program, clock: Clock, statistics: LinkStatistics, slots: int = SLOTS, *,
        mapped: Mapped | None = None,
    ) -> None:  # fmt: skip
        self._interface = interface
        self._clock = clock
        self._statistics = statistics
        self._slots = slots
        self._head = 0
        self._held = 0
        self._socket = packet_socket.open_capture_socket(interface, program, mapped[0] if mapped else None)
        try:
            self._memory = (mapped[1] if mapped else None) or self._map()
            packet_socket.bind(self._socket, interface, packet_socket.ETH_P_ALL)
        except OSError as error:
            self._socket.close()
            raise packet_socket.own_error(f"no receive ring on {interface.name}", error) from error
        except Exception:
            self._socket.close()
            raise
        self._start = frame_start(interface.link_header)
        self._columns()
        self._drained_at = clock.now()

    def _map(self) -> mmap.mmap:
        return map_ring(self._socket, self._slots)

    def _columns(self) -> None:
        def column(kind: type[np.uint16] | type[np.uint32], position: int) -> NDArray[np.uint32]:
            return np.ndarray((self._slots,), kind, self._memory, position, (SLOT_BYTES,)).view()

        self._status = column(np.uint32, STATUS)
        self._full = column(np.uint32, FULL_LENGTH)
        self._captured = column(np.uint32, CAPTURED_LENGTH)
        self._starts = column(np.uint16, FRAME_START)
        self._seconds = column(np.uint32, SECONDS)
        self._nanoseconds = column(np.uint32, NANOSECONDS)
        width = SLOT_BYTES - self._start
        self._frames: NDArray[np.uint8] = np.ndarray(
            (self._slots, width), np.uint8, self._memory, self._start, (SLOT_BYTES, 1)
        )
        self._raw: NDArray[np.uint8] = np.ndarray((self._slots, SLOT_BYTES), np.uint8, self._memory)

    def take(self) -> FrameBatch:
        """Every frame that is ready now. A view over the ring, or a copy when the ready slots wrap around its end."""
        self._give_back()
        now = self._clock.now()
        first = self._head
        to_end = self._ready(first, self._slots)
        wrapped = self._ready(0, first) if first + to_end == self._slots else 0
        count = to_end + wrapped
        if not count:
            self._drained_at = now
            return FrameBatch(self._frames[:0], np.zeros(0, np.int32), np.zeros(0), self._interface.link_header)
        parts = [self._part(first, first + to_end)]
        if wrapped:
            parts.append(self._part(0, wrapped))
        frames, lengths, times = parts[0] if not wrapped else _join(parts)
        self._count(first, count)
        np.clip(times, self._drained_at, now, out=times)
        self._drained_at = now
        self._held = count
        return FrameBatch(frames, lengths, times, self._interface.link_header)

    def _part(self, first: int, last: int) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.float64]]:
        """Slots ``first`` to ``last`` (exclusive) as frames, lengths and clock seconds."""
        rows = slice(first, last)
        starts = self._starts[rows]
        frames = self._frames[rows]
        if (starts != self._start).any():  # e.g. a device that needs more headroom: gather instead of viewing
            positions = starts.astype(np.intp)[:, None] + np.arange(frames.shape[1])
            frames = np.take_along_axis(self._raw[rows], np.minimum(positions, SLOT_BYTES - 1), axis=1)
        lengths = np.minimum(self._captured[rows], frames.shape[1]).astype(np.int32)
        # Subtract in integers first: 1e9 seconds with nanoseconds do not fit a float64.
        behind = self._clock.epoch()
        shift = self._clock.now() - behind
        whole = int(behind)
        times = (self._seconds[rows].astype(np.int64) - whole) + self._nanoseconds[rows] * 1e-9 + (shift + whole)
        return frames, lengths, times

    def _ready(self, first: int, last: int) -> int:
        """How many slots in a row hold frames, from ``first``; looks at few when few are ready."""
        position, step = first, 32
        while position < last:
            ours = self._status[position : min(position + step, last)] & OURS
            if not ours.all():
                return position - first + int(ours.argmin())
            position += len(ours)
            step *= 4
        return last - first

    def _count(self, first: int, count: int) -> None:
        lengths = self._full[first : first + count]
        total = int(lengths.sum()) + int(self._full[: count - len(lengths)].sum())
        self._statistics.received += count
        self._statistics.received_bytes += total
        if int(self._status[(first + count - 1) % self._slots]) & LOSING:
            self._statistics.dropped += packet_socket.take_drops(self._socket)

    def _give_back(self) -> None:
        if not self._held:
            return
        last = self._head + self._held
        self._status[self._head : last] = 0
        if last >= self._slots:
            last -= self._slots
            self._status[:last] = 0
        self._head, self._held = last, 0

    def wait(self, timeout: float) -> None:
        """Sleep until a frame is ready. Gives held slots back: else the kernel would call the ring readable at once.

        Raises ``LinkError`` when the interface went down.
        """
        self._give_back()
        if int(self._status[self._head]) & OURS:
            return
        if packet_socket.wait_readable(self._socket, timeout) and not int(self._status[self._head]) & OURS:
            packet_socket.check_alive(self._socket, self._interface)

    def see_everything(self) -> None:
        """From now on frames to other hardware addresses are received as well. Raises ``LinkError``."""
        packet_socket.see_everything(self._socket, self._interface)

    @property
    def descriptor(self) -> int:
        """The capture socket's."""
        return self._socket.fileno()

    def ready(self) -> bool:
        """Whether a frame is there. Gives held slots back, and raises ``LinkError``, as ``wait`` does."""
        self._give_back()
        if int(self._status[self._head]) & OURS:
            return True
        packet_socket.check_alive(self._socket, self._interface)
        return False

    def close(self) -> None:
        """The socket is closed, with the last batch that somebody still holds. A second call does nothing."""
        if self._socket.fileno() < 0:
            return
        self._statistics.dropped += packet_socket.take_drops(self._socket)
        del self._status, self._full, self._captured, self._starts, self._seconds, self._nanoseconds
        del self._frames, self._raw
        packet_socket.give_up(self._socket, self._memory)


def _join(
    parts: list[tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.float64]]],
) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.float64]]:
    """Two parts of the ring as one copy, no wider than its longest frame."""
    lengths = np.concatenate([part[1] for part in parts])
    width = int(lengths.max())
    frames = np.concatenate([part[0][:, :width] for part in parts])
    return frames, lengths, np.concatenate([part[2] for part in parts])
