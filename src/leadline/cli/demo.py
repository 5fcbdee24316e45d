"""``leadline demo``: the ordinary scanner over the simulated company network; no packet leaves this machine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from leadline.model.event import Event, ScanStarted
from leadline.plan.options import Options

if TYPE_CHECKING:
    from leadline.cli.signals import Stoppable

DEFAULT_SEED = 1
# The scan of the whole demonstration network takes a dozen seconds of its own time.
TERMINAL_SPEED = 2.0
_SLICE = 0.05


def demo_options(options: Options, targets: tuple[str, ...]) -> Options:
    """The options with the whole demonstration network as targets, where none are named, and a fixed seed."""
    named = bool(options.targets or options.input_files) or options.random is not None
    return replace(
        options,
        targets=options.targets if named else targets,
        seed=DEFAULT_SEED if options.seed is None else options.seed,
    )


def demo_speed(asked: float | None, on_terminal: bool) -> float | None:
    """How many times faster than time events are shown: a few seconds for a person, ``None`` (at once) for a file."""
    if asked is None and on_terminal:
        return TERMINAL_SPEED
    return asked


def paced(
    events: Iterator[Event],
    speed: float,
    control: Stoppable,
    now: Callable[[], float],
    sleep: Callable[[float], None],
) -> Iterator[Event]:
    """The events at the times of the simulated clock, ``speed`` times faster than these; at once when stopped.

    A simulated scan is computed in an instant: shown like that it would tell nothing of how a scan goes.
    """
    started = now()
    try:
        for event in events:
            at = 0.0 if isinstance(event, ScanStarted) else event.at
            due = started + at / speed
            while not control.stop and (left := due - now()) > 0.0:
                sleep(min(left, _SLICE))
            yield event
    finally:
        if isinstance(events, Generator):
            events.close()
