"""What one group taught about a path, kept for the next group that takes it (spec sheet 2.6, last but one line)."""

from __future__ import annotations

import numpy as np

from leadline.engine.prober import Prober
from leadline.model.quick_dataclass import dataclass

# What was lost earlier counts for less than what is lost now.
LOSS_KEPT = 0.25


@dataclass(frozen=True, slots=True)
class PathMemory:
    """Group values: ``srtt``/``rttvar`` in seconds (negative: never measured), window in probes, loss counts.

    ``hop``: the one that answers TTL-limited probes (0: none known), every ``hop_interval`` seconds.
    """

    srtt: float
    rttvar: float
    cwnd: float
    ssthresh: float
    sent: float
    lost: float
    hop: int = 0
    hop_interval: float = 0.0


def remember(prober: Prober) -> PathMemory:
    """What the prober's group learnt."""
    trips, windows, loss, hop = prober.trips, prober.windows, prober.loss, prober.path.hop
    return PathMemory(
        float(trips.srtt[-1]),
        float(trips.rttvar[-1]),
        float(windows.cwnd[-1]),
        float(windows.ssthresh[-1]),
        float(loss.sent[-1]) * LOSS_KEPT,
        float(loss.lost[-1]) * LOSS_KEPT,
        *((hop.ttl, hop.interval) if hop is not None else ()),
    )


def recall(prober: Prober, memory: PathMemory | None) -> None:
    """Let a fresh prober begin where an earlier group on the same path ended."""
    if memory is None:
        return
    windows, loss = prober.windows, prober.loss
    windows.cwnd[-1] = np.clip(memory.cwnd, windows.cwnd[-1], windows.limit[-1])
    windows.ssthresh[-1] = np.clip(memory.ssthresh, windows.cwnd[-1], windows.limit[-1])
    loss.sent[-1], loss.lost[-1] = memory.sent, memory.lost
    if memory.hop and prober.path.hop is not None:
        prober.path.hop.remember(memory.hop, memory.hop_interval)
    if memory.srtt >= 0 and prober.trips.srtt[-1] < 0:
        prober.trips.seed_group(memory.srtt, memory.rttvar)
