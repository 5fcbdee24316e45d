"""``--packet-trace``: one line of text for each packet."""

from __future__ import annotations

from collections.abc import Iterator

from leadline.model.event import Event, PacketTraced
from leadline.wire.batch import FrameBatch


def trace(frames: FrameBatch, direction: str, at: float) -> Iterator[Event]:
    """An event for each frame of the batch (a loop by intent: only traced scans pay for it)."""
    # The words for packets need a module for each protocol: no other scan waits for them.
    from leadline.wire.frame import summary

    for index in range(len(frames)):
        yield PacketTraced(at, direction, summary(frames.row(index), frames.offset))
