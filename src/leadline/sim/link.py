"""The simulated link: takes frames, hands over what arrives, and moves the clock while it waits."""

from __future__ import annotations

from typing import Protocol

from leadline.errors import LinkError
from leadline.link.base import CaptureFilter, Interface, LinkStatistics
from leadline.sim.arrivals import Arrivals, wanted
from leadline.sim.clock import CALL_COST, VirtualClock
from leadline.wire.batch import FrameBatch


class Medium(Protocol):
    """What a link needs from its network."""

    clock: VirtualClock

    def transmit(self, interface: Interface, batch: FrameBatch) -> int:
        """Take frames to send; returns how many fit."""
        ...

    def settle(self, until: float | None) -> None:
        """Work out everything that can arrive by ``until`` (``None``: all that is known)."""
        ...

    def detach(self, link: SimLink) -> None:
        """The link is closed."""
        ...


class SimLink:
    """``link.base.Link`` over a simulated network.

    ``ring``: frames that may lie unread, more are dropped and counted; ``in_flight``: frames under way at most;
    ``wake``: seconds between an arrival and the end of ``wait``.
    """

    def __init__(
        self, medium: Medium, interface: Interface, capture: CaptureFilter, ring: int, in_flight: int, wake: float
    ) -> None:
        self.interface = interface
        self.capture = capture
        self.statistics = LinkStatistics()
        self._medium = medium
        self._ring = ring
        self._wake = wake
        self._arrivals = Arrivals(interface.link_header, in_flight)
        self._closed = False

    def send(self, batch: FrameBatch) -> int:
        """Frames longer than the MTU (and of another framing) count as send failures; they are taken all the same."""
        self._check()
        if not len(batch):
            return 0
        if batch.offset != self.interface.link_header:
            raise LinkError(f"{self.interface.name}: frames have another link header ({batch.offset} bytes)")
        taken = self._medium.transmit(self.interface, batch)
        lengths = batch.lengths[:taken]
        sendable = (lengths <= self.interface.mtu + self.interface.link_header) & (lengths > 0)
        self.statistics.sent += int(sendable.sum())
        self.statistics.sent_bytes += int(lengths[sendable].sum())
        self.statistics.send_failures += taken - int(sendable.sum())
        return taken

    def receive(self) -> FrameBatch:
        """All frames that have arrived by now, in order of time."""
        self._check()
        now = self._medium.clock.now()
        self._medium.settle(now)
        batch = self._arrivals.take(now)
        if len(batch) > self._ring:
            self.statistics.dropped += len(batch) - self._ring
            batch = batch.pick(slice(self._ring))
        self.statistics.received += len(batch)
        self.statistics.received_bytes += int(batch.lengths.sum())
        return batch

    def wait(self, timeout: float) -> None:
        """Move the clock to the next arrival or by ``timeout`` seconds, whichever comes first.

        Who waits for nothing still spends ``CALL_COST``, so that no loop can stand still for ever.
        """
        self._check()
        clock = self._medium.clock
        end = clock.now() + max(CALL_COST, timeout)
        self._medium.settle(end)
        arrival = self._arrivals.next_time()
        # Whoever sleeps wakes up a little late and finds more than one frame, as on a real machine.
        clock.advance_to(end if arrival is None else min(end, arrival + self._wake))

    @property
    def descriptor(self) -> int:
        """There is none."""
        return -1

    def next_look(self, until: float) -> float:
        """The next arrival and ``wake`` beyond, or ``until``: whoever sleeps wakes up a little late."""
        self._check()
        self._medium.settle(until)
        arrival = self._arrivals.next_time()
        return until if arrival is None else min(until, arrival + self._wake)

    def close(self) -> None:
        """Forget what is under way. Closing twice does nothing."""
        if not self._closed:
            self._closed = True
            self._medium.detach(self)
            self._arrivals.clear()

    def deliver(self, batch: FrameBatch) -> None:
        """Frames for this link's interface; the capture filter picks."""
        rows = wanted(self.capture, batch)
        if rows.any():
            before = self._arrivals.dropped
            self._arrivals.push(batch.pick(rows))
            self.statistics.dropped += self._arrivals.dropped - before

    def _check(self) -> None:
        if self._closed:
            raise LinkError(f"{self.interface.name}: the link is closed")
