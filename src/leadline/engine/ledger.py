"""Outstanding probes: a struct of arrays in send order, and per-item columns of what was sent when.

An *item* is one probe to one host: row ``host``, column ``column`` of the group's matrix, kept flat as
``host * width + column``. Times in item columns are microseconds modulo 2**32 (a round trip is at most seconds long,
so the difference is exact); times in the ledger are seconds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

# The try is carried in four bits of the keyed tag.
CODES = 16


class Phase:
    """Where an item stands. ``BENCHED``: silent at the retry limit, to be tried again only if the limit grows.
    ``HELD``: to be tried again at the pace at which its host answers (``pacing``).

    Plain numbers: they are compared with columns many times a turn, and an enum's members are slow to come by.
    """

    FRESH = 0
    OUTSTANDING = 1
    WAITING = 2
    BENCHED = 3
    DECIDED = 4
    HELD = 5


def microseconds(now: float) -> int:
    """A time of the clock as stored in item columns."""
    return int(now * 1e6) & 0xFFFFFFFF


class Items:
    """Columns over all items of the group; each flat, ``(hosts * width,)``.

    ``tries`` counts transmissions; ``answered_try`` is 1-based, 0 while nothing came.
    """

    def __init__(self, hosts: int, width: int) -> None:
        size = hosts * width
        self.phase: U8 = np.zeros(size, dtype=np.uint8)
        self.tries: U8 = np.zeros(size, dtype=np.uint8)
        self.answered_try: U8 = np.zeros(size, dtype=np.uint8)
        self._sent: NDArray[np.uint32] = np.zeros(size, dtype=np.uint32)
        self._sent_before: NDArray[np.uint32] = np.zeros(size, dtype=np.uint32)
        self._row_of: NDArray[np.int32] = np.zeros(0, dtype=np.int32)

    def first_rows(self, items: I64) -> I64:
        """Rows of ``items`` ``(N,)`` in which an item appears for the first time, ascending.

        As ``numpy.unique`` finds them, but without sorting: each item keeps the last row written to it.
        """
        if len(self._row_of) != len(self.phase):
            self._row_of = np.zeros(len(self.phase), dtype=np.int32)
        rows = np.arange(len(items), dtype=np.int32)
        self._row_of[items[::-1]] = rows[::-1]
        return np.flatnonzero(self._row_of[items] == rows)

    def mark_sent(self, items: I64, now: float) -> U8:
        """Book one transmission of each (distinct) item; returns the try codes ``(N,)`` that go into the tags."""
        again = self.tries[items]
        self._sent_before[items] = self._sent[items]
        self._sent[items] = microseconds(now)
        self.phase[items] = Phase.OUTSTANDING
        self.tries[items] = again + 1
        return again % CODES

    def round_trip(self, items: I64, codes: U8, times: F64) -> F64:
        """Seconds between the try named by ``codes`` and ``times``; NaN for tries whose send time is no longer kept."""
        stamp = (times * 1e6).astype(np.int64).astype(np.uint64) & np.uint64(0xFFFFFFFF)
        latest = codes == (self.tries[items] - 1) % CODES
        before = codes == (self.tries[items] - 2) % CODES
        sent = np.where(latest, self._sent[items], self._sent_before[items])
        difference = (stamp.astype(np.uint32) - sent).astype(np.int32)
        return np.where(latest | before, difference.astype(np.float64) / 1e6, np.nan)

    def sent_before(self, items: I64, codes: U8, times: F64) -> F64:
        """Clock seconds at which the try before the one named by ``codes`` was sent; minus infinity if not kept."""
        stamp = (times * 1e6).astype(np.int64).astype(np.uint64) & np.uint64(0xFFFFFFFF)
        age = (stamp.astype(np.uint32) - self._sent_before[items]).astype(np.float64) / 1e6
        return np.where(codes == (self.tries[items] - 1) % CODES, times - age, -np.inf)


class Ledger:
    """Probes in flight in send order; entries of probes that were answered meanwhile are swept out by ``expire``."""

    def __init__(self) -> None:
        self._items: I64 = np.empty(1024, dtype=np.int64)
        self._tries: U8 = np.empty(1024, dtype=np.uint8)
        self._sent: F64 = np.empty(1024, dtype=np.float64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, items: I64, tries: U8, now: float) -> None:
        """Book probes sent now."""
        end = self._count + len(items)
        if end > len(self._items):
            size = max(end, 2 * len(self._items))
            self._items = np.resize(self._items, size)
            self._tries = np.resize(self._tries, size)
            self._sent = np.resize(self._sent, size)
        self._items[self._count : end] = items
        self._tries[self._count : end] = tries
        self._sent[self._count : end] = now
        self._count = end

    def forget(self, items: I64) -> None:
        """Take out what is booked of these items (they are about to be sent again under the same try)."""
        stay = ~np.isin(self._items[: self._count], items)
        self._keep(self._items[: self._count][stay], self._tries[: self._count][stay], self._sent[: self._count][stay])

    def expire(self, columns: Items, width: int, patience: F64, now: float) -> tuple[I64, F64, float]:
        """Take out the entries whose time is up.

        ``patience``: seconds to wait for each host, ``(hosts,)``. Returns items, their send times, and when the next
        entry will be due (infinity: none is outstanding).
        """
        items = self._items[: self._count]
        sent = self._sent[: self._count]
        live = columns.phase[items] == Phase.OUTSTANDING
        live &= columns.tries[items] == self._tries[: self._count]
        if not live.all():
            items, sent = items[live], sent[live]
            self._keep(items, self._tries[: self._count][live], sent)
        due = sent + patience[items // width]
        late = due <= now
        if not late.any():
            return items[:0], sent[:0], float(due.min()) if len(due) else np.inf
        gone, gone_sent = items[late], sent[late]
        stay = ~late
        left = due[stay]
        self._keep(items[stay], self._tries[: self._count][stay], sent[stay])
        return gone, gone_sent, float(left.min()) if len(left) else np.inf

    def _keep(self, items: I64, tries: U8, sent: F64) -> None:
        count = len(items)
        self._items[:count] = items
        self._tries[:count] = tries
        self._sent[:count] = sent
        self._count = count
