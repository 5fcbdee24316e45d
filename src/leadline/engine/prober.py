"""Which probe goes to which host when: windows, retransmissions, pings and delays over a whole host group.

The prober knows nothing of packets. A stage asks ``take`` what to send, tells ``answer`` what was answered (after it
has checked that the answer is one), and reads ``finished``. Spec sheet 2.2 to 2.5 is the starting point.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.engine.decisions import Decision, Decisions
from leadline.engine.fresh import Fresh
from leadline.engine.governor import Governor
from leadline.engine.hop_proof import HopProof
from leadline.engine.ledger import CODES, Items, Ledger, Phase
from leadline.engine.loss import LossMeter
from leadline.engine.pace import Pace
from leadline.engine.pacing import Pacing, Suspicion
from leadline.engine.path_proof import PathProof
from leadline.engine.pings import CLOSE_INTERVAL, Pings
from leadline.engine.presence import Presence
from leadline.engine.rate import RateLimiter
from leadline.engine.retries import Retries
from leadline.engine.sends import Sends
from leadline.engine.timing import PING_MAGNIFIER, RoundTrips, ScanDelays, Windows
from leadline.model.plan import TimingPlan
from leadline.wire.distinct import distinct

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

# Timeouts shrink while round trips are learnt: look again at the latest after this many seconds.
EXPIRY_GLANCE = 0.05
# So many silent probes are worth asking whether their host is still there.
WORTH_A_WORD = 8
_NONE: I64 = np.empty(0, dtype=np.int64)


class Prober:
    """Schedules ``width`` possible probes to each of ``hosts`` hosts.

    ``order``, ``offsets``: see ``Fresh``. ``patient``: what times out is lost for good (connections), so a host that
    was never measured gets the first timeout, not that of its neighbours.
    ``hop``: finds a router that proves the path when nobody else does; only where TTL-limited probes can be sent.
    ``suspicion``: when a host is thought to limit its answers; ``None``: never. ``biased``: answers are those that came
    first of several, the lost ones are not heard of: loss is measured by pings alone.
    """

    def __init__(
        self, hosts: int, width: int, order: I64, plan: TimingPlan, now: float, *,
        offsets: I64 | None = None, group_limit: int = 8192, datagrams: bool = False, rate: RateLimiter | None = None,
        patient: bool = False, hop: HopProof | None = None, suspicion: Suspicion | None = None, biased: bool = False,
    ) -> None:  # fmt: skip
        self.hosts, self.width = hosts, width
        self.fresh = Fresh(hosts, width, order, offsets)
        self.items = Items(hosts, width)
        self.ledger = Ledger()
        self.trips = RoundTrips(hosts, plan)
        self.windows = Windows(hosts, plan, group_limit)
        self.delays = ScanDelays(hosts, plan, datagrams)
        self.loss = LossMeter(hosts)
        self.pings = Pings(hosts)
        self.rate = rate or RateLimiter(plan.max_rate, plan.min_rate, now)
        self.in_flight: I64 = np.zeros(hosts + 1, dtype=np.int64)
        self.active: Bool = self.fresh.counts > 0
        self.retries = Retries(self.items, hosts, width, plan.max_retries)
        wary = suspicion is not None and plan.max_retries > 0
        self.pacing = Pacing(self.items, hosts, width, order, offsets, suspicion) if wary and suspicion else None
        self._first_timeout = plan.initial_rtt_timeout
        self._patient, self._biased, self._leisurely = patient, biased, plan.leisurely
        self._group_control = plan.group_control
        self.presence = Presence(hosts)
        self._next_expiry = now
        self._finished: list[I64] = [np.flatnonzero(~self.active)]
        self._decisions = Decisions()
        self.path = PathProof(self.pings, self.loss, self.windows, self._decisions, hop)
        self.governor = Governor(hosts, now)
        self.pace = Pace(self.windows.low)
        self.sent = self.resolved = 0

    # ---- what to send -------------------------------------------------------------------------------------------

    def take(self, now: float, room: int) -> Sends | None:
        """Choose at most ``room`` probes to send now and book them as sent."""
        self.expire(now)
        owed = min(self.rate.owed(now), room)
        room = self.rate.room(now, room)
        if room <= 0 or not self.active.any():
            return None
        allowed = self._allowed(now, owed)
        # They never reach a host: windows do not hold them back.
        ttls, hop_codes = self.path.hop_probes(now, room)
        total = max(0, min(room - len(ttls), max(owed, self._group_room(now))))
        if not total and not len(ttls):
            return None
        wants_proof, last_word = self._wants()
        wanted_now = wants_proof | (last_word & ~self.pings.awaited)
        ping_hosts = self.pings.due(allowed, wanted_now, self.windows.cwnd[:-1], total)
        allowed[ping_hosts] -= 1
        busy = self.active & (allowed <= 0)
        busy[ping_hosts] = True
        # Who can be pinged itself is not proven by others.
        wanted = bool((wants_proof & (self.pings.score == 0)).any())
        others = self.path.neighbours(wanted, busy, total - len(ping_hosts))
        allowed[others] -= 1
        ping_hosts = np.concatenate((ping_hosts, others))
        total -= len(ping_hosts)
        paced = self.pacing.take(now, allowed, total) if self.pacing is not None else _NONE
        total -= len(paced)
        again = self.retries.take(allowed, total)
        total -= len(again)
        items = np.concatenate((paced, again, self.fresh.take(allowed, total)))
        if not len(items) and not len(ping_hosts) and not len(ttls):
            return None
        return self._book(now, ping_hosts, ttls, hop_codes, items)

    def _book(self, now: float, ping_hosts: I64, ttls: U8, hop_codes: U8, items: I64) -> Sends:
        hosts = items // self.width
        pings = self.pings.send(ping_hosts, now)
        codes = self.items.mark_sent(items, now)
        self.ledger.add(items, self.items.tries[items], now)
        self.pings.probes_sent(hosts)
        self.presence.asked(hosts, now)
        self.path.probes_sent(hosts)
        head = bool(self.pings.sent_so_far.sum() % 2)
        sends = Sends.of(ping_hosts, pings, hosts, items % self.width, codes, pings_first=head)
        self.in_flight[:-1] += np.bincount(sends.hosts, minlength=self.hosts)
        self.in_flight[-1] += len(sends.hosts)
        self.delays.sent(sends.hosts, now)
        if len(ttls) and self.path.hop is not None:
            # What the target never sees looks like what it is sent first.
            host = self.path.hop.host
            sends = sends.behind(ttls, hop_codes, host, self.fresh.first_of(host))
        count = len(sends.hosts)
        self.rate.sent(count)
        self.pace.sent(count)
        self.governor.sent(count, now)
        self.sent += count
        return sends

    def _allowed(self, now: float, owed: int) -> I64:
        own = self.windows.cwnd[:-1]
        # A host without a known answer has no window of its own to trust: the group's serves (spec sheet 2.2).
        window = np.where(
            self.pings.score > 0, own, np.maximum(own, min(self.windows.cwnd[-1], self.windows.silent_limit))
        )
        room: I64 = np.floor(window - self.in_flight[:-1] + 0.5).astype(np.int64)
        np.maximum(room, 0, out=room)
        room[self.delays.delay > 0] = np.minimum(room, 1)[self.delays.delay > 0]
        room[~self.delays.ready(now)] = 0
        if owed:
            # --min-rate overrides windows and delays (spec sheet 2.2).
            np.maximum(room, -(-owed // max(1, int(self.active.sum()))), out=room)
        room[~self.active] = 0
        return room

    def _group_room(self, now: float) -> int:
        if not self._group_control:
            return int(self.windows.limit[-1] - self.in_flight[-1])
        window = float(self.windows.cwnd[-1])
        paced = self.pace.room(now, window, float(self.trips.timeout[-1]), self.governor.ceiling)
        if self.windows.limit[-1] > self.windows.limit[0] and int(self.active.sum()) < 2:
            # A host alone is its own group.
            room = int(self.windows.limit[-1])
        else:
            room = int(np.floor(window - self.in_flight[-1] + 0.5))
        return room if paced is None else min(room, paced)

    # ---- what came back -----------------------------------------------------------------------------------------

    def answer(
        self, hosts: I64, columns: I64, codes: U8, times: F64, weak: Bool, now: float, limited: Bool | None = None
    ) -> Bool:
        """Book checked answers to item probes, ``(N,)`` each, oldest first.

        ``weak``: an ICMP error that only means "filtered": it decides the item, but says nothing of loss. ``limited``:
        answers of a kind that hosts limit.
        Returns which of them are the first answer to their item.
        """
        items = hosts * self.width + columns
        new: Bool = (self.items.phase[items] != Phase.DECIDED) & (codes < np.minimum(self.items.tries[items], CODES))
        picked = np.flatnonzero(new)
        if not len(picked):
            return new
        first = self.items.first_rows(items[picked])
        if len(first) < len(picked):
            picked = picked[first]
            new[:] = False
            new[picked] = True
        items = items[picked]
        hosts, codes, weak = hosts[picked], codes[picked], weak[picked]
        rtt = self.items.round_trip(items, codes, times[picked])
        phase = self.items.phase[items]
        self._leave(hosts[phase == Phase.OUTSTANDING])
        self.retries.answered(hosts, phase)
        if self.pacing is not None and limited is not None:
            self.pacing.answered(items, phase, codes, times[picked], limited[picked])
        self.items.phase[items] = Phase.DECIDED
        self.items.answered_try[items] = codes + 1
        # Items of finished hosts were counted when they were given up.
        self.resolved += int(self.active[hosts].sum())
        measured = np.isfinite(rtt)
        self.trips.sample(hosts[measured], rtt[measured])
        self.windows.resolved(hosts)
        # What needed a retry tells of loss: it must not widen the window first.
        self.windows.acknowledge(hosts[codes == 0], 1.0)
        self.pace.resolved(len(hosts), 0)
        self.path.heard()
        self._heard_of(hosts, now)
        lost_at = self.items.sent_before(items, codes, times[picked])
        self.governor.answered(hosts[measured], (times[picked] - rtt)[measured])
        counted = self.retries.counted(items, codes)
        self._learn_loss(hosts[~weak], counted[~weak], lost_at[~weak], now)
        return new

    def _learn_loss(self, hosts: I64, codes: U8, lost_at: F64, now: float) -> None:
        again = codes > 0
        self.delays.good(hosts[~again])
        lost = codes.astype(np.float64)
        if not self._biased:
            self.loss.count(hosts, lost + 1, lost)
        self.pings.proven(hosts)
        if not again.any():
            return
        self.governor.lost(hosts[again], lost_at[again])
        self._dropped(hosts[again], lost_at[again], "answered only on a retry", now)
        self.retries.of_use(hosts[again], codes[again])
        self._grow_limits(now)

    def ping_answered(self, hosts: I64, codes: U8, times: F64, now: float) -> None:
        """Book checked answers to timing pings."""
        hosts, rtt = self.pings.answer(hosts, codes, times)
        if not len(hosts):
            return
        self._leave(hosts)
        self.governor.answered(hosts, now - rtt)
        self.trips.sample(hosts, rtt)
        self.windows.resolved(hosts)
        self.windows.acknowledge(hosts, PING_MAGNIFIER)
        self.path.heard()
        self.loss.count(hosts, np.ones(len(hosts)), np.zeros(len(hosts)))
        self._heard_of(hosts, now)
        self._grow_limits(now)

    def _heard_of(self, hosts: I64, now: float) -> None:
        back, missed = self.presence.heard(hosts, now)
        if len(back):
            self.loss.count(back, missed, missed)

    def forget_pings(self, hosts: I64) -> None:
        """Nobody waits any more for pings on their way to these (distinct) hosts: their ping probe changed."""
        forgotten = self.pings.stop(hosts)
        self.in_flight[hosts] -= forgotten
        self.in_flight[-1] -= forgotten.sum()

    def requeue(self, hosts: I64, columns: I64) -> None:
        """Send these outstanding items again at once: the attempt failed on our own side."""
        items = hosts * self.width + columns
        items = items[self.items.phase[items] == Phase.OUTSTANDING]
        self._leave(items // self.width)
        self.ledger.forget(items)
        self.items.tries[items] -= 1
        self.retries.wait(items)

    def finish(self, hosts: I64) -> None:
        """Nothing more is to be sent to these hosts: what is known is enough, or their time is up."""
        hosts = distinct(hosts[self.active[hosts]])
        if not len(hosts):
            return
        self.active[hosts] = False
        matrix = self.items.phase.reshape(self.hosts, self.width)
        phases = matrix[hosts]
        pending = (phases == Phase.OUTSTANDING) | (phases == Phase.WAITING)
        matrix[hosts] = np.where(pending, np.uint8(Phase.DECIDED), phases)
        self.resolved += self.fresh.skip(hosts) + int(pending.sum()) + int(self.retries.benched[hosts].sum())
        self.in_flight[-1] -= self.in_flight[hosts].sum()
        self.in_flight[hosts] = 0
        self.retries.forget(hosts)
        if self.pacing is not None:
            self.pacing.forget(hosts)
        self.pings.stop(hosts)
        self.windows.retire(hosts)
        self._finish(hosts)

    # ---- time passes --------------------------------------------------------------------------------------------

    def expire(self, now: float) -> I64:
        """Give up waiting for probes whose time is up; returns their items. Called by ``take``."""
        if now < self._next_expiry and not self._settled().any():
            return _NONE
        patience = np.maximum(self.trips.timeout[:-1], self.delays.delay)
        # A host that is known to answer, but was never measured, may be slower than its neighbours.
        unmeasured = (self.trips.srtt[:-1] < 0) & ((self.pings.score > 0) | self._patient)
        patience[unmeasured] = np.maximum(patience[unmeasured], self._first_timeout)
        items, _, soonest = self.ledger.expire(self.items, self.width, patience, now)
        lost, lost_sent, ping_due = self.pings.expire(patience, now)
        hop_due = self.path.expire(float(self.trips.timeout[-1]), now)
        self._next_expiry = min(soonest, ping_due, hop_due, now + EXPIRY_GLANCE)
        if len(lost):
            self._leave(lost)
            self.windows.resolved(lost)
            missing = self.presence.lost(lost, self.loss.share())
            self.governor.lost(lost, lost_sent)
            self._dropped(lost, lost_sent, "timing ping lost", now)
            self._give_up_measuring(missing[self.pings.score[missing] > 0], now)
        if len(items):
            hosts = items // self.width
            self._leave(hosts)
            self.windows.resolved(hosts)
            self.windows.expired(len(items))
            self.pace.resolved(0, len(items))
            self.path.timed_out(hosts, int(self.fresh.left.sum()) + len(items))
            self.retries.timed_out(items if self.pacing is None else self._held(self.pacing, items, now))
        if self.pacing is not None:
            self.retries.wait(self.pacing.let_go(now))
        self._govern(now)
        self._settle(now)
        return items

    def _govern(self, now: float) -> None:
        judged = self.governor.judge(now, float(self.trips.timeout[-1]))
        if judged is None:
            return
        self.loss.fade(judged.kept)
        self.pings.interval = CLOSE_INTERVAL
        if judged.heavy:
            self.retries.void(self.active)
            # Nor do pings that are still on their way tell anything of the pace that begins.
            self.forget_pings(np.arange(self.hosts))
            self.presence.pardon()
        # 0: no ceiling (infinity is no number in JSON).
        before = 0.0 if np.isinf(judged.before) else judged.before
        self._decisions.add(now, -1, "rate", judged.cause, before, judged.after)

    def _held(self, pacing: Pacing, items: I64, now: float) -> I64:
        """What is not kept back for hosts that limit their answers."""
        rest, over = pacing.timed_out(items, now)
        self.retries.bench(over)
        return rest

    def _give_up_measuring(self, hosts: I64, now: float) -> None:
        """These hosts are gone: they are no measure of the path any more, and what is left is probed like silence."""
        if not len(hosts):
            return
        self.forget_pings(hosts)
        self.pings.score[hosts] = 0
        missed, old = self.presence.missed[hosts], self.windows.cwnd[hosts]
        self.presence.leave(hosts)
        self.windows.restart(hosts)
        self.governor.forget(hosts)
        for host, pings, before in zip(hosts, missed, old, strict=True):
            cause = f"{pings} timing pings in a row lost: the host is gone or shuts us out"
            self._decisions.add(now, int(host), "cwnd", cause, before, self.windows.cwnd[host])

    def _settled(self) -> Bool:
        idle: Bool = self.active & self.fresh.used_up & (self.in_flight[:-1] == 0)
        idle &= self.retries.waiting == 0
        if self.pacing is not None:
            idle &= self.pacing.held == 0
        return idle

    def _settle(self, now: float) -> None:
        idle = self._settled()
        if not idle.any():
            return
        self._grow_limits(now)
        wants_proof, last_word = self._wants()
        idle &= (self.retries.waiting == 0) & ~wants_proof & ~last_word
        if self.pacing is not None:
            idle &= ~self._look_closer(self.pacing, idle, now)
        done = np.flatnonzero(idle)
        self.resolved += int(self.retries.benched[done].sum())
        self.active[done] = False
        self.pings.stop(done)
        self.windows.retire(done)
        if len(done):
            self._finish(done)

    def _look_closer(self, pacing: Pacing, idle: Bool, now: float) -> Bool:
        """Hosts that may have been asked faster than they answer: what was silent there is asked at their pace."""
        likely: Bool = idle & pacing.suspects(self.retries.benched)
        hosts = np.flatnonzero(likely)
        if len(hosts):
            pacing.begin(hosts, now)
            self.retries.unbench(hosts)
        return likely

    def _wants(self) -> tuple[Bool, Bool]:
        """Hosts that nothing but silent probes keeps, and what these may not be given up without.

        First proof: too little is known of the loss on their path, or too many of their pings were lost. Then a last
        word: the host may have left, and silence tells something of ports only while it answers something else.
        """
        retries = self.retries
        nearly: Bool = self.active & self.fresh.used_up & (retries.benched > 0) & (retries.waiting == 0)
        nearly &= not self._leisurely
        known = nearly & (self.pings.score > 0)
        last_word = known & (retries.benched >= WORTH_A_WORD) & self.presence.unheard
        leaving = known & self.presence.doubtful
        nearly &= retries.limit < retries.most
        own = nearly & self.pings.unproven(self.loss.told[:-1], retries.benched)
        return leaving | own | self.path.unproven(nearly, retries.benched), last_word

    def next_timer(self, now: float) -> float | None:
        """When ``take`` should be called again if nothing arrives."""
        times = [self._next_expiry]
        later = self.rate.next_time(now), self.pace.next_time(now), self.path.next_time(now)
        times += [at for at in later if at is not None]
        if self.pacing is not None:
            times.append(self.pacing.next_time(now))
        held = self.active & (self.delays.next_send > now) & (~self.fresh.used_up | (self.retries.waiting > 0))
        if held.any():
            times.append(float(self.delays.next_send[held].min()))
        return min(times)

    # ---- results ------------------------------------------------------------------------------------------------

    def finished(self) -> I64:
        """Hosts that became finished since the last call."""
        done = np.concatenate(self._finished) if self._finished else _NONE
        self._finished.clear()
        return done

    def decisions(self) -> list[Decision]:
        """Timing decisions since the last call (the newest ten thousand)."""
        for change in self.pacing.limits.changes() if self.pacing is not None else ():
            self._decisions.add(change.at, change.host, "pace", change.cause, change.old, change.new)
        return self._decisions.fetch()

    def progress(self) -> float:
        """Share of the work done, 0..1 (probes that may still need a retransmission count half)."""
        total = int(self.fresh.counts.sum())
        if not total:
            return 1.0
        held = int(self.pacing.held.sum()) if self.pacing is not None else 0
        return min(1.0, (self.resolved + 0.5 * max(0, int(self.fresh.cursor.sum()) - self.resolved - held)) / total)

    def remaining(self) -> float | None:
        """Seconds until hosts that limit their answers are through; ``None``: nobody knows, or there are none."""
        return self.pacing.remaining() if self.pacing is not None else None

    @property
    def done(self) -> bool:
        return not self.active.any()

    def _finish(self, hosts: I64) -> None:
        self._finished.append(hosts)
        if self.done:
            # Pings to finished hosts told of the path of the others.
            self.forget_pings(np.flatnonzero(self.in_flight[:-1] > 0))

    # ---- small steps --------------------------------------------------------------------------------------------

    def _leave(self, hosts: I64) -> None:
        self.in_flight[:-1] -= np.bincount(hosts, minlength=self.hosts)
        self.in_flight[-1] -= len(hosts)

    def _grow_limits(self, now: float) -> None:
        grown, old = self.retries.grow(self.loss.retries_needed(), self.active, fall=self.governor.ceiling is not None)
        for host, before in zip(grown, old, strict=True):
            self._decisions.add(
                now, int(host), "retry_limit", "loss seen on the path", before, self.retries.limit[host]
            )

    def _dropped(self, hosts: I64, sent: F64, cause: str, now: float) -> None:
        old = self.windows.cwnd.copy()
        for row in self.windows.drop(hosts, sent, now, self.governor.given):
            host = int(row) if row < self.hosts else -1
            self._decisions.add(now, host, "cwnd", cause, old[row], self.windows.cwnd[row])
        before = self.delays.delay.copy()
        small = self.windows.smallest(hosts)
        for row in self.delays.drops(hosts[small], sent[small], now):
            self._decisions.add(
                now, int(row), "scan_delay", "drops look like a rate limit", before[row], self.delays.delay[row]
            )
