"""What a conversation with one port wants done, and the shape that all conversations have (events in, commands out).

Streams are numbered by the conversation itself, from 0; a number is never used again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from leadline.model.service import TlsFacts
from leadline.net.base import Ended


@dataclass(frozen=True, slots=True)
class Open:
    """Connect a new stream, with ``tls`` from its first byte or without."""

    stream: int
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Send:
    """Write these bytes (one datagram for UDP)."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class StartTls:
    """Begin a TLS handshake on an open stream."""

    stream: int


@dataclass(frozen=True, slots=True)
class Close:
    """Forget a stream, wherever it stands."""

    stream: int


Command: TypeAlias = Open | Send | StartTls | Close


class Conversation(Protocol):
    """All times are clock seconds. Every call may make new commands; ``done`` ends it and closes its streams."""

    @property
    def done(self) -> bool: ...

    def start(self, now: float) -> None:
        """Begin; called once."""
        ...

    def begun(self, stream: int, now: float) -> None:
        """An ``Open`` is carried out now (it may have waited for room)."""
        ...

    def opened(self, stream: int, tls: TlsFacts | None, now: float) -> None: ...

    def received(self, stream: int, data: bytes, now: float) -> None: ...

    def ended(self, stream: int, end: Ended, now: float) -> None:
        """The stream is over, by the other side or because it could not be opened."""
        ...

    def advance(self, now: float) -> None:
        """Time has passed."""
        ...

    def next_timer(self) -> float | None:
        """When ``advance`` is to be called again."""
        ...

    def commands(self) -> list[Command]:
        """What to do since the last call, in order."""
        ...
