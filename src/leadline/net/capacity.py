"""How many questions a name server may have open at once: grows while it answers, shrinks when it loses some."""

from __future__ import annotations

import asyncio
from collections import deque

# Spec sheet 2.6: start and least 10, most 100; an answer adds 2,
# a question that must be repeated costs a factor 0.7, one that is given up 0.4.
LEAST = 10
MOST = 100
_STEP = 2.0
_REPEATED = 0.7
_GIVEN_UP = 0.4


class Capacity:
    """A gate: ``enter`` waits for room, ``leave`` gives it back. For one event loop."""

    __slots__ = ("_inside", "_waiting", "limit")

    def __init__(self) -> None:
        self.limit: float = LEAST
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def answered(self) -> None:
        """An answer came: a little more room."""
        self.limit = min(MOST, self.limit + _STEP)
        self._wake()

    def repeated(self) -> None:
        """No answer in time, the question is sent again."""
        self.limit = max(LEAST, self.limit * _REPEATED)

    def given_up(self) -> None:
        """No answer to the last try."""
        self.limit = max(LEAST, self.limit * _GIVEN_UP)

    async def enter(self) -> None:
        """Waits until fewer than ``limit`` questions are open; first come, first served."""
        if self._inside < int(self.limit) and not self._waiting:
            self._inside += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """A question is closed."""
        self._inside -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._inside < int(self.limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self._inside += 1
                turn.set_result(None)
