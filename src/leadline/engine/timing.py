"""Round-trip times, congestion windows and scan delays, as columns over a host group.

Every column has ``hosts + 1`` rows: the last one is the group as a whole, so that one array expression serves both.
Source of the rules: spec sheet 2.2 to 2.4 (RFC 6298 and RFC 5681 in spirit); what differs is in docs/decisions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.model.plan import TimingPlan
from leadline.wire.distinct import distinct

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

# Spec sheet 2.3: samples outside are somebody else's delay, not the path's.
LONGEST_SAMPLE = 8.0
MOST_NEGATIVE_SAMPLE = -0.05
REPLACED_NEGATIVE = 0.01
LEAST_RTTVAR, GREATEST_RTTVAR = 0.005, 2.0
LARGEST_SCALE = 50.0
# A window that has met loss grows by this share of itself each time it was filled and answered, besides Nmap's one
# probe: a large window does not take minutes to come back.
GROWTH = 1 / 32
# Where nothing answers nothing can be measured either: the group's window opens by one for every probe that timed out,
# up to this many probes. With a timeout of a second that is a pace no link of today notices.
BLIND_LIMIT = 1024.0
# Losses and answers of one host that count in the group's share of losses: one host that limits its answers must not
# slow down its neighbours.
HOST_WEIGHT = 8.0
# Answers and losses after which a host's own share of losses says something.
TOLD_ENOUGH = 8.0
PING_MAGNIFIER = 3.0
# A proof of the path opens the group's window like so many answers for each probe sent since the one before, while
# nothing was lost; after a loss by this share of itself. A proof missing weighs as if so many others had come.
PROOF_WORTH, PROOF_GROWTH, PROOFS_BEFORE = 8, 1 / 8, 4.0
# The window of a host that answers everything and of whose probes none was lost grows beyond Nmap's limit, by this
# share of the answers, up to so many probes: what it answers and loses is measured all the time.
HOST_LIMIT, PROVEN_LIMIT, PROVEN_GROWTH, PROVEN_SHARE = 300, 2048.0, 1 / 8, 0.95


def runs(values: I64) -> tuple[I64, I64]:
    """Where each run of equal neighbours begins, and how long it is; ``values`` ``(N,)``, at least one."""
    change = np.empty(len(values), dtype=bool)
    change[0] = True
    np.not_equal(values[1:], values[:-1], out=change[1:])
    starts = change.nonzero()[0]
    counts = np.empty_like(starts)
    np.subtract(starts[1:], starts[:-1], out=counts[:-1])
    counts[-1] = len(values) - starts[-1]
    return starts, counts


class RoundTrips:
    """Smoothed round trip and timeout of each host and of the group (seconds; ``srtt < 0``: never measured)."""

    def __init__(self, hosts: int, plan: TimingPlan) -> None:
        self.hosts = hosts
        self._least = plan.min_rtt_timeout
        self._most = plan.max_rtt_timeout
        self.srtt: F64 = np.full(hosts + 1, -1.0)
        self.rttvar: F64 = np.full(hosts + 1, -1.0)
        self.timeout: F64 = np.full(hosts + 1, plan.initial_rtt_timeout)

    def seed(self, srtt: F64, rttvar: F64) -> None:
        """Start from what an earlier stage measured; both ``(hosts,)``, negative where nothing was."""
        known = np.flatnonzero(srtt >= 0)
        self.srtt[known] = srtt[known]
        self.rttvar[known] = np.clip(rttvar[known], LEAST_RTTVAR, GREATEST_RTTVAR)
        if len(known):
            # Not numpy.median, which loads numpy's masked arrays.
            ordered = np.sort(srtt[known])
            self.srtt[-1] = (ordered[(len(known) - 1) // 2] + ordered[len(known) // 2]) / 2
            self.rttvar[-1] = np.max(self.rttvar[known])
        self._set_timeouts()

    def seed_group(self, srtt: float, rttvar: float) -> None:
        """Start the group from what an earlier group on the same path measured."""
        self.srtt[-1], self.rttvar[-1] = srtt, rttvar
        self._set_timeouts()

    def sample(self, hosts: I64, rtt: F64) -> None:
        """Take measured round trips, ``(N,)`` each; a host may appear many times, oldest sample first.

        The smoothing is RFC 6298's; deviations inside one batch are taken from the mean before the batch.
        """
        keep = (rtt < LONGEST_SAMPLE) & (rtt > MOST_NEGATIVE_SAMPLE)
        if not keep.all():
            hosts, rtt = hosts[keep], rtt[keep]
        if not len(rtt):
            return
        rtt = np.where(rtt <= 0, REPLACED_NEGATIVE, rtt)
        before = self.srtt[hosts]
        outlier = (before >= 0) & (rtt - before > 1.5) & (rtt > 3 * before + 2 * self.rttvar[hosts])
        if outlier.any():
            hosts, rtt = hosts[~outlier], rtt[~outlier]
            if not len(rtt):
                return
        order = np.argsort(hosts, kind="stable")
        self._fold(hosts[order], rtt[order])
        self._fold(np.full(len(rtt), self.hosts, dtype=np.int64), rtt)
        self._set_timeouts()

    def _fold(self, hosts: I64, rtt: F64) -> None:
        starts, counts = runs(hosts)
        unique = hosts[starts]
        fresh = self.srtt[unique] < 0
        if fresh.any():
            first = rtt[starts[fresh]]
            self.srtt[unique[fresh]] = first
            self.rttvar[unique[fresh]] = np.clip(first, LEAST_RTTVAR, GREATEST_RTTVAR)
            rest = np.ones(len(hosts), dtype=bool)
            rest[starts[fresh]] = False
            if rest.any():
                self._fold(hosts[rest], rtt[rest])
            return
        mean, deviation = self.srtt[unique], self.rttvar[unique]
        from_end = np.repeat(starts + counts, counts) - 1 - np.arange(len(hosts))
        error = np.abs(rtt - np.repeat(mean, counts))
        self.srtt[unique] = mean * 0.875**counts + np.add.reduceat(rtt * 0.125 * 0.875**from_end, starts)
        deviation = deviation * 0.75**counts + np.add.reduceat(error * 0.25 * 0.75**from_end, starts)
        self.rttvar[unique] = np.minimum(deviation, GREATEST_RTTVAR)

    def _set_timeouts(self) -> None:
        known = self.srtt >= 0
        if not known[-1]:
            return
        timeout = np.clip(self.srtt + 4 * self.rttvar, self._least, self._most)
        self.timeout = np.where(known, timeout, timeout[-1])


class Windows:
    """How many probes may be in flight, to each host and to the group (probes, float)."""

    def __init__(self, hosts: int, plan: TimingPlan, group_limit: int) -> None:
        low = max(1, plan.min_parallelism)
        host_limit = max(low, plan.max_parallelism or HOST_LIMIT)
        self._host_limit = float(host_limit)
        self._proven_limit = self._host_limit if plan.max_parallelism else min(PROVEN_LIMIT, float(group_limit))
        self.low = float(low)
        limit = np.full(hosts + 1, float(host_limit))
        limit[-1] = max(low, min(plan.max_parallelism or group_limit, group_limit))
        self.limit: F64 = limit
        self.cwnd: F64 = np.clip(np.full(hosts + 1, 10.0), low, limit)
        self._initial = self.cwnd.copy()
        # The group starts without a threshold: until something is lost nothing is known of the path's room.
        self.ssthresh: F64 = np.full(hosts + 1, 150.0)
        self.ssthresh[-1] = limit[-1]
        self._increment = 2.0 if plan.template >= 4 else 1.0
        self.expected: F64 = np.zeros(hosts + 1)
        self.received: F64 = np.zeros(hosts + 1)
        self.last_drop: F64 = np.full(hosts + 1, -np.inf)
        # What was in flight when the last proof of the path came, and what blind growth may reach after a loss.
        self._carried = self._blind_limit = float(low)
        # Since the last decrease of each row.
        self._good: F64 = np.zeros(hosts + 1)
        self._lost: F64 = np.zeros(hosts + 1)

    def resolved(self, hosts: I64) -> None:
        """Probes to these hosts (repeats allowed) were answered or timed out: they count as replies that were
        hoped for.
        """
        self.expected[:-1] += np.bincount(hosts, minlength=len(self.cwnd) - 1)
        self.expected[-1] += len(hosts)

    def acknowledge(self, hosts: I64, weight: float) -> None:
        """Replies from these hosts arrived; ``weight`` 1, or ``PING_MAGNIFIER`` for a timing ping."""
        gained = np.bincount(hosts, minlength=len(self.cwnd)).astype(np.float64)
        gained[-1] = len(hosts)
        self.received += gained
        self._good += gained
        rows = np.flatnonzero(gained)
        cwnd, ssthresh = self.cwnd[rows], self.ssthresh[rows]
        scale = np.minimum(LARGEST_SCALE, self.expected[rows] / np.maximum(1.0, self.received[rows]))
        step = gained[rows] * weight * np.maximum(1.0, scale)
        slow = cwnd < ssthresh
        grown = np.where(slow, np.minimum(cwnd + step, ssthresh), cwnd + step * (self._increment / cwnd + GROWTH))
        self.cwnd[rows] = np.minimum(grown, self.limit[rows])
        self._go_beyond(rows[:-1][grown[:-1] >= self.limit[rows[:-1]]], gained)

    def _go_beyond(self, full: I64, gained: F64) -> None:
        """Raise the limits, and with them the windows, of hosts at their limit that lose nothing."""
        full = full[(self.last_drop[full] == -np.inf) & (self.received[full] >= PROVEN_SHARE * self.expected[full])]
        if len(full) and self._proven_limit > self._host_limit:
            raised = np.minimum(self.limit[full] + gained[full] * PROVEN_GROWTH, self._proven_limit)
            self.cwnd[full] = self.limit[full] = raised

    @property
    def silent_limit(self) -> float:
        """How many probes may be on their way to a host of which no answer is known: only its path can be overrun."""
        return self._proven_limit

    def expired(self, count: int) -> None:
        """Probes timed out: as long as nothing was ever lost in the group that is no sign of loss, but of silence."""
        most = BLIND_LIMIT if self.last_drop[-1] == -np.inf else self._blind_limit
        most = min(most, float(self.limit[-1]))
        self.cwnd[-1] = max(self.cwnd[-1], min(self.cwnd[-1] + count, most))

    def path_proven(self, count: int) -> None:
        """A proof of the path came back; ``count`` probes were sent since the one before it.

        One proof stands for many probes: until something is lost it opens the group's window like answers to several
        times as many, doubling it at most; after that by a share.
        """
        window = float(self.cwnd[-1])
        most = min(window, PROOF_WORTH * count)
        if window >= self.ssthresh[-1]:
            most = min(most, max(self._increment, window * PROOF_GROWTH))
        self._good[-1] += 1
        self.cwnd[-1] = min(window + most, self.limit[-1])
        self._carried = window

    def path_lost(self, sent: float, now: float) -> None:
        """A proof of the path sent then was lost: the group's window shrinks by the share of those lost."""
        self._lost[-1] += 1
        if sent <= self.last_drop[-1]:
            return
        share = self._lost[-1] / (self._lost[-1] + self._good[-1] + PROOFS_BEFORE)
        self.cwnd[-1] = max(self.low, self.cwnd[-1] * (1 - share))
        self.ssthresh[-1] = max(2.0, self.cwnd[-1])
        self.last_drop[-1] = now
        # Half is kept: proofs are few.
        self._lost[-1] /= 2
        self._good[-1] /= 2

    def blind_again(self) -> None:
        """There is no proof of the path any more: half of what the last one allowed is the most."""
        self._blind_limit = max(self.low, min(BLIND_LIMIT, self._carried / 2))
        self.cwnd[-1] = min(self.cwnd[-1], max(self._blind_limit, self._initial[-1]))

    def retire(self, hosts: I64) -> None:
        """These hosts are finished: their windows tell nothing of the path any more."""
        self._good[hosts] = self._lost[hosts] = 0

    def restart(self, hosts: I64) -> None:
        """These (distinct) hosts, and the group, begin anew at least: what shrank their windows was no loss."""
        rows = np.append(hosts, len(self.cwnd) - 1)
        self.cwnd[rows] = np.maximum(self.cwnd[rows], self._initial[rows])
        self._lost[rows] = self._good[rows] = 0

    def drop(self, hosts: I64, sent: F64, now: float, given: float = 0.0) -> I64:
        """Probes sent at ``sent`` to these hosts were lost; ``given``: the share that the path loses by itself, which
        is no reason to send less.

        One decrease for everything that was in flight together: only probes sent after the last decrease ask for
        one. A window shrinks by half the share of losses since then (as RFC 8257 does with marks): a path that loses
        a few packets by nature keeps its pace, one that is overrun is halved. Returns the rows (``hosts`` = the group)
        whose window shrank.
        """
        if not len(hosts):
            return hosts
        self._lost[:-1] += np.bincount(hosts, minlength=len(self.cwnd) - 1)
        rows = distinct(hosts[sent > self.last_drop[hosts]])
        share = self._lost[rows] / (self._lost[rows] + self._good[rows])
        if sent.max() > self.last_drop[-1]:
            rows = np.append(rows, len(self.cwnd) - 1)
            share = np.append(share, self._group_share(hosts))
        share = np.maximum(0.0, share - given) / (1 - given)
        group = self.cwnd[-1]
        self.cwnd[rows] = np.maximum(self.low, self.cwnd[rows] * (1 - share / 2))
        # What one host answers without loss the path carries, however much its neighbours lose or limit.
        carried = float(self.cwnd[:-1][self._good[:-1] > 0].max(initial=self.low))
        self.cwnd[-1] = min(group, max(self.cwnd[-1], carried))
        self.ssthresh[rows] = np.maximum(2.0, self.cwnd[rows])
        shrunk = rows[rows < len(self.cwnd) - 1]
        self.limit[shrunk] = np.maximum(np.minimum(self.limit[shrunk], self._host_limit), self.cwnd[shrunk])
        self.last_drop[rows] = now
        self._lost[rows] = 0
        self._good[rows] = 0
        return rows

    def _group_share(self, hosts: I64) -> float:
        """Share of losses on what the hosts have in common: their path.

        Where several hosts have told enough it is the lower quartile of their shares: a path that is overrun hurts all
        of them, an answer limit only the host that has it. Else all are added up, each weighing a few probes at most.
        """
        told = self._lost[:-1] + self._good[:-1]
        told[hosts] = np.maximum(told[hosts], 1.0)
        enough = told >= TOLD_ENOUGH
        if np.count_nonzero(enough) > 1:
            return float(np.quantile(self._lost[:-1][enough] / told[enough], 0.25, method="lower"))
        weight = np.minimum(1.0, HOST_WEIGHT / np.maximum(told, 1.0))
        return float((weight * self._lost[:-1]).sum() / (weight * told).sum())

    def smallest(self, hosts: I64) -> NDArray[np.bool_]:
        """Hosts whose window cannot shrink any further: only a delay slows them down more."""
        small: NDArray[np.bool_] = self.cwnd[hosts] <= self.low + 1
        return small


class ScanDelays:
    """Seconds between two probes to the same host, raised when drops look like a rate limit (spec sheet 2.4)."""

    def __init__(self, hosts: int, plan: TimingPlan, datagrams: bool) -> None:
        most = plan.max_scan_delay_udp if datagrams else plan.max_scan_delay_tcp
        # A delay asked for is also the least maximum: a boost must never shorten it.
        self._most = max(most, plan.scan_delay)
        self._first = 0.05 if datagrams else 0.005
        self._ratio = 0.4 if plan.template >= 4 else 0.3
        self.delay: F64 = np.full(hosts, plan.scan_delay)
        self.next_send: F64 = np.full(hosts, -np.inf)
        self._drops: I64 = np.zeros(hosts, dtype=np.int64)
        self._good: I64 = np.zeros(hosts, dtype=np.int64)
        self._boosted_at: F64 = np.full(hosts, -np.inf)

    def good(self, hosts: I64) -> None:
        """Answers to first tries."""
        self._good += np.bincount(hosts, minlength=len(self._good))

    def drops(self, hosts: I64, sent: F64, now: float) -> I64:
        """Lost probes; returns the hosts whose delay was raised."""
        counted = hosts[sent > self._boosted_at[hosts]]
        if not len(counted):
            return counted
        self._drops += np.bincount(counted, minlength=len(self._drops))
        total = self._drops + self._good
        raised = np.flatnonzero((self._drops > 10) & (self._drops > self._ratio * total))
        raised = raised[self.delay[raised] < self._most]
        self.boost(raised, now)
        return raised

    def boost(self, hosts: I64, now: float) -> None:
        """Raise the delay of these hosts one step."""
        if not len(hosts):
            return
        old = self.delay[hosts]
        self.delay[hosts] = np.minimum(np.where(old > 0, old * 2, self._first), self._most)
        self._drops[hosts] = 0
        self._good[hosts] = 0
        self._boosted_at[hosts] = now

    def ready(self, now: float) -> NDArray[np.bool_]:
        """Hosts to which something may be sent now; bool ``(hosts,)``."""
        return self.next_send <= now

    def sent(self, hosts: I64, now: float) -> None:
        """Something leaves now for these hosts."""
        self.next_send[hosts] = now + self.delay[hosts]
