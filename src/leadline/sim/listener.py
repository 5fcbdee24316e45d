"""One listening port: who is served, who waits in its backlog, who is sent away."""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Protocol

from leadline.sim.world import SimService


class Client(Protocol):
    """A connection from the port's point of view."""

    def serve(self, at: float) -> None:
        """The server turns to this connection now."""
        ...


class Turn(Enum):
    """What becomes of a new connection."""

    SERVED = "served"
    WAITS = "waits"
    TOO_MANY = "too many"


class Listener:
    """The state that all connections to one port share. ``service``: ``None`` = no limits."""

    def __init__(self, service: SimService | None) -> None:
        self.service = service
        self._served: dict[int, Client] = {}
        self._waiting: deque[Client] = deque()
        self._accepted = 0

    def accepts(self) -> bool:
        """Whether the port still accepts a connection; asked once for each, which counts it."""
        self._accepted += 1
        return self.service is None or not self.service.accepts or self._accepted <= self.service.accepts

    def arrive(self, client: Client) -> Turn:
        """A connection is there."""
        service = self.service
        if service is not None:
            if service.most_open and len(self._served) + len(self._waiting) >= service.most_open:
                return Turn.TOO_MANY
            if service.workers and len(self._served) >= service.workers:
                self._waiting.append(client)
                return Turn.WAITS
        self._served[id(client)] = client
        return Turn.SERVED

    def leave(self, client: Client, at: float) -> None:
        """A connection is over, by either side; the oldest one that waits is served. Leaving twice changes nothing."""
        if self._served.pop(id(client), None) is None:
            if client in self._waiting:
                self._waiting.remove(client)
            return
        if self._waiting:
            following = self._waiting.popleft()
            self._served[id(following)] = following
            following.serve(at)
