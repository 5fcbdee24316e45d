"""When the idle scan asks its zombie and how fast it sends, learnt from the answers and from what does not fit."""

from __future__ import annotations

from dataclasses import dataclass

from leadline.model.plan import TimingPlan

# Spec sheet 5: the shortest time after which a port's answer can have been counted.
SHORTEST_WAIT, LONGEST_WAIT = 0.05, 4.0
# Where nothing is known of the way to the target: this share of the first round trip's patience.
UNKNOWN_SHARE = 0.3
LONGEST_DELAY, DELAY_STEP = 0.2, 0.01
SHORTEST_PATIENCE = 0.1


@dataclass(slots=True)
class Pace:
    """``srtt``/``rttvar``: of the zombie, negative while nothing is measured; ``wait``: between the last packet to the
    target and the moment at which the zombie is asked what it counted; ``delay``: between two packets to the target.
    """

    timing: TimingPlan
    srtt: float = -1.0
    rttvar: float = -1.0
    wait: float = 0.0
    delay: float = 0.0
    _least_delay: float = 0.0
    _least_wait: float = 0.0

    def begin(self, target_srtt: float, target_rttvar: float) -> None:
        """A target's round trip is known from discovery, or negative.

        The target's answer reaches the zombie no later than a round trip to the target before our question does:
        the question takes the short way, the answer the two other sides of the triangle.
        """
        if target_srtt >= 0:
            wait = target_srtt + 4 * max(target_rttvar, 0.0)
        else:
            wait = self.timing.initial_rtt_timeout * UNKNOWN_SHARE
        self.wait = self._least_wait = min(LONGEST_WAIT, max(SHORTEST_WAIT, wait))
        self.delay = self._least_delay = self.timing.scan_delay

    def sample(self, seconds: float) -> None:
        """A round trip to the zombie (RFC 6298)."""
        if not 0.0 <= seconds < 8.0:
            return
        if self.srtt < 0:
            self.srtt, self.rttvar = seconds, max(seconds / 2, 0.005)
            return
        self.rttvar += (abs(seconds - self.srtt) - self.rttvar) / 4
        self.srtt += (seconds - self.srtt) / 8

    @property
    def patience(self) -> float:
        """Seconds to wait for an answer of the zombie."""
        if self.srtt < 0:
            return self.timing.initial_rtt_timeout
        wanted = max(SHORTEST_PATIENCE, self.srtt + 4 * self.rttvar)
        return min(self.timing.max_rtt_timeout, max(self.timing.min_rtt_timeout, wanted))

    def fits(self) -> None:
        """A test agreed with the one before."""
        self.delay = max(self._least_delay, self.delay * 0.9 if self.delay > DELAY_STEP / 4 else 0.0)

    def misfits(self) -> None:
        """A test did not agree with the one before: perhaps too much was sent at once."""
        self.delay = min(max(LONGEST_DELAY, self._least_delay), self.delay + DELAY_STEP)

    def late(self) -> None:
        """Something was counted after a test was over."""
        self.wait = min(LONGEST_WAIT, self.wait * 2.0)

    def in_time(self) -> None:
        """Nothing was, or it is noise: a wait that noise has lengthened becomes shorter again."""
        self.wait = max(self._least_wait, self.wait * 0.9)
