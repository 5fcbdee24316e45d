"""How long one dialogue waits: after its round trip, what was heard so far, and how many connections there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from leadline.services.agenda import best_of, soft_of
from leadline.services.connections import Connections
from leadline.services.run import MOMENT, Run
from leadline.services.waiting import Waits

# Without a measured round trip.
UNKNOWN_RTT = 0.05
# The longest pause within a banner.
_PAUSE = 1.0
# An answer that took longer shows a slow server.
_SLOW = 1.0


class Manner(Enum):
    """How many connections there are at once, and why."""

    TOGETHER = "several at once"
    TRIAL = "one, to find out whether the server serves more"
    SERIAL = "one, because the server serves no more"
    ALONE = "one, because it was asked for or because several disturb each other"


@dataclass(slots=True)
class Patience:
    """``rtt``: seconds, as measured by the connections themselves; ``lines``: what was said and heard so far."""

    waits: Waits
    lines: Connections
    rtt: float
    manner: Manner

    @property
    def alone(self) -> bool:
        """Whether there is one connection at a time."""
        return self.manner is not Manner.TOGETHER

    def connected_too_late(self, run: Run, now: float) -> bool:
        """Whether its connection, or its handshake, has taken as long as it may."""
        return run.begun is not None and now - run.begun + MOMENT >= self.waits.connect(bool(run.tunnel))

    def deadline(self, run: Run, spoke: float) -> float:
        """When the silence of a probe that was sent at ``spoke`` is long enough in any case."""
        patience = self.waits.give_up(run.probe)
        if self.manner in (Manner.TRIAL, Manner.SERIAL) and not run.aside:
            patience = min(self.waits.least(self.rtt), patience)
        elif self.alone and not self.waits.patient and not run.keep:
            # One after the other, because of the server: many probes wait for their turn.
            patience = min(self.least(), patience)
        if run.listening and run.heard is not None:
            # Somebody is still speaking.
            return max(spoke + patience, min(spoke + 2 * patience, run.heard + _PAUSE))
        return max(spoke + patience, run.until)

    def hopeless(self, run: Run, now: float) -> bool:
        """Not worth waiting for when there is nothing more to send: who answered other probes is not that slow."""
        if self.alone or run.spoke is None or (run.keep and not self.lines.responsive) or self._only_greeted(run):
            return False
        # Where a softmatch names the service already, the rest of an answer may still tell the product.
        answered = run.total and soft_of(self.lines.runs) is None
        enough = self.waits.trailing(self.rtt) if answered else self.waits.least(self.rtt)
        return run.hard is None and run.silence(now) >= enough

    def _only_greeted(self, run: Run) -> bool:
        """Whether all that was heard on it is the banner again: the answer to the probe itself is still to come."""
        banner = next((other.received for other in self.lines.runs if other.listening), b"")
        return not run.listening and run.soft is not None and banner.startswith(run.received)

    def _slowest(self) -> float:
        """The longest time that an answer took."""
        spoken = (
            run for run in self.lines.runs if run.heard is not None and run.spoke is not None and not run.listening
        )
        return max(((run.heard or 0.0) - (run.spoke or 0.0) for run in spoken), default=0.0)

    def least(self) -> float:
        """Silence that may be enough: two seconds or so, longer when another probe's answer took its time."""
        return max(self.waits.least(self.rtt), 2 * self._slowest())

    def given_up_early(self) -> list[Run]:
        """Where a slow answer has shown that others may be as slow: silent probes that were not given that long."""
        slowest = self._slowest()
        if slowest < _SLOW:
            return []
        return [
            run for run in self.lines.runs
            if run.outcome == "silence" and run.spoke is not None and run.ended - run.spoke < 2 * slowest
            and not run.listening
        ]  # fmt: skip

    def heard_enough(self, best: Run, now: float) -> bool:
        """Whether no more of a recognised answer is to be expected."""
        if best.matched is None:
            return False
        return best.over or now - best.matched + MOMENT >= self.waits.tail(self.rtt)

    def grace(self, best: Run) -> float:
        """What is silent for twice as long as the answer to a later probe took is taken to stay silent."""
        took = best.matched - best.spoke if best.matched is not None and best.spoke is not None else 0.0
        return max(self.waits.grace(self.rtt), 2 * took)

    def moments(self) -> Iterator[float]:
        """When any of these waits of the probes that go on has passed."""
        rtt, waits, least = self.rtt, self.waits, self.least()
        best = best_of(self.lines.runs)
        for run in self.lines.pending:
            if run.matched is not None:
                yield run.matched + waits.tail(rtt)
            elif best is not None and run.begun is not None:
                yield run.since + self.grace(best)
            if run.spoke is None:
                if run.begun is not None:
                    yield run.begun + waits.connect(bool(run.tunnel))
                    yield run.begun + waits.grace(rtt)
                    yield run.begun + waits.single(rtt)
                continue
            for step in (waits.grace(rtt), waits.move_on(rtt), waits.trailing(rtt), waits.single(rtt), least):
                yield run.since + step
            yield self.deadline(run, run.spoke)
