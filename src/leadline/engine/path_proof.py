"""What is known of the path of hosts that answer nothing, and the probes that find it out.

A host with a ping probe of its own is its own proof (``Pings``). For the others, in this order: another host of the
group that has one, finished or not, since all of them are reached over the same route; else the last router that
answers a TTL-limited probe (``HopProof``); else nothing, and the group's window opens blindly, within bounds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.decisions import Decisions
from leadline.engine.hop_proof import HopProof, State
from leadline.engine.loss import ENOUGH, LossMeter
from leadline.engine.pings import PROOFS_EACH, Pings
from leadline.engine.timing import Windows

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

# A router is looked for when at least so many probes are still to be sent: less is sent as soon as found.
WORTH_A_SEARCH = 100
# Pings to neighbours that are on their way at once while silent hosts wait for nothing else.
AT_ONCE = 8


class PathProof:
    """``hop``: ``None`` where TTL-limited probes cannot be sent (connections), or there is no router (same link)."""

    def __init__(
        self, pings: Pings, loss: LossMeter, windows: Windows, decisions: Decisions, hop: HopProof | None
    ) -> None:
        self._pings, self._loss, self._windows, self._decisions = pings, loss, windows, decisions
        self.hop = hop
        # The path is judged by as much as ever, however few probes are silent: each of them stands for a whole host.
        self.thorough = False
        self._since = 0

    @property
    def has_neighbours(self) -> bool:
        """Whether any host of the group is known to answer."""
        return bool((self._pings.score > 0).any())

    def heard(self) -> None:
        """Something on this path answered."""
        self._since = 0

    def probes_sent(self, hosts: I64) -> None:
        """Ordinary probes leave for these hosts (repeats allowed)."""
        silent = int(np.count_nonzero(self._pings.score[hosts] == 0))
        self._since += silent
        if self.hop is not None:
            self.hop.probes_sent(silent)

    # ---- neighbours ---------------------------------------------------------------------------------------------

    def neighbours(self, wanted: bool, busy: Bool, total: int) -> I64:
        """Hosts to ping for the sake of the others, at most ``total``, none of the ``busy`` ones.

        After ``Pings.interval`` probes to silent hosts, or when proof is ``wanted`` before they are given up.
        """
        urgent = max(1, AT_ONCE - self._pings.on_way) if wanted else 0
        count = min(total, max(self._since // self._pings.interval, urgent))
        if count <= 0:
            return np.empty(0, dtype=np.int64)
        ready = self._pings.ready()
        ready[busy] = False
        hosts = np.flatnonzero(ready)
        if len(hosts):
            self._since = 0
        return hosts[np.argsort(self._pings.sent_so_far[hosts], kind="stable")[:count]]

    def unproven(self, silent: Bool, benched: I64) -> Bool:
        """Which of the ``silent`` hosts may not be given up yet: neighbours can still tell more of their path."""
        if not silent.any() or not self.has_neighbours:
            return np.zeros_like(silent)
        mine: Bool = silent & (self._pings.score == 0)
        wanted = ENOUGH if self.thorough else min(ENOUGH, PROOFS_EACH * int(benched[mine].sum()))
        return mine if self._loss.told[-1] < wanted else np.zeros_like(silent)

    # ---- routers ------------------------------------------------------------------------------------------------

    def timed_out(self, hosts: I64, work: int) -> None:
        """Probes to these hosts timed out; ``work``: probes still to be sent."""
        hop = self.hop
        if hop is not None and hop.state is State.IDLE and work >= WORTH_A_SEARCH and not self.has_neighbours:
            hop.begin(int(hosts[0]))

    def hop_probes(self, now: float, room: int) -> tuple[U8, U8]:
        """TTLs and codes of TTL-limited probes that leave now, at most ``room``; usually none."""
        none = np.empty(0, dtype=np.uint8)
        if self.hop is None or self.has_neighbours:
            return none, none
        ttls = self.hop.due(now)[:room]
        return (ttls, self.hop.send(ttls, now)) if len(ttls) else (none, none)

    def hop_answered(self, codes: U8, now: float) -> None:
        """Checked messages of time exceeded came for these TTL-limited probes."""
        hop = self.hop
        if hop is None:
            return
        ttl = hop.ttl
        stands_for = hop.answered(codes)
        if hop.ttl > ttl:
            cause = "no host answers: the router at this hop proves the path"
            self._decisions.add(now, -1, "proof_hop", cause, float(ttl), float(hop.ttl))
        if not stands_for:
            return
        self.heard()
        self._loss.count_group(1.0, 0.0)
        old = self._windows.cwnd[-1]
        self._windows.path_proven(stands_for)
        self._decide("cwnd", f"the router at hop {hop.ttl} answers: the path carries it", old, now)

    def expire(self, patience: float, now: float) -> float:
        """Give up waiting for TTL-limited probes; returns when the next one will be given up (infinity: none)."""
        hop = self.hop
        if hop is None:
            return np.inf
        state, interval = hop.state, hop.interval
        missing = hop.expire(patience, now)
        if hop.state is State.NONE is not state:
            self._decisions.add(now, -1, "proof_hop", "neither a host nor a router answers", 0.0, 0.0)
        if missing is not None:
            old = self._windows.cwnd[-1]
            if missing.gone:
                self._windows.blind_again()
                self._decide("cwnd", "no router answers any more", old, now)
            elif missing.lost:
                self._loss.count_group(1.0, 1.0)
                self._windows.path_lost(missing.sent, now)
                self._decide("cwnd", f"the router at hop {hop.ttl} did not answer", old, now)
            elif hop.interval > interval:
                cause = "a router's answers may be limited: it is asked less often"
                self._decisions.add(now, -1, "proof_interval", cause, interval, hop.interval)
        return hop.earliest(patience)

    def next_time(self, now: float) -> float | None:
        """When a TTL-limited probe will be due; ``None``: none will be, or it is due and waits for something else."""
        at = self.hop.next_time if self.hop is not None and not self.has_neighbours else np.inf
        return at if now < at < np.inf else None

    def _decide(self, what: str, cause: str, old: float, now: float) -> None:
        new = float(self._windows.cwnd[-1])
        if new != old:
            self._decisions.add(now, -1, what, cause, old, new)
