"""The shape of a raw stage's machine: sans-IO, time is an argument."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from leadline.model.event import Event
from leadline.wire.batch import FrameBatch


class Machine(Protocol):
    """A stage on one host group over one link."""

    def poll(self, now: float, room: int) -> FrameBatch | None:
        """Frames to send now, at most ``room``."""
        ...

    def receive(self, frames: FrameBatch, now: float) -> None:
        """Captured frames; whatever is not an answer to something sent is dropped."""
        ...

    def next_timer(self, now: float) -> float | None:
        """When ``poll`` wants to be called again at the latest; ``None``: not before a frame arrives."""
        ...

    def events(self) -> Iterator[Event]:
        """What became known since the last call."""
        ...

    @property
    def done(self) -> bool: ...
