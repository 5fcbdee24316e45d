"""The port scan of one host group by raw packets, whatever the technique: sans-IO, over prober and codec."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadline.engine.codec import ProbeCodec
from leadline.engine.group import HostGroup
from leadline.engine.ledger import Phase
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.prober import Prober
from leadline.engine.quoted_probes import ICMP, ICMPV6
from leadline.engine.raw_machine import PING_SCORES, RawMachine
from leadline.engine.replies import Replies
from leadline.engine.sends import Sends
from leadline.model.event import PortFound
from leadline.model.port import Port, PortState, PortSummary, Protocol, Reason
from leadline.model.tcp_flags import SYN
from leadline.ports.classify import answer_values, classify
from leadline.ports.heard import Heard
from leadline.ports.own_errors import OwnErrors
from leadline.ports.probes import PortMatrix, probe_table
from leadline.ports.result import (
    OPEN_ONLY,
    PortColumns,
    ServiceNames,
    icmp_answer,
    limit_words,
    sctp_answer,
    tcp_answer,
)
from leadline.ports.techniques import RawTechnique
from leadline.wire.columns import Decoded
from leadline.wire.distinct import distinct_rows

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

# Ports that firewalls and wrappers often treat in a way of their own make poorer pings (spec sheet 2.5).
_ODD_PORTS = np.array([25, 113, 135, 139, 445])


def _reasons(*chosen: Reason) -> NDArray[np.bool_]:
    table = np.zeros(256, dtype=bool)
    table[list(chosen)] = True
    return table


def _scores() -> NDArray[np.int16]:
    """By kind; what was answered without opening anything is a good ping, whatever began it."""
    table = np.zeros(256, dtype=np.int16)
    for kind, score in PING_SCORES.items():
        table[kind] = 60 if kind in (ProbeKind.TCP_SYN, ProbeKind.SCTP_INIT) else score
    return table


_REFUSALS = _reasons(Reason.RESET, Reason.ABORT)
_ANSWERED_SCORES = _scores()


class RawScan(RawMachine):
    """``technique``: what is sent and what answers mean; ``codec`` was made for its flags. ``matrix``: the ports;
    ``names``: service names for the ports found; ``materialised`` and ``apart``: see ``PortColumns``.
    ``weak_resets``: what is closed tells nothing of the path, so resets that come late or not at all slow nothing down
    (``--defeat-rst-ratelimit``).
    """

    def __init__(
        self, technique: RawTechnique, group: HostGroup, matrix: PortMatrix, prober: Prober, codec: ProbeCodec,
        epoch: float, *, names: ServiceNames, materialised: int, apart: Collection[PortState] = OPEN_ONLY,
        weak_resets: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(group, prober, codec, epoch)
        self.technique, self.matrix = technique, matrix
        self._table = probe_table(matrix, technique.kind, group.family)
        self._own_errors = OwnErrors(len(group)) if technique.protocol is Protocol.IP else None
        self.columns = PortColumns(
            len(group), matrix, group.family, technique.probe, materialised, protocol=technique.protocol,
            silence=technique.silence, apart=apart,
        )  # fmt: skip
        self._refuses_by_errors = technique.protocol in (Protocol.UDP, Protocol.IP)
        self._names = names
        self._weak_resets = weak_resets
        self._heard = Heard()
        known = np.flatnonzero(group.ping_kind != ProbeKind.NONE)
        scores = np.array([PING_SCORES[ProbeKind(int(kind))] for kind in group.ping_kind[known]], dtype=np.int16)
        prober.pings.teach(known, scores)

    def probes(self, sends: Sends) -> tuple[U8, I64]:
        return self._table.kinds[sends.columns], self._table.ports[sends.columns]

    def interpret(self, frames: Decoded, replies: Replies, now: float) -> None:
        if self._own_errors is not None:
            self._own_errors.take(frames, replies)
        columns = self._table.column_of(replies.kinds, replies.ports)
        verdicts = classify(self.technique, frames, replies)
        useful = np.flatnonzero((columns >= 0) & (verdicts.states != PortState.UNKNOWN))
        if not len(useful):
            return
        columns = np.maximum(columns, 0)
        items = replies.hosts * self.prober.width + columns
        codes = self.codes_of(replies, columns, frames.times[replies.rows])
        # Nothing is believed of a port that was not asked yet; a bare SYN only while its probe is awaited.
        asked = codes[useful] < np.minimum(self.prober.items.tries[items[useful]], 16)
        awaited = self.prober.items.phase[items[useful]] == Phase.OUTSTANDING
        split = verdicts.reasons[useful] == Reason.SPLIT_HANDSHAKE_SYN
        useful = useful[asked & (awaited | ~split)]
        if not len(useful):
            return
        self._book(frames, replies, useful, columns, codes, verdicts.states, verdicts.reasons, now)

    def _book(
        self, frames: Decoded, replies: Replies, useful: I64, columns: I64, codes: U8, states: U8, reasons: U8,
        now: float,
    ) -> None:  # fmt: skip
        hosts, rows, errors = replies.hosts[useful], replies.rows[useful], replies.error[useful]
        items = hosts * self.prober.width + columns[useful]
        times = frames.times[rows]
        rtt = self.prober.items.round_trip(items, codes[useful], times)
        weak, limited = errors, errors if self._refuses_by_errors else _REFUSALS[reasons[useful]]
        if self._weak_resets:
            weak, limited = errors | (states[useful] == PortState.CLOSED), np.zeros_like(errors)
        self.prober.answer(hosts, columns[useful], codes[useful], times, weak, now, limited)
        # Several replies to one port in one batch: the first that the transition rules take, then the next ... No rule
        # leads back to a state, so repeats of one (a flood) are left out: at most as many turns as there are states.
        left = np.arange(len(items))
        if len(self.prober.items.first_rows(items)) < len(left):
            left = np.sort(distinct_rows(items * len(PortState) + states[useful])[1])
        while len(left):
            first = self.prober.items.first_rows(items[left])
            turn = left[first]
            taken = turn[self.columns.decide(items[turn], states[useful[turn]], reasons[useful[turn]])]
            self.prober.items.answered_try[items[taken]] = codes[useful[taken]] + 1
            self._prove(frames, replies, useful[taken], items[taken], rtt[taken], now)
            left = np.delete(left, first) if len(first) < len(left) else left[:0]
        if self.technique.protocol is Protocol.UDP and not errors.all():
            self._heard.keep(items[~errors], self._captured, frames, rows[~errors])
        direct = ~weak
        if direct.any():
            kinds, ports = replies.kinds[useful][direct], replies.ports[useful][direct]
            self._teach(hosts[direct], kinds, ports, states[useful][direct])

    def _prove(
        self, frames: Decoded, replies: Replies, taken: I64, items: I64, rtt: NDArray[np.float64], now: float
    ) -> None:
        rows, errors = replies.rows[taken], replies.error[taken]
        direct = answer_values(self.technique.protocol, frames, rows)
        segments = tcp_answer(direct, frames.window[rows] if self.technique.reads_window else None)
        if self.technique.protocol is Protocol.SCTP:
            segments = sctp_answer(direct)
        answers = np.where(errors, icmp_answer(frames.icmp_type[rows], frames.icmp_code[rows]), segments)
        self.columns.prove(items, frames.ttl[rows], answers.astype(np.uint16), rtt, frames.times[rows] - self.epoch)
        for index in np.flatnonzero(errors & ~replies.from_target[taken]):
            row = int(rows[index])
            self.columns.responder(int(items[index]), int(frames.source_hi[row]), int(frames.source_lo[row]))
        for item in items[self.columns.states[items] == PortState.OPEN]:
            host = int(item) // self.prober.width
            port = self._port(int(item), now)
            self._events.append(PortFound(now - self.epoch, self.group.address(host), port))

    def _teach(self, hosts: I64, kinds: U8, ports: I64, states: U8) -> None:
        scores = _ANSWERED_SCORES[kinds]
        if self.technique.protocol is Protocol.TCP:
            scores = np.where(np.isin(ports, _ODD_PORTS), 50, scores).astype(np.int16)
        half_open = (kinds == ProbeKind.SCTP_INIT) | bool(self.technique.flags & SYN)
        # Pings would leave half-open connections behind.
        scores[half_open & (states == PortState.OPEN)] = PING_SCORES[ProbeKind.TCP_SYN]
        self.teach_ping(hosts, kinds, ports, scores)

    def _port(self, item: int, now: float) -> Port:
        tried = self.prober.items
        tries, answered = int(tried.tries[item]), int(tried.answered_try[item])
        return self.columns.port(item, tries, answered, now - self.epoch, self._names)

    def remarks(self, host: int, cut: bool) -> Iterator[str]:
        """What a user should know of the host besides its ports; ``cut``: its scan was ended early."""
        pacing = self.prober.pacing
        # Of TCP the pace that a host keeps up with and the one that the path does look alike: nothing is claimed.
        if pacing is not None and self.technique.protocol in (Protocol.UDP, Protocol.IP):
            yield from limit_words(*pacing.limits.estimate(host))
        if cut:
            yield from self.columns.open_cases(host)

    def result(self, host: int, now: float, complete: bool) -> tuple[tuple[Port, ...], tuple[PortSummary, ...]]:
        """The ports of one host. ``complete``: the scan of the host ran to its end, so silence is an answer too."""
        if self._own_errors is not None:
            self._speaks_icmp(host)
        ports, rest = self.columns.finished_host(host, self.prober.items, now - self.epoch, self._names, complete)
        if self.technique.protocol is not Protocol.UDP:
            return ports, rest
        first = host * self.prober.width
        heard = (self._heard.of(first + int(self.matrix.column_of[port.number])) for port in ports)
        return tuple(replace(port, heard=said) if said else port for port, said in zip(ports, heard, strict=True)), rest

    def _speaks_icmp(self, host: int) -> None:
        """A host that sends ICMP errors speaks ICMP, whether it answers echoes or not (spec sheet 2.8)."""
        column = int(self.matrix.column_of[ICMP if self.group.family == 4 else ICMPV6])
        items = np.array([host * self.prober.width + column])
        told = self._own_errors.first(host) if self._own_errors is not None else None
        if column < 0 or told is None or self.columns.states[items[0]] != PortState.UNKNOWN:
            return
        self.columns.decide(items, np.array([PortState.OPEN], np.uint8), np.array([told.reason], np.uint8))
        answer = icmp_answer(np.array([told.kind], np.uint8), np.array([told.code], np.uint8))
        self.columns.prove(
            items, np.array([told.ttl], np.uint8), answer, np.array([np.nan]), np.array([told.at - self.epoch])
        )
