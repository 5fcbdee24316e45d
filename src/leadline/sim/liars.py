"""Hosts that lie: what a scanner must survive without a false open port, an exception or growing memory.

A lie changes what its host answers in two places: ``answers`` sees columns before they become frames (ports, tags,
flags, numbers of packets), ``frames`` sees the bytes. Every lie is a frozen value; chance comes in as an argument. Only
``Tarpit`` and ``Contradiction`` use the right tag, so that their ports are open as far as anybody can tell; what all
the others say about open ports is not to be believed. ``BELIEVABLE`` names those two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from leadline.sim.seal import seal_icmp
from leadline.sim.traffic import ACK, FIN, RST, SYN, AnswerKind, Answers, Probes, answers_to, join, take
from leadline.wire.batch import FrameBatch

_ERRORS_V4 = ((3, 0), (3, 1), (3, 2), (3, 3), (3, 9), (3, 10), (3, 13), (3, 200), (4, 0), (5, 1), (11, 0), (12, 0))
_EXTREMES = np.array([0, 0x4F, 0xFF, 0x40], np.uint8)
_ERRORS_V6 = ((1, 0), (1, 1), (1, 3), (1, 4), (1, 5), (1, 6), (1, 99), (2, 0), (3, 0), (4, 0), (4, 1), (100, 7))


@dataclass(frozen=True, slots=True)
class Lie:
    """The base tells the truth. ``neighbors``: ``frames`` is applied to ARP and ND answers too."""

    neighbors: bool = False

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        """What is said instead of ``honest`` (answers in any order and number) to the probes that arrived."""
        return honest

    def frames(self, batch: FrameBatch, random: Generator) -> FrameBatch:
        """What these frames become on the wire; rows may be added, cut or changed, times kept in order or not."""
        return batch


def openings(probes: Probes) -> Probes:
    """The TCP probes that open a connection: SYN without ACK or RST."""
    return take(probes, (probes.protocol == 6) & ((probes.flags & (SYN | ACK | RST)) == SYN))


def syn_acks(probes: Probes, random: Generator) -> Answers:
    """SYN/ACKs with the right tag to opening probes, as an honest open port would send them."""
    answers = answers_to(probes, AnswerKind.TCP)
    answers.flags = np.full(len(probes), SYN | ACK, np.uint16)
    answers.sequence = random.integers(0, 1 << 32, len(probes), dtype=np.uint32)
    answers.acknowledgment = probes.sequence + np.uint32(1)
    answers.ttl = np.uint8(64) - probes.hops
    return answers


def _with_truth(lies: Answers, honest: Answers) -> Answers:
    """Lies about TCP; what the host says on ICMP and UDP stays."""
    return join([lies, take(honest, honest.kind != AnswerKind.TCP)])


@dataclass(frozen=True, slots=True)
class Tarpit(Lie):
    """Accepts every connection on every port (LaBrea and its kin)."""

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        return _with_truth(syn_acks(openings(probes), random), honest)


@dataclass(frozen=True, slots=True)
class Contradiction(Lie):
    """RST and SYN/ACK to the same probe, both with the right tag, in random order."""

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        asked = openings(probes)
        yes, no = syn_acks(asked, random), syn_acks(asked, random)
        no.flags[:] = RST | ACK
        no.sequence[:] = 0
        yes.time = yes.time + random.random(len(asked)) * 0.02
        no.time = no.time + random.random(len(asked)) * 0.02
        return _with_truth(join([yes, no]), honest)


@dataclass(frozen=True, slots=True)
class WrongTag(Lie):
    """SYN/ACK on every port whose acknowledgment is off by ``offset`` (0: random, never right)."""

    offset: int = 0

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        lies = syn_acks(openings(probes), random)
        if self.offset:
            lies.acknowledgment = lies.acknowledgment + np.uint32(self.offset & 0xFFFFFFFF)
        else:
            lies.acknowledgment = lies.acknowledgment + random.integers(1, 1 << 32, len(lies), dtype=np.uint32)
        return _with_truth(lies, honest)


@dataclass(frozen=True, slots=True)
class WrongResets(Lie):
    """RSTs to every TCP probe, whatever its flags, with numbers that no probe of ours brought, and a window."""

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        asked = take(probes, (probes.protocol == 6) & ((probes.flags & RST) == 0))
        lies = syn_acks(asked, random)
        off = random.integers(1, 1 << 31, len(asked), dtype=np.uint32)
        lies.flags[:] = RST | ACK
        lies.sequence, lies.acknowledgment = asked.acknowledgment + off, asked.sequence - off
        lies.window = np.full(len(asked), 1024, np.uint16)
        return _with_truth(lies, honest)


@dataclass(frozen=True, slots=True)
class Shuffled(Lie):
    """SYN/ACKs whose tags are right, but belong to another port of the same batch."""

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        asked = openings(probes)
        if len(asked) < 2:
            return honest
        lies = syn_acks(asked, random)
        lies.acknowledgment = np.roll(lies.acknowledgment, 1)
        lies = take(lies, lies.acknowledgment != asked.sequence + np.uint32(1))
        return _with_truth(lies, honest)


@dataclass(frozen=True, slots=True)
class WrongPorts(Lie):
    """SYN/ACKs with the right tag from a port that the packet did not probe; ``ours``: to another port of ours."""

    ours: bool = False

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        lies = syn_acks(openings(probes), random)
        shift = random.integers(1, 1 << 16, len(lies), dtype=np.uint16)
        if self.ours:
            lies.target_port = lies.target_port + shift
        else:
            lies.source_port = lies.source_port + shift
        return _with_truth(lies, honest)


@dataclass(frozen=True, slots=True)
class WrongSource(Lie):
    """SYN/ACKs in the name of another address (``distance`` further on), ports and tag right for the true one."""

    distance: int = 1

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        lies = syn_acks(openings(probes), random)
        lies.source_lo = lies.source_lo + np.uint64(self.distance)
        return _with_truth(lies, honest)


@dataclass(frozen=True, slots=True)
class Unasked(Lie):
    """``count`` SYN/ACKs with random ports and numbers to each port of ours that the host has seen.

    ``anywhere``: from random addresses too.
    """

    count: int = 5
    anywhere: bool = False

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        lies = syn_acks(take(probes, np.repeat(np.arange(len(probes)), self.count)), random)
        lies.source_port = random.integers(0, 1 << 16, len(lies), dtype=np.uint16)
        lies.acknowledgment = random.integers(0, 1 << 32, len(lies), dtype=np.uint32)
        lies.time = lies.time + random.random(len(lies)) * 0.5
        if self.anywhere:
            lies.source_lo = lies.source_lo ^ random.integers(0, 1 << 24, len(lies), dtype=np.uint64)
        return join([lies, honest])


@dataclass(frozen=True, slots=True)
class Flood(Lie):
    """Every honest answer ``factor`` times over, within ``seconds``; silent ports get as many wrong SYN/ACKs."""

    factor: int = 100
    seconds: float = 0.1

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        many = take(honest, np.repeat(np.arange(len(honest)), self.factor))
        wrong = WrongTag().answers(probes, take(honest, slice(0, 0)), random)
        wrong = take(wrong, np.repeat(np.arange(len(wrong)), self.factor))
        result = join([honest, many, wrong])
        late = random.random(len(result)) * self.seconds
        late[: len(honest)] = 0.0
        result.time = result.time + late
        return result


@dataclass(frozen=True, slots=True)
class OddFlags(Lie):
    """Right tags under flags that open nothing: none at all, FIN, SYN/RST, everything at once ..."""

    flags: tuple[int, ...] = (0, FIN, SYN | RST, RST | SYN | ACK, FIN | 0x28, 0x1FF, ACK, 0x40, 0x20)

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        lies = syn_acks(openings(probes), random)
        lies.flags = random.choice(np.array(self.flags, np.uint16), len(lies))
        return _with_truth(lies, honest)


@dataclass(frozen=True, slots=True)
class Mirror(Lie):
    """Sends every TCP probe back as it came, ends swapped; not ``swapped``: as if from the scanner itself."""

    swapped: bool = True

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        asked = openings(probes)
        lies = syn_acks(asked, random)
        lies.flags = asked.flags.copy()
        lies.sequence, lies.acknowledgment = asked.sequence.copy(), asked.acknowledgment.copy()
        if not self.swapped:
            lies.source_hi, lies.source_lo = asked.source_hi, asked.source_lo
            lies.source_port, lies.target_port = asked.source_port, asked.target_port
        return _with_truth(lies, honest)


@dataclass(frozen=True, slots=True)
class Late(Lie):
    """Honest, but ``seconds`` too late (and up to twice as much)."""

    seconds: float = 30.0

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        tcp = honest.kind == AnswerKind.TCP
        late = np.where(tcp, self.seconds * (1.0 + random.random(len(honest))), 0.0)
        return replace(honest, time=honest.time + late)


@dataclass(frozen=True, slots=True)
class FalseQuotes(Lie):
    """ICMP errors of every kind about packets that were never sent: quoted ports, numbers and addresses are invented.

    Their checksums are right. ``honest`` answers are kept.
    """

    count: int = 2

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        asked = take(probes, probes.frame >= 0)
        lies = answers_to(take(asked, np.repeat(np.arange(len(asked)), self.count)), AnswerKind.ERROR)
        family_6 = bool((lies.source_hi != 0).any())
        errors = np.array(_ERRORS_V6 if family_6 else _ERRORS_V4, np.uint8)
        chosen = errors[random.integers(0, len(errors), len(lies))]
        lies.icmp_type, lies.icmp_code = chosen[:, 0].copy(), chosen[:, 1].copy()
        lies.ttl[:] = 60
        lies.quoted_ttl[:] = 1
        return join([lies, honest])

    def frames(self, batch: FrameBatch, random: Generator) -> FrameBatch:
        at = batch.offset
        if not len(batch):
            return batch
        first = batch.frames[:, at] >> 4
        for family, header, protocol_at, protocol in ((4, 20, 9, 1), (6, 40, 6, 58)):
            begin = at + header
            if batch.frames.shape[1] < begin + 8 + header + 8:
                continue
            errors = (first == family) & (batch.frames[:, at + protocol_at] == protocol)
            errors &= batch.lengths >= begin + 8 + header + 8
            # Echo replies and the like are honest: only errors quote.
            errors &= np.isin(batch.frames[:, begin], (3, 4, 5, 11, 12) if family == 4 else (1, 2, 3, 4, 100))
            for length in np.unique(batch.lengths[errors]).tolist():
                rows = np.flatnonzero(errors & (batch.lengths == length))
                segments = batch.frames[rows, begin:length]
                self._invent(segments, header, random)
                columns = [_address(batch.frames[rows], at, family, end) for end in (0, 1)]
                seal_icmp(family, segments, columns[0], columns[1])
                batch.frames[rows, begin:length] = segments
        return batch

    @staticmethod
    def _invent(segments: NDArray[np.uint8], header: int, random: Generator) -> None:
        """Change at least one of ports, number and destination of every quoted packet."""
        count = len(segments)
        transport = 8 + header
        segments[:, transport : transport + 4] ^= random.integers(1, 256, (count, 4), dtype=np.uint8)
        other = random.random(count) < 0.5
        segments[other, transport + 4 : transport + 8] ^= random.integers(1, 256, (int(other.sum()), 4), dtype=np.uint8)
        elsewhere = random.random(count) < 0.5
        segments[elsewhere, transport - 1] ^= np.uint8(0x55)


def _address(rows: NDArray[np.uint8], at: int, family: int, end: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    if family == 4:
        start = at + 12 + 4 * end
        lo = np.ascontiguousarray(rows[:, start : start + 4]).view(">u4")[:, 0].astype(np.uint64)
        return np.zeros(len(rows), np.uint64), lo
    start = at + 8 + 16 * end
    halves = np.ascontiguousarray(rows[:, start : start + 16]).view(">u8").astype(np.uint64)
    return halves[:, 0], halves[:, 1]


@dataclass(frozen=True, slots=True)
class Truncated(Lie):
    """Honest answers and false SYN/ACKs, every frame cut somewhere, often inside a header."""

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        return join([honest, WrongTag().answers(probes, take(honest, slice(0, 0)), random)])

    def frames(self, batch: FrameBatch, random: Generator) -> FrameBatch:
        lengths = random.integers(0, np.maximum(batch.lengths, 1), dtype=np.int32)
        return replace(batch, lengths=lengths)


@dataclass(frozen=True, slots=True)
class Absurd(Lie):
    """Honest answers with impossible headers: a few random bytes anywhere, or lengths and offsets at their extremes.

    The TCP flags are spared: only its checksum would betray a RST that turned into a SYN/ACK with the right tag.
    """

    changes: int = 6

    def frames(self, batch: FrameBatch, random: Generator) -> FrameBatch:
        count, width = len(batch), int(batch.frames.shape[1])
        if not count or width <= batch.offset:
            return batch
        rows = np.arange(count)
        for _ in range(self.changes):
            place = random.integers(batch.offset, width, count)
            hit = (random.random(count) < 0.5) & (place != batch.offset + 33) & (place != batch.offset + 53)
            batch.frames[rows[hit], place[hit]] = random.integers(0, 256, int(hit.sum()), dtype=np.uint8)
        # Header length, total length, TCP data offset.
        for field_at in (0, 2, 3, 32):
            hit = random.random(count) < 0.2
            if batch.offset + field_at < width:
                batch.frames[hit, batch.offset + field_at] = random.choice(_EXTREMES, int(hit.sum()))
        return batch


@dataclass(frozen=True, slots=True)
class Noise(Lie):
    """Silent, but for each frame that it would send, ``count`` frames of random bytes under the same addresses."""

    count: int = 3

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        return join([honest, WrongTag().answers(probes, take(honest, slice(0, 0)), random)])

    def frames(self, batch: FrameBatch, random: Generator) -> FrameBatch:
        rows = np.repeat(np.arange(len(batch)), self.count)
        frames = batch.frames[rows].copy()
        keep = min(batch.offset + 20, frames.shape[1])
        frames[:, keep:] = random.integers(0, 256, (len(frames), frames.shape[1] - keep), dtype=np.uint8)
        lengths = random.integers(keep, max(frames.shape[1], keep) + 1, len(rows), dtype=np.int32)
        return FrameBatch(frames, lengths, batch.times[rows] + random.random(len(rows)) * 0.01, batch.offset)


@dataclass(frozen=True, slots=True)
class Chorus(Lie):
    """Several lies at once: each answers by itself; bytes go through all of them in order."""

    lies: tuple[Lie, ...] = ()

    def answers(self, probes: Probes, honest: Answers, random: Generator) -> Answers:
        return join([honest, *(lie.answers(probes, take(honest, slice(0, 0)), random) for lie in self.lies)])

    def frames(self, batch: FrameBatch, random: Generator) -> FrameBatch:
        for lie in self.lies:
            batch = lie.frames(batch, random)
        return batch


BELIEVABLE: tuple[type[Lie], ...] = (Tarpit, Contradiction)
LIES: tuple[Lie, ...] = (
    WrongTag(),
    WrongTag(offset=1),
    WrongTag(offset=-1),
    WrongResets(),
    Shuffled(),
    WrongPorts(),
    WrongPorts(ours=True),
    WrongSource(),
    Unasked(),
    Unasked(anywhere=True),
    Flood(),
    OddFlags(),
    Mirror(),
    Mirror(swapped=False),
    Late(),
    FalseQuotes(),
    Truncated(),
    Absurd(),
    Noise(),
    Chorus(lies=(WrongTag(), Unasked(), Shuffled(), OddFlags(), FalseQuotes())),
)
