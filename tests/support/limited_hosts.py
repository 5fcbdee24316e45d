"""A prober's whole life against hosts that give a bounded number of answers a second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leadline.engine.pacing import Suspicion
from leadline.engine.prober import Prober
from leadline.engine.sends import PING
from leadline.model.plan import TimingPlan
from tests.support.probing import T0, Arrival, columns_of, live

SILENT, OPEN, CLOSED = 0, 1, 2


@dataclass(slots=True)
class Bucket:
    """``rate`` answers a second, ``burst`` saved up; ``change`` makes the rate another one as time goes."""

    rate: float
    burst: float
    change: Callable[[float], float] = lambda at: 1.0
    tokens: float = -1.0
    last: float = 0.0

    def admit(self, at: float) -> bool:
        """Whether there is a token at this time (never earlier than at the call before)."""
        if self.tokens < 0:
            self.tokens, self.last = self.burst, at
        self.tokens = min(self.burst, self.tokens + (at - self.last) * self.rate * self.change(at - T0))
        self.last = at
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class LimitedHosts:
    """``kinds``: SILENT, OPEN or CLOSED for each port, ``(hosts, width)``. Answers of closed ports need a token;
    ``loss``: share of round trips that get lost.
    """

    kinds: NDArray[np.int64]
    buckets: list[Bucket | None]
    loss: float = 0.0
    round_trip: float = 0.01
    seed: int = 1
    sent: list[tuple[float, int, int]] = field(default_factory=list)
    told: dict[tuple[int, int], float] = field(default_factory=dict)

    def prober(self, suspicion: Suspicion | None = Suspicion.SILENCE, plan: TimingPlan | None = None) -> Prober:
        """One for these hosts."""
        hosts, width = self.kinds.shape
        return Prober(
            hosts, width, np.arange(width), plan or TimingPlan(), T0, datagrams=True, suspicion=suspicion
        )  # fmt: skip

    def run(self, prober: Prober, most_seconds: float = 10_000.0) -> float:
        """Until it is done; returns how long it took. Fails when it spins."""
        random = np.random.default_rng(self.seed)

        def reply(now: float, host: int, column: int, code: int) -> list[Arrival]:
            if column == PING:
                return []
            self.sent.append((now - T0, host, column))
            return [(now + self.round_trip, host, column, code)] if self._answers(host, column, now, random) else []

        def deliver(due: Sequence[Arrival], now: float) -> None:
            hosts, columns, codes, times = columns_of(due)
            closed = self.kinds[hosts, columns] == CLOSED
            prober.answer(hosts, columns, codes, times, closed, now, closed)
            for at, host, column, _ in due:
                self.told.setdefault((host, column), at - T0)

        return live(prober, T0, reply, deliver, until=T0 + most_seconds)[0] - T0

    def _answers(self, host: int, column: int, now: float, random: np.random.Generator) -> bool:
        kind, bucket = self.kinds[host, column], self.buckets[host]
        if kind == SILENT or random.random() < self.loss:
            return False
        return kind == OPEN or bucket is None or bucket.admit(now)

    def missed(self) -> list[tuple[int, int]]:
        """Ports that could have answered and were never heard of."""
        rows, columns = np.nonzero(self.kinds != SILENT)
        return [pair for pair in zip(rows.tolist(), columns.tolist(), strict=True) if pair not in self.told]


def ports(width: int, *, closed: float = 1.0, opened: int = 0, seed: int = 3) -> NDArray[np.int64]:
    """Kinds of one host's ports: ``opened`` open ones, a share of ``closed`` ones, the rest silent."""
    random = np.random.default_rng(seed)
    kinds = np.where(random.random(width) < closed, CLOSED, SILENT)
    kinds[random.choice(width, opened, replace=False)] = OPEN
    return kinds.reshape(1, width).astype(np.int64)
