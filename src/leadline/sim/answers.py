"""What honest hosts answer: TCP by RFC 9293, SCTP by RFC 9260, UDP, ICMP queries, other protocols."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.sim.firewall import PORT_UNREACHABLE, PROTOCOL_UNREACHABLE, IcmpError
from leadline.sim.state import State
from leadline.sim.terrain import Terrain
from leadline.sim.traffic import ACK, FIN, RST, SYN, AnswerKind, Answers, Probes, answers_to, join, take
from leadline.sim.walk import refusal
from leadline.sim.world import Behaviour
from leadline.wire.columns import Kind
from leadline.wire.sctp import ABORT, COOKIE_ECHO, INIT, INIT_ACK, NO_CHUNK, REFLECTED, SHUTDOWN_COMPLETE

Mask = NDArray[np.bool_]
# What every stack knows; no next header (59) is nothing to refuse (RFC 8200 section 4.7).
_SPOKEN = {4: frozenset({1, 6, 17}), 6: frozenset({6, 17, 58, 59})}


def honest_answers(terrain: Terrain, state: State, family: int, probes: Probes) -> Answers:
    """Answers to probes that have arrived, before limits of the return path; possibly none."""
    parts: list[Answers] = []
    tcp = probes.kind == Kind.TCP
    if tcp.all():
        _tcp(terrain, state, family, probes, parts)
    else:
        if tcp.any():
            _tcp(terrain, state, family, take(probes, tcp), parts)
        _others(terrain, state, family, probes, parts)
    if not parts:
        return take(answers_to(probes, AnswerKind.TCP), slice(0, 0))
    return join(parts)


def finished(terrain: Terrain, state: State, probes: Probes, kind: AnswerKind) -> Answers:
    """``answers_to`` with TTL, IP ID and style of the answering hosts."""
    answers = answers_to(probes, kind)
    answers.ttl = terrain.ttl[probes.host] - probes.hops
    answers.ip_id = state.identities.next(probes.host, answers.target_hi, answers.target_lo, probes.arrival)
    answers.style = terrain.style[probes.host]
    return answers


def _tcp(terrain: Terrain, state: State, family: int, probes: Probes, parts: list[Answers]) -> None:
    table = terrain.tcp_table[probes.host]
    behaviour = terrain.ports.behaviour(table, probes.target_port)
    quiet = (probes.flags & RST) != 0
    has_ack, has_syn, has_fin = ((probes.flags & flag) != 0 for flag in (ACK, SYN, FIN))
    opened = (behaviour == Behaviour.OPEN) & ~quiet
    accepted = opened & ~has_ack & has_syn & (~has_fin | terrain.accepts_fin[probes.host])
    if accepted.any():
        part = take(probes, accepted)
        answers = finished(terrain, state, part, AnswerKind.TCP)
        answers.sequence = state.random.integers(0, 1 << 32, len(part), dtype=np.uint32)
        answers.acknowledgment = part.sequence + np.uint32(1)
        answers.flags = np.full(len(part), SYN | ACK, np.uint16)
        parts.append(answers)
    answered = has_ack & ~(has_fin & ~has_syn & terrain.drops_fin_ack[probes.host])
    answered |= ~has_ack & ~has_syn & terrain.resets_odd[probes.host]
    refused = (~quiet & (behaviour == Behaviour.CLOSED)) | (opened & answered)
    if refused.any():
        part = take(probes, refused)
        window = np.where(opened & has_ack, terrain.reset_window[probes.host], np.uint16(0))[refused]
        admitted = state.buckets.admit(terrain.reset_bucket[part.host], part.arrival)
        if not admitted.all():
            part, window = take(part, admitted), window[admitted]
        answers = finished(terrain, state, part, AnswerKind.TCP)
        refusal(part, answers)
        answers.window = window
        parts.append(answers)
    rejected = ~quiet & (behaviour == Behaviour.REJECTED)
    if rejected.any():
        _rejections(terrain, state, family, take(probes, rejected), table[rejected], parts)


def _others(terrain: Terrain, state: State, family: int, probes: Probes, parts: list[Answers]) -> None:
    udp = probes.kind == Kind.UDP
    if udp.any():
        _udp(terrain, state, family, take(probes, udp), parts)
    queries = (
        (Kind.ICMP_ECHO_REQUEST, AnswerKind.ECHO, terrain.echo),
        (Kind.ICMP_TIMESTAMP_REQUEST, AnswerKind.TIMESTAMP, terrain.timestamp),
        (Kind.ICMP_MASK_REQUEST, AnswerKind.MASK, terrain.mask),
    )
    for kind, answer, willing in queries:
        asked = (probes.kind == kind) & willing[probes.host]
        if asked.any():
            parts.append(finished(terrain, state, take(probes, asked), answer))
    sctp = (probes.kind == Kind.SCTP) & terrain.speaks_sctp[probes.host]
    if sctp.any():
        _sctp(terrain, state, family, take(probes, sctp), parts)
    foreign = (probes.kind == Kind.IP_OTHER) | (probes.kind == Kind.SCTP) & ~sctp
    if foreign.any():
        _foreign(terrain, state, family, take(probes, foreign), parts)


def _foreign(terrain: Terrain, state: State, family: int, probes: Probes, parts: list[Answers]) -> None:
    """Protocols without a model of their own: some hosts answer by them, others refuse what they do not speak."""
    refused, answered = np.zeros(len(probes), np.bool_), np.zeros(len(probes), np.bool_)
    for row, (number, protocol) in enumerate(zip(probes.host.tolist(), probes.protocol.tolist(), strict=True)):
        host = terrain.hosts[number]
        answered[row] = protocol in host.answered_protocols
        known = answered[row] or protocol in _SPOKEN[family] or protocol in host.protocols
        refused[row] = host.refuses_protocols and not known
    if answered.any():
        part = take(probes, answered)
        answers = finished(terrain, state, part, AnswerKind.BARE)
        answers.payload = part.protocol.astype(np.int32)
        parts.append(answers)
    if refused.any():
        icmp_error(terrain, state, family, take(probes, refused), PROTOCOL_UNREACHABLE, parts)


def _sctp(terrain: Terrain, state: State, family: int, probes: Probes, parts: list[Answers]) -> None:
    """RFC 9260 sections 5.1 (INIT), 8.4 (packets out of the blue) and 8.5.1 (verification tags)."""
    table = terrain.sctp_table[probes.host]
    behaviour = terrain.ports.behaviour(table, probes.target_port)
    chunk = probes.flags >> np.uint16(8)
    begins = chunk == INIT
    # An INIT has the tag 0, and brings one that is not 0; ABORT and SHUTDOWN COMPLETE are never answered.
    quiet = begins & ((probes.sequence != 0) | (probes.acknowledgment == 0))
    quiet |= (chunk == ABORT) | (chunk == SHUTDOWN_COMPLETE) | (chunk == NO_CHUNK)
    opened = (behaviour == Behaviour.OPEN) & ~quiet
    accepted = opened & begins
    if accepted.any():
        part = take(probes, accepted)
        answers = finished(terrain, state, part, AnswerKind.SCTP)
        answers.flags = np.full(len(part), INIT_ACK << 8, np.uint16)
        answers.sequence = part.acknowledgment
        answers.acknowledgment = state.random.integers(1, 1 << 32, len(part), dtype=np.uint32)
        parts.append(answers)
    # A cookie that was never given is no cookie: it is dropped without a word (5.1.5).
    strange = opened & ~begins & (chunk != COOKIE_ECHO)
    refused = strange | ((behaviour == Behaviour.CLOSED) & ~quiet)
    if refused.any():
        part, first = take(probes, refused), begins[refused]
        admitted = state.buckets.admit(terrain.reset_bucket[part.host], part.arrival)
        if not admitted.all():
            part, first = take(part, admitted), first[admitted]
        answers = finished(terrain, state, part, AnswerKind.SCTP)
        answers.flags = np.where(first, np.uint16(ABORT << 8), np.uint16(ABORT << 8 | REFLECTED))
        answers.sequence = np.where(first, part.acknowledgment, part.sequence)
        parts.append(answers)
    rejected = (behaviour == Behaviour.REJECTED) & ~quiet
    if rejected.any():
        _rejections(terrain, state, family, take(probes, rejected), table[rejected], parts)


def _udp(terrain: Terrain, state: State, family: int, probes: Probes, parts: list[Answers]) -> None:
    table = terrain.udp_table[probes.host]
    behaviour = terrain.ports.behaviour(table, probes.target_port)
    opened = behaviour == Behaviour.OPEN
    if opened.any():
        part = take(probes, opened)
        answers = finished(terrain, state, part, AnswerKind.UDP)
        rows = zip(part.host.tolist(), part.target_port.tolist(), strict=True)
        answers.payload = np.array([terrain.payload_of.get(row, 0) for row in rows], np.int32)
        parts.append(answers)
    closed = behaviour == Behaviour.CLOSED
    if closed.any():
        icmp_error(terrain, state, family, take(probes, closed), PORT_UNREACHABLE, parts)
    rejected = behaviour == Behaviour.REJECTED
    if rejected.any():
        _rejections(terrain, state, family, take(probes, rejected), table[rejected], parts)


def _rejections(
    terrain: Terrain, state: State, family: int, probes: Probes, table: NDArray[np.int32], parts: list[Answers]
) -> None:
    for number in np.unique(table).tolist():
        icmp_error(terrain, state, family, take(probes, table == number), terrain.error_of(number), parts)


def icmp_error(
    terrain: Terrain, state: State, family: int, probes: Probes, error: IcmpError, parts: list[Answers]
) -> None:
    """ICMP errors of the hosts themselves, as their limits allow."""
    admitted = state.buckets.admit(terrain.icmp_bucket[probes.host], probes.arrival)
    if not admitted.all():
        probes = take(probes, admitted)
    answers = finished(terrain, state, probes, AnswerKind.ERROR)
    kind, code = error.v4 if family == 4 else error.v6
    answers.icmp_type[:] = kind
    answers.icmp_code[:] = code
    answers.quoted_ttl = probes.ttl - probes.hops
    parts.append(answers)
