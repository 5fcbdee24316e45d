"""Answers to packets that the scanner sent under somebody else's address: they reach that host, and it answers them.

The way between two hosts leads over the scanner's end of both ways, so it is as long as both together. Whatever is
under way waits here until something is sent that would arrive later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from leadline.model.address import U64, Address
from leadline.sim.terrain import Terrain
from leadline.sim.traffic import AnswerKind, Answers, Probes, take
from leadline.sim.walk import find_targets
from leadline.wire.columns import Kind

# Packets between hosts that may be under way; more are lost, so that no liar's flood feeds on itself.
MOST_UNDER_WAY = 1 << 8
# A packet, the answer to it, the reset of that: honest hosts leave it there, two liars would never end.
GENERATIONS = 3
Resolve = Callable[[int, Probes], Sequence[Answers]]


class Reflections:
    """``own``: the scanner's addresses. ``resolve``: lets probes of a family walk and be answered."""

    def __init__(self, terrain: Terrain, random: Generator, own: frozenset[Address], resolve: Resolve) -> None:
        self._terrain, self._random, self._resolve = terrain, random, resolve
        self._own = {family: [int(one) for one in own if one.version == family] for family in (4, 6)}
        self._heap: list[tuple[float, int, int, int, Probes]] = []
        self._serial, self._under_way = 0, 0

    def is_own(self, family: int, hi: U64, lo: U64) -> NDArray[np.bool_]:
        """Which addresses are the scanner's; all of 127.0.0.0/8 is, too."""
        ours = np.zeros(len(lo), np.bool_)
        for address in self._own[family]:
            ours |= (lo == np.uint64(address & ((1 << 64) - 1))) & (hi == np.uint64(address >> 64))
        if family == 4:
            ours |= lo >> np.uint64(24) == np.uint64(127)
        return ours

    def take_up(self, family: int, answers: Answers, generation: int = 1) -> None:
        """Of ``answers``, the TCP segments to other hosts go on to them."""
        if generation > GENERATIONS:
            return
        foreign = (answers.kind == AnswerKind.TCP) & (answers.host >= 0)
        foreign &= ~self.is_own(family, answers.target_hi, answers.target_lo)
        foreign &= self._random.random(len(answers)) < answers.survives
        room = MOST_UNDER_WAY - self._under_way
        part = take(answers, np.flatnonzero(foreign)[:room])
        # The moment at which each passes the scanner's end decides who is first.
        for row in np.argsort(part.time, kind="stable").tolist():
            self._serial += 1
            self._under_way += 1
            one = _segments(take(part, slice(row, row + 1)))
            heappush(self._heap, (float(one.time[0]), self._serial, family, generation, one))

    def settle(self, until: float) -> None:
        """Everything that passes the scanner's end by ``until`` arrives and is answered."""
        while self._heap and self._heap[0][0] <= until:
            _, _, family, generation, probes = heappop(self._heap)
            self._under_way -= 1
            find_targets(self._terrain, family, probes)
            for answers in self._resolve(family, probes):
                if len(answers):
                    self.take_up(family, answers, generation + 1)


def _segments(answers: Answers) -> Probes:
    """Segments that one host sent, as probes to another."""
    count = len(answers)
    index, nothing = np.full(count, -1, np.int32), np.zeros(count, np.float64)
    return Probes(
        frame=index,
        kind=np.full(count, Kind.TCP, np.uint8),
        source_hi=answers.source_hi,
        source_lo=answers.source_lo,
        target_hi=answers.target_hi,
        target_lo=answers.target_lo,
        protocol=np.full(count, 6, np.uint8),
        ttl=answers.ttl,
        source_port=answers.source_port,
        target_port=answers.target_port,
        sequence=answers.sequence,
        acknowledgment=answers.acknowledgment,
        flags=answers.flags,
        length=np.zeros(count, np.int32),
        identifier=answers.identifier,
        icmp_sequence=answers.icmp_sequence,
        time=answers.time,
        host=index.copy(),
        path=index.copy(),
        depth=index.copy(),
        arrival=answers.time,
        back=answers.time,
        survives=nothing,
        hops=np.zeros(count, np.uint8),
    )
