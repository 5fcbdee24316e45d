"""The transmit ring with a kernel played by the test: it sends, is short of room, refuses."""

from __future__ import annotations

import errno
import mmap
import socket
from dataclasses import replace

import numpy as np
import pytest

from leadline.errors import LinkError
from leadline.link import packet_socket
from leadline.link.base import Interface, LinkStatistics
from leadline.link.transmit_ring import DATA, SEND_REQUEST, VIRTIO_HEADER, TransmitRing, slot_size

SLOTS = 64
SLOT = 2048


class Kernel:
    """The other side of the ring: takes queued slots in order, up to ``room``; ``errors`` come first."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, SLOTS * SLOT)
        self.position = 0
        self.room = 1 << 30
        self.errors: list[int] = []
        self.refused: set[bytes] = set()
        self.sent: list[bytes] = []
        self.closed = False

    def fileno(self) -> int:
        return -1 if self.closed else 3

    def close(self) -> None:
        self.closed = True

    def header(self, slot: int) -> np.ndarray:
        return np.ndarray((2,), np.uint32, self.memory, slot * SLOT)

    def sendto(self, data: bytes, flags: int, destination: tuple[str, int]) -> int:
        assert (data, flags, destination) == (b"", socket.MSG_DONTWAIT, ("eth0", 0))
        if self.errors:
            raise OSError(self.errors.pop(0), "scripted")
        while int((header := self.header(self.position))[0]) == SEND_REQUEST:
            length = int(header[1])
            place = self.position * SLOT + DATA
            frame = self.memory[place + VIRTIO_HEADER : place + length]
            if length and frame in self.refused:
                raise OSError(errno.EPERM, "refused")
            if length:  # else malformed: passed over
                if not self.room:
                    raise OSError(errno.ENOBUFS, "full")
                self.room -= 1
                assert int.from_bytes(self.memory[place + 2 : place + 4], "little") == length - VIRTIO_HEADER
                self.sent.append(frame)
            header[0] = 0
            self.position = (self.position + 1) % SLOTS
        return 0


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr(packet_socket, "open_packet_socket", lambda: kernel)
    monkeypatch.setattr(packet_socket, "bind", lambda opened, interface, protocol: None)
    monkeypatch.setattr(TransmitRing, "_map", lambda ring: kernel.memory)
    return kernel


@pytest.fixture
def ring(kernel: Kernel, ethernet: Interface) -> TransmitRing:
    return TransmitRing(ethernet, 0, LinkStatistics(), SLOTS)


def batch(*frames: bytes, width: int = 1600) -> tuple[np.ndarray, np.ndarray, int]:
    rows = np.zeros((len(frames), width), np.uint8)
    for row, frame in zip(rows, frames, strict=True):
        row[: len(frame)] = np.frombuffer(frame, np.uint8)
    return rows, np.array([len(frame) for frame in frames], np.int32), 14


def numbered(first: int, count: int) -> list[bytes]:
    return [bytes([number % 256, number // 256]) * (30 + number % 5) for number in range(first, first + count)]


def test_frames_go_out_in_order_over_many_turns(ring: TransmitRing, kernel: Kernel) -> None:
    frames = numbered(0, 1000)
    for first in range(0, 1000, 50):
        assert ring.push(*batch(*frames[first : first + 50])) == 50
    assert kernel.sent == frames
    assert ring._statistics.sent == 1000
    assert ring._statistics.sent_bytes == sum(map(len, frames))


def test_one_batch_may_be_longer_than_the_ring(ring: TransmitRing, kernel: Kernel) -> None:
    frames = numbered(0, 3 * SLOTS + 5)
    assert ring.push(*batch(*frames)) == len(frames)
    assert kernel.sent == frames


def test_what_finds_no_room_is_not_taken_and_nothing_is_lost(ring: TransmitRing, kernel: Kernel) -> None:
    kernel.room = 10
    frames = numbered(0, 100)
    taken = ring.push(*batch(*frames))
    assert 10 <= taken <= 10 + SLOTS
    assert not ring.flush()
    assert ring.push(*batch(*frames[taken:])) + taken < 100
    kernel.room = 1 << 30
    assert ring.flush()
    done = len(kernel.sent)
    assert ring.push(*batch(*frames[done:])) == 100 - done
    assert kernel.sent == frames
    assert ring._statistics.send_failures == 0


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.ENOBUFS])
def test_a_busy_kernel_is_asked_again(ring: TransmitRing, kernel: Kernel, error: int) -> None:
    kernel.errors = [error]
    frames = numbered(0, 3)
    assert ring.push(*batch(*frames)) == 3
    assert kernel.sent == []
    assert ring.flush()
    assert kernel.sent == frames


def test_refused_frames_are_passed_over_and_counted(ring: TransmitRing, kernel: Kernel) -> None:
    frames = numbered(0, 20)
    kernel.refused = {frames[0], frames[7], frames[19]}
    assert ring.push(*batch(*frames)) == 20
    assert kernel.sent == [frame for frame in frames if frame not in kernel.refused]
    assert ring._statistics.send_failures == 3
    assert ring.push(*batch(*numbered(20, 50))) == 50
    assert kernel.sent[17:] == numbered(20, 50)


def test_an_error_that_says_nothing_of_a_frame_ends(ring: TransmitRing, kernel: Kernel) -> None:
    kernel.errors = [errno.EPERM] * 100
    with pytest.raises(LinkError, match="stuck"):
        ring.push(*batch(b"x" * 60))


def test_lengths_that_cannot_be_sent_are_failures(ring: TransmitRing, kernel: Kernel) -> None:
    rows, lengths, offset = batch(b"a" * 60, b"b" * 1515, b"c" * 14, b"d" * 60, b"e" * 1514)
    lengths[3] = 1601
    assert ring.push(rows, lengths, offset) == 5
    assert kernel.sent == [b"a" * 60, b"e" * 1514]
    assert ring._statistics.send_failures == 3


def test_bad_frames_among_those_without_room(ring: TransmitRing, kernel: Kernel) -> None:
    kernel.room = 0
    frames = [b"short", *numbered(0, SLOTS), b"short", b"short", *numbered(0, 2)]
    taken = ring.push(*batch(*frames))
    assert taken == 1 + SLOTS + 2  # up to the first good one that found no slot
    assert ring._statistics.send_failures == 3
    kernel.room = 1 << 30
    assert ring.push(*batch(*frames[taken:])) == 2
    assert kernel.sent == [*numbered(0, SLOTS), *numbered(0, 2)]


@pytest.mark.parametrize("error", [errno.ENETDOWN, errno.ENXIO])
def test_an_interface_that_is_gone_is_a_link_error(ring: TransmitRing, kernel: Kernel, error: int) -> None:
    kernel.errors = [error, error]
    with pytest.raises(LinkError, match="eth0"):
        ring.push(*batch(b"x" * 60))
    ring.close()
    assert kernel.closed


def test_closing_gives_queued_frames_a_last_chance(ring: TransmitRing, kernel: Kernel) -> None:
    kernel.errors = [errno.EAGAIN]
    ring.push(*batch(b"x" * 60))
    ring.close()
    ring.close()
    assert kernel.sent == [b"x" * 60]


def test_slots_hold_the_mtu(ethernet: Interface) -> None:
    assert slot_size(ethernet) == 2048
    assert slot_size(replace(ethernet, mtu=9000)) == 16384
    assert slot_size(replace(ethernet, mtu=65535)) == 16384


@pytest.mark.parametrize("error", [OSError(errno.ENOMEM, "no memory"), LinkError("x")])
def test_a_ring_that_cannot_be_made_closes_its_socket(
    kernel: Kernel, ethernet: Interface, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(ring: TransmitRing) -> mmap.mmap:
        raise error

    monkeypatch.setattr(TransmitRing, "_map", fail)
    with pytest.raises(LinkError):
        TransmitRing(ethernet, 0, LinkStatistics())
    assert kernel.closed


def test_what_is_queued_leaves_with_the_next_flush(ring: TransmitRing, kernel: Kernel) -> None:
    frames = numbered(0, SLOTS + 10)
    assert ring.queue(*batch(*frames)) == SLOTS
    assert kernel.sent == []
    assert ring.queue(*batch(*frames[SLOTS:])) == 0
    assert ring.flush()
    assert kernel.sent == frames[:SLOTS]
    assert ring.queue(*batch(*frames[SLOTS:], b"x" * 10)) == 11
    assert ring.flush()
    assert kernel.sent == frames
    assert ring._statistics.send_failures == 1
