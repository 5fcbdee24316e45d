"""A link whose frames are changed on their way out: the one place where the shape of packets is made."""

from __future__ import annotations

from leadline.link.base import Clock, Link
from leadline.wire.batch import FrameBatch
from leadline.wire.shaping import FrameShape, shape_frames

# Frames that are made at a time: with many decoys and small fragments one probe becomes hundreds.
MOST_FRAMES = 4096
# Links may exchange rows of larger batches (link.twin_sender), and copies shall leave in their order.
MOST_IN_ORDER = 100
# How soon a link that had no room for all is offered the rest.
RETRY_SECONDS = 0.002


class ShapedLink:
    """A ``Link`` around a ``Link``: what is sent becomes what ``shape`` says, what is received stays as it is.

    A frame counts as taken when its copies and fragments are made; those that the inner link had no room for are
    offered to it again before anything else.
    """

    def __init__(self, inner: Link, shape: FrameShape, clock: Clock) -> None:
        self.interface = inner.interface
        self.statistics = inner.statistics
        self._inner = inner
        self._shape = shape
        self._clock = clock
        self._waiting: FrameBatch | None = None

    def shaped(self, batch: FrameBatch) -> FrameBatch:
        """The frames that are sent for those of ``batch``."""
        return shape_frames(batch, self._shape)

    def send(self, batch: FrameBatch) -> int:
        """Send what is made of the rows, in their order; returns how many rows were taken."""
        if not self._flush() or not len(batch):
            return 0
        # How much becomes of one frame is told by the first: the others are mostly like it.
        copies = max(1, len(self.shaped(batch.pick(slice(1)))))
        taken = min(len(batch), max(1, MOST_FRAMES // copies))
        self._waiting = self.shaped(batch.pick(slice(taken)))
        self._flush()
        return taken

    def _flush(self) -> bool:
        """Offer what waits; whether nothing waits any more."""
        while self._waiting is not None:
            offered = self._waiting
            if self._shape.sources or self._shape.chunk:
                offered = offered.pick(slice(MOST_IN_ORDER))
            taken = self._inner.send(offered)
            left = len(self._waiting) - taken
            self._waiting = self._waiting.pick(slice(taken, None)) if left else None
            if taken < len(offered):
                break
        return self._waiting is None

    def receive(self) -> FrameBatch:
        """See ``Link.receive``."""
        self._flush()
        return self._inner.receive()

    def wait(self, timeout: float) -> None:
        """See ``Link.wait``; shorter while frames wait to be sent."""
        self._inner.wait(timeout if self._flush() else min(timeout, RETRY_SECONDS))

    @property
    def descriptor(self) -> int:
        """See ``Source.descriptor``."""
        return self._inner.descriptor

    def next_look(self, until: float) -> float:
        """See ``Source.next_look``; soon while frames wait to be sent."""
        if not self._flush():
            until = min(until, self._clock.now() + RETRY_SECONDS)
        return self._inner.next_look(until)

    def close(self) -> None:
        """See ``Link.close``; what waits gets a last chance."""
        self._flush()
        self._inner.close()


def as_sent(link: Link, batch: FrameBatch) -> FrameBatch:
    """The frames that this link sends for those of ``batch``: for those who show packets."""
    return link.shaped(batch) if isinstance(link, ShapedLink) else batch
