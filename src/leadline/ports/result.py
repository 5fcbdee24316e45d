"""What is known of the ports of a group, in columns, and how it becomes model values when a host is finished."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from leadline.engine.ledger import Items
from leadline.model.address import Address, address_of
from leadline.model.evidence import Evidence
from leadline.model.port import Port, PortState, PortSummary, Protocol, Reason
from leadline.model.service import Service
from leadline.ports.classify import TRANSITIONS, flag_words, icmp_words
from leadline.ports.probes import PortMatrix
from leadline.wire.distinct import distinct
from leadline.wire.sctp import chunk_name

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
ServiceNames = Callable[[int, Protocol], str]
OPEN_ONLY = frozenset({PortState.OPEN})

_ERROR, _WINDOW, _WINDOW_READ, _FLAGS = 0x8000, 0x4000, 0x2000, 0x01FF


class PortColumns:
    """Columns over all items of a group, flat ``(hosts * ports,)`` as in ``engine.ledger``.

    ``answers``: see ``tcp_answer``, ``sctp_answer`` and ``icmp_answer``; 0: none. ``rtt``: seconds, NaN: none.
    ``times``: of the deciding reply, seconds since the scan began, NaN: none. ``materialised``: ports of one state and
    reason are kept one by one up to this many, as ranges beyond it; ports in one of the states ``apart`` always one by
    one.
    ``silence``: the state of ports that nothing was heard of; ``protocol``: whose ports they are.
    """

    def __init__(
        self, hosts: int, matrix: PortMatrix, family: int, probe: str, materialised: int, *,
        protocol: Protocol = Protocol.TCP, silence: PortState = PortState.FILTERED,
        apart: Collection[PortState] = OPEN_ONLY,
    ) -> None:  # fmt: skip
        self.matrix = matrix
        self._most_materialised = materialised
        self._silence, self._apart = silence, frozenset(apart)
        self._width = len(matrix.numbers)
        self._family, self._probe, self._protocol = family, probe, protocol
        size = hosts * self._width
        self.states: U8 = np.zeros(size, dtype=np.uint8)
        self.reasons: U8 = np.zeros(size, dtype=np.uint8)
        self.ttls: U8 = np.zeros(size, dtype=np.uint8)
        self.answers: NDArray[np.uint16] = np.zeros(size, dtype=np.uint16)
        self.rtt: NDArray[np.float32] = np.full(size, np.nan, dtype=np.float32)
        self.times: NDArray[np.float32] = np.full(size, np.nan, dtype=np.float32)
        self._responders: dict[int, tuple[int, int]] = {}

    def decide(self, items: I64, states: U8, reasons: U8) -> NDArray[np.bool_]:
        """Apply verdicts to (distinct) items by the transition rules; returns which were accepted."""
        accepted: NDArray[np.bool_] = TRANSITIONS[self.states[items], states]
        taken = items[accepted]
        self.states[taken] = states[accepted]
        self.reasons[taken] = reasons[accepted]
        return accepted

    def prove(
        self, items: I64, ttls: U8, answers: NDArray[np.uint16], rtt: NDArray[np.float64], times: NDArray[np.float64]
    ) -> None:
        """Keep the proof of what was just decided."""
        self.ttls[items] = ttls
        self.answers[items] = answers
        self.rtt[items] = rtt
        self.times[items] = times
        # A responder belonged to the reply that was believed before.
        if self._responders:
            for item in items.tolist():
                self._responders.pop(item, None)

    def responder(self, item: int, hi: int, lo: int) -> None:
        """Somebody other than the target sent the deciding reply."""
        self._responders[item] = (hi, lo)

    def give_up(self, hosts: I64) -> None:
        """Every scanned port of these hosts that nothing was heard of is what silence means (no response)."""
        for host in hosts:
            items = int(host) * self._width + self.matrix.ports_of(int(host))
            silent = items[self.states[items] == PortState.UNKNOWN]
            self.states[silent] = self._silence
            self.reasons[silent] = Reason.NO_RESPONSE

    def port(self, item: int, tries: int, answered: int, at: float, name: ServiceNames) -> Port:
        """One port as a model value. ``at``: when it was given up, for a port that nothing was heard of."""
        state, reason = PortState(int(self.states[item])), Reason(int(self.reasons[item]))
        number = int(self.matrix.numbers[item % self._width])
        words = self._answer_words(int(self.answers[item])) or (
            reason.label if reason is not Reason.NO_RESPONSE else ""
        )
        responder: Address | None = None
        if item in self._responders:
            responder = address_of(self._family, *self._responders[item])
        rtt, told = float(self.rtt[item]), float(self.times[item])
        evidence = Evidence(
            probe=self._probe,
            tries=tries,
            answered_try=answered,
            reply=words,
            responder=responder,
            ttl=int(self.ttls[item]),
            rtt=rtt if rtt == rtt else None,
            at=told if told == told else at,
            rule=f"{self._probe}: {words or 'no reply to any try'} -> {state.label}",
        )
        service = name(number, self._protocol)
        return Port(
            number=number,
            protocol=self._protocol,
            state=state,
            reason=reason,
            reason_ttl=int(self.ttls[item]),
            reason_address=responder,
            service=Service(service) if service else None,
            evidence=evidence,
        )

    def _answer_words(self, answer: int) -> str:
        if answer & _ERROR:
            return icmp_words(self._family, answer >> 8 & 0x7F, answer & 0xFF)
        if self._protocol is Protocol.SCTP:
            return f"sctp {chunk_name(answer).lower()}" if answer else ""
        words = flag_words(answer & _FLAGS) if answer else ""
        if answer & _WINDOW_READ:
            words += " with a window" if answer & _WINDOW else " without a window"
        return words

    def open_cases(self, host: int) -> Iterator[str]:
        """One sentence about the ports of a host that were not decided yet, if there are any."""
        items = self.matrix.ports_of(host) + host * self._width
        left = int(np.count_nonzero(self.states[items] == PortState.UNKNOWN))
        if left:
            yield f"{left} of its {len(items)} {self._protocol.label} ports had not been told when it was cut"

    def finished_host(
        self, host: int, items: Items, at: float, name: ServiceNames, complete: bool
    ) -> tuple[tuple[Port, ...], tuple[PortSummary, ...]]:
        """The ports of one host. ``complete``: its scan ran to the end, so silence is an answer too."""
        if complete:
            self.give_up(np.array([host]))
        return self.of_host(host, items.tries, items.answered_try, at, name)

    def of_host(
        self, host: int, tries: U8, answered: U8, at: float, name: ServiceNames
    ) -> tuple[tuple[Port, ...], tuple[PortSummary, ...]]:
        """The decided ports of one host. ``tries``/``answered``: the item columns of ``engine.ledger.Items``."""
        items = np.sort(self.matrix.ports_of(host)) + host * self._width
        items = items[self.states[items] != PortState.UNKNOWN]
        keys = self.states[items].astype(np.int64) << 8 | self.reasons[items]
        ports: list[Port] = []
        summaries: list[PortSummary] = []
        for key in distinct(keys):
            same = items[keys == key]
            state, reason = PortState(int(key) >> 8), Reason(int(key) & 0xFF)
            if len(same) > self._most_materialised and state not in self._apart:
                numbers = self.matrix.numbers[same % self._width]
                summaries.append(PortSummary(self._protocol, state, reason, ranges_of(numbers), len(same)))
            else:
                ports.extend(self.port(int(item), int(tries[item]), int(answered[item]), at, name) for item in same)
        ports.sort(key=lambda port: port.number)
        return tuple(ports), tuple(summaries)


def limit_words(rate: float, burst: float) -> Iterator[str]:
    """One sentence about the limit of a host's ICMP errors, if it has one: how many a second, how many at once."""
    if rate > 0:
        saved = f", {burst:.0f} at once" if burst > 1 else ""
        told = f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"
        yield f"it limits its ICMP errors to about {told} a second{saved}; it was asked at that pace"


def absence_words(since: float | None) -> Iterator[str]:
    """One sentence about a host that was heard of last so many seconds after the scan began; ``None``: none."""
    if since is None:
        return
    when = f"from {since:.2f}s on it" if since else "in this scan it"
    yield (
        f"{when} answered nothing, not even what it had answered before: it is gone or shuts this scanner out, "
        "and its silence tells nothing of its ports"
    )


def ranges_of(numbers: I64) -> tuple[tuple[int, int], ...]:
    """Ascending inclusive ranges of ascending numbers."""
    if not len(numbers):
        return ()
    breaks = np.flatnonzero(np.diff(numbers) != 1)
    firsts = numbers[np.concatenate(([0], breaks + 1))]
    lasts = numbers[np.concatenate((breaks, [len(numbers) - 1]))]
    return tuple(zip(firsts.tolist(), lasts.tolist(), strict=True))


def tcp_answer(flags: NDArray[np.uint16], window: NDArray[np.uint16] | None) -> NDArray[np.uint16]:
    """Flags as stored in ``answers``; with ``window`` (where it was looked at) also whether it was above 0."""
    answer = flags & np.uint16(_FLAGS)
    if window is not None:
        answer = answer | np.uint16(_WINDOW_READ) | np.where(window > 0, np.uint16(_WINDOW), np.uint16(0))
    return answer.astype(np.uint16)


def sctp_answer(values: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The chunk's type as stored in ``answers``, of ``classify.answer_values``; none of those believed is 0."""
    return values >> np.uint16(8)


def icmp_answer(kind: NDArray[np.uint8], code: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """ICMP type and code as stored in ``answers``."""
    return (_ERROR | (kind.astype(np.uint16) & 0x7F) << 8 | code).astype(np.uint16)
