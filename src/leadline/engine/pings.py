"""Timing pings: repeats of a probe that was answered before, mixed into the stream to measure the path.

Spec sheet 2.5 sends them after silence only; here a small share of what goes to a host that answers little are pings,
because they alone tell loss from silence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.ledger import CODES
from leadline.engine.loss import ENOUGH
from leadline.wire.distinct import distinct_rows

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

# One ping after so many probes without an answer, and where something is known to be wrong with the path.
INTERVAL, CLOSE_INTERVAL = 25, 10
# But no more often than this, however small the window.
LEAST_INTERVAL = 8
# Proofs of the path that one silent probe is worth.
PROOFS_EACH = 8
# Pings to one host that may be on their way at once.
MOST_PENDING = 8


class Pings:
    """Ping state of every host of a group. ``score``: how good its ping probe is, 0 = none known (spec sheet 2.5)."""

    def __init__(self, hosts: int) -> None:
        self.score: NDArray[np.int16] = np.zeros(hosts, dtype=np.int16)
        self.interval = INTERVAL
        self._since: I64 = np.zeros(hosts, dtype=np.int64)
        self._pending: Bool = np.zeros((hosts, CODES), dtype=bool)
        self._sent: F64 = np.zeros((hosts, CODES))
        self._on_way: I64 = np.zeros(hosts, dtype=np.int64)
        self._next: I64 = np.zeros(hosts, dtype=np.int64)

    def teach(self, hosts: I64, scores: NDArray[np.int16]) -> Bool:
        """Offer better ping probes for (distinct) hosts; returns which of them are better than what was known."""
        better = scores > self.score[hosts]
        self.score[hosts[better]] = scores[better]
        return better

    def due(self, allowed: I64, wants_proof: Bool, windows: F64, total: int) -> I64:
        """Hosts to ping now, at most ``total``: those not heard of for a while, and those whose path must be proven.

        ``windows``: how many probes each host may have in flight. A window that silent probes fill is opened by pings
        alone: they must not wait for more probes than it holds.
        """
        ready = (self.score > 0) & (allowed > 0) & (self._on_way < MOST_PENDING)
        ready &= (self._since >= np.clip(windows / 2, LEAST_INTERVAL, self.interval)) | wants_proof
        hosts = np.flatnonzero(ready)
        return hosts[self._code_is_free(hosts)][:total]

    def ready(self) -> Bool:
        """Hosts that can be pinged now, needed or not."""
        ready: Bool = (self.score > 0) & (self._on_way < MOST_PENDING)
        hosts = np.flatnonzero(ready)
        ready[hosts] = self._code_is_free(hosts)
        return ready

    @property
    def sent_so_far(self) -> I64:
        """How many pings each host was sent."""
        return self._next

    @property
    def on_way(self) -> int:
        """How many pings are awaited, from all hosts together."""
        return int(self._on_way.sum())

    @property
    def awaited(self) -> Bool:
        """Hosts that a ping is on its way to, ``(hosts,)``."""
        awaited: Bool = self._on_way > 0
        return awaited

    def _code_is_free(self, hosts: I64) -> Bool:
        """One lost ping may outlast the fifteen after it: its code is not given again while it is awaited."""
        free: Bool = ~self._pending[hosts, self._next[hosts] % CODES]
        return free

    def send(self, hosts: I64, now: float) -> U8:
        """Book one ping to each of these (distinct) hosts; returns the codes for their tags."""
        if not len(hosts):
            return np.empty(0, dtype=np.uint8)
        codes: I64 = self._next[hosts] % CODES
        self._next[hosts] += 1
        self._pending[hosts, codes] = True
        self._sent[hosts, codes] = now
        self._on_way[hosts] += 1
        self._since[hosts] = 0
        return codes.astype(np.uint8)

    def probes_sent(self, hosts: I64) -> None:
        """Ordinary probes leave for these hosts (repeats allowed)."""
        self._since += np.bincount(hosts, minlength=len(self._since))

    def proven(self, hosts: I64) -> None:
        """An ordinary probe was answered: as good as a ping."""
        self._since[hosts] = 0

    def awaits(self, host: int, code: int) -> bool:
        """Whether this ping is still on its way."""
        return bool(self._pending[host, code])

    def latest(self, hosts: I64) -> U8:
        """Codes of the newest ping awaited from each host (0 when none is), for replies that carry no code."""
        newest = np.where(self._pending[hosts], self._sent[hosts], -np.inf)
        codes: U8 = np.argmax(newest, axis=1).astype(np.uint8)
        return codes

    def answer(self, hosts: I64, codes: U8, times: F64) -> tuple[I64, F64]:
        """Answers to pings; returns hosts and round trips (seconds) of those that were awaited, each once."""
        awaited = self._pending[hosts, codes]
        hosts, codes, times = hosts[awaited], codes[awaited], times[awaited]
        _, first = distinct_rows(hosts * CODES + codes)
        hosts, codes, times = hosts[first], codes[first], times[first]
        self._pending[hosts, codes] = False
        np.subtract.at(self._on_way, hosts, 1)
        return hosts, times - self._sent[hosts, codes]

    def expire(self, patience: F64, now: float) -> tuple[I64, F64, float]:
        """Pings whose time is up: hosts (repeats possible), send times, and when the next one will be due."""
        hosts, codes = np.nonzero(self._pending)
        if not len(hosts):
            return hosts, np.empty(0), np.inf
        sent = self._sent[hosts, codes]
        due = sent + patience[hosts]
        late = due <= now
        self._pending[hosts[late], codes[late]] = False
        np.subtract.at(self._on_way, hosts[late], 1)
        left = due[~late]
        return hosts[late], sent[late], float(left.min()) if len(left) else np.inf

    def stop(self, hosts: I64) -> I64:
        """Forget what is on its way to these (distinct) hosts; returns how many pings that were, for each."""
        forgotten: I64 = self._on_way[hosts]
        self._pending[hosts] = False
        self._on_way[hosts] = 0
        return forgotten

    def unproven(self, transmissions: F64, silent: I64) -> Bool:
        """Hosts with a ping probe but too few known-answerable ``transmissions`` to judge their path by.

        ``ENOUGH`` are wanted, or ``PROOFS_EACH`` for each of the host's ``silent`` probes where these are few.
        """
        return (self.score > 0) & (transmissions < np.minimum(ENOUGH, PROOFS_EACH * silent))
