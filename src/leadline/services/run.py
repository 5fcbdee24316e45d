"""One probe on one connection: what was said, what came back, how long ago."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from leadline.data.service_rules import ServiceProbe
from leadline.model.service import Exchange
from leadline.net.base import Ended
from leadline.services.matcher import MOST_MATCHED, Match
from leadline.services.order import LISTENING, Place
from leadline.services.waiting import Waits

# No rule looks further into an answer; what comes after it is not read (spec sheet 3.2 step 6 stops at 4096).
MOST_RECEIVED = 32_768
# What of an answer is kept as evidence.
MOST_KEPT = 2048
# Answers in many small pieces: each of the first is looked at, later ones only when a quarter has come in addition.
_PIECES = 32
MOMENT = 1e-6
"""Seconds: times that are sums of others are this close to what was meant."""


class Judge(Protocol):
    """What a run asks of the matcher."""

    def match(self, probe: ServiceProbe, response: bytes, *, soft: bool = True) -> Match | None:
        """The first rule that an answer to ``probe`` fits."""
        ...


@dataclass(slots=True)
class Run:
    """``asked``: when it was wanted; ``begun``: when its connection was begun; ``spoke``: since when an answer may be
    expected; ``heard``: when the last bytes came. ``hard``/``soft``: the match so far, ``matched`` when the hard one
    was found first. ``outcome``: empty while it goes on. ``keep``: it is not given up for another probe. ``until``:
    silence before this is borne in any case. ``aside``: it waits on while others are asked one at a time.
    """

    place: Place
    probe: ServiceProbe
    stream: int
    tunnel: str
    asked: float
    keep: bool = False
    begun: float | None = None
    spoke: float | None = None
    heard: float | None = None
    sent: bytes = b""
    received: bytearray = field(default_factory=bytearray)
    total: int = 0
    hard: Match | None = None
    soft: Match | None = None
    matched: float | None = None
    outcome: str = ""
    ended: float = 0.0
    until: float = 0.0
    aside: bool = False
    _pieces: int = 0
    _looked: int = 0

    @property
    def over(self) -> bool:
        return bool(self.outcome)

    @property
    def listening(self) -> bool:
        return self.place == LISTENING

    @property
    def since(self) -> float:
        """When the last sign of life was: bytes, the connection, or its beginning; infinite while it waits for room."""
        if self.heard is not None:
            return self.heard
        if self.spoke is not None:
            return self.spoke
        return self.begun if self.begun is not None else inf

    def silence(self, now: float) -> float:
        """Seconds since the last sign of life; 0 while the connection waits for room."""
        return max(0.0, now - self.since + MOMENT)

    def settled(self, now: float, grace: float) -> bool:
        """Nothing better is to be expected of it, now that a later probe was answered."""
        return self.over or self.hard is not None or (self.begun is not None and self.silence(now) >= grace)

    def stale(self, now: float, waits: Waits, rtt: float) -> bool:
        """Another probe may be sent meanwhile."""
        if self.over or self.hard is not None:
            return True
        if self.spoke is None:
            return False
        return self.silence(now) >= (waits.grace(rtt) if self.total else waits.move_on(rtt))

    def hear(self, data: bytes, now: float, judge: Judge) -> bool:
        """Take some bytes of the answer and look at all of it; says whether more of it is wanted."""
        self.heard = now
        self.total += len(data)
        self.received += data[: MOST_RECEIVED - len(self.received)]
        self._pieces += 1
        full = len(self.received) >= MOST_RECEIVED
        if full or self._pieces <= _PIECES or len(self.received) >= self._looked * 5 // 4:
            self.look(now, judge)
        return not full

    def look(self, now: float, judge: Judge) -> None:
        """Match what has come so far; a match that was found stays when more bytes spoil it."""
        size = min(len(self.received), MOST_MATCHED)
        if size == self._looked:
            return
        self._looked = size
        found = judge.match(self.probe, bytes(self.received))
        if found is None:
            return
        if not found.soft:
            self.hard = found
            self.matched = now if self.matched is None else self.matched
        elif self.soft is None:
            self.soft = found

    def finish(self, outcome: str, now: float) -> None:
        """It is over; a match says more than how the connection ended."""
        if self.hard is not None:
            outcome = "match"
        elif self.soft is not None:
            outcome = "soft match"
        elif self.total:
            outcome = "no match" if outcome == "silence" else f"no match, then {outcome}"
        self.outcome, self.ended = outcome, now
        # Nobody looks at the rest again, and a flood meets every probe of every port.
        del self.received[MOST_KEPT:]

    def exchange(self, epoch: float, now: float) -> Exchange:
        """As evidence; ``epoch``: clock seconds at which the scan began."""
        began = self.begun if self.begun is not None else self.asked
        return Exchange(
            probe=self.probe.name,
            sent=self.sent,
            received=bytes(self.received[:MOST_KEPT]),
            total=self.total,
            at=began - epoch,
            seconds=(self.ended if self.over else now) - began,
            outcome=self.outcome or "not finished",
            tunnel=self.tunnel,
        )


# Spec sheet 3.2 step 7: after these the next probe is sent; after others nothing can be said to this port.
_PASSING = frozenset(
    {
        0, errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.EPROTO, errno.ENOPROTOOPT, errno.EMSGSIZE,
        errno.EOPNOTSUPP, errno.EPIPE, errno.ENETRESET, errno.EIO,
    }
)  # fmt: skip
_WORDS = {
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNABORTED: "connection aborted",
    errno.ETIMEDOUT: "connection timed out",
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
}


def ending(end: Ended) -> tuple[str, bool]:
    """The end of a stream in words, and whether the port can be asked on."""
    words = _WORDS.get(end.error, "") or ("closed" if not end.error else errno.errorcode.get(end.error, "failed"))
    if end.phase == "tls":
        words = "TLS handshake failed" + (f": {end.message}" if end.message else f": {words}")
    elif end.phase == "proxy":
        words = f"refused by the proxy: {end.message or words}"
    return words, end.phase == "stream" and end.error in _PASSING
