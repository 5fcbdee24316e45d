"""The loop for machines that send over several links and listen on the first: who sends in others' names needs that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from leadline.engine.control import Control
from leadline.engine.driver import FULL_LINK_WAIT, LONGEST_WAIT
from leadline.engine.progress import ProgressMeter
from leadline.engine.shaper import as_sent
from leadline.engine.shared_link import Inbox, SharedLink
from leadline.engine.tracing import trace
from leadline.engine.turns import GO_ON, Pause, Step
from leadline.link.base import Clock
from leadline.model.event import Event
from leadline.wire.batch import FrameBatch


class WaysMachine(Protocol):
    """A sans-IO machine; ways are numbers of links."""

    done: bool

    def poll(self, now: float) -> list[tuple[int, FrameBatch]]:
        """Frames to send now, each batch with its way."""
        ...

    def receive(self, frames: FrameBatch, now: float) -> None:
        """Frames captured on the first link."""
        ...

    def next_timer(self) -> float:
        """When ``poll`` wants to be called again at the latest."""
        ...

    def events(self) -> Iterator[Event]:
        """What became known since the last call."""
        ...

    def progress(self) -> float:
        """Share of the work done, 0 to 1."""
        ...


def drive_ways(
    machine: WaysMachine, links: Sequence[SharedLink], clock: Clock, control: Control, meter: ProgressMeter,
    epoch: float,
) -> Iterator[Step]:  # fmt: skip
    """Run a machine to its end; yields its events, progress and pauses. One link may serve several ways.

    ``epoch``: clock seconds at which the scan began.
    """
    joined = {id(link): link.join() for link in links}
    inboxes = [joined[id(link)] for link in links]

    def counted() -> tuple[float, int, int]:
        return machine.progress(), sum(box.sent for box in joined.values()), inboxes[0].received

    meter.look = counted
    try:
        while not machine.done and not control.stop:
            yield from _receive(machine, list(joined.values()), clock, control, epoch)
            batches = machine.poll(clock.now())
            for way, batch in batches:
                if control.packet_trace:
                    yield from trace(as_sent(inboxes[way].shared.inner, batch), "SENT", clock.now() - epoch)
                yield from _send(inboxes[way], batch, clock)
            yield from machine.events()
            now = clock.now()
            if meter.due(now, control):
                yield meter.event(now, *counted())
            if batches:
                yield GO_ON
            elif not machine.done:
                until = min(now + LONGEST_WAIT, machine.next_timer())
                yield Pause((inboxes[0].shared,), inboxes[0].next_look(until))
    finally:
        for inbox in joined.values():
            inbox.close()
        meter.end()
    yield from machine.events()


def _receive(
    machine: WaysMachine, inboxes: Sequence[Inbox], clock: Clock, control: Control, epoch: float
) -> Iterator[Step]:
    frames = inboxes[0].receive()
    now = clock.now()
    if len(frames):
        if control.packet_trace:
            yield from trace(frames, "RCVD", now - epoch)
        machine.receive(frames, now)
    for inbox in inboxes[1:]:
        inbox.receive()  # nobody listens there, but its ring must not fill up


def _send(inbox: Inbox, batch: FrameBatch, clock: Clock) -> Iterator[Step]:
    """All frames, as the link takes them: these batches are small, and none may be left out."""
    taken = inbox.send(batch)
    while taken < len(batch):
        yield Pause((inbox.shared,), inbox.next_look(clock.now() + FULL_LINK_WAIT))
        taken += inbox.send(batch.pick(slice(taken, None)))
