"""A prober's whole life against hosts that answer, lose and delay, with every book-keeping rule checked on the way."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leadline.engine.ledger import Phase
from leadline.engine.prober import Prober
from leadline.engine.sends import PING, Sends
from leadline.model.plan import TimingPlan

T0 = 1000.0


@dataclass(slots=True)
class FakeHosts:
    """``answers``: bool ``(hosts, width)``, which probes are answered when nothing is lost; timing pings always are.

    ``loss``: share of round trips lost; ``round_trip``: seconds; ``weak``: share of the answers that only mean
    "filtered"; ``twice``: share that arrive a second time.
    """

    answers: NDArray[np.bool_]
    loss: float = 0.0
    round_trip: float = 0.02
    jitter: float = 0.0
    weak: float = 0.0
    twice: float = 0.0
    seed: int = 1
    sent: list[tuple[float, int, int]] = field(default_factory=list)
    answered: set[tuple[int, int]] = field(default_factory=set)
    takes: int = 0
    now: float = 0.0

    def run(self, prober: Prober, now: float, *, room: int = 4096, most_takes: int = 20_000) -> None:
        """Until the prober is done; fails when it needs more turns than ``most_takes``, or wants to spin."""
        random = np.random.default_rng(self.seed)
        arrivals: list[tuple[float, int, int, int]] = []
        still = 0
        while not prober.done:
            self.takes += 1
            assert self.takes <= most_takes, "the prober does not come to an end"
            self._deliver(prober, arrivals, now, random)
            sends = prober.take(now, room)
            check_books(prober)
            if sends is not None:
                still = 0
                assert 0 < len(sends.hosts) <= room
                for host, column, code in zip(sends.hosts, sends.columns, sends.codes, strict=True):
                    self.sent.append((now, int(host), int(column)))
                    if (column == PING or self.answers[host, column]) and random.random() >= self.loss:
                        at = now + self.round_trip + self.jitter * random.random()
                        heapq.heappush(arrivals, (at, int(host), int(column), int(code)))
                        if random.random() < self.twice:
                            heapq.heappush(arrivals, (at + 0.001, int(host), int(column), int(code)))
                continue
            if prober.done:
                break
            following = min(prober.next_timer(now) or np.inf, arrivals[0][0] if arrivals else np.inf)
            still = still + 1 if following <= now else 0
            assert still < 3, "nothing to send, and no time passes"
            now = max(now, following)
        check_books(prober)
        self.now = now

    def _deliver(
        self, prober: Prober, arrivals: list[tuple[float, int, int, int]], now: float, random: np.random.Generator
    ) -> None:
        due = []
        while arrivals and arrivals[0][0] <= now:
            due.append(heapq.heappop(arrivals))
        if not due:
            return
        times = np.array([one[0] for one in due])
        hosts, columns, codes = np.array([one[1:] for one in due], dtype=np.int64).T
        codes = codes.astype(np.uint8)
        ping = columns == PING
        prober.ping_answered(hosts[ping], codes[ping], times[ping], now)
        item = ~ping
        weak = random.random(int(item.sum())) < self.weak
        new = prober.answer(hosts[item], columns[item], codes[item], times[item], weak, now)
        self.answered.update(zip(hosts[item][new].tolist(), columns[item][new].tolist(), strict=True))
        strong = np.unique(hosts[item][~weak])
        prober.pings.teach(strong, np.full(len(strong), 30, dtype=np.int16))
        check_books(prober)


def check_books(prober: Prober) -> None:
    """The counters of a prober agree with its items, and no window is overrun by probes that were not owed."""
    phases = prober.items.phase.reshape(prober.hosts, prober.width)
    on_way = prober.pings._pending.sum(axis=1)
    assert np.array_equal(prober.pings._on_way, on_way)
    assert np.array_equal(prober.retries.waiting, (phases == Phase.WAITING).sum(axis=1))
    assert np.array_equal(prober.retries.benched, (phases == Phase.BENCHED).sum(axis=1))
    assert np.array_equal(prober.in_flight[:-1], (phases == Phase.OUTSTANDING).sum(axis=1) + on_way)
    assert prober.in_flight[-1] == prober.in_flight[:-1].sum()
    assert prober.in_flight.min() >= 0
    assert 0.0 <= prober.progress() <= 1.0
    assert (prober.retries.limit <= prober.retries.most).all()
    assert (prober.items.tries <= prober.retries.most + 1).all()


def prober_of(hosts: int, width: int, plan: TimingPlan | None = None, **options: object) -> Prober:
    """A prober that sends the columns in their order, beginning at ``T0``."""
    return Prober(hosts, width, np.arange(width), plan or TimingPlan(), T0, **options)  # type: ignore[arg-type]


def answer(prober: Prober, sends: Sends, which: list[int], at: float, *, weak: bool = False) -> NDArray[np.bool_]:
    """Answers to some of what was sent, all at once; which of them are new."""
    rows = np.array(which, dtype=np.int64)
    times, weakness = np.full(len(rows), at), np.full(len(rows), weak)
    return prober.answer(sends.hosts[rows], sends.columns[rows], sends.codes[rows], times, weakness, at)


def take(prober: Prober, now: float, room: int = 4096) -> Sends:
    """What is sent now: something is."""
    sends = prober.take(now, room)
    assert sends is not None
    return sends
