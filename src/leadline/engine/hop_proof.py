"""Proof that a path carries what is sent, where no host on it answers: the last router that does.

A probe with a small TTL, addressed to a silent host, never reaches it: the router at which the TTL runs out says so
(RFC 792 time exceeded, RFC 4443 section 3.3), and quotes the probe with its keyed tag. While those messages come back
the path up to there is neither down nor overrun. Routers limit them, often to one a second after a burst of six
(Linux, icmp_ratelimit; RFC 1812 section 4.3.2.8): what is missing while they are asked faster than that is
no loss, but a reason to ask more slowly.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from leadline.engine.ledger import CODES

U8 = NDArray[np.uint8]

# Hops that are asked at once while a router is looked for, and the last one that is.
STEP, FARTHEST = CODES // 2, 32
# Seconds between two proofs: at first, and at most. The slowest routers of today answer once a second.
FIRST_INTERVAL, SLOW_INTERVAL = 0.1, 1.05
# So many proofs missing in a row, and the router (or the way to it) is gone; it is looked for so many times.
GONE, MOST_SEARCHES = 6, 3


class State(Enum):
    """``IDLE``: nobody wants to know yet. ``NONE``: no router answers."""

    IDLE = 0
    SEARCHING = 1
    PROVING = 2
    NONE = 3


@dataclass(frozen=True, slots=True)
class Missing:
    """A proof that did not come back, ``sent`` then (seconds). ``lost``: on the path, not by the router's limit.

    ``gone``: none came for so long that the router is no proof any more.
    """

    sent: float
    lost: bool
    gone: bool


class HopProof:
    """Asks the hops on the way to one ``host`` of the group.

    ``ttl``: of the proofs, 0 while no router is known. Codes are those of timing pings: the lower half for the search,
    the upper half for proofs. Only one proof is on its way at a time: a router that limits its messages is noticed
    at the first that is missing.
    """

    def __init__(self) -> None:
        self.state = State.IDLE
        self.ttl = 0
        self.host = -1
        self.interval = FIRST_INTERVAL
        self._remembered = 0
        self._searches = 0
        self._step_due = False
        self._asked = 0
        self._search: dict[int, tuple[float, int]] = {}
        self._proof: tuple[int, float, int] | None = None
        self._proofs = 0
        self._proof_sent = -np.inf
        self._since = 0
        self._missed = 0

    def remember(self, ttl: int, interval: float) -> None:
        """On this path it was this hop that answered, and that often."""
        self._remembered, self.interval = ttl, interval

    def begin(self, host: int) -> None:
        """Nothing answers: look for a router on the way to ``host``."""
        if self.state is State.IDLE:
            self.host = host
            self._begin_search()

    def _begin_search(self) -> None:
        self._searches += 1
        self._asked = 0
        self._step_due = True
        self.state = State.SEARCHING

    def probes_sent(self, count: int) -> None:
        """So many ordinary probes leave."""
        self._since += count

    def due(self, now: float) -> U8:
        """TTLs of the probes that are to be sent now (usually none)."""
        if self._step_due:
            if self._remembered:
                return np.array([self._remembered], dtype=np.uint8)
            return np.arange(self._asked + 1, min(self._asked + STEP, FARTHEST) + 1, dtype=np.uint8)
        if now >= self.next_time:
            return np.array([self.ttl], dtype=np.uint8)
        return np.empty(0, dtype=np.uint8)

    @property
    def next_time(self) -> float:
        """When the next proof is due; infinity: something has to happen before."""
        if self.state is State.PROVING and self._proof is None and self._since > 0:
            return self._proof_sent + self.interval
        return np.inf

    def send(self, ttls: U8, now: float) -> U8:
        """Book the probes that were due (or the first of them); returns their codes."""
        if not self._step_due:
            code = STEP + self._proofs % STEP
            self._proofs += 1
            self._proof = code, now, self._since
            self._proof_sent, self._since = now, 0
            return np.array([code], dtype=np.uint8)
        self._step_due = False
        self._search = {(ttl - 1) % STEP: (now, ttl) for ttl in ttls.tolist()}
        self._asked = int(ttls.max())
        self._since = 0
        return ((ttls - 1) % STEP).astype(np.uint8)

    def answered(self, codes: U8) -> int:
        """Time exceeded came for these probes; returns how many ordinary probes they prove: those sent between the
        last proof and the one that came back (0 where none did).
        """
        proven = 0
        for code in codes.tolist():
            if code in self._search:
                # The farthest one found so far serves at once: the others may never answer.
                self._found(self._search.pop(code)[1])
            elif self._proof is not None and self._proof[0] == code:
                proven = self._proof[2]
                self._proof = None
                self._missed = 0
        return proven

    def _found(self, ttl: int) -> None:
        self.state = State.PROVING
        self.ttl = max(self.ttl, ttl)
        if not self._search:
            self._search_on()

    def expire(self, patience: float, now: float) -> Missing | None:
        """Give up waiting for what was sent ``patience`` seconds ago; what that means for the path, if anything."""
        late = [code for code, (sent, _) in self._search.items() if sent + patience <= now]
        for code in late:
            del self._search[code]
        if late and not self._search:
            self._search_on()
        if self._proof is None or self._proof[1] + patience > now:
            return None
        sent = self._proof[1]
        self._proof = None
        self._missed += 1
        if self._missed >= GONE:
            self._lose_hop()
            return Missing(sent, lost=False, gone=True)
        # Asked faster than it answers, or lost: only what is missing at the slowest pace tells.
        slow = self.interval >= SLOW_INTERVAL
        self.interval = SLOW_INTERVAL
        return Missing(sent, lost=slow, gone=False)

    def _lose_hop(self) -> None:
        self._missed = self._remembered = self.ttl = 0
        self.state = State.NONE
        if self._searches < MOST_SEARCHES:
            self._begin_search()

    def _search_on(self) -> None:
        """All hops of one step have answered or not."""
        if self._remembered:
            # Another way than before, when it did not answer.
            self._remembered = self._asked = 0
            self._step_due = self.ttl == 0
        elif self.ttl == self._asked < FARTHEST:
            self._step_due = True
        elif not self.ttl:
            self.state = State.NONE

    def earliest(self, patience: float) -> float:
        """When something that is under way will be given up."""
        times = [sent for sent, _ in self._search.values()]
        if self._proof is not None:
            times.append(self._proof[1])
        return min(times, default=np.inf) + patience
