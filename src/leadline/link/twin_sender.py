"""Two transmit rings at work at once: what the kernel does for a frame is most of a scan's cost, and it is done by the
processor that asks for it.

On virtual links the kernel even carries a frame to the other end, and the answer back, before the call returns. So a
large batch is shared: a second thread sends its part while the caller sends the rest and then looks at the answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import numpy as np
from numpy.typing import NDArray

from leadline.errors import LinkError
from leadline.link.second_thread import SecondThread
from leadline.link.transmit_ring import TransmitRing

# Frames that are worth waking another thread for: it takes as long as sending ten to twenty.
WORTH_SHARING = 128
# What the second thread sends of all that is to be sent: more than half, since it does nothing else.
SHARE = 0.65


class TwinSender:
    """``Sender`` over ``first`` and another ring that ``open_second`` makes when a batch is large enough to be shared
    for the first time (``at_hand``: it has only to be put together, else the kernel takes its time over a new one).
    Both count into the same statistics.

    Frames of one batch may leave in another order than that of their rows.
    """

    def __init__(self, first: TransmitRing, open_second: Callable[[], TransmitRing], at_hand: bool = False) -> None:
        self._first = first
        self._open_second: Callable[[], TransmitRing] | None = open_second
        self._second: TransmitRing | None = None
        self._thread: SecondThread[object] = SecondThread("frames")
        self._busy = self._opening = False
        if at_hand:
            self._open(open_second)
            self._open_second = None

    def push(self, frames: NDArray[np.uint8], lengths: NDArray[np.int32], offset: int) -> int:
        """Take rows, return how many; see ``TransmitRing.push``."""
        shared = 0
        if len(lengths) >= WORTH_SHARING:
            busy = self._is_busy()
            second = self._second_ring(busy)
            if second is not None:
                backlog = second.backlog() if busy else 0
                wanted = max(0, int((len(lengths) + backlog) * SHARE) - backlog)
                shared = second.queue(frames[:wanted], lengths[:wanted], offset)
                if shared and not busy:
                    self._begin(second.flush)
        return shared + self._first.push(frames[shared:], lengths[shared:], offset)

    def _second_ring(self, busy: bool) -> TransmitRing | None:
        """The second ring. It is opened when it is first wanted, and meanwhile the first works alone."""
        if self._open_second is not None:
            self._begin(partial(self._open, self._open_second))
            self._open_second, self._opening = None, True
            return None
        if self._opening and busy:
            return None
        self._opening = False
        return self._second

    def _open(self, open_second: Callable[[], TransmitRing]) -> None:
        with suppress(LinkError):  # no memory for another: slower, not wrong
            self._second = open_second()

    def _begin(self, call: Callable[[], object]) -> None:
        self._thread.begin(call)
        self._busy = True

    def _is_busy(self) -> bool:
        """Whether the second thread is at work; what it raised is raised here."""
        if self._busy:
            # What has returned from the kernel may still wait for Python's lock.
            time.sleep(0)
        if self._busy and self._thread.ready:
            self._busy = False
            self._thread.result()
        return self._busy

    def flush(self) -> bool:
        """Hand queued frames to the kernel; false when some are still waiting, or on their way there."""
        done = self._first.flush()
        if self._is_busy():
            return False
        if self._second is None or not self._second.waiting:
            return done
        self._begin(self._second.flush)
        return False

    def close(self) -> None:
        """Close both, at the same time: the kernel takes its time over each."""
        if self._busy:
            self._busy = False
            with suppress(LinkError):
                self._thread.result()
        if self._second is not None:
            self._thread.begin(self._second.close)
        self._first.close()
        if self._second is not None:
            self._thread.result()
            self._second = None
        self._thread.close()
