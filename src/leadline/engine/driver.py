"""The loops that run machines over a real or simulated network, until they are done or the user stops them."""

from __future__ import annotations

from collections.abc import Iterator

from leadline.engine.connect_machine import ConnectMachine
from leadline.engine.control import Control
from leadline.engine.progress import ProgressMeter
from leadline.engine.raw_machine import RawMachine
from leadline.engine.shaper import as_sent
from leadline.engine.shared_link import Inbox, SharedLink
from leadline.engine.tracing import trace
from leadline.engine.turns import GO_ON, Pause, Step
from leadline.link.base import Clock, Connector
from leadline.model.event import Notice
from leadline.wire.batch import FrameBatch

# Frames built in one turn: replies are looked at between turns, so a larger batch would only fill the rings.
ROOM = 4096
# Nobody waits longer than this for a key press or a signal to be noticed.
LONGEST_WAIT = 0.1
# And a link that takes nothing is asked again after this long.
FULL_LINK_WAIT = 0.001


def drive(
    machine: RawMachine, link: SharedLink, clock: Clock, control: Control, meter: ProgressMeter
) -> Iterator[Step]:
    """Run a raw machine to its end; yields its events, progress and pauses. The link is left open."""
    inbox = link.join()
    meter.look = lambda: (machine.prober.progress(), inbox.sent, inbox.received)
    meter.left = machine.prober.remaining
    try:
        yield from _drive(machine, inbox, clock, control, meter)
        failed = link.first_failures()
        if failed:
            yield Notice(clock.now() - machine.epoch, "warning", failed)
    finally:
        inbox.close()
        meter.end()


def _drive(machine: RawMachine, inbox: Inbox, clock: Clock, control: Control, meter: ProgressMeter) -> Iterator[Step]:
    waiting: FrameBatch | None = None
    prober, epoch = machine.prober, machine.epoch
    while not machine.done and not control.stop:
        frames = inbox.receive()
        now = clock.now()
        if len(frames):
            if control.packet_trace:
                yield from trace(frames, "RCVD", now - epoch)
            machine.receive(frames, now)
            # Looking at the answers took time that is no part of the next round trips.
            now = clock.now()
        if waiting is None:
            waiting = machine.poll(now, ROOM)
        # Fewer frames than asked for: all windows are full, nothing more can leave before an answer or a timer.
        quiet, full = not len(frames) if waiting is None else len(waiting) < ROOM, False
        if waiting is not None:
            taken = inbox.send(waiting)
            if control.packet_trace:
                yield from trace(as_sent(inbox.shared.inner, waiting.pick(slice(taken))), "SENT", now - epoch)
            waiting = None if taken >= len(waiting) else waiting.pick(slice(taken, None))
            quiet = quiet and waiting is None
            full = not taken and not len(frames)
        yield from machine.events()
        if meter.due(now, control):
            yield meter.event(now, prober.progress(), inbox.sent, inbox.received)
        if full:
            # The link has no room at all: let it get some instead of asking again and again.
            yield Pause((inbox.shared,), inbox.next_look(clock.now() + FULL_LINK_WAIT))
        elif quiet and not machine.done:
            timer = machine.next_timer(now)
            longest = clock.now() + LONGEST_WAIT
            yield Pause((inbox.shared,), inbox.next_look(longest if timer is None else min(longest, timer)))
        else:
            yield GO_ON
    yield from machine.events()


def drive_connections(
    machine: ConnectMachine, connector: Connector, clock: Clock, control: Control, meter: ProgressMeter
) -> Iterator[Step]:
    """Run a connect machine to its end; yields its events, progress and pauses. What is still pending is cancelled."""
    meter.look = lambda: (machine.prober.progress(), machine.prober.sent, machine.ended)
    try:
        while not machine.done and not control.stop:
            now = clock.now()
            started = machine.start(now, ROOM)
            if started:
                yield GO_ON
            else:
                timer = machine.next_timer(now)
                longest = clock.now() + LONGEST_WAIT
                yield Pause((connector,), connector.next_look(longest if timer is None else min(longest, timer)))
            machine.take(connector.poll(0.0), clock.now())
            yield from machine.events()
            if meter.due(now, control):
                yield meter.event(now, machine.prober.progress(), machine.prober.sent, machine.ended)
    finally:
        meter.end()
    machine.cancel_all()
    yield from machine.events()
