"""The real clock."""

from __future__ import annotations

import time


class MonotonicClock:
    """Seconds on the system's monotonic clock (the one that the kernel's capture times are mapped onto)."""

    def now(self) -> float:
        return time.monotonic()

    def epoch(self) -> float:
        return time.time()
