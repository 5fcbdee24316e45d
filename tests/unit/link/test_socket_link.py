"""A link of two halves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from leadline.errors import LinkError
from leadline.link.base import Interface, Link, LinkStatistics
from leadline.link.socket_link import RETRY_SECONDS, STALLED_SECONDS, SocketLink
from leadline.wire.batch import FrameBatch
from tests.support.threads import wait_for_closing
from tests.unit.link.conftest import SetClock

BATCH = FrameBatch(np.zeros((5, 60), np.uint8), np.full(5, 60, np.int32), np.zeros(5), 14)


class Halves:
    """Both halves in one, writing down what is asked of them."""

    def __init__(self) -> None:
        self.room = 5
        self.flushed = True
        self.calls: list[object] = []

    def push(self, frames: NDArray[np.uint8], lengths: NDArray[np.int32], offset: int) -> int:
        return min(self.room, len(lengths))

    def flush(self) -> bool:
        self.calls.append("flush")
        return self.flushed

    def take(self) -> FrameBatch:
        self.calls.append("take")
        return BATCH

    def wait(self, timeout: float) -> None:
        self.calls.append(timeout)

    descriptor = 7
    there = False

    def ready(self) -> bool:
        return self.there

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def halves() -> Halves:
    return Halves()


@pytest.fixture
def link(halves: Halves, ethernet: Interface, clock: SetClock) -> Link:
    return SocketLink(ethernet, halves, halves, LinkStatistics(), clock)


def test_parts_are_used_in_turn(link: Link, halves: Halves) -> None:
    assert link.send(BATCH) == 5
    assert link.receive() is BATCH
    link.wait(1.5)
    link.wait(-1.0)
    link.close()
    wait_for_closing()
    assert halves.calls == ["flush", "take", "flush", 1.5, "flush", 0.0, "close", "close"]


def test_waiting_is_short_while_frames_are_still_queued(link: Link, halves: Halves) -> None:
    halves.flushed = False
    link.wait(1.5)
    assert halves.calls == ["flush", RETRY_SECONDS]


def test_a_link_that_takes_nothing_for_long_is_broken(link: Link, halves: Halves, clock: SetClock) -> None:
    halves.room = 0
    assert link.send(BATCH) == 0
    clock.time += STALLED_SECONDS
    assert link.send(BATCH) == 0
    halves.room = 1
    assert link.send(BATCH) == 1
    halves.room = 0
    clock.time += 1
    assert link.send(BATCH) == 0
    clock.time += STALLED_SECONDS + 1
    assert link.send(BATCH.pick(slice(0))) == 0
    with pytest.raises(LinkError, match="eth0"):
        link.send(BATCH)


def test_until_when_one_may_sleep(link: Link, halves: Halves, clock: SetClock) -> None:
    later = clock.time + 1.5
    assert link.descriptor == 7
    assert link.next_look(later) == later
    halves.flushed = False
    assert link.next_look(later) == pytest.approx(clock.time + RETRY_SECONDS)
    halves.there = True
    assert link.next_look(later) < clock.time
