"""Repeats of answered probes: what counts as loss, and what does not."""

from __future__ import annotations

import numpy as np

from leadline.engine.identity import PING_SLOT
from leadline.engine.sweep_proofs import GONE, KEPT, Proofs

HI = np.zeros(40, np.uint64)
LO = np.arange(40, dtype=np.uint64)
PORTS = np.full(40, 80)


def taught(count: int = 40) -> Proofs:
    proofs = Proofs()
    proofs.teach(HI[:count], LO[:count], PORTS[:count])
    return proofs


def answer(proofs: Proofs, sent: tuple[np.ndarray, np.ndarray, np.ndarray, int], rows: slice = slice(None)) -> None:
    hi, lo, ports, slot = sent
    proofs.answered(np.full(len(lo[rows]), slot), hi[rows], lo[rows], ports[rows])


def test_nothing_to_repeat() -> None:
    proofs = Proofs()
    assert not proofs.known
    assert len(proofs.take(100_000, 0.0)[1]) == 0
    assert proofs.expired(1.0, 0.0, 100.0) == (0, 0, 0, 0)


def test_first_repeats_are_trials_and_later_ones_count() -> None:
    proofs = taught()
    first = proofs.take(80, 1.0)
    assert len(first[1]) == 10
    assert first[3] == PING_SLOT
    answer(proofs, first, slice(0, 7))
    assert proofs.expired(1.0, 0.0, 1.5) == (0, 0, 0, 0)  # not yet
    assert proofs.expired(1.0, 0.0, 2.0) == (0, 0, 0, 0)  # seven of ten: trials
    second = proofs.take(64 * 40, 10.0)
    proven = {int(one) for one in first[1][:7]}
    assert proven <= {int(one) for one in second[1]}
    others = np.flatnonzero(~np.isin(second[1], np.array(sorted(proven), np.uint64)))
    proofs.answered(np.full(len(others), second[3]), second[0][others], second[1][others], second[2][others])

    told = proofs.expired(1.0, 0.0, 11.0)
    assert told[:2] == (7, 7)


def test_answered_ones_are_told_at_once_and_only_once() -> None:
    proofs = taught(10)
    answer(proofs, proofs.take(6400, 1.0))
    proofs.expired(5.0, 0.0, 1.1)
    again = proofs.take(6400, 9.0)
    answer(proofs, again)
    answer(proofs, again)
    proofs.answered(np.array([again[3]]), np.zeros(1, np.uint64), np.array([999], np.uint64), np.array([80]))
    assert proofs.expired(5.0, 9.5, 9.1) == (10, 0, 0, 0)  # sent before the rate changed
    assert proofs.expired(5.0, 0.0, 99.0) == (0, 0, 0, 0)


def test_trials_count_when_nearly_all_are_lost() -> None:
    proofs = taught()
    proofs.take(64 * 40, 1.0)
    assert proofs.expired(1.0, 0.0, 3.0) == (40, 40, 40, 40)


def test_who_is_gone_is_left_alone() -> None:
    proofs = taught(4)
    answer(proofs, proofs.take(6400, 1.0))
    proofs.expired(1.0, 0.0, 1.1)
    for turn in range(GONE):
        assert len(proofs.take(6400, 10.0 + 10 * turn)[1]) == 4
        assert proofs.expired(1.0, 0.0, 15.0 + 10 * turn)[1] == 4
    assert len(proofs.take(6400, 500.0)[1]) == 0


def test_no_address_is_asked_too_often_and_memory_is_bounded() -> None:
    proofs = taught(2)
    assert len(proofs.take(64_000, 1.0)[1]) == 2
    assert len(proofs.take(64_000, 1.1)[1]) == 0
    many = np.arange(5000, dtype=np.uint64)
    proofs.teach(np.zeros_like(many), many, np.full(5000, 80))
    assert len(proofs.take(10_000_000, 99.0)[1]) <= KEPT
