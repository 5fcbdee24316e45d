"""What answered in a chunk of a sweep: columns that grow with the answers, and how they become hosts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from leadline.engine.timing import GREATEST_RTTVAR, LEAST_RTTVAR
from leadline.model.address import U64, Address, address_of
from leadline.model.host import HostStatus
from leadline.model.plan import TimingPlan
from leadline.model.port import PortState, Protocol, Reason
from leadline.model.quick_dataclass import dataclass
from leadline.model.swept import HostsSwept
from leadline.ports.classify import flag_words, icmp_words
from leadline.ports.result import ServiceNames

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
F64 = NDArray[np.float64]

# Marks of items: a port state in the lower bits (0: silent), and these.
STATE, FINAL = 0x0F, 0x80
"""``FINAL``: decided for good."""
RESET_LATER = 0x40
"""It answered open, and the second look was answered by a RST."""
LEFT_OUT, NOT_ROUTED, OTHER_WAY = 0x90, 0xA0, 0xB0
"""Items of hosts that are not scanned here."""

# Hosts told in one event.
HOSTS_AT_ONCE = 8192
_ERROR = 0x8000

_COLUMNS: dict[str, type[np.generic]] = {
    "items": np.uint32,
    "reasons": np.uint8,
    "ttls": np.uint8,
    "answers": np.uint16,
    "tries": np.uint8,
    "trips": np.float32,
    "times": np.float32,
}


class Answers:
    """One row for each answer that was believed, in their order; a later one to the same item replaces the earlier."""

    def __init__(self) -> None:
        self.count = 0
        self._columns = {name: np.zeros(1024, kind) for name, kind in _COLUMNS.items()}
        self._responders: list[tuple[I64, U64, U64]] = []

    def add(self, **values: NDArray[np.generic]) -> None:
        """``items``, ``reasons``, ``ttls``, ``answers`` (see ``result.tcp_answer``), ``tries``, ``trips`` and
        ``times`` (seconds since the scan began), ``(N,)`` each.
        """
        end = self.count + len(values["items"])
        if end > len(self._columns["items"]):
            size = max(end, 2 * len(self._columns["items"]))
            for name, column in self._columns.items():
                grown = np.zeros(size, column.dtype)
                grown[: self.count] = column[: self.count]
                self._columns[name] = grown
        for name, value in values.items():
            self._columns[name][self.count : end] = value
        self.count = end

    def responders(self, items: I64, hi: U64, lo: U64) -> None:
        """Somebody else than the target sent the answers to these items."""
        if len(items):
            self._responders.append((items, hi, lo))

    def latest(self, items: int) -> NDArray[np.int32]:
        """The row of the last answer to each of so many items, -1 where there is none; int32."""
        rows = np.full(items, -1, np.int32)
        rows[self._columns["items"][: self.count]] = np.arange(self.count, dtype=np.int32)
        return rows

    def column(self, name: str, rows: NDArray[np.int32]) -> NDArray[np.generic]:
        """A column's values in these rows (any shape); row -1 gives any value."""
        values: NDArray[np.generic] = self._columns[name][rows]
        return values

    def responders_of(self, items: I64, ports: int, family: int) -> dict[tuple[int, int], Address]:
        """Foreign responders for hosts whose first items are ``items`` (ascending): by row and column."""
        found: dict[tuple[int, int], Address] = {}
        for several, hi, lo in self._responders:
            place = np.searchsorted(items, several, side="right") - 1
            inside = np.flatnonzero((place >= 0) & (several < items[np.maximum(place, 0)] + ports))
            for one in inside.tolist():
                row = int(place[one])
                found[row, int(several[one] - items[row])] = address_of(family, int(hi[one]), int(lo[one]))
        return found


@dataclass(frozen=True, slots=True)
class Telling:
    """What all hosts of a sweep have in common. ``pings``: hosts are up by their answers only (no ``-Pn``).

    ``ignore_reset``: a RST does not make a host up.
    """

    numbers: I64
    names: ServiceNames
    probe: str
    timing: TimingPlan
    pings: bool
    ignore_reset: bool = False


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """A chunk that is over. ``marks``: uint8, of its items; ``passes``: times each silent item was asked.

    ``rows``: hosts with an answer, by their place in the chunk, in the order of their addresses ``hi``/``lo``.
    """

    family: int
    marks: U8
    answers: Answers
    rows: I64
    hi: U64
    lo: U64
    passes: int
    at: float
    started: float
    ended: float
    interrupted: str = ""

    def events(self, telling: Telling) -> Iterator[HostsSwept]:
        """All hosts that answered, some thousand at a time."""
        latest = self.answers.latest(len(self.marks))
        for start in range(0, len(self.rows), HOSTS_AT_ONCE):
            yield self._event(slice(start, start + HOSTS_AT_ONCE), latest, telling)

    def _event(self, part: slice, latest: NDArray[np.int32], telling: Telling) -> HostsSwept:
        ports = len(telling.numbers)
        rows = self.rows[part]
        items = rows[:, None] * ports + np.arange(ports)
        marks = self.marks[items]
        states = marks & np.uint8(STATE)
        silent = states == 0
        answer = latest[items]
        answered = answer >= 0
        if not self.interrupted:
            states = np.where(silent, np.uint8(PortState.FILTERED), states)
        reasons = np.where(answered, self.answers.column("reasons", answer), Reason.NO_RESPONSE).astype(np.uint8)
        lost, reset = _second_looks(marks)
        reasons[lost], reasons[reset] = Reason.NO_RESPONSE, Reason.RESET
        values = np.where(answered, self.answers.column("answers", answer), 0).astype(np.uint16)
        replies, words = _reply_words(values, reasons, self.family)
        rules, rule_words = _rule_words(telling.probe, replies, words, states, marks)
        trips = np.where(answered, self.answers.column("trips", answer), np.nan).astype(np.float64)
        tries = np.where(answered, self.answers.column("tries", answer), self.passes).astype(np.uint8)
        with np.errstate(invalid="ignore"):
            rtt = np.nanmin(np.where(np.isnan(trips), np.inf, trips), axis=1)
        rtt[np.isinf(rtt)] = np.nan
        rttvar = np.clip(rtt, LEAST_RTTVAR, GREATEST_RTTVAR)
        timing = telling.timing
        status, host_reasons, by_answer = _host_columns(states, reasons, answered, telling)
        ttls = np.where(answered, self.answers.column("ttls", answer), 0).astype(np.uint8)
        first = np.argmax(answered, axis=1)
        host_ttls = np.where(by_answer, ttls[np.arange(len(rows)), first], 0).astype(np.uint8)
        by_item = np.argsort(rows)
        placed = self.answers.responders_of(rows[by_item] * ports, ports, self.family)
        return HostsSwept(
            at=self.at, family=self.family, hi=self.hi[part], lo=self.lo[part],
            status=status, reasons=host_reasons, ttls=host_ttls,
            rtt=rtt, rttvar=rttvar,
            timeout=np.clip(rtt + 4 * rttvar, timing.min_rtt_timeout, timing.max_rtt_timeout),
            probe=telling.probe, protocol=Protocol.TCP,
            numbers=tuple(telling.numbers.tolist()),
            services=tuple(telling.names(number, Protocol.TCP) for number in telling.numbers.tolist()),
            states=states, port_reasons=reasons, port_ttls=ttls, tries=tries,
            answered_try=np.where(answered, tries, 0).astype(np.uint8),
            replies=replies, words=words, rules=rules, rule_words=rule_words,
            trips=trips,
            times=np.where(answered, self.answers.column("times", answer), self.at).astype(np.float64),
            started=self.started, ended=self.ended, interrupted=self.interrupted,
            responders={(int(by_item[row]), column): who for (row, column), who in placed.items()},
        )  # fmt: skip


def _second_looks(marks: U8) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which items answered open once and were silent, or answered by a RST, at the second look."""
    return marks == FINAL | PortState.FILTERED, marks == FINAL | PortState.CLOSED


def _host_columns(
    states: U8, reasons: U8, answered: NDArray[np.bool_], telling: Telling
) -> tuple[U8, U8, NDArray[np.bool_]]:
    """Status and reason of hosts, and where the TTL of the first answer belongs to it."""
    count = len(states)
    if not telling.pings:
        up = np.full(count, int(HostStatus.UP), np.uint8)
        return up, np.full(count, int(Reason.USER_SET), np.uint8), np.zeros(count, bool)
    alive = states == PortState.OPEN
    if not telling.ignore_reset:
        alive |= states == PortState.CLOSED
    is_up = alive.any(axis=1)
    first = np.where(is_up, np.argmax(alive, axis=1), np.argmax(answered, axis=1))
    status = np.where(is_up, np.uint8(HostStatus.UP), np.uint8(HostStatus.DOWN))
    return status, reasons[np.arange(count), first], np.ones(count, bool)


def _reply_words(values: U16, reasons: U8, family: int) -> tuple[U16, tuple[str, ...]]:
    """What came back in words, and which of them each item has; 0 is silence."""
    kinds = np.flatnonzero(np.bincount(values.reshape(-1), minlength=1))
    words = [""]
    place = np.zeros(1 << 16, np.uint16)
    for value in kinds.tolist():
        if value:
            place[value] = len(words)
            is_error = value & _ERROR
            words.append(icmp_words(family, value >> 8 & 0x7F, value & 0xFF) if is_error else flag_words(value & 0x1FF))
    return place[values], tuple(words)


def _rule_words(probe: str, replies: U16, words: tuple[str, ...], states: U8, marks: U8) -> tuple[U16, tuple[str, ...]]:
    """The rule that decided each item, in words."""
    lost, reset = _second_looks(marks)
    confirmed = marks == FINAL | PortState.OPEN
    look = np.where(confirmed, 1, np.where(lost, 2, np.where(reset, 3, 0))).astype(np.int64)
    keys = (replies.astype(np.int64) * 16 + states) * 4 + look
    told = np.flatnonzero(np.bincount(keys.reshape(-1)))
    place = np.zeros(int(told[-1]) + 1 if len(told) else 1, np.uint16)
    rules = []
    for number, key in enumerate(told.tolist()):
        place[key] = number
        state = PortState(key // 4 % 16)
        said = words[key // 64] or "no reply to any try"
        further = ("", " twice", ", but not again at a second look", ", but RST at a second look")[key % 4]
        rules.append(f"{probe}: {said}{further} -> {state.label}")
    return place[keys], tuple(rules)
