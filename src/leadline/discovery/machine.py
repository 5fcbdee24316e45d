"""Discovery of one host group with raw probes: sans-IO, over prober and codec."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from leadline.discovery.classify import classify
from leadline.discovery.probes import PingColumns
from leadline.engine.codec import ProbeCodec
from leadline.engine.group import HostGroup
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.prober import Prober
from leadline.engine.raw_machine import PING_SCORES, RawMachine
from leadline.engine.replies import Replies
from leadline.engine.sends import PING, Sends
from leadline.model.address import Address, address_of
from leadline.model.event import HostFound
from leadline.model.evidence import Evidence
from leadline.model.host import HostStatus
from leadline.model.port import Reason
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import Decoded
from leadline.wire.distinct import distinct_rows

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
VendorNames = Callable[[str], str]

# So many of the hosts that are up are pinged to measure what the path loses: each often enough to be heard again.
WITNESSES = 8


class DiscoveryMachine(RawMachine):
    """Results are columns over the hosts ``(N,)``: ``status`` (``HostStatus``), ``reasons``, ``ttls``, ``macs``.

    ``vendors``: the registered owner of a MAC. A host is finished with the first answer that decides it.
    ``patience``: seconds after the last probe during which a host that has not answered yet may still do so.
    ``named``: what evidence calls a probe, by its plain name; questions for next hops keep theirs.
    """

    def __init__(
        self, group: HostGroup, columns: PingColumns, prober: Prober, codec: ProbeCodec, epoch: float, *,
        ignore_reset: bool, vendors: VendorNames, patience: float = 0.0, named: Callable[[str], str] = str,
    ) -> None:  # fmt: skip
        super().__init__(group, prober, codec, epoch)
        self.columns = columns
        self._ignore_reset, self._vendors = ignore_reset, vendors
        count = len(group)
        self.status: U8 = np.zeros(count, dtype=np.uint8)
        self.reasons: U8 = np.full(count, int(Reason.NO_RESPONSE), dtype=np.uint8)
        self.ttls: U8 = np.zeros(count, dtype=np.uint8)
        self.macs: NDArray[np.uint8] = np.zeros((count, 6), dtype=np.uint8)
        self.answered: I64 = np.full(count, -1, dtype=np.int64)
        self.rtt: NDArray[np.float64] = np.full(count, np.nan)
        self.decided_at: NDArray[np.float64] = np.full(count, np.nan)
        self._responders: dict[int, tuple[int, int]] = {}
        self._names: list[str] = []
        self._named = named
        self._patience = patience
        self._now = self._patient_until = epoch
        self._witnesses = 0

    def poll(self, now: float, room: int) -> FrameBatch | None:
        self._now = now
        return super().poll(now, room)

    def next_timer(self, now: float) -> float | None:
        return self._patient_until if self.prober.done else super().next_timer(now)

    @property
    def done(self) -> bool:
        # The timeout of a host that was never heard of is its group's: fast neighbours must not rush a slow host.
        return self.prober.done and (self._now >= self._patient_until or not (self.status == HostStatus.UNKNOWN).any())

    @property
    def pending(self) -> NDArray[np.bool_]:
        """Hosts that may still answer, bool ``(N,)``: unless all is done, nobody's patience is known to be over."""
        result: NDArray[np.bool_] = self.prober.active | ((self.status == HostStatus.UNKNOWN) & (not self.done))
        return result

    def probes(self, sends: Sends) -> tuple[U8, I64]:
        if (sends.columns != PING).any():
            self._patient_until = self._now + self._patience
        return self.columns.kinds[sends.columns], self.columns.numbers[sends.columns]

    def interpret(self, frames: Decoded, replies: Replies, now: float) -> None:
        columns = self.columns.column_of(replies.kinds, replies.ports)
        rows = replies.rows
        status, reasons = classify(
            replies.kinds, replies.error, replies.from_target, frames.family[rows], frames.tcp_flags[rows],
            frames.icmp_type[rows], frames.icmp_code[rows], frames.chunk_type[rows], self._ignore_reset,
        )  # fmt: skip
        reasons[self.columns.protocols[columns] & ~replies.error] = Reason.PROTO_RESPONSE
        asked = np.flatnonzero((columns >= 0) & (status != HostStatus.UNKNOWN))
        if not len(asked):
            return
        codes = self.codes_of(replies, np.maximum(columns, 0), frames.times[replies.rows])
        items = replies.hosts[asked] * self.prober.width + columns[asked]
        rtt = self.prober.items.round_trip(items, codes[asked], frames.times[rows[asked]])
        weak = replies.error[asked]
        new = self.prober.answer(
            replies.hosts[asked], columns[asked], codes[asked], frames.times[rows[asked]], weak, now
        )
        # One verdict a host: the first one that came.
        picked, rtt = asked[new], rtt[new]
        hosts, first = distinct_rows(replies.hosts[picked])
        open_cases = self.status[hosts] == HostStatus.UNKNOWN
        hosts, picked, rtt = hosts[open_cases], picked[first][open_cases], rtt[first][open_cases]
        self.status[hosts] = status[picked]
        self.reasons[hosts] = reasons[picked]
        self.ttls[hosts] = np.where(np.isin(replies.kinds[picked], _LINK_KINDS), 0, frames.ttl[rows[picked]])
        self.answered[hosts] = columns[picked]
        self.rtt[hosts] = rtt
        self.decided_at[hosts] = frames.times[rows[picked]]
        self._learn(frames, replies, hosts, picked, now)
        self.prober.finish(hosts)

    def _learn(self, frames: Decoded, replies: Replies, hosts: I64, picked: I64, now: float) -> None:
        group, rows = self.group, replies.rows[picked]
        link = np.isin(replies.kinds[picked], _LINK_KINDS)
        self.macs[hosts[link]] = frames.mac[rows[link]]
        direct = ~replies.error[picked]
        group.ping_kind[hosts[direct]] = replies.kinds[picked[direct]]
        group.ping_port[hosts[direct]] = replies.ports[picked[direct]]
        self._call(hosts[direct])
        for index in np.flatnonzero(replies.error[picked] & ~replies.from_target[picked]):
            row = int(rows[index])
            self._responders[int(hosts[index])] = (int(frames.source_hi[row]), int(frames.source_lo[row]))
        up, at = hosts[self.status[hosts] == HostStatus.UP], now - self.epoch
        for host, reason, ttl in zip(up.tolist(), self.reasons[up].tolist(), self.ttls[up].tolist(), strict=True):
            mac = self.mac(host)
            self._events.append(
                HostFound(
                    at=at,
                    address=group.address(host),
                    reason=_REASONS[reason],
                    reason_ttl=ttl,
                    mac=mac,
                    vendor=self._vendors(mac) if mac else "",
                )
            )

    def _call(self, hosts: I64) -> None:
        """Of these hosts, found up by answers of their own, the first few bear witness of what the path loses."""
        chosen = hosts[self.status[hosts] == HostStatus.UP][: WITNESSES - self._witnesses]
        if len(chosen):
            self._witnesses += len(chosen)
            scores = [PING_SCORES[ProbeKind(int(kind))] for kind in self.group.ping_kind[chosen]]
            self.prober.pings.teach(chosen, np.array(scores, dtype=np.int16))

    def mac(self, host: int) -> str:
        """The MAC that the host answered with, or the empty string."""
        return mac_text(self.macs[host])

    def responder(self, host: int) -> Address | None:
        """Who decided, when it was not the host itself."""
        pair = self._responders.get(host)
        return address_of(self.group.family, *pair) if pair else None

    def evidence(self, host: int, now: float) -> Evidence:
        """The proof of a host's status. ``now``: when it was given up, for a host that nothing was heard of."""
        column, width = int(self.answered[host]), self.prober.width
        if column < 0:
            names = ", ".join(self._probe_name(index) for index in range(width))
            tries = self.prober.items.tries[host * width : (host + 1) * width]
            cut = bool(self.pending[host])
            rule = "no reply before the scan was cut -> unknown" if cut else "no reply to any probe -> down"
            return Evidence(probe=names, tries=int(tries.sum()), at=now - self.epoch, rule=rule)
        name, item, rtt = self._probe_name(column), host * width + column, float(self.rtt[host])
        reply = _REASON_WORDS[int(self.reasons[host])]
        return Evidence(
            probe=name,
            tries=int(self.prober.items.tries[item]),
            answered_try=int(self.prober.items.answered_try[item]),
            reply=reply,
            responder=self.responder(host) or self.group.address(host),
            ttl=int(self.ttls[host]),
            rtt=rtt if rtt == rtt else None,
            at=float(self.decided_at[host]) - self.epoch,
            rule=f"{name}: {reply} -> {_STATUS_WORDS[int(self.status[host])]}",
        )

    def _probe_name(self, column: int) -> str:
        if not self._names:
            pairs = zip(self.columns.kinds.tolist(), self.columns.numbers.tolist(), strict=True)
            plain = [(kind, f"{ProbeKind(kind).label} {number or ''}".rstrip()) for kind, number in pairs]
            self._names = [name if kind in _LINK_KINDS else self._named(name) for kind, name in plain]
        return self._names[column]


def mac_text(raw: NDArray[np.uint8]) -> str:
    """Six bytes as users write them; the empty string for zeros."""
    octets = raw.tobytes()
    return octets.hex(":").upper() if any(octets) else ""


# One look-up a host instead of making the names anew.
_REASONS = {int(one): one for one in Reason}
_REASON_WORDS = {int(one): one.label for one in Reason}
_STATUS_WORDS = {int(one): one.label for one in HostStatus}
_LINK_KINDS = np.array([int(ProbeKind.ARP), int(ProbeKind.NEIGHBOR)], dtype=np.uint8)
