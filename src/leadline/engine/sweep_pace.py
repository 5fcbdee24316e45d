"""How fast a sweep sends: as fast as the link takes it, unless measured loss says that it is too fast.

Silence is not loss: most of what a sweep asks never answers. Loss is the share of repeats of probes that were answered
before which are not answered again. The rate doubles while nothing is known against it, a step for each round trip of
evidence; once something was lost it grows slowly and falls to what got through (or by half the share of a small loss,
as RFC 8257 does with marks). What gets through tells whose loss it is: an overrun path delivers the same at any rate,
a lossy one delivers less when less is sent; that loss is borne.
"""

from __future__ import annotations

from leadline.engine.decisions import Decisions

FIRST_RATE = 20_000.0
GREATEST_RATE = 50_000_000.0
LEAST_RATE = 100.0
# Repeats that say, without a loss, that all is well; that say how great a small share of losses is; and losses that
# need no more when they are so much of them.
ENOUGH, EXACT, AT_ONCE, AT_ONCE_SHARE = 16, 100, 6, 0.3
# So much of the loss is nobody's fault.
BORNE = 0.01
# Growth for each round of evidence after a loss, and while there is little evidence of either kind.
GROWTH, DOUBTFUL_GROWTH = 1.05, 1.2
# The longest burst: well below half of a receive ring of 8,192 frames.
BURST = 2048
# Seconds between two steps, and without any round trip known.
SHORTEST_STEP, LONGEST_STEP, BLIND_STEP = 0.002, 0.1, 0.02
# A late turn of the loop is caught up to this many seconds (as ``engine.rate`` does).
CATCH_UP = 0.1
# The packets of this time leave together.
BATCH_SECONDS = 0.005
# A loss greater than this is no matter of degree: the rate falls to what got through.
_GREAT = 0.2
# However great: the repeats may have been unlucky.
_DEEPEST_FALL = 0.3
# After a fall of the rate below this share of it, what gets through is compared.
_COMPARED, _ALIKE, _LARGEST_OWN = 0.75, 1.15, 0.3


class SweepPace:
    """``most`` packets a second at most, ``least`` at least (``None``: no bound). All times are clock seconds.

    ``changed_at``: when the rate was changed last; evidence from before says nothing of the rate now.
    """

    def __init__(self, now: float, most: float | None = None, least: float | None = None) -> None:
        self._most = GREATEST_RATE if most is None else most
        self._least = min(LEAST_RATE if least is None else least, self._most)
        self.rate = min(max(FIRST_RATE, self._least), self._most)
        self.changed_at = now
        self.decisions = Decisions()
        self._credit, self._credit_at = 1.0, now
        self._next_step = now + SHORTEST_STEP
        self._starting, self._limited = True, False
        self._sent = self._lost = 0
        self._packets, self._since = 0, now
        self._own = 0.0
        self._before: tuple[float, float] | None = None

    def room(self, now: float, wanted: int) -> int:
        """How many of ``wanted`` packets may leave now."""
        most = max(1.0, min(float(BURST), self.rate * CATCH_UP))
        self._credit = min(self._credit + (now - self._credit_at) * self.rate, most)
        self._credit_at = now
        allowed = min(wanted, BURST, int(self._credit))
        self._limited = self._limited or allowed < min(wanted, BURST)
        # Some at a time: a turn of the loop costs as much as hundreds of packets.
        return allowed if allowed >= min(wanted, self._least_batch) else 0

    @property
    def doubles(self) -> bool:
        """Whether the rate is still doubled by evidence that all is well, and bounds what is sent."""
        return self._starting and self._limited

    @property
    def _least_batch(self) -> int:
        return max(1, min(int(self.rate * BATCH_SECONDS), BURST // 2))

    def sent(self, count: int) -> None:
        """Book packets that leave."""
        self._credit -= count
        self._packets += count

    def next_time(self, now: float) -> float:
        """When packets may leave at the latest."""
        missing = self._least_batch - self._credit
        return now if missing <= 0 else now + missing / self.rate

    def proofs(self, sent: int, lost: int) -> None:
        """``sent`` repeats of answered probes, sent since ``changed_at``, were waited for, ``lost`` of them in vain."""
        self._sent += sent
        self._lost += lost

    def overrun(self, frames: int, now: float) -> None:
        """Our own receive ring had no room for ``frames`` answers."""
        self._starting = False
        self._set(self.rate * 0.7, f"{frames} answers found no room in the receive ring", now)
        self._next_step = now + LONGEST_STEP

    def step(self, now: float, round_trip: float | None) -> None:
        """Adjust the rate, if it is time; ``round_trip``: the median, ``None`` while nobody has answered."""
        if now < self._next_step:
            return
        wait = BLIND_STEP if round_trip is None else min(max(2 * round_trip, SHORTEST_STEP), LONGEST_STEP)
        self._next_step = now + wait
        at_once = self._lost >= AT_ONCE and self._lost > AT_ONCE_SHARE * self._sent
        if self._sent >= (EXACT if self._lost else ENOUGH) or at_once:
            self._judge(now)
        elif self._limited and not self._lost:
            if round_trip is None and self._starting:
                self._set(self.rate * 2, "", now)
            elif now >= self.changed_at + 10 * wait:
                self._set(self.rate * DOUBTFUL_GROWTH, "", now)
        self._limited = False

    def _judge(self, now: float) -> None:
        share = self._lost / self._sent
        # What was really sent may be less than what was allowed.
        real = min(self.rate, self._packets / max(now - self._since, 1e-6))
        if share <= max(BORNE, 1.3 * self._own + BORNE):
            if self._limited:
                self._set(self.rate * (2 if self._starting else GROWTH), "", now)
            else:
                self._restart(now)
            return
        self._starting = False
        through = real * (1 - share)
        if self._before is None:
            self._before = real, through
        elif real < _COMPARED * self._before[0]:
            rate, delivered = self._before
            if share < _LARGEST_OWN and self._sent >= EXACT and through <= delivered * real / rate * _ALIKE:
                self._own, self._before = share, None
                self._set(rate, f"{share:.1%} are lost at any rate", now)
                return
            self._before = real, through
        cause = f"{share:.1%} of the repeats of answered probes were lost"
        self._set(max(real * (1 - share if share > _GREAT else 1 - share / 2), self.rate * _DEEPEST_FALL), cause, now)

    def _set(self, rate: float, cause: str, now: float) -> None:
        old, self.rate = self.rate, min(max(rate, self._least), self._most)
        self._restart(now)
        self.changed_at = now
        if cause and self.rate != old:
            self.decisions.add(now, -1, "rate", cause, old, self.rate)

    def _restart(self, now: float) -> None:
        self._sent = self._lost = 0
        self._packets, self._since = 0, now
