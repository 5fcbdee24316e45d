"""The way of probes through cables, routers and firewalls to the hosts, and what they meet on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.sim.faults import Queue
from leadline.sim.firewall import HOST_UNREACHABLE, NET_UNREACHABLE, TIME_EXCEEDED, Action, IcmpError, verdicts
from leadline.sim.state import State
from leadline.sim.terrain import Path, Terrain
from leadline.sim.traffic import ACK, F64, RST, SYN, AnswerKind, Answers, Probes, answers_to, distinct, join, take

Mask = NDArray[np.bool_]


def find_targets(terrain: Terrain, family: int, probes: Probes) -> None:
    """Fill in ``host``, ``path`` and ``depth``: who has the address, or at least the way on which it would be."""
    endpoints = terrain.endpoints[family]
    row = endpoints.index.find(probes.target_hi, probes.target_lo)
    known = row >= 0
    if known.all():
        probes.host, probes.path, probes.depth = endpoints.host[row], endpoints.path[row], endpoints.depth[row]
        return
    probes.host = np.full(len(row), -1, np.int32)
    probes.depth = np.zeros(len(row), np.int32)
    probes.path = np.full(len(row), -1, np.int32)
    probes.host[known] = endpoints.host[row[known]]
    probes.path[known] = endpoints.path[row[known]]
    probes.depth[known] = endpoints.depth[row[known]]
    unknown = np.flatnonzero(~known)
    path = terrain.path_towards(family, probes.target_hi[unknown], probes.target_lo[unknown])
    probes.path[unknown] = path
    lengths = np.array([len(way.routers) for way in terrain.paths] + [0], np.int32)
    probes.depth[unknown] = lengths[path]


def walk(terrain: Terrain, state: State, family: int, probes: Probes) -> tuple[Probes, list[Answers]]:
    """``(arrived, refusals)``: the probes that reached a living host, and what routers answered to the others.

    ``find_targets`` has been done; rows without a path are not walked.
    """
    arrived: list[Probes] = []
    refusals: list[Answers] = []
    for number in distinct(probes.path):
        if number < 0:
            continue
        mine = probes.path == number
        part = probes if mine.all() else take(probes, mine)
        arrived.append(_walk_path(terrain, state, family, terrain.paths[number], part, refusals))
    if not arrived:
        return take(probes, slice(0, 0)), refusals
    if len(arrived) == 1:
        return arrived[0], refusals
    return join(arrived), refusals


def _walk_path(
    terrain: Terrain, state: State, family: int, path: Path, probes: Probes, refusals: list[Answers]
) -> Probes:
    count = len(probes)
    chance = state.random.random((4, count))
    alive = np.ones(count, np.bool_)
    extra = np.zeros(count)
    queues = state.queues[int(probes.path[0])]
    for hop in range(len(path.routers)):
        onward = probes.depth > hop
        alive &= (chance[0] < path.survival[hop]) | (probes.depth < hop)
        if hop == 0:
            _queue(queues[0], alive, alive, probes, path.latency[0], extra)
        _queue(queues[hop + 1], alive & (probes.depth >= hop), alive, probes, path.latency[hop], extra)
        at_hop = _Hop(terrain, state, family, path, hop, chance, extra, refusals)
        alive = at_hop.forward(probes, alive, onward)
    if not path.routers:
        _queue(queues[0], alive, alive, probes, path.latency[0], extra)
    if len(queues) > len(path.routers) + 1:
        last = alive & (probes.depth == len(path.routers))
        _queue(queues[-1], last, alive, probes, path.latency[-1], extra)
    alive &= chance[0] < path.survival[probes.depth]
    nobody = alive & (probes.host < 0)
    if nobody.any():
        if path.routers:
            last_hop = _Hop(terrain, state, family, path, len(path.routers) - 1, chance, extra, refusals)
            last_hop.dead_host(probes, nobody)
        alive &= ~nobody
    return _arrive(terrain, state, path, probes, alive, chance, extra)


def _queue(queue: Queue | None, rows: Mask, alive: Mask, probes: Probes, latency: float, extra: F64) -> None:
    if queue is None:
        return
    waiting = np.flatnonzero(rows)
    if len(waiting):
        times = probes.time[waiting] + latency + extra[waiting]
        admitted, leaving = queue.admit(times)
        extra[waiting] += leaving - times
        alive[waiting[~admitted]] = False


def _arrive(
    terrain: Terrain, state: State, path: Path, probes: Probes, alive: Mask, chance: NDArray[np.float64], extra: F64
) -> Probes:
    """The living hosts' share: times there and back, chances of the hosts' own access, limits of what they take."""
    host, depth = probes.host, probes.depth
    access = 1.0 - terrain.loss[host]
    if (access < 1.0).any():
        alive = alive & (state.random.random(len(alive)) < access)
    one_way = path.latency[depth] + terrain.latency[host]
    wobble = path.jitter[depth] + terrain.jitter[host]
    probes.arrival = probes.time + extra + one_way + wobble * chance[1]
    probes.back = probes.arrival + terrain.think[host] + one_way + wobble * chance[2]
    probes.survives = path.survival[depth] * access
    probes.hops = path.decrements[depth]
    if not alive.all():
        probes = take(probes, alive)
    if len(state.buckets):
        admitted = state.buckets.admit(terrain.probe_bucket[probes.host], probes.arrival)
        if not admitted.all():
            probes = take(probes, admitted)
    return probes


class _Hop:
    """One router on one way, for the probes of one batch."""

    def __init__(
        self,
        terrain: Terrain,
        state: State,
        family: int,
        path: Path,
        hop: int,
        chance: NDArray[np.float64],
        extra: F64,
        refusals: list[Answers],
    ) -> None:
        self._terrain, self._state, self._family, self._path, self._hop = terrain, state, family, path, hop
        self._chance, self._extra, self._refusals = chance, extra, refusals
        self._number = path.routers[hop]
        self._router = terrain.routers[self._number]

    def forward(self, probes: Probes, alive: Mask, onward: Mask) -> Mask:
        """Which probes are still alive after this router (those meant for it or for an earlier one stay so)."""
        router = self._router
        if router.decrements:
            expired = alive & onward & (probes.ttl <= self._path.decrements[self._hop] + 1)
            if expired.any():
                if router.time_exceeded:
                    self.refuse(probes, expired, TIME_EXCEEDED)
                alive = alive & ~expired
        if router.refuses_spoofed:
            alive = alive & ~(onward & (probes.frame >= 0) & self._terrain.spoofed(self._family, probes))
        if router.firewall:
            verdict = verdicts(
                router.firewall,
                self._family,
                probes.target_hi,
                probes.target_lo,
                probes.protocol,
                probes.target_port,
                probes.flags,
            )
            for index in distinct(verdict[alive & onward]):
                rule = router.firewall[index] if index >= 0 else None
                if rule is None or rule.action is Action.ACCEPT:
                    continue
                hit = alive & onward & (verdict == index)
                if rule.action is Action.REJECT:
                    self.refuse(probes, hit, rule.error)
                elif rule.action is Action.RESET:
                    self.reset(probes, hit)
                alive = alive & ~hit
        return alive

    def dead_host(self, probes: Probes, rows: Mask) -> None:
        """Nobody has the address: the last router says so after its neighbour search has failed."""
        delay = self._router.dead_host_delay
        if delay is not None:
            self.refuse(probes, rows, HOST_UNREACHABLE, delay)

    def refuse(self, probes: Probes, rows: Mask, error: IcmpError, delay: float = 0.0) -> None:
        """ICMP errors of this router, as its limit allows."""
        address = self._terrain.router_address[self._number].get(self._family)
        if address is None:
            return
        part, answers = self._answers(probes, rows, AnswerKind.ERROR, delay)
        answers.source_hi = np.full(len(part), int(address) >> 64, np.uint64)
        answers.source_lo = np.full(len(part), int(address) & ((1 << 64) - 1), np.uint64)
        kind, code = error.v4 if self._family == 4 else error.v6
        answers.icmp_type[:] = kind
        answers.icmp_code[:] = code
        answers.quoted_ttl = part.ttl - self._path.decrements[self._hop]
        bucket = self._terrain.icmp_bucket[answers.host]
        self._emit(part, take(answers, self._state.buckets.admit(bucket, answers.time)))

    def reset(self, probes: Probes, rows: Mask) -> None:
        """RSTs in the name of the probed hosts (RFC 9293 section 3.10.7.1), with this router's TTL."""
        rows = rows & (probes.protocol == 6) & ((probes.flags & RST) == 0)
        part, answers = self._answers(probes, rows, AnswerKind.TCP, 0.0)
        refusal(part, answers)
        self._emit(part, answers)

    def _answers(self, probes: Probes, rows: Mask, kind: AnswerKind, delay: float) -> tuple[Probes, Answers]:
        hop, path = self._hop, self._path
        chance, extra = self._chance[:, rows], self._extra[rows]
        keep = chance[3] < path.survival[hop]
        part = take(take(probes, rows), keep)
        chance, extra = chance[:, keep], extra[keep]
        host = self._terrain.router_host[self._number]
        way = 2.0 * path.latency[hop] + path.jitter[hop] * (chance[1] + chance[2])
        answers = answers_to(part, kind)
        answers.time = part.time + extra + way + delay
        answers.survives = np.ones(len(part))
        answers.host = np.full(len(part), host, np.int32)
        answers.style = np.full(len(part), self._terrain.style[host], np.int32)
        answers.ttl = np.full(len(part), self._terrain.ttl[host] - path.decrements[hop], np.uint8)
        answers.ip_id = self._state.identities.next(answers.host, answers.target_hi, answers.target_lo, answers.time)
        return part, answers

    def _emit(self, part: Probes, answers: Answers) -> None:
        if len(answers):
            self._refusals.append(answers)


def refusal(probes: Probes, answers: Answers) -> None:
    """Turn answers into RSTs that a closed port sends (RFC 9293 section 3.10.7.1, figure of CLOSED)."""
    has_ack = (probes.flags & ACK) != 0
    length = probes.length + ((probes.flags & SYN) != 0) + (probes.flags & 1)
    answers.sequence = np.where(has_ack, probes.acknowledgment, np.uint32(0))
    answers.acknowledgment = np.where(has_ack, np.uint32(0), probes.sequence + length.astype(np.uint32))
    answers.flags = np.where(has_ack, np.uint16(RST), np.uint16(RST | ACK))


def no_way(terrain: Terrain, state: State, family: int, probes: Probes, gateway: int) -> Answers | None:
    """Probes that a gateway has no route for: net unreachable, if it says so. ``gateway``: number of the router."""
    router = terrain.routers[gateway]
    ways = [path for path in terrain.paths if path.routers[:1] == [gateway]]
    if not router.unknown_network or not ways or not len(probes):
        return None
    refusals: list[Answers] = []
    count = len(probes)
    chance = state.random.random((4, count))
    hop = _Hop(terrain, state, family, ways[0], 0, chance, np.zeros(count), refusals)
    hop.refuse(probes, chance[0] < ways[0].survival[0], NET_UNREACHABLE)
    return refusals[0] if refusals else None
