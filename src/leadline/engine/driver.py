"""The loops that run machines over a real or simulated network, until they are done or the user stops them."""

from __future__ import annotations

from collections.abc import Iterator

from leadline.engine.connect_machine import ConnectMachine
from leadline.engine.control import Control
from leadline.engine.progress import ProgressMeter
from leadline.engine.raw_machine import RawMachine
from leadline.engine.shaper import as_sent, part_of
from leadline.engine.tracing import trace
from leadline.link.base import Clock, Connector, Link
from leadline.model.event import Event
from leadline.wire.batch import FrameBatch

# Frames built in one turn: replies are looked at between turns, so a larger batch would only fill the rings.
ROOM = 4096
# Nobody waits longer than this for a key press or a signal to be noticed.
LONGEST_WAIT = 0.1
# And a link that takes nothing is asked again after this long.
FULL_LINK_WAIT = 0.001


def drive(machine: RawMachine, link: Link, clock: Clock, control: Control, meter: ProgressMeter) -> Iterator[Event]:
    """Run a raw machine to its end; yields its events and progress. The link is left open."""
    waiting: FrameBatch | None = None
    prober, epoch = machine.prober, machine.epoch
    sent, received = link.statistics.sent, link.statistics.received
    while not machine.done and not control.stop:
        frames = link.receive()
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
        quiet = not len(frames) if waiting is None else len(waiting) < ROOM
        if waiting is not None:
            taken = link.send(waiting)
            if control.packet_trace:
                yield from trace(as_sent(link, part_of(waiting, 0, taken)), "SENT", now - epoch)
            waiting = None if taken >= len(waiting) else part_of(waiting, taken, len(waiting))
            quiet = quiet and waiting is None
            if not taken and not len(frames):
                # The link has no room at all: let it get some instead of asking again and again.
                link.wait(FULL_LINK_WAIT)
        yield from machine.events()
        if meter.due(now) or control.status_requested:
            control.status_requested = False
            share = prober.progress()
            counted = link.statistics
            yield meter.event(now, share, counted.sent - sent, counted.received - received)
        if quiet and not machine.done:
            timer = machine.next_timer(now)
            link.wait(min(LONGEST_WAIT, max(0.0, timer - clock.now())) if timer is not None else LONGEST_WAIT)
    yield from machine.events()


def drive_connections(
    machine: ConnectMachine, connector: Connector, clock: Clock, control: Control, meter: ProgressMeter
) -> Iterator[Event]:
    """Run a connect machine to its end; yields its events and progress. What is still pending is cancelled."""
    while not machine.done and not control.stop:
        now = clock.now()
        started = machine.start(now, ROOM)
        timer = machine.next_timer(now)
        patience = LONGEST_WAIT if timer is None else min(LONGEST_WAIT, max(0.0, timer - clock.now()))
        ended = connector.poll(0.0 if started else patience)
        machine.take(ended, clock.now())
        yield from machine.events()
        if meter.due(now) or control.status_requested:
            control.status_requested = False
            yield meter.event(now, machine.prober.progress(), machine.prober.sent, machine.ended)
    machine.cancel_all()
    yield from machine.events()
