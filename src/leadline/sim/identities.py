"""How simulated hosts number their packets: the IPv4 identification, and the fragment headers of IPv6 (RFC 8200 4.5).

A counter is one for all destinations, or one for each; chatter is the host's own traffic, which uses it up unseen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64
from leadline.sim.terrain import Terrain
from leadline.sim.traffic import F64, I32, U32, Probes
from leadline.sim.world import COUNTED, IpIdentity
from leadline.wire.batch import FrameBatch

# RFC 8200 section 5: no link is narrower. Who is told of a smaller one adds an empty fragment header (RFC 2460
# section 5; RFC 8021 says why stacks of today do not).
LEAST_MTU = 1280
_STEPS = {IpIdentity.INCREMENT: 1, IpIdentity.SWAPPED: 1, IpIdentity.BY_TWO: 2, IpIdentity.PER_HOST: 1}


class Identities:
    """The counters of all hosts of one network. ``random``: the network's chance."""

    def __init__(self, terrain: Terrain, random: np.random.Generator) -> None:
        self._terrain, self._random = terrain, random
        hosts = len(terrain.hosts)
        self._counters: dict[int, NDArray[np.int64]] = {
            4: random.integers(0, 1 << 16, hosts, dtype=np.int64),
            6: np.arange(hosts, dtype=np.int64) * 65_537 + 1_000,
        }
        self._apart: dict[tuple[int, int, int], int] = {}
        self._fragmenting: set[tuple[int, int, int]] = set()
        self._seen = np.full(hosts, -1.0)

    def next(self, host: I32, hi: U64, lo: U64, times: F64) -> U32:
        """Of the next packets of these hosts to ``hi``/``lo``, in row order, uint32 ``(N,)``; ``times``: when.

        Of IPv6 (``hi`` is not 0) it is 0 where there is no fragment header.
        """
        terrain = self._terrain
        result = np.zeros(len(host), np.uint32)
        if not len(host):
            return result
        if int(hi[0]):
            for row in self._with_fragments(host, hi, lo):
                result[row] = self._one(6, int(host[row]), int(hi[row]), int(lo[row]), float(times[row]))
            return result
        identity = terrain.identity[host]
        drawn = identity == IpIdentity.RANDOM
        if drawn.any():
            result[drawn] = self._random.integers(1, 1 << 16, int(drawn.sum()), dtype=np.uint32)
        if terrain.counts_identity:
            plain = (identity == IpIdentity.INCREMENT) & (terrain.chatter[host] == 0.0)
            self._count(host, np.flatnonzero(plain), result)
            for row in np.flatnonzero(np.isin(identity, COUNTED) & ~plain).tolist():
                result[row] = self._one(4, int(host[row]), 0, int(lo[row]), float(times[row]))
        return result

    def _count(self, host: I32, counted: NDArray[np.intp], result: U32) -> None:
        owners = host[counted]
        order = np.argsort(owners, kind="stable")
        first = np.concatenate([[True], owners[order][1:] != owners[order][:-1]]) if len(order) else order > 0
        starts = np.flatnonzero(first)
        nth = np.arange(len(order)) - np.repeat(starts, np.diff([*starts, len(order)]))
        counters = self._counters[4]
        result[counted[order]] = (counters[owners[order]] + nth + 1) & 0xFFFF
        np.add.at(counters, owners, 1)

    def _one(self, family: int, host: int, hi: int, lo: int, time: float) -> int:
        identity = IpIdentity(int(self._terrain.identity[host]))
        mask = 0xFFFF if family == 4 else 0xFFFFFFFF
        if identity is IpIdentity.ZERO:
            return 0
        if identity is IpIdentity.RANDOM:
            return int(self._random.integers(1, mask, dtype=np.int64))
        if identity is IpIdentity.PER_HOST:
            key = host, hi, lo
            value = self._apart.get(key, (lo * 40_503 + host) & mask) + 1
            self._apart[key] = value
            return value & mask
        counters = self._counters[family]
        chatter = float(self._terrain.chatter[host])
        if chatter:
            before = self._seen[host]
            self._seen[host] = max(time, before)
            if 0.0 <= before < time:
                counters[host] += _STEPS[identity] * int(self._random.poisson(chatter * (time - before)))
        counters[host] += _STEPS[identity]
        value = int(counters[host]) & mask
        if identity is IpIdentity.SWAPPED:
            width = 2 if family == 4 else 4
            return int.from_bytes(value.to_bytes(width, "little"), "big")
        return value

    def too_big(self, probes: Probes) -> None:
        """Packet Too Big messages that arrived (RFC 4443 section 3.2); their MTU is in ``icmp_sequence``."""
        willing = self._terrain.atomic_fragments[probes.host] & (probes.icmp_sequence < LEAST_MTU)
        willing &= probes.identifier == 0
        for row in np.flatnonzero(willing).tolist():
            self._fragmenting.add((int(probes.host[row]), int(probes.source_hi[row]), int(probes.source_lo[row])))

    def _with_fragments(self, host: I32, hi: U64, lo: U64) -> list[int]:
        if not self._fragmenting:
            return []
        keys = zip(host.tolist(), hi.tolist(), lo.tolist(), strict=True)
        return [row for row, key in enumerate(keys) if key in self._fragmenting]


def with_fragment_headers(batch: FrameBatch, ids: U32) -> FrameBatch:
    """IPv6 packets without extension headers, those with an id got a fragment header that says: this is all of it."""
    at, chosen = batch.offset, np.flatnonzero(ids)
    frames = np.zeros((len(batch), batch.frames.shape[1] + 8), np.uint8)
    frames[:, : batch.frames.shape[1]] = batch.frames
    some = frames[chosen]
    some[:, at + 48 :] = batch.frames[chosen, at + 40 :]
    some[:, at + 40] = some[:, at + 6]
    some[:, at + 41 : at + 44] = 0
    some[:, at + 44 : at + 48] = ids[chosen].astype(">u4").view(np.uint8).reshape(-1, 4)
    some[:, at + 6] = 44
    length = (some[:, at + 4].astype(np.int32) << 8 | some[:, at + 5]) + 8
    some[:, at + 4], some[:, at + 5] = length >> 8, length & 0xFF
    frames[chosen] = some
    lengths = batch.lengths.copy()
    lengths[chosen] += 8
    return FrameBatch(frames, lengths, batch.times, at)
