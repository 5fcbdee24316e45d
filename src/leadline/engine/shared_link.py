"""One link for several machines: each of them reads every frame that arrives.

Whether a frame answers a machine's probes the machine finds out by address and tag; so groups that are scanned at the
same time over one interface need not know of each other.
"""

from __future__ import annotations

from collections import deque

from leadline.errors import LinkError
from leadline.link.base import Interface, Link, LinkStatistics
from leadline.wire.batch import FrameBatch

# Batches kept for a machine that has not read them yet. Every machine reads in each of its turns: more than a few
# would mean that it is stuck, and a flood must not fill the memory meanwhile.
MOST_KEPT = 64


class SharedLink:
    """``inner``: the link itself; what it counts is ``statistics``. Used alone it is a ``Link`` like any other."""

    def __init__(self, inner: Link) -> None:
        self.interface: Interface = inner.interface
        self.statistics: LinkStatistics = inner.statistics
        self.inner = inner
        self._inboxes: list[Inbox] = []
        self._told = False

    def first_failures(self) -> str:
        """What a user should know, once, of frames that could not be sent; empty when nothing is new."""
        failures = self.statistics.send_failures
        if self._told or not failures:
            return ""
        self._told = True
        where = f"{self.interface.name} so far (its MTU is {self.interface.mtu} bytes)"
        return f"{failures} packets could not be sent on {where}: what they asked looks as if nobody had answered."

    def join(self) -> Inbox:
        """A view of the link for one machine, to be closed when the machine is finished."""
        inbox = Inbox(self)
        self._inboxes.append(inbox)
        return inbox

    @property
    def is_read(self) -> bool:
        """Whether a machine has joined and not left."""
        return bool(self._inboxes)

    def leave(self, inbox: Inbox) -> None:
        """The machine needs no more frames."""
        if inbox in self._inboxes:
            self._inboxes.remove(inbox)

    def send(self, batch: FrameBatch) -> int:
        """See ``Link.send``."""
        try:
            return self.inner.send(batch)
        except LinkError as error:
            self._tell(error)
            raise

    def receive(self) -> FrameBatch:
        """See ``Link.receive``."""
        return self.receive_for(None)

    def receive_for(self, reader: Inbox | None) -> FrameBatch:
        """What has arrived; all inboxes but the reader's get a copy, since the next call invalidates the batch."""
        try:
            batch = self.inner.receive()
        except LinkError as error:
            self._tell(error)
            raise
        others = [inbox for inbox in self._inboxes if inbox is not reader]
        if others and len(batch):
            copy = _copied(batch)
            for inbox in others:
                inbox.put(copy)
        return batch

    def wait(self, timeout: float) -> None:
        """See ``Link.wait``."""
        self.inner.wait(timeout)

    @property
    def descriptor(self) -> int:
        """See ``Source.descriptor``."""
        return self.inner.descriptor

    def next_look(self, until: float) -> float:
        """See ``Source.next_look``."""
        try:
            return self.inner.next_look(until)
        except LinkError as error:
            self._tell(error)
            raise

    def close(self) -> None:
        """Close the link for everybody."""
        self.inner.close()

    def _tell(self, error: LinkError) -> None:
        # The kernel tells a failure once, to whoever asks first; it concerns all that are at work.
        for inbox in self._inboxes:
            inbox.broken = error


class Inbox:
    """A ``SharedLink`` as one machine sees it. ``sent``: frames that this machine has sent; ``received``: has read.

    ``broken``: what another machine was told when it used the link.
    """

    def __init__(self, shared: SharedLink) -> None:
        self.shared = shared
        self.sent = self.received = 0
        self.broken: LinkError | None = None
        self._unread: deque[FrameBatch] = deque(maxlen=MOST_KEPT)

    def send(self, batch: FrameBatch) -> int:
        """See ``Link.send``."""
        self._check()
        taken = self.shared.send(batch)
        self.sent += taken
        return taken

    def receive(self) -> FrameBatch:
        """The oldest batch that this machine has not read, else what is there now; see ``Link.receive``."""
        self._check()
        batch = self._unread.popleft() if self._unread else self.shared.receive_for(self)
        self.received += len(batch)
        return batch

    def put(self, batch: FrameBatch) -> None:
        """Keep a batch that another machine has fetched; the oldest is lost when too many are kept."""
        self._unread.append(batch)

    def next_look(self, until: float) -> float:
        """The past while something is unread, else what the link says."""
        self._check()
        return 0.0 if self._unread else self.shared.next_look(until)

    def close(self) -> None:
        """Leave the link."""
        self.shared.leave(self)
        self._unread.clear()

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken


def _copied(batch: FrameBatch) -> FrameBatch:
    width = max(int(batch.lengths.max()), batch.offset)
    return FrameBatch(batch.frames[:, :width].copy(), batch.lengths.copy(), batch.times.copy(), batch.offset)
