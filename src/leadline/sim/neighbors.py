"""ARP (RFC 826) and neighbour discovery (RFC 4861) answers of whoever is on the scanner's own link."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.sim.emit import Station
from leadline.sim.seal import seal_icmp
from leadline.sim.state import State
from leadline.sim.terrain import Terrain
from leadline.sim.traffic import I32, Probes, take
from leadline.wire.batch import FrameBatch
from leadline.wire.template import Framing, IpTemplate

_ADVERT_LENGTH = 32


def neighbor_answers(
    terrain: Terrain, state: State, interface: str, station: Station, probes: Probes
) -> tuple[FrameBatch, I32] | None:
    """Replies to solicitations (``target_*`` is the address asked for) and the answering hosts, or ``None``.

    Only owners on this link answer: hosts without a router between, and the routers nearest to the scanner.
    """
    endpoints = terrain.endpoints[station.family]
    row = endpoints.index.find(probes.target_hi, probes.target_lo)
    here = np.array([path.interface == interface for path in terrain.paths], np.bool_)
    asked = row >= 0
    owner = np.where(asked, endpoints.host[row] if len(endpoints.host) else 0, 0)
    if len(endpoints.host):
        asked &= here[endpoints.path[row]] & (endpoints.depth[row] == 0) & terrain.neighbor[owner]
    asked &= (state.random.random(len(probes)) >= terrain.loss[owner]) & _cable(terrain, state, interface, len(probes))
    if not asked.any():
        return None
    part = take(probes, asked)
    host = owner[asked].astype(np.int32)
    first = next(path for path in terrain.paths if path.interface == interface)
    way = 2.0 * (first.stretches[0].latency + terrain.latency[host])
    wobble = first.stretches[0].jitter + terrain.jitter[host]
    times = part.time + way + wobble * state.random.random(len(part)) + terrain.think[host]
    macs = terrain.macs[host]
    batch = _arp(station, part, macs) if station.family == 4 else _adverts(station, part, macs)
    batch.times[:] = times
    return batch, host


def _cable(terrain: Terrain, state: State, interface: str, count: int) -> NDArray[np.bool_]:
    faults = next(one.faults for one in terrain.world.interfaces if one.name == interface)
    both_ways = (1.0 - faults.loss) ** 2
    return np.asarray(state.random.random(count) < both_ways, np.bool_)


def _big_endian(values: NDArray[np.uint64], width: int) -> NDArray[np.uint8]:
    return values.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - width :]


def _arp(station: Station, probes: Probes, macs: NDArray[np.uint8]) -> FrameBatch:
    # 60 bytes: what an Ethernet card hands over for the shortest frame.
    frames = np.zeros((len(probes), 60), np.uint8)
    frames[:, 0:6] = np.frombuffer(station.mac, np.uint8)
    frames[:, 6:12] = macs
    frames[:, 12:22] = np.frombuffer(b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02", np.uint8)
    frames[:, 22:28] = macs
    frames[:, 28:32] = _big_endian(probes.target_lo, 4)
    frames[:, 32:38] = np.frombuffer(station.mac, np.uint8)
    frames[:, 38:42] = _big_endian(probes.source_lo, 4)
    count = len(probes)
    return FrameBatch(frames, np.full(count, 60, np.int32), np.zeros(count, np.float64), station.offset)


def _adverts(station: Station, probes: Probes, macs: NDArray[np.uint8]) -> FrameBatch:
    """Solicited advertisements with the target link-layer address (RFC 4861 section 4.4), hop limit 255."""
    count = len(probes)
    segments = np.zeros((count, _ADVERT_LENGTH), np.uint8)
    segments[:, 0] = 136
    segments[:, 4] = 0x60
    segments[:, 8:16] = _big_endian(probes.target_hi, 8)
    segments[:, 16:24] = _big_endian(probes.target_lo, 8)
    segments[:, 24:26] = (2, 1)
    segments[:, 26:32] = macs
    source, target = (probes.target_hi, probes.target_lo), (probes.source_hi, probes.source_lo)
    seal_icmp(6, segments, source, target)
    framing = Framing(6, station.offset, station.mac, 0, 0)
    batch = IpTemplate(framing, 58, bytes(_ADVERT_LENGTH)).build(*target, None, 255, 0, source)
    batch.frames[:, 0:6] = np.frombuffer(station.mac, np.uint8)
    batch.frames[:, 6:12] = macs
    batch.frames[:, -_ADVERT_LENGTH:] = segments
    return batch
