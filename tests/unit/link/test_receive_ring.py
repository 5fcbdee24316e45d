"""The receive ring over memory that the test fills as the kernel would."""

from __future__ import annotations

import mmap
import socket
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from leadline.errors import LinkError
from leadline.link import packet_socket, receive_ring
from leadline.link.base import Interface, LinkStatistics
from leadline.link.receive_ring import SLOT_BYTES, ReceiveRing, frame_start
from tests.unit.link.conftest import SetClock

SLOTS = 64


class Kernel:
    """Plays the kernel's part: a socket that is readable on demand, and slots filled in order."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.memory: mmap.mmap | None = None
        self.position = 0
        self.drops = 0

    def map(self) -> mmap.mmap:
        self.memory = mmap.mmap(-1, SLOTS * SLOT_BYTES)
        return self.memory

    def header(self, slot: int) -> np.ndarray:
        assert self.memory is not None
        return np.ndarray((7,), np.uint32, self.memory, slot * SLOT_BYTES)

    def put(self, frame: bytes, at: float = 0.0, start: int = 66, status: int = 1, length: int | None = None) -> bool:
        header = self.header(self.position)
        if header[0] & 1:
            return False
        assert self.memory is not None
        seconds = int(at)
        header[1:3] = len(frame) if length is None else length, len(frame)
        header[3] = start | (start + 14) << 16
        header[4:6] = seconds, round((at - seconds) * 1e9)
        place = self.position * SLOT_BYTES + start
        self.memory[place : place + len(frame)] = frame
        header[0] = status
        self.position = (self.position + 1) % SLOTS
        return True

    def taken_back(self) -> int:
        return sum(int(self.header(slot)[0]) == 0 for slot in range(SLOTS))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    kernel = Kernel()
    monkeypatch.setattr(packet_socket, "open_capture_socket", lambda interface, program, opened=None: kernel.near)
    monkeypatch.setattr(packet_socket, "bind", lambda opened, interface, protocol: None)
    monkeypatch.setattr(ReceiveRing, "_map", lambda ring: kernel.map())

    def take_drops(opened: socket.socket) -> int:
        drops, kernel.drops = kernel.drops, 0
        return drops

    monkeypatch.setattr(packet_socket, "take_drops", take_drops)
    yield kernel
    kernel.near.close()
    kernel.far.close()


@pytest.fixture
def ring(kernel: Kernel, ethernet: Interface, clock: SetClock) -> ReceiveRing:
    return ReceiveRing(ethernet, [], clock, LinkStatistics(), SLOTS)


def rows(ring: ReceiveRing) -> list[bytes]:
    batch = ring.take()
    return [row[:size].tobytes() for row, size in zip(batch.frames, batch.lengths, strict=True)]


def test_frame_start_leaves_the_network_header_aligned() -> None:
    assert frame_start(14) == 66  # what Linux reports as tp_mac for Ethernet
    assert frame_start(0) == 80


def test_nothing_there(ring: ReceiveRing) -> None:
    batch = ring.take()
    assert len(batch) == 0
    assert batch.offset == 14


def test_frames_in_order_and_slots_given_back_at_the_next_call(ring: ReceiveRing, kernel: Kernel) -> None:
    for number in range(40):
        kernel.put(bytes([number]) * (60 + number))
    assert rows(ring) == [bytes([number]) * (60 + number) for number in range(40)]
    assert kernel.taken_back() == SLOTS - 40
    assert rows(ring) == []
    assert kernel.taken_back() == SLOTS


def test_batch_is_a_view_unless_it_wraps(ring: ReceiveRing, kernel: Kernel) -> None:
    kernel.put(b"a" * 60)
    assert ring.take().frames.base is not None
    sent = []
    for turn in range(30):
        frames = [bytes([turn, number]) * (30 + number) for number in range(1 + turn)]
        assert all(kernel.put(frame) for frame in frames)
        assert rows(ring) == frames
        sent.append(frames)
    assert sum(map(len, sent)) > 5 * SLOTS


def test_a_whole_ring_from_the_middle(ring: ReceiveRing, kernel: Kernel) -> None:
    for _ in range(10):
        kernel.put(b"x" * 60)
    assert len(ring.take()) == 10
    assert rows(ring) == []
    frames = [bytes([number]) * 60 for number in range(SLOTS)]
    assert all(kernel.put(frame) for frame in frames)
    assert not kernel.put(b"no room")
    assert rows(ring) == frames


def test_a_hole_ends_the_batch(ring: ReceiveRing, kernel: Kernel) -> None:
    """Another processor may fill a later slot first: only the leading ready slots are taken."""
    for number in range(5):
        kernel.put(bytes([number]) * 60)
    kernel.header(2)[0] = 0
    assert len(rows(ring)) == 2
    kernel.header(2)[0] = 1
    assert [row[0] for row in rows(ring)] == [2, 3, 4]


def test_times_become_clock_seconds(ring: ReceiveRing, kernel: Kernel, clock: SetClock) -> None:
    clock.time = 101.5
    kernel.put(b"x" * 60, clock.zero + 100.25)
    kernel.put(b"x" * 60, clock.zero + 101.0)
    times = ring.take().times
    assert times == pytest.approx([100.25, 101.0], abs=1e-6)


def test_a_stepped_clock_cannot_leave_the_time_since_the_last_call(
    ring: ReceiveRing, kernel: Kernel, clock: SetClock
) -> None:
    clock.time = 110.0
    ring.take()
    clock.time = 120.0
    for stamp in (0.0, 4e9):
        kernel.put(b"x" * 60, stamp)
    assert list(ring.take().times) == [110.0, 120.0]


def test_lengths_stay_within_the_slot(ring: ReceiveRing, kernel: Kernel) -> None:
    kernel.put(b"x" * 100)
    kernel.header(0)[2] = 0xFFFFFFFF
    batch = ring.take()
    assert list(batch.lengths) == [SLOT_BYTES - 66]
    assert batch.frames.shape[1] == SLOT_BYTES - 66


def test_other_frame_starts_are_gathered(ring: ReceiveRing, kernel: Kernel) -> None:
    kernel.put(b"ab" * 30)
    kernel.put(b"cd" * 30, start=82)
    kernel.put(b"ef" * 24, start=2000)
    assert rows(ring) == [b"ab" * 30, b"cd" * 30, b"ef" * 24]


def test_statistics(ring: ReceiveRing, kernel: Kernel) -> None:
    statistics = ring._statistics
    kernel.put(b"x" * 60, length=4000)
    rows(ring)
    assert (statistics.received, statistics.received_bytes, statistics.dropped) == (1, 4000, 0)
    kernel.drops = 7
    kernel.put(b"x" * 60, status=1 | 4)
    rows(ring)
    assert statistics.dropped == 7
    kernel.drops = 2
    ring.close()
    assert statistics.dropped == 9
    ring.close()


def test_wait_returns_at_once_when_a_frame_is_there(ring: ReceiveRing, kernel: Kernel) -> None:
    kernel.put(b"x" * 60)
    rows(ring)
    kernel.put(b"y" * 60)
    ring.wait(60.0)
    assert kernel.taken_back() == SLOTS - 1  # what was held was given back
    assert rows(ring) == [b"y" * 60]


def test_wait_sleeps_and_wakes(ring: ReceiveRing, kernel: Kernel) -> None:
    ring.wait(0.0)
    kernel.far.send(b"!")
    ring.wait(60.0)


def test_whether_a_frame_is_there_is_known_without_waiting(
    ring: ReceiveRing, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packet_socket, "check_alive", lambda opened, interface: None)
    assert ring.descriptor == kernel.near.fileno()
    assert not ring.ready()
    kernel.put(b"x")
    assert ring.ready()
    assert rows(ring) == [b"x"]
    assert not ring.ready(), "what was read is given back"
    monkeypatch.undo()

    def dead(opened: socket.socket, interface: Interface) -> None:
        raise LinkError("eth0 is gone")

    monkeypatch.setattr(packet_socket, "check_alive", dead)
    with pytest.raises(LinkError, match="gone"):
        ring.ready()


def test_wait_tells_of_a_dead_interface(ring: ReceiveRing, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(opened: socket.socket, interface: Interface) -> None:
        raise LinkError(interface.name)

    monkeypatch.setattr(packet_socket, "check_alive", dead)
    ring.wait(0.0)
    kernel.far.send(b"!")  # readable, but no frame: an error
    with pytest.raises(LinkError, match="eth0"):
        ring.wait(60.0)


@pytest.mark.parametrize("error", [OSError(12, "no memory"), LinkError("x")])
def test_a_ring_that_cannot_be_made_closes_its_socket(
    kernel: Kernel, ethernet: Interface, clock: SetClock, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(ring: ReceiveRing) -> mmap.mmap:
        raise error

    monkeypatch.setattr(ReceiveRing, "_map", fail)
    with pytest.raises(LinkError):
        ReceiveRing(replace(ethernet, name="eth9"), [], clock, LinkStatistics(), SLOTS)
    assert kernel.near.fileno() == -1


def test_the_ring_is_a_whole_number_of_blocks() -> None:
    assert receive_ring.SLOTS * SLOT_BYTES % receive_ring.BLOCK_BYTES == 0
    assert receive_ring.BLOCK_BYTES % SLOT_BYTES == 0
