"""How a zombie numbers its packets: is there a counter that tells how many it has sent, and to whomever? (spec sheet 5)

In: identifications of its answers, in order, with the times at which they were asked for. Out: a ``Counter``, or why
there is none, as the end of a sentence about the zombie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

# Identifications that follow each other more widely than this belong to no counter that one can count with.
MOST_APART = 1000
# Answers that are needed to tell a counter from chance.
LEAST_SAMPLES = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """The answer to question ``asked``, sent at clock seconds ``at``; ``number``: its identification."""

    asked: int
    at: float
    number: int


@dataclass(frozen=True, slots=True)
class Counter:
    """``bits``: 16 (IPv4) or 32 (fragment headers). ``step``: what one packet adds. ``swapped``: little endian."""

    bits: int
    step: int = 1
    swapped: bool = False

    @property
    def label(self) -> str:
        """What users read: ``incremental``, ``by two``, ``little-endian``."""
        return "little-endian" if self.swapped else "incremental" if self.step == 1 else "by two"

    def packets(self, before: int, after: int) -> int:
        """How many packets lie between two identifications, at least 0; huge for a counter that went back."""
        if self.swapped:
            before, after = _swap(before, self.bits), _swap(after, self.bits)
        gap = (after - before) & ((1 << self.bits) - 1)
        return -(-gap // self.step)


def _swap(number: int, bits: int) -> int:
    return int.from_bytes(number.to_bytes(bits // 8, "big"), "little")


def recognise(samples: Sequence[Sample], bits: int) -> Counter | str:
    """The counter behind ``samples``, or what is wrong with them (``its IP IDs are random``)."""
    if len(samples) < LEAST_SAMPLES:
        return f"it answered only {len(samples)} of the packets that were to show its IP IDs"
    numbers = [sample.number for sample in samples]
    if not any(numbers):
        return "its IP IDs are always 0" if bits == 16 else "it adds no fragment headers to its packets"
    if len(set(numbers)) == 1:
        return f"its IP IDs are always {numbers[0]}"
    found = [
        (max(gaps), swapped, gaps)
        for swapped in (False, True)
        for gaps in [_gaps(numbers, bits, swapped)]
        if min(gaps) > 0 and max(gaps) <= MOST_APART
    ]
    if not found:
        return "its IP IDs are random, or counted for each destination"
    _, swapped, gaps = min(found)
    step = 2 if not swapped and all(gap % 2 == 0 for gap in gaps) else 1
    return Counter(bits, step, swapped)


def _gaps(numbers: Sequence[int], bits: int, swapped: bool) -> list[int]:
    values = [_swap(number, bits) for number in numbers] if swapped else list(numbers)
    return [(after - before) & ((1 << bits) - 1) for before, after in pairwise(values)]


def noise_of(counter: Counter, samples: Sequence[Sample]) -> float:
    """Packets a second that the zombie sent besides its answers while ``samples`` were taken."""
    seconds = samples[-1].at - samples[0].at
    pairs = pairwise(samples)
    # A question between two samples may have been answered although the answer was lost.
    sent = sum(max(0, counter.packets(old.number, new.number) - (new.asked - old.asked)) for old, new in pairs)
    return sent / seconds if seconds > 0 else 0.0
