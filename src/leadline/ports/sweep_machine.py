"""One chunk of a sweep, sans-IO: SYNs in the order of a walk, passes over the silent, a second look at the open.

Kept are a byte for each item (host and port) of the chunk and a row for each answer. An answer is checked by its tag,
and the walk's inverse tells which item it belongs to. Nothing is retried that answered; what is silent gets a second
try at least, and as many as measured loss asks for. What answers open is asked once more by probes that are kept and
waited for (``SecondLook``), so that an open port is one that opened twice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.identity import PING_SLOT
from leadline.engine.sweep_codec import SweepCodec, SweepReplies
from leadline.engine.sweep_lanes import NO_ROUTE, LaneTable
from leadline.engine.sweep_path import MOST_PASSES, SweepPath
from leadline.engine.sweep_second_look import FIRST_SLOT, SecondLook
from leadline.engine.sweep_walk import HostWalk, Rounds, SendTimes
from leadline.model.address import U64
from leadline.model.port import PortState
from leadline.ports.classify import Verdicts, classify
from leadline.ports.result import icmp_answer, tcp_answer
from leadline.ports.sweep_answers import (
    FINAL,
    LEFT_OUT,
    NOT_ROUTED,
    OTHER_WAY,
    RESET_LATER,
    STATE,
    Answers,
    ChunkResult,
)
from leadline.ports.techniques import SYN_SCAN
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import Decoded, decode
from leadline.wire.distinct import first_of_run

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

# Positions looked at in one go when only the silent ones of them are asked again.
LOOK = 1 << 16
# Of several answers to one item in one batch the most telling is believed.
_RANK = np.zeros(16, np.uint8)
_RANK[[PortState.OPEN, PortState.CLOSED, PortState.FILTERED]] = 3, 2, 1


class SweepMachine:
    """``hosts`` of a walk from index ``first`` on, each with the ports ``numbers`` (ascending). ``lanes``: the way out
    of each address; ``retries``: passes after the first, at most; ``epoch``: clock seconds at which the scan began.
    """

    def __init__(
        self, walk: HostWalk, first: int, hosts: int, numbers: I64, codec: SweepCodec, lanes: LaneTable,
        path: SweepPath, retries: int, epoch: float,
    ) -> None:  # fmt: skip
        self._walk, self._first, self._numbers = walk, first, numbers
        self._codec, self._lanes, self._path = codec, lanes, path
        self._retries, self._epoch = min(retries, MOST_PASSES - 1), epoch
        path.begin_chunk()
        self._column_of = np.full(65_536, -1, np.int64)
        self._column_of[numbers] = np.arange(len(numbers))
        self._rounds = Rounds(hosts, len(numbers))
        self.marks: U8 = np.zeros(self._rounds.size, np.uint8)
        self.silent = self._rounds.size
        self._answers = Answers()
        self._second = SecondLook()
        self._passes = [SendTimes()]
        self._position = 0
        self._last_sent = -np.inf
        self._skips = False
        self.done = False

    # ---- sending ------------------------------------------------------------------------------------------------

    def poll(self, now: float, room: int) -> list[tuple[int, FrameBatch]]:
        """Frames to send now with their lanes, at most ``room`` altogether."""
        path = self._path
        path.step(now, len(self._passes) - 1)
        room = path.pace.room(now, room)
        self._give_up(now)
        parts = [self._second_probes(room, now)]
        parts.append(self._walk_probes(room - len(parts[0][1]), now))
        asked = len(parts[0][1]) + len(parts[1][1])
        if not asked:
            self._end(now)
            return []
        hi, lo, ports, slot = path.proofs.take(asked, now, path.pace.doubles)
        parts.append((hi, lo, ports, np.full(len(lo), slot, np.int64)))
        path.pace.sent(asked + len(lo))
        self._last_sent = now
        return self._frames([part for part in parts if len(part[1])])

    def _second_probes(self, room: int, now: float) -> tuple[U64, U64, I64, I64]:
        items, slot = self._second.take(room, now)
        host, column = np.divmod(items, self._rounds.ports)
        hi, lo, _ = self._walk.addresses((host + self._first).astype(np.uint64))
        return hi, lo, self._numbers[column], np.full(len(items), slot, np.int64)

    def _walk_probes(self, room: int, now: float) -> tuple[U64, U64, I64, I64]:
        items = self._next_items(room, now)
        host, column = np.divmod(items, self._rounds.ports)
        hi, lo, keep = self._walk.addresses((host + self._first).astype(np.uint64))
        if len(self._passes) == 1:
            wanted = self._wanted(host, hi, lo, keep)
            if not wanted.all():
                hi, lo, column = hi[wanted], lo[wanted], column[wanted]
        return hi, lo, self._numbers[column], np.full(len(lo), (len(self._passes) - 1) % FIRST_SLOT, np.int64)

    def _wanted(self, hosts: I64, hi: U64, lo: U64, keep: Bool) -> Bool:
        """Which hosts are scanned here; the others are marked at their first visit."""
        only = self._lanes.only
        if keep.all() and only is not None and only >= 0:
            return keep
        lanes = self._lanes.of(hi, lo)
        wanted = keep & (lanes >= 0)
        others = np.flatnonzero(~wanted)
        if len(others):
            table = self.marks.reshape(self._rounds.hosts, self._rounds.ports)
            mark = np.where(~keep, LEFT_OUT, np.where(lanes == NO_ROUTE, NOT_ROUTED, OTHER_WAY))[others]
            table[hosts[others]] = mark.astype(np.uint8)[:, None]
            self.silent -= len(others) * self._rounds.ports
            self._skips = True
        return wanted

    def _next_items(self, room: int, now: float) -> I64:
        size = self._rounds.size
        while room > 0 and self.silent:
            if self._position == size and not self._begin_pass():
                break
            end = size
            if len(self._passes) > 1:
                end = self._passes[-2].ripe(self._path.timeout, now, size)
            if self._position >= end:
                break
            # The first visit of all hosts must not run into their second one: who is left out is not known before.
            first_round = len(self._passes) == 1 and self._position < self._rounds.hosts
            if len(self._passes) == 1 and (first_round or not self._skips):
                last = min(self._position + room, self._rounds.hosts if first_round else end)
                items = self._rounds.items(self._position, last)
            else:
                last = min(self._position + LOOK, end)
                items = self._rounds.items(self._position, last)
                silent = np.flatnonzero(self.marks[items] == 0)
                if len(silent) > room:
                    last = self._position + int(silent[room])
                    silent = silent[:room]
                items = items[silent]
            start, self._position = self._position, last
            if len(items):
                self._passes[-1].book(start, now)
                return items
        return np.zeros(0, np.int64)

    def _begin_pass(self) -> bool:
        if not self._wants_more:
            return False
        self._passes.append(SendTimes())
        self._position = 0
        return True

    def _frames(self, parts: list[tuple[U64, U64, I64, I64]]) -> list[tuple[int, FrameBatch]]:
        if not parts:
            return []
        hi, lo, ports, slots = (
            parts[0] if len(parts) == 1 else tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))
        )
        only = self._lanes.only
        if only is not None:
            return [(only, self._codec.build(only, hi, lo, ports, slots))]
        lanes = self._lanes.of(hi, lo)
        batches = []
        for lane in np.flatnonzero(np.bincount(lanes)).tolist():
            rows = np.flatnonzero(lanes == lane)
            batches.append((lane, self._codec.build(lane, hi[rows], lo[rows], ports[rows], slots[rows])))
        return batches

    def _give_up(self, now: float) -> None:
        """What opened once and never again is not open."""
        path = self._path
        items = self._second.due(path.timeout, path.second_tries(), self.marks, FINAL, now)
        if len(items):
            reset = (self.marks[items] & RESET_LATER) != 0
            closed, filtered = FINAL | PortState.CLOSED, FINAL | PortState.FILTERED
            self.marks[items] = np.where(reset, closed, filtered).astype(np.uint8)

    def _end(self, now: float) -> None:
        if not self._second.settle(self.marks, FINAL):
            return
        if not self.silent:
            self.done = True
        elif self._position == self._rounds.size and now >= self._last_sent + self._path.timeout:
            # What came in meanwhile may have told of loss.
            self.done = not self._wants_more

    @property
    def _wants_more(self) -> bool:
        """Whether what is silent is asked once more: a second time always, then as measured loss demands."""
        passes = len(self._passes)
        return passes <= self._retries and (passes < 2 or not self._path.is_enough(passes))

    def next_timer(self, now: float) -> float:
        """When ``poll`` wants to be called again at the latest."""
        path, times = self._path, []
        second = self._second.next_time(path.timeout)
        if second is not None:
            times.append(second)
        if self.silent and self._position == self._rounds.size:
            times.append(now if self._wants_more else self._last_sent + path.timeout)
        elif self.silent:
            ripe = self._passes[-2].next_ripe(path.timeout, now) if len(self._passes) > 1 else None
            times.append(now if ripe is None else ripe)
        return max(min(times, default=now), path.pace.next_time(now))

    @property
    def share(self) -> float:
        """How much of the work is done, 0 to 1."""
        if self.done:
            return 1.0
        gone = len(self._passes) - 1 + self._position / self._rounds.size
        return min(0.99, gone / max(min(2, 1 + self._retries), len(self._passes)))

    # ---- receiving ----------------------------------------------------------------------------------------------

    def receive(self, frames: FrameBatch, now: float) -> None:
        """Captured frames; whatever does not carry a tag of ours is dropped."""
        decoded = decode(frames)
        found = self._codec.match(decoded)
        replies = found.replies
        if not len(replies):
            return
        repeats = (replies.slots >= PING_SLOT) & ~replies.error
        if repeats.any():
            self._path.proofs.answered(
                replies.slots[repeats], found.hi[repeats], found.lo[repeats], replies.ports[repeats]
            )
        index = self._walk.find(found.hi, found.lo)
        host, column = index - self._first, self._column_of[replies.ports]
        ours = (index >= 0) & (host >= 0) & (host < self._rounds.hosts) & (column >= 0) & (replies.slots < PING_SLOT)
        verdicts = classify(SYN_SCAN, decoded, replies)
        ours &= verdicts.states != PortState.UNKNOWN
        items = host * self._rounds.ports + column
        looks = replies.slots >= FIRST_SLOT
        second = np.flatnonzero(ours & looks & ~replies.error)
        first = np.flatnonzero(ours & ~looks)
        if len(first):
            self._take(decoded, found, first, items[first], verdicts)
        if len(second):
            self._look_again(items[second], verdicts.states[second])

    def _look_again(self, items: I64, states: U8) -> None:
        pending = (self.marks[items] & (FINAL | STATE)) == PortState.OPEN
        items, states = items[pending], states[pending]
        self.marks[items[states == PortState.CLOSED]] |= np.uint8(RESET_LATER)
        self.marks[items[states == PortState.OPEN]] = FINAL | PortState.OPEN

    def _take(self, frames: Decoded, found: SweepReplies, rows: I64, items: I64, verdicts: Verdicts) -> None:
        states = verdicts.states[rows]
        before = self.marks[items] & np.uint8(STATE)
        better = (_RANK[states] > _RANK[before]) & ((self.marks[items] & FINAL) == 0)
        if not better.all():
            rows, items, states = rows[better], items[better], states[better]
            if not len(rows):
                return
        # Repeats in one batch: the most telling answer, of equal ones the first.
        order = np.argsort(items * 4 + (3 - _RANK[states].astype(np.int64)), kind="stable")
        kept = order[first_of_run(items[order])]
        fresh = before[better][kept] == 0
        rows, items, states = rows[kept], items[kept], states[kept]
        self.marks[items] = states
        self.silent -= int(np.count_nonzero(fresh))
        self._book(frames, found, rows, items, verdicts.reasons[rows], fresh)
        self._second.add(items[states == PortState.OPEN])

    def _book(self, frames: Decoded, found: SweepReplies, rows: I64, items: I64, reasons: U8, fresh: Bool) -> None:
        replies, path = found.replies, self._path
        places, slots, error = replies.rows[rows], replies.slots[rows], replies.error[rows]
        times = frames.times[places]
        positions = self._rounds.positions(items)
        sent = np.full(len(rows), np.nan)
        passes = np.zeros(len(rows), np.int64)
        for number, one in enumerate(self._passes):
            mine = slots == number % FIRST_SLOT
            if mine.any():
                passes[mine], sent[mine] = number, one.at(positions[mine])
        trips = np.maximum(times - sent, 1e-6)
        answers = np.where(error, icmp_answer(frames.icmp_type[places], frames.icmp_code[places]),
                           tcp_answer(frames.tcp_flags[places], None))  # fmt: skip
        self._answers.add(
            items=items, reasons=reasons, ttls=frames.ttl[places], answers=answers.astype(np.uint16),
            tries=(passes + 1).astype(np.uint8), trips=trips, times=times - self._epoch,
        )  # fmt: skip
        foreign = np.flatnonzero(~replies.from_target[rows])
        self._answers.responders(items[foreign], frames.source_hi[places[foreign]], frames.source_lo[places[foreign]])
        direct = np.flatnonzero(~error)
        path.trips.take(trips[direct])
        path.answered(passes[fresh])
        path.proofs.teach(found.hi[rows][direct], found.lo[rows][direct], replies.ports[rows][direct])

    # ---- results ------------------------------------------------------------------------------------------------

    def result(self, at: float, started: float, ended: float, interrupted: str, silent: bool = False) -> ChunkResult:
        """All that is known now; with ``silent`` hosts that nothing was heard of, too."""
        table = self.marks.reshape(self._rounds.hosts, self._rounds.ports)
        told = (table & np.uint8(STATE)).any(axis=1)
        rows = np.flatnonzero(told | ~table.any(axis=1) if silent else told)
        hi, lo = self._addresses(rows)
        order = np.lexsort((lo, hi)) if hi.any() else np.argsort(lo)
        return ChunkResult(
            self._walk.family, self.marks, self._answers, rows[order], hi[order], lo[order], len(self._passes),
            at, started, ended, interrupted,
        )  # fmt: skip

    def counts(self) -> tuple[int, int, int]:
        """Hosts without any answer, hosts that cannot be reached, hosts that are scanned another way."""
        table = self.marks.reshape(self._rounds.hosts, self._rounds.ports)
        first = table[:, 0]
        silent = int(np.count_nonzero(~table.any(axis=1)))
        return silent, int(np.count_nonzero(first == NOT_ROUTED)), int(np.count_nonzero(first == OTHER_WAY))

    def _addresses(self, rows: I64) -> tuple[U64, U64]:
        parts = [
            self._walk.addresses((rows[start : start + LOOK] + self._first).astype(np.uint64))
            for start in range(0, len(rows), LOOK)
        ]
        if not parts:
            return np.zeros(0, np.uint64), np.zeros(0, np.uint64)
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
