"""A prober's whole life against hosts that answer, lose and delay, with every book-keeping rule checked on the way."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from leadline.engine.ledger import Phase
from leadline.engine.prober import Prober
from leadline.engine.sends import PING, Sends
from leadline.model.plan import TimingPlan

I64 = NDArray[np.int64]
# When it comes, and the host, column and code of the probe that it answers.
Arrival: TypeAlias = tuple[float, int, int, int]

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

        def reply(now: float, host: int, column: int, code: int) -> list[Arrival]:
            self.sent.append((now, host, column))
            if not (column == PING or self.answers[host, column]) or random.random() < self.loss:
                return []
            at = now + self.round_trip + self.jitter * random.random()
            again = [(at + 0.001, host, column, code)] if random.random() < self.twice else []
            return [(at, host, column, code), *again]

        def deliver(due: Sequence[Arrival], now: float) -> None:
            self._deliver(prober, due, now, random)

        look = partial(check_books, prober)
        self.now, self.takes = live(prober, now, reply, deliver, look=look, room=room, most_takes=most_takes)

    def _deliver(self, prober: Prober, due: Sequence[Arrival], now: float, random: np.random.Generator) -> None:
        hosts, columns, codes, times = columns_of(due)
        ping = columns == PING
        prober.ping_answered(hosts[ping], codes[ping], times[ping], now)
        item = ~ping
        weak = random.random(int(item.sum())) < self.weak
        new = prober.answer(hosts[item], columns[item], codes[item], times[item], weak, now)
        self.answered.update(zip(hosts[item][new].tolist(), columns[item][new].tolist(), strict=True))
        strong = np.unique(hosts[item][~weak])
        prober.pings.teach(strong, np.full(len(strong), 30, dtype=np.int16))


def live(
    prober: Prober,
    now: float,
    reply: Callable[[float, int, int, int], Iterable[Arrival]],
    deliver: Callable[[Sequence[Arrival], float], None],
    *,
    look: Callable[[], None] = lambda: None,
    until: float = np.inf,
    room: int = 4096,
    most_takes: int = 1 << 30,
) -> tuple[float, int]:
    """A prober's life until it is done or the time comes; when that was, and how many turns it took.

    ``reply(now, host, column, code)``: what comes back of one probe; ``deliver(due, now)``: what has come; ``look`` is
    called after every change. Fails when there are more turns than ``most_takes``, or no time passes.
    """
    arrivals: list[Arrival] = []
    still = takes = 0
    while not prober.done and now < until:
        takes += 1
        assert takes <= most_takes, "the prober does not come to an end"
        due = []
        while arrivals and arrivals[0][0] <= now:
            due.append(heapq.heappop(arrivals))
        if due:
            deliver(due, now)
            look()
        sends = prober.take(now, room)
        look()
        if sends is not None:
            still = 0
            assert 0 < len(sends.hosts) <= room
            columns = (sends.hosts.tolist(), sends.columns.tolist(), sends.codes.tolist())
            for host, column, code in zip(*columns, strict=True):
                for arrival in reply(now, host, column, code):
                    heapq.heappush(arrivals, arrival)
            continue
        if prober.done:
            break
        following = min(prober.next_timer(now) or np.inf, arrivals[0][0] if arrivals else np.inf)
        still = still + 1 if following <= now else 0
        assert still < 3, "nothing to send, and no time passes"
        now = max(now, following)
    look()
    return now, takes


def columns_of(arrivals: Sequence[Arrival]) -> tuple[I64, I64, NDArray[np.uint8], NDArray[np.float64]]:
    """Hosts, columns, codes and times."""
    hosts, columns, codes = np.array([one[1:] for one in arrivals], dtype=np.int64).T
    return hosts, columns, codes.astype(np.uint8), np.array([one[0] for one in arrivals])


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
