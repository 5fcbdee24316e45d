"""Which ring sends what, with rings that only write down what they are given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from leadline.errors import LinkError
from leadline.link.twin_sender import SHARE, WORTH_SHARING, TwinSender

LARGE = 5 * WORTH_SHARING


class Ring:
    """Takes ``room`` frames; sends what is queued when ``gate`` is open."""

    def __init__(self) -> None:
        self.room = 1 << 30
        self.waiting_frames: list[int] = []
        self.sent: list[int] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.error: LinkError | None = None
        self.closed = False

    def queue(self, frames: NDArray[np.uint8], lengths: NDArray[np.int32], offset: int) -> int:
        taken = min(self.room, len(lengths))
        self.waiting_frames += lengths[:taken].tolist()
        return taken

    def push(self, frames: NDArray[np.uint8], lengths: NDArray[np.int32], offset: int) -> int:
        taken = self.queue(frames, lengths, offset)
        self.flush()
        return taken

    def flush(self) -> bool:
        self.gate.wait(10)
        self.threads.add(threading.get_ident())
        if self.error is not None:
            raise self.error
        self.sent += self.waiting_frames
        self.waiting_frames = []
        return True

    def backlog(self) -> int:
        return len(self.waiting_frames)

    @property
    def waiting(self) -> bool:
        return bool(self.waiting_frames)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def rings() -> tuple[Ring, Ring]:
    return Ring(), Ring()


@pytest.fixture
def twin(rings: tuple[Ring, Ring]) -> Iterator[TwinSender]:
    made = TwinSender(rings[0], lambda: rings[1])  # type: ignore[arg-type, return-value]
    yield made
    made.close()


def push(twin: TwinSender, first: int, count: int) -> int:
    """Frames are told apart by their lengths."""
    lengths = np.arange(first, first + count, dtype=np.int32)
    return twin.push(np.zeros((count, 1), np.uint8), lengths, 0)


def settle(twin: TwinSender) -> None:
    for _ in range(1000):
        if twin.flush():
            return
        threading.Event().wait(0.005)
    raise AssertionError("still busy")


def test_small_batches_go_one_way(twin: TwinSender, rings: tuple[Ring, Ring]) -> None:
    for turn in range(5):
        assert push(twin, turn * 10, 10) == 10
    assert rings[0].sent == list(range(50))
    assert rings[1].threads == set()


def test_large_batches_are_shared_once_there_are_two_rings(twin: TwinSender, rings: tuple[Ring, Ring]) -> None:
    assert push(twin, 0, LARGE) == LARGE
    assert rings[0].sent == list(range(LARGE))  # the second is being opened
    settle(twin)
    assert push(twin, LARGE, LARGE) == LARGE
    settle(twin)
    assert sorted(rings[0].sent + rings[1].sent) == list(range(2 * LARGE))
    assert len(rings[1].sent) > LARGE // 2
    assert rings[1].threads != rings[0].threads


def test_a_busy_second_ring_gets_less(twin: TwinSender, rings: tuple[Ring, Ring]) -> None:
    push(twin, 0, LARGE)
    settle(twin)
    first, second = rings
    first.sent.clear()
    second.gate.clear()
    push(twin, 0, LARGE)
    assert not twin.flush()
    assert second.backlog() == int(SHARE * LARGE)
    push(twin, 0, LARGE)
    assert int(SHARE * LARGE) < second.backlog() < int(SHARE * 2 * LARGE)
    second.room = 0
    assert push(twin, 0, LARGE) == LARGE
    second.gate.set()
    settle(twin)
    assert len(first.sent) + len(second.sent) == 3 * LARGE


def test_what_was_queued_too_late_for_the_thread_is_sent_by_the_next_flush(
    twin: TwinSender, rings: tuple[Ring, Ring]
) -> None:
    push(twin, 0, LARGE)
    settle(twin)
    rings[1].waiting_frames = [1, 2, 3]
    assert not twin.flush()
    settle(twin)
    assert rings[1].sent == [1, 2, 3]


def test_what_finds_no_room_is_offered_again_in_order(twin: TwinSender, rings: tuple[Ring, Ring]) -> None:
    push(twin, 0, LARGE)
    settle(twin)
    rings[0].sent.clear()
    rings[0].room, rings[1].room = 30, 20
    assert push(twin, 0, LARGE) == 50
    settle(twin)
    assert sorted(rings[0].sent + rings[1].sent) == list(range(50))


def test_errors_of_the_second_thread_are_raised_by_a_later_call(twin: TwinSender, rings: tuple[Ring, Ring]) -> None:
    push(twin, 0, LARGE)
    settle(twin)
    rings[1].error = LinkError("gone")
    push(twin, 0, LARGE)
    with pytest.raises(LinkError, match="gone"):
        settle(twin)
    push(twin, 0, LARGE)
    twin.close()
    assert rings[0].closed
    assert rings[1].closed


@pytest.mark.parametrize("used", [0, 1, 2])
def test_closing_waits_for_the_second_thread(rings: tuple[Ring, Ring], used: int) -> None:
    twin = TwinSender(rings[0], lambda: rings[1])  # type: ignore[arg-type, return-value]
    for _ in range(used):
        push(twin, 0, LARGE)
    twin.close()
    assert rings[0].closed
    assert rings[1].closed == (used > 0)
    assert "frames" not in {thread.name for thread in threading.enumerate()}


def test_without_room_for_a_second_ring_the_first_goes_on(rings: tuple[Ring, Ring]) -> None:
    def refuse() -> Ring:
        raise LinkError("no memory")

    opener: Callable[[], Ring] = refuse
    twin = TwinSender(rings[0], opener)  # type: ignore[arg-type]
    for _ in range(3):
        assert push(twin, 0, LARGE) == LARGE
        settle(twin)
    assert len(rings[0].sent) == 3 * LARGE
    twin.close()
