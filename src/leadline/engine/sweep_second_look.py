"""The second look of a sweep at what answered open: probes that are kept, waited for and repeated, as a scan does."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from leadline.engine.identity import PING_SLOT

I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

FIRST_SLOT = 8
MOST_TRIES = PING_SLOT - FIRST_SLOT


class SecondLook:
    """Items wait in the order in which they were sent. Which are decided the caller knows: ``marks[item] & final``
    is not 0 for those.
    """

    def __init__(self) -> None:
        self._unsent: deque[tuple[I64, int]] = deque()
        self._waiting: deque[tuple[I64, int, float]] = deque()
        self.count = 0

    def add(self, items: I64) -> None:
        """Look at these again."""
        if len(items):
            self._unsent.append((items, 0))
            self.count += len(items)

    def due(self, timeout: float, tries: int, marks: NDArray[np.uint8], final: int, now: float) -> I64:
        """Move on what was waited for long enough; the items of which that was the last try, still undecided."""
        given_up = []
        while self._waiting and self._waiting[0][2] + timeout <= now:
            items, tried, _ = self._waiting.popleft()
            left = items[(marks[items] & final) == 0]
            self.count -= len(items) - len(left)
            if not len(left):
                continue
            if tried >= min(tries, MOST_TRIES):
                given_up.append(left)
                self.count -= len(left)
            else:
                self._unsent.append((left, tried))
        return np.concatenate(given_up) if given_up else np.zeros(0, np.int64)

    def take(self, room: int, now: float) -> tuple[I64, int]:
        """Items to send now, at most ``room``, all in the same slot."""
        if not self._unsent or room < 1:
            return np.zeros(0, np.int64), FIRST_SLOT
        items, tried = self._unsent.popleft()
        if len(items) > room:
            self._unsent.appendleft((items[room:], tried))
            items = items[:room]
        self._waiting.append((items, tried + 1, now))
        return items, FIRST_SLOT + tried

    def next_time(self, timeout: float) -> float | None:
        """When something of it is due; ``None``: nothing waits."""
        if self._unsent:
            return -np.inf
        return self._waiting[0][2] + timeout if self._waiting else None

    def settle(self, marks: NDArray[np.uint8], final: int) -> bool:
        """Forget what is decided from the front on; whether nothing is left."""
        while self._waiting and ((marks[self._waiting[0][0]] & final) != 0).all():
            items, _, _ = self._waiting.popleft()
            self.count -= len(items)
        return not self._waiting and not self._unsent
