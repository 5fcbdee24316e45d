"""What is sent next: the patient order, narrowed by a softmatch, with the likeliest probe brought forward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leadline.data.service_rules import ServiceProbe
from leadline.services.order import LISTED, LISTENING, PatientOrder, Place
from leadline.services.run import Run
from leadline.services.waiting import Waits

# Bytes with which TLS records begin: an alert or a handshake of version 3.x (RFC 8446 section 5.1).
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")
# The rarity of probes that any port may answer to.
_COMMON = 1
# Unanswered probes on their way at once, besides the connection that listens.
_FRESH = 2


def soft_of(runs: Sequence[Run]) -> Run | None:
    """The run whose softmatch counts: the first in the order."""
    return min((run for run in runs if run.soft is not None), key=lambda run: run.place, default=None)


def best_of(runs: Sequence[Run]) -> Run | None:
    """The run whose match counts, as far as is known."""
    return min((run for run in runs if run.hard is not None), key=lambda run: run.place, default=None)


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stand. ``rtt``: seconds; ``alone``: one connection at a time; ``common``: only common probes.

    ``least``: seconds of silence after which a connection may be given up for another probe.
    """

    runs: Sequence[Run]
    now: float
    rtt: float
    alone: bool
    common: bool = False
    least: float = 0.0

    @property
    def pending(self) -> list[Run]:
        """Those that others may have to wait for."""
        return [run for run in self.runs if not run.over and not run.aside]


class Agenda:
    """``likely``: the name of the probe to try first, empty when there is none. ``launched``: what was sent."""

    def __init__(self, order: PatientOrder, waits: Waits, likely: str = "") -> None:
        self.order, self.launched = order, set[Place]()
        self._waits, self._likely = waits, likely

    def following(self, runs: Sequence[Run], *, common: bool = False) -> tuple[Place, ServiceProbe] | None:
        """The next probe in the order that was not sent yet; ``common``: that lists the port or is common anywhere."""
        unsent = self._unsent(soft_of(runs))
        if common:
            unsent = (one for one in unsent if one[0][0] <= LISTED or one[1].rarity <= _COMMON)
        return next(unsent, None)

    def _unsent(self, soft: Run | None) -> Iterator[tuple[Place, ServiceProbe]]:
        for place, probe in self.order.probes():
            if place not in self.launched and (soft is None or place < soft.place):
                yield place, probe
        if soft is not None and soft.soft is not None:
            for place, probe in self.order.probes(soft.soft.service, soft.place):
                if place not in self.launched:
                    yield place, probe

    def choose(self, at: Moment, before: Place | None) -> tuple[Place, ServiceProbe] | None:
        """What may be sent now, if anything; with ``before`` only what comes before that place, and then at once."""
        following = self.following(at.runs, common=at.common)
        pending = at.pending
        if following is None or not pending:
            return following
        if at.alone:
            return None
        listener = next((run for run in pending if run.listening), None)
        if listener is not None and listener.spoke is None:
            return None
        fresh = [run for run in pending if not run.listening and not run.stale(at.now, self._waits, at.rtt)]
        if before is not None:
            return following if following[0] < before and len(fresh) < self._waits.streams else None
        if listener is None or listener.stale(at.now, self._waits, at.rtt):
            return following if len(fresh) < _FRESH else None
        return None if fresh else self._likeliest(following, at.runs)

    def _likeliest(
        self, following: tuple[Place, ServiceProbe], runs: Sequence[Run]
    ) -> tuple[Place, ServiceProbe] | None:
        """What is worth sending while the banner is still waited for."""
        hinted = self.order.of_name(self._likely) if self._likely else None
        if hinted is None and any(run.received.startswith(_TLS_RECORDS) for run in runs):
            hinted = self.order.speaking_for("ssl")
        if hinted is not None and hinted[0] not in self.launched:
            return hinted
        return following if self._is_first_listed(following[0]) else None

    def is_likeliest(self, place: Place) -> bool:
        """The banner, and the first probe that lists the port, are given all the time that the file grants them."""
        return place == LISTENING or self._is_first_listed(place)

    def _is_first_listed(self, place: Place) -> bool:
        return place[0] == LISTED and not any(other[0] == LISTED for other in self.launched)

    def victim(self, at: Moment) -> Run | None:
        """The silent connection that may be given up for another probe."""
        least = max(at.least, self._waits.least(at.rtt))
        old = [run for run in at.pending if not run.keep and run.spoke is not None and run.silence(at.now) >= least]
        return max(old, key=lambda run: run.silence(at.now), default=None)
