"""Several stages side by side in one thread: each works until it has to wait, then the others have their turn.

A stage is a generator. Where nothing more can be done now it yields a ``Pause``: what it waits for, and until when at
most. Whoever runs several stages rests for all of them at once (``Network.rest``), so that none of them sleeps while
another has something to do. All other things a stage yields pass through.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Generic, TypeAlias, TypeVar

from leadline.link.base import Network, Source
from leadline.model.event import Event
from leadline.model.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait until one of ``sources`` has something, or until ``until`` (clock seconds; the past: others go first)."""

    sources: tuple[Source, ...]
    until: float


Step: TypeAlias = Event | Pause
"""What a stage yields."""

GO_ON = Pause((), 0.0)
"""Nothing to wait for: the stage only lets others have their turn."""

T = TypeVar("T")
R = TypeVar("R")


def awake(steps: Generator[T | Pause, None, R], network: Network) -> Generator[T, None, R]:
    """A stage without its pauses: sleeps where it waits. Passes on what else it yields, and what it returns."""
    while True:
        try:
            step = next(steps)
        except StopIteration as ended:
            result: R = ended.value
            return result
        if not isinstance(step, Pause):
            yield step
        elif step is not GO_ON:
            network.rest(step.sources, step.until)


class Turns(Generic[T]):
    """Runs the stages that are added to it, in the order in which they were added."""

    def __init__(self) -> None:
        self._stages: list[Generator[T | Pause, None, None]] = []
        self._pauses: list[Pause] = []

    def __len__(self) -> int:
        return len(self._stages)

    def add(self, stage: Generator[T | Pause, None, None]) -> None:
        """Let one more stage take part; its first turn comes in the round that is under way, or in the next."""
        self._stages.append(stage)

    def round(self) -> Iterator[T]:
        """One turn of each stage, up to its pause or its end; gives what they yield. What one raises is raised."""
        self._pauses = []
        index = 0
        while index < len(self._stages):
            stage = self._stages[index]
            for step in stage:
                if isinstance(step, Pause):
                    self._pauses.append(step)
                    index += 1
                    break
                yield step
            else:
                del self._stages[index]

    def pause(self) -> Pause:
        """What all stages wait for after a round."""
        if not self._pauses:
            return GO_ON
        sources = dict.fromkeys(source for pause in self._pauses for source in pause.sources)
        return Pause(tuple(sources), min(pause.until for pause in self._pauses))

    def close(self) -> None:
        """End all stages where they stand."""
        for stage in self._stages:
            stage.close()
        self._stages.clear()
