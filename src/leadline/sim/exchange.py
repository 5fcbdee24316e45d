"""From frames that the scanner sent to frames that will reach it: one pass in columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import Address
from leadline.sim.answers import honest_answers
from leadline.sim.emit import Emitter, Station
from leadline.sim.integrity import intact
from leadline.sim.neighbors import neighbor_answers
from leadline.sim.reassembly import Reassembly
from leadline.sim.reflections import Reflections
from leadline.sim.state import State
from leadline.sim.terrain import Terrain
from leadline.sim.traffic import Answers, Probes, join, take
from leadline.sim.walk import find_targets, no_way, walk
from leadline.sim.world import SimInterface
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import Decoded, Kind, decode

_PROBES = np.zeros(256, np.bool_)
_PROBES[
    [
        Kind.TCP,
        Kind.UDP,
        Kind.SCTP,
        Kind.ICMP_ECHO_REQUEST,
        Kind.ICMP_TIMESTAMP_REQUEST,
        Kind.ICMP_MASK_REQUEST,
        Kind.IP_OTHER,
    ]
] = True
LOOPBACK = "lo"
_TOO_BIG = 2  # RFC 4443 section 3.2
# Packets that one lie may answer to one batch: no line carries more, and memory stays bounded.
MOST_LIES = 1 << 18


@dataclass(slots=True)
class Tally:
    """What has become of the probes: counted over the whole life of a network."""

    probes: int = 0
    damaged: int = 0
    misdirected: int = 0
    arrived: int = 0
    answers: int = 0
    lost_answers: int = 0


class Exchange:
    """Answers batches of sent frames. ``own``: the scanner's addresses; answers to others never come back."""

    def __init__(self, terrain: Terrain, state: State, own: frozenset[Address]) -> None:
        self.terrain, self.state, self.tally = terrain, state, Tally()
        self._emitter = Emitter(terrain)
        self._reassembly = Reassembly()
        self._reflections = Reflections(terrain, state.random, own, self._reflected)
        self._mac_values = _mac_values(terrain.macs)
        self._nearest = {router for path in terrain.paths for router in path.routers[:1]}

    def answer(self, interface: SimInterface, sent: FrameBatch) -> list[FrameBatch]:
        """Frames that arrive later at ``interface`` because of ``sent`` (``sent.times``: when each frame left)."""
        sent = self._reassembly.whole(sent)
        decoded = decode(sent)
        result: list[FrameBatch] = []
        if len(sent):
            self._reflections.settle(float(sent.times[0]))
        for family in (4, 6):
            rows = np.flatnonzero(decoded.family == family)
            if len(rows):
                station = Station(family, sent.offset, interface.mac)
                self._neighbors(interface, station, decoded, rows, result)
                wanted = _PROBES[decoded.kind[rows]]
                if family == 6:
                    wanted |= (decoded.kind[rows] == Kind.ICMP_ERROR) & (decoded.icmp_type[rows] == _TOO_BIG)
                probing = rows[wanted]
                if len(probing):
                    self._probes(interface, station, sent, decoded, probing, result)
        return result

    def _neighbors(
        self,
        interface: SimInterface,
        station: Station,
        decoded: Decoded,
        rows: NDArray[np.intp],
        result: list[FrameBatch],
    ) -> None:
        kind = decoded.kind[rows]
        asking = rows[(kind == Kind.ARP_REQUEST) | (kind == Kind.ND_SOLICIT)]
        if not len(asking) or interface.kind != "ethernet":
            return
        probes = _from_frames(decoded, asking)
        if station.family == 6:
            probes.target_hi, probes.target_lo = decoded.target_hi[asking], decoded.target_lo[asking]
        answer = neighbor_answers(self.terrain, self.state, interface.name, station, probes)
        if answer is None:
            return
        batch, host = answer
        lie = self.terrain.lie[host]
        result.append(batch.pick(lie < 0))
        for number in np.unique(lie[lie >= 0]).tolist():
            part = batch.pick(lie == number)
            liar = self.terrain.lies[number]
            result.append(liar.frames(part, self.state.random) if liar.neighbors else part)

    def _probes(
        self,
        interface: SimInterface,
        station: Station,
        sent: FrameBatch,
        decoded: Decoded,
        rows: NDArray[np.intp],
        result: list[FrameBatch],
    ) -> None:
        good = intact(sent, decoded, rows)
        self.tally.probes += len(rows)
        self.tally.damaged += len(rows) - int(good.sum())
        probes = _from_frames(decoded, rows if good.all() else rows[good])
        if not len(probes):
            return
        macs = _mac_values(sent.frames[probes.frame, 0:6]) if interface.kind == "ethernet" else None
        probes, strays = self._route(interface, station.family, probes, macs)
        honest, lies = self.resolve(station.family, probes, strays)
        spoofs = not self._reflections.is_own(station.family, probes.source_hi, probes.source_lo).all()
        for answers, number in [(honest, -1), *lies]:
            if spoofs:
                self._reflections.take_up(station.family, answers)
            answers = self.suffer(station.family, answers)
            batch = self._emitter.frames(station, answers, sent) if len(answers) else None
            if batch is not None:
                result.append(self.terrain.lies[number].frames(batch, self.state.random) if number >= 0 else batch)

    def resolve(self, family: int, probes: Probes, strays: list[Answers]) -> tuple[Answers, list[tuple[Answers, int]]]:
        """Walk routed probes and let the hosts answer: ``(honest answers, [(a lie's answers, its number)])``."""
        terrain = self.terrain
        arrived, refusals = walk(terrain, self.state, family, probes)
        self.tally.arrived += len(arrived)
        notes = arrived.kind == Kind.ICMP_ERROR
        if notes.any():
            self.state.identities.too_big(take(arrived, notes))
        answers = honest_answers(terrain, self.state, family, arrived)
        lies: list[tuple[Answers, int]] = []
        lie = terrain.lie[arrived.host]
        if len(terrain.lies) and (lie >= 0).any():
            said = terrain.lie[answers.host]
            for number in np.unique(lie[lie >= 0]).tolist():
                mine, own = take(arrived, lie == number), take(answers, said == number)
                said_now = terrain.lies[number].answers(mine, own, self.state.random)
                lies.append((take(said_now, slice(0, MOST_LIES)), number))
            answers = take(answers, said < 0)
        return join([answers, *refusals, *strays]), lies

    def _reflected(self, family: int, probes: Probes) -> list[Answers]:
        honest, lies = self.resolve(family, probes, [])
        return [honest, *(answers for answers, _ in lies)]

    def connect(self, family: int, probes: Probes, local: bool) -> tuple[Answers, list[Answers]]:
        """Connection attempts: they need no frames and always know their next hop."""
        self.tally.probes += len(probes)
        strays: list[Answers] = []
        if local:
            self.on_loopback(probes)
        else:
            find_targets(self.terrain, family, probes)
            lost = probes.path < 0
            if lost.any() and self._nearest:
                answer = no_way(self.terrain, self.state, family, take(probes, lost), min(self._nearest))
                strays += [answer] if answer is not None else []
        honest, lies = self.resolve(family, probes, strays)
        return honest, [answers for answers, _ in lies]

    def _route(
        self, interface: SimInterface, family: int, probes: Probes, macs: NDArray[np.uint64] | None
    ) -> tuple[Probes, list[Answers]]:
        """Give every probe its way; those sent to the wrong next hop or out of the wrong interface get none."""
        terrain = self.terrain
        if interface.name == LOOPBACK:
            self.on_loopback(probes)
            return probes, []
        find_targets(terrain, family, probes)
        here = np.array([path.interface == interface.name for path in terrain.paths] + [False], np.bool_)
        right = here[probes.path]
        strays: list[Answers] = []
        if macs is not None:
            first = np.array([path.routers[0] if path.routers else -1 for path in terrain.paths], np.int32)[probes.path]
            routed = (first >= 0) & (probes.depth > 0)
            station = np.where(routed, np.array([*terrain.router_host, -1])[first], probes.host)
            right &= (station >= 0) & (self._mac_values[station] == macs)
            for number in sorted(self._nearest):
                lost = (probes.path < 0) & (self._mac_values[terrain.router_host[number]] == macs)
                answer = no_way(terrain, self.state, family, take(probes, lost), number)
                strays += [answer] if answer is not None else []
        self.tally.misdirected += len(right) - int(right.sum())
        return (probes if right.all() else take(probes, right)), strays

    def on_loopback(self, probes: Probes) -> None:
        """All probes go to this machine itself."""
        count = len(probes)
        probes.host = np.full(count, self.terrain.local_host, np.int32)
        probes.path = np.full(count, self.terrain.loopback_path, np.int32)
        probes.depth = np.zeros(count, np.int32)

    def suffer(self, family: int, answers: Answers) -> Answers:
        """The way back: loss, duplication, reordering; answers to addresses that are not the scanner's are gone."""
        terrain, random = self.terrain, self.state.random
        count = len(answers)
        if not count:
            return answers
        self.tally.answers += count
        keep = random.random(count) < answers.survives
        keep &= self._reflections.is_own(family, answers.target_hi, answers.target_lo)
        self.tally.lost_answers += count - int(keep.sum())
        if not keep.all():
            answers = take(answers, keep)
        twice = 1.0 - (1.0 - _of_path(terrain, "duplication", answers)) * (1.0 - terrain.duplication[answers.host])
        if (twice > 0.0).any():
            again = take(answers, random.random(len(answers)) < twice)
            again.time = again.time + random.random(len(again)) * 0.001
            answers = join([answers, again])
        for share, delay in (
            (_of_path(terrain, "reordering", answers), _of_path(terrain, "reorder_delay", answers)),
            (terrain.reordering[answers.host], terrain.reorder_delay[answers.host]),
        ):
            if (share > 0.0).any():
                answers.time = answers.time + np.where(random.random(len(answers)) < share, delay, 0.0)
        return answers


def _of_path(terrain: Terrain, name: str, answers: Answers) -> NDArray[np.float64]:
    values = np.array([getattr(path, name) for path in terrain.paths], np.float64)
    return values[answers.path]


def _mac_values(macs: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """MACs as numbers, uint8 ``(N, 6)`` -> uint64 ``(N,)``."""
    wide = np.zeros((len(macs), 8), np.uint8)
    wide[:, 2:] = macs
    return wide.view(">u8")[:, 0].astype(np.uint64)


def _first_chunk(decoded: Decoded, rows: NDArray[np.intp]) -> NDArray[np.uint16]:
    """Type and flags of SCTP's first chunk, zero for other packets."""
    kind: NDArray[np.uint16] = np.left_shift(decoded.chunk_type[rows].astype(np.uint16), 8, dtype=np.uint16)
    return kind | decoded.chunk_flags[rows]


def _from_frames(decoded: Decoded, rows: NDArray[np.intp]) -> Probes:
    count = len(rows)
    unknown = np.full(count, -1, np.int32)
    nothing = np.zeros(count, np.float64)
    times = decoded.times[rows]
    return Probes(
        frame=rows.astype(np.int32),
        kind=decoded.kind[rows],
        source_hi=decoded.source_hi[rows],
        source_lo=decoded.source_lo[rows],
        target_hi=decoded.destination_hi[rows],
        target_lo=decoded.destination_lo[rows],
        protocol=decoded.protocol[rows],
        ttl=decoded.ttl[rows],
        source_port=decoded.source_port[rows],
        target_port=decoded.destination_port[rows],
        sequence=decoded.sequence[rows],
        acknowledgment=decoded.acknowledgment[rows],
        flags=decoded.tcp_flags[rows] | _first_chunk(decoded, rows),
        length=decoded.payload_end[rows] - decoded.payload_start[rows],
        identifier=decoded.icmp_id[rows],
        icmp_sequence=decoded.icmp_sequence[rows],
        time=times,
        host=unknown,
        path=unknown,
        depth=unknown,
        arrival=times,
        back=times,
        survives=nothing,
        hops=np.zeros(count, np.uint8),
    )
