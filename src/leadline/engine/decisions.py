"""The record of timing decisions, bounded, until somebody fetches it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from leadline.model.address import Address
from leadline.model.event import TimingDecision
from leadline.model.quick_dataclass import dataclass

MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Decision:
    """A change of timing at ``at`` (clock seconds); ``host`` is -1 for the group."""

    at: float
    host: int
    what: str
    cause: str
    old: float
    new: float


class Decisions:
    """The newest ``MOST_KEPT`` decisions that were not fetched yet."""

    def __init__(self) -> None:
        self._kept: deque[Decision] = deque(maxlen=MOST_KEPT)

    def add(self, at: float, host: int, what: str, cause: str, old: float, new: float) -> None:
        """Note one decision."""
        self._kept.append(Decision(at, host, what, cause, float(old), float(new)))

    def fetch(self) -> list[Decision]:
        """What was noted since the last call, oldest first."""
        taken = list(self._kept)
        self._kept.clear()
        return taken


def as_events(
    decisions: Iterable[Decision], epoch: float, address: Callable[[int], Address] | None = None
) -> Iterator[TimingDecision]:
    """Decisions for the outputs. ``epoch``: clock seconds at which the scan began; ``address``: of a host's row, none
    where no decision is about one host alone.
    """
    for made in decisions:
        whom = address(made.host) if address is not None and made.host >= 0 else None
        yield TimingDecision(made.at - epoch, whom, made.what, made.cause, made.old, made.new)
