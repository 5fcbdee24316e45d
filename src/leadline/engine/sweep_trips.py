"""Round trips of thousands of hosts of which each answers once: their spread decides how long silence is waited for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.timing import LONGEST_SAMPLE

F64 = NDArray[np.float64]

# Eight steps an octave, from a microsecond on: a step is 9 %.
_STEPS, _LEAST = 8, 1e-6
_BINS = _STEPS * 24
# So many answers tell the spread; before, the initial timeout holds (RFC 6298 section 2.1).
ENOUGH = 16
# Nearly all answers come within this share of the spread; the wait is twice as long.
_NEARLY_ALL, _MARGIN = 0.999, 2.0


class RoundTripSpread:
    """A histogram over logarithmic steps. All in seconds."""

    def __init__(self, least: float, initial: float, most: float) -> None:
        self._least, self._initial, self._most = least, initial, most
        self._bins = np.zeros(_BINS, np.int64)
        self._count = 0

    def take(self, trips: F64) -> None:
        """Measured round trips; absurd ones are left out."""
        good = trips[(trips > 0) & (trips < LONGEST_SAMPLE)]
        places = np.log2(np.maximum(good, _LEAST) / _LEAST) * _STEPS
        self._bins += np.bincount(places.astype(np.int64), minlength=_BINS)[:_BINS]
        self._count += len(good)

    @property
    def median(self) -> float | None:
        """``None`` while too little is known."""
        return self._quantile(0.5) if self._count >= ENOUGH else None

    @property
    def timeout(self) -> float:
        """Silence that is enough."""
        if self._count < ENOUGH:
            return self._initial
        return min(max(self._least, _MARGIN * self._quantile(_NEARLY_ALL)), self._most)

    def _quantile(self, share: float) -> float:
        place = int(np.searchsorted(np.cumsum(self._bins), share * self._count))
        return float(_LEAST * 2 ** ((min(place, _BINS - 1) + 1) / _STEPS))
