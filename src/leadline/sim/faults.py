"""What paths do to packets: latency, loss, duplication, reordering, bottlenecks, and token buckets.

Descriptions are frozen; the state of buckets and bottlenecks lives in ``TokenBuckets`` and ``Queue``. These two are the
only places of the simulator that look at packets one by one, since each decision depends on the one before; they
are met only where a world asks for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LinkFaults:
    """One stretch of the way. Each direction suffers on its own.

    ``latency``: seconds one way; ``jitter``: up to this much more, uniform. ``loss``, ``duplication`` (of answers) and
    ``reordering`` (an answer held back by ``reorder_delay`` seconds) are probabilities. ``rate``: packets a second
    that fit towards the target (0: no limit), with room for ``queue`` packets waiting; the rest is dropped (tail drop).
    """

    latency: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    reorder_delay: float = 0.02
    rate: float = 0.0
    queue: int = 64


NO_FAULTS = LinkFaults()


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """``rate`` tokens a second, at most ``burst`` saved up; one token a packet, none left: not sent."""

    rate: float
    burst: float = 1.0


class TokenBuckets:
    """State of many buckets, all full at first."""

    def __init__(self, buckets: Sequence[TokenBucket]) -> None:
        self._rates = [bucket.rate for bucket in buckets]
        self._bursts = [max(1.0, bucket.burst) for bucket in buckets]
        self._tokens = list(self._bursts)
        self._last = [float("-inf")] * len(buckets)

    def __len__(self) -> int:
        return len(self._rates)

    def admit(self, bucket: NDArray[np.int32], times: Times) -> Mask:
        """Which packets get a token. ``bucket``: int32 ``(N,)``, -1 = not limited; ``times``: float64 ``(N,)``.

        Packets are looked at in order of time; a packet older than the last one seen refills nothing.
        """
        admitted = np.ones(len(times), dtype=np.bool_)
        limited = np.flatnonzero(bucket >= 0)
        if not len(limited):
            return admitted
        limited = limited[np.argsort(times[limited], kind="stable")]
        refused: list[int] = []
        tokens, last, rates, bursts = self._tokens, self._last, self._rates, self._bursts
        rows = zip(limited.tolist(), bucket[limited].tolist(), times[limited].tolist(), strict=True)
        for row, which, moment in rows:
            if moment > last[which]:
                tokens[which] = min(bursts[which], tokens[which] + (moment - last[which]) * rates[which])
                last[which] = moment
            if tokens[which] >= 1.0:
                tokens[which] -= 1.0
            else:
                refused.append(row)
        admitted[refused] = False
        return admitted


class Queue:
    """One bottleneck: a server of ``rate`` packets a second behind ``length`` waiting places."""

    def __init__(self, rate: float, length: int) -> None:
        self._service = 1.0 / rate
        self._room = length * self._service
        self._free_at = float("-inf")

    def admit(self, times: Times) -> tuple[Mask, Times]:
        """``(admitted, leaving)``: which packets get through and when. float64 ``(N,)`` in any order."""
        admitted = np.ones(len(times), dtype=np.bool_)
        leaving = times.copy()
        refused: list[int] = []
        free_at, service, room = self._free_at, self._service, self._room
        order = np.argsort(times, kind="stable")
        left: list[float] = []
        for row, moment in zip(order.tolist(), times[order].tolist(), strict=True):
            if free_at - moment > room:
                refused.append(row)
                left.append(moment)
            else:
                free_at = max(free_at, moment) + service
                left.append(free_at)
        self._free_at = free_at
        admitted[refused] = False
        leaving[order] = left
        return admitted, leaving


def survival(stretches: Sequence[LinkFaults]) -> list[float]:
    """Probability of having survived up to and including each stretch, one direction."""
    result: list[float] = []
    alive = 1.0
    for stretch in stretches:
        alive *= 1.0 - stretch.loss
        result.append(alive)
    return result
