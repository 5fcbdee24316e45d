"""The real ``Link``: one way to send and one way to receive, put together.

Which ones (rings, plain packet sockets, raw IP sockets) is ``link.kernel``'s choice.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leadline.errors import LinkError
from leadline.link.base import Clock, Interface, LinkStatistics
from leadline.link.second_thread import leave_alone
from leadline.wire.batch import FrameBatch

STALLED_SECONDS = 10.0
RETRY_SECONDS = 0.002


class Sender(Protocol):
    """The send half of a link."""

    def push(self, frames: NDArray[np.uint8], lengths: NDArray[np.int32], offset: int) -> int:
        """Take rows in order, return how many; see ``Link.send``."""
        ...

    def flush(self) -> bool:
        """Hand queued frames to the kernel; false when some are still waiting."""
        ...

    def close(self) -> None: ...


class Receiver(Protocol):
    """The receive half of a link."""

    def take(self) -> FrameBatch:
        """See ``Link.receive``."""
        ...

    def wait(self, timeout: float) -> None:
        """See ``Link.wait``."""
        ...

    def see_everything(self) -> None:
        """Receive frames to other hardware addresses, too. Raises ``LinkError``."""
        ...

    @property
    def descriptor(self) -> int:
        """Readable when frames (or an error) are there."""
        ...

    def ready(self) -> bool:
        """Whether frames are known to be there without asking the kernel. Raises ``LinkError`` as ``wait`` does."""
        ...

    def close(self) -> None: ...


class SocketLink:
    """A ``Link`` over kernel sockets. ``statistics`` is the object that both halves count into.

    Frames must have their network header at ``interface.link_header``. ``send`` raises ``LinkError`` when the kernel
    took nothing for ``STALLED_SECONDS`` (no carrier).
    """

    def __init__(
        self, interface: Interface, sender: Sender, receiver: Receiver, statistics: LinkStatistics, clock: Clock
    ) -> None:
        self.interface = interface
        self.statistics = statistics
        self._sender = sender
        self._receiver = receiver
        self._clock = clock
        self._stalled_at: float | None = None

    def send(self, batch: FrameBatch) -> int:
        """Queue frames in row order; returns how many were taken."""
        if not len(batch):
            return 0
        taken = self._sender.push(batch.frames, batch.lengths, batch.offset)
        if taken:
            self._stalled_at = None
        elif self._stalled_at is None:
            self._stalled_at = self._clock.now()
        elif self._clock.now() - self._stalled_at > STALLED_SECONDS:
            raise LinkError(f"interface {self.interface.name} takes no frames (is the cable in?)")
        return taken

    def receive(self) -> FrameBatch:
        """All frames that are ready now; valid until the next call on this link."""
        self._sender.flush()
        return self._receiver.take()

    def wait(self, timeout: float) -> None:
        """Sleep until a frame is ready, or for ``timeout`` seconds; shorter while frames wait to be sent."""
        if not self._sender.flush():
            timeout = min(timeout, RETRY_SECONDS)
        self._receiver.wait(max(timeout, 0.0))

    @property
    def descriptor(self) -> int:
        """The receiving half's."""
        return self._receiver.descriptor

    def next_look(self, until: float) -> float:
        """See ``Source.next_look``; soon while frames wait to be sent."""
        if self._receiver.ready():
            return 0.0
        return until if self._sender.flush() else min(until, self._clock.now() + RETRY_SECONDS)

    def close(self) -> None:
        """Let both halves be closed. The kernel takes its time (it waits for all processors), the caller need not."""
        leave_alone(self._sender.close, "link")
        leave_alone(self._receiver.close, "link")
