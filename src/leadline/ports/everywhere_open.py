"""Hosts that seem to have every port open: who is suspected, what is tried, and what the answers prove.

A tarpit, a SYN proxy or a firewall that answers for others acknowledges every SYN. What it says proves nothing of a
port, so ports that nobody is expected on are tried as well, with whole connections.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import IntEnum

import numpy as np

from leadline.model.port import Port, PortState, PortSummary, Protocol
from leadline.model.quick_dataclass import dataclass

# Of at least so many TCP ports more than this share must be open: a host with a few ports asked and open is no liar.
LEAST_PORTS, SHARE = 32, 0.9
# Ports tried: random ones that were not asked yet, and the commonest of those that seem open.
RANDOM, NAMED = 8, 8
FIRST_RANDOM, LAST_RANDOM = 1025, 65_535
# Answers that begin alike are of one kind, though dates and numbers follow.
_ALIKE = 8


class Answer(IntEnum):
    """How a port bears a whole connection."""

    NOTHING = 0  # no connection comes about
    REFUSED = 1
    SILENT = 2  # it is accepted, and nobody says a word
    DROPPED = 3  # it is accepted, and closed or reset without a word
    SPOKE = 4


_ACCEPTED = (Answer.SILENT, Answer.DROPPED, Answer.SPOKE)
_MEANINGS = {
    Answer.SILENT: "says nothing to whoever connects (a tarpit, or a device that answers in its place)",
    Answer.DROPPED: "drops connections as soon as they are made (a SYN proxy or firewall answers in its place)",
    Answer.SPOKE: "gives the same answer on all of them (they lead to one service)",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One connection. ``said``: the first bytes of the other side."""

    port: int
    answer: Answer
    said: bytes = b""


@dataclass(frozen=True, slots=True)
class Judgement:
    """``everywhere``: it answers on every port; ``remark`` tells a user; ``listed``: ports that are worth a line."""

    everywhere: bool
    remark: str
    listed: frozenset[int] = frozenset()


def suspected(ports: Iterable[Port], summaries: Iterable[PortSummary]) -> bool:
    """Whether nearly all TCP ports of a host, and not just a handful, seem open."""
    opened, told = _counts(ports, summaries)
    return told >= LEAST_PORTS and opened > SHARE * told


def unverified(ports: Iterable[Port], summaries: Iterable[PortSummary]) -> str:
    """What is said of a host that nobody could look at again."""
    opened, told = _counts(ports, summaries)
    return f"{opened} of {told} TCP ports seem open: perhaps it answers on every port (not verified)"


def _counts(ports: Iterable[Port], summaries: Iterable[PortSummary]) -> tuple[int, int]:
    states: Counter[PortState] = Counter(port.state for port in ports if port.protocol is Protocol.TCP)
    for summary in summaries:
        if summary.protocol is Protocol.TCP:
            states[summary.state] += summary.count
    return states[PortState.OPEN], states.total()


def to_try(
    ports: Sequence[Port], summaries: Sequence[PortSummary], popular: Iterable[int], generator: np.random.Generator
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Random ports that were not asked (open ones when all were), and the commonest of those that seem open."""
    asked = np.zeros(LAST_RANDOM + 1, dtype=bool)
    asked[[port.number for port in ports if port.protocol is Protocol.TCP]] = True
    for summary in summaries:
        if summary.protocol is Protocol.TCP:
            for first, last in summary.ranges:
                asked[first : last + 1] = True
    opened = {port.number for port in ports if port.protocol is Protocol.TCP and port.state is PortState.OPEN}
    free = np.flatnonzero(~asked[FIRST_RANDOM:]) + FIRST_RANDOM
    pool = free if len(free) >= RANDOM else np.array(sorted(opened), dtype=np.int64)
    chosen = generator.choice(pool, size=min(RANDOM, len(pool)), replace=False)
    common = [number for number in dict.fromkeys((*popular, *sorted(opened))) if number in opened]
    return tuple(int(number) for number in chosen), tuple(common[:NAMED])


def judge(random: Sequence[Trial], named: Sequence[Trial]) -> Judgement:
    """What the trials prove. Most random ports must accept, or the host just has many ports open."""
    accepted = [trial for trial in random if trial.answer in _ACCEPTED]
    if 2 * len(accepted) <= len(random):
        return Judgement(False, "")
    usual, _ = Counter((trial.answer, trial.said[:_ALIKE]) for trial in accepted).most_common(1)[0]
    answer = usual[0]
    if answer is Answer.SPOKE:
        listed = frozenset(trial.port for trial in named if trial.answer is Answer.SPOKE)
        others = frozenset(trial.port for trial in named if _differs(trial, usual))
    else:
        listed = others = frozenset(trial.port for trial in named if _differs(trial, usual))
    remark = (
        f"it answers on every port: {len(accepted)} of {len(random)} random ones accepted a connection too; "
        f"it {_MEANINGS[answer]}; that a port is open proves nothing here"
    )
    if others:
        behave = "behaves" if len(others) == 1 else "behave"
        remark += f", but {', '.join(map(str, sorted(others)))} {behave} differently"
    return Judgement(True, remark, listed)


def _differs(trial: Trial, usual: tuple[Answer, bytes]) -> bool:
    """Whether somebody listens there whom the usual answer does not explain."""
    if trial.answer is Answer.SPOKE:
        return (trial.answer, trial.said[:_ALIKE]) != usual
    # Where the others are dropped, a connection that stands has found somebody.
    return trial.answer is Answer.SILENT and usual[0] is Answer.DROPPED


def collapse(
    ports: tuple[Port, ...], summaries: tuple[PortSummary, ...], listed: frozenset[int]
) -> tuple[tuple[Port, ...], tuple[PortSummary, ...]]:
    """Open TCP ports that prove nothing are counted, not listed."""
    kept: list[Port] = []
    counted: list[Port] = []
    for port in ports:
        empty = port.protocol is Protocol.TCP and port.state is PortState.OPEN and port.number not in listed
        (counted if empty else kept).append(port)
    more = []
    for reason in sorted({port.reason for port in counted}):
        numbers = [port.number for port in counted if port.reason is reason]
        more.append(PortSummary(Protocol.TCP, PortState.OPEN, reason, _ranges(numbers), len(numbers)))
    return tuple(kept), (*summaries, *more)


def _ranges(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Inclusive ranges of ascending numbers."""
    row = np.array(numbers, dtype=np.int64)
    gaps = np.flatnonzero(np.diff(row) > 1)
    firsts, lasts = row[np.concatenate(([0], gaps + 1))], row[np.concatenate((gaps, [len(row) - 1]))]
    return tuple(zip(firsts.tolist(), lasts.tolist(), strict=True))
