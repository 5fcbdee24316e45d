import numpy as np
import pytest

from leadline.engine.ledger import CODES
from leadline.engine.loss import ENOUGH
from leadline.engine.pings import INTERVAL, LEAST_INTERVAL, MOST_PENDING, PROOFS_EACH, Pings


def known(hosts: int) -> Pings:
    pings = Pings(hosts)
    pings.teach(np.arange(hosts), np.full(hosts, 50, dtype=np.int16))
    return pings


def due(pings: Pings, *, total: int = 100, proof: bool = False, allowed: int = 10, window: float = 100.0
) -> list[int]:  # fmt: skip
    hosts = len(pings.score)
    return pings.due(np.full(hosts, allowed), np.full(hosts, proof), np.full(hosts, window), total).tolist()


def test_only_better_probes_replace_what_is_known() -> None:
    pings = Pings(3)
    assert pings.teach(np.array([0, 2]), np.array([30, 60], dtype=np.int16)).tolist() == [True, True]
    assert pings.teach(np.array([0, 2]), np.array([40, 60], dtype=np.int16)).tolist() == [True, False]
    assert pings.score.tolist() == [40, 0, 60]


def test_due_after_a_stretch_of_silence_and_not_after_answers() -> None:
    pings = known(2)
    pings.probes_sent(np.repeat([0, 1], [INTERVAL, INTERVAL - 1]))
    assert due(pings) == [0]
    assert due(pings, allowed=0) == []
    pings.proven(np.array([0]))
    assert due(pings) == []


def test_small_windows_are_opened_by_pings_before_silence_fills_them() -> None:
    pings = known(1)
    pings.probes_sent(np.repeat([0], LEAST_INTERVAL))
    assert due(pings, window=2 * LEAST_INTERVAL + 2) == []
    assert due(pings, window=2 * LEAST_INTERVAL) == due(pings, window=1) == [0]


def test_due_for_proof_only_where_a_probe_is_known_and_within_room() -> None:
    pings = Pings(4)
    pings.teach(np.array([1, 2, 3]), np.full(3, 10, dtype=np.int16))
    assert due(pings, proof=True) == [1, 2, 3]
    assert due(pings, proof=True, total=2) == [1, 2]


def test_no_more_than_a_few_are_on_the_way() -> None:
    pings = known(1)
    for _ in range(MOST_PENDING):
        assert due(pings, proof=True) == [0]
        pings.send(np.array([0]), 1.0)
    assert due(pings, proof=True) == []


def test_sending_to_nobody() -> None:
    assert len(known(1).send(np.empty(0, dtype=np.int64), 1.0)) == 0


def test_round_trips_are_exact_per_code_and_counted_once() -> None:
    pings = known(2)
    first = pings.send(np.array([0, 1]), 1.0)
    second = pings.send(np.array([0]), 2.0)
    assert first.tolist() == [0, 0]
    assert second.tolist() == [1]
    codes = np.array([1, 0, 0, 1, 9], dtype=np.uint8)
    hosts, rtt = pings.answer(np.array([0, 0, 0, 0, 1]), codes, np.array([2.5, 2.6, 2.7, 2.8, 2.9]))
    assert sorted(zip(hosts.tolist(), rtt.tolist(), strict=True)) == [(0, 0.5), (0, pytest.approx(1.6))]
    assert not pings.awaits(0, 0)
    assert not pings.awaits(0, 1)
    assert pings.awaits(1, 0)


def test_the_newest_ping_takes_answers_without_a_code() -> None:
    pings = known(2)
    for at in (1.0, 2.0, 3.0):
        pings.send(np.array([0]), at)
    assert pings.latest(np.array([0, 1])).tolist() == [2, 0]
    pings.answer(np.array([0]), np.array([2], dtype=np.uint8), np.array([3.1]))
    assert pings.latest(np.array([0])).tolist() == [1]


def test_expiry_tells_who_was_lost_and_when_the_next_is_due() -> None:
    pings = known(2)
    patience = np.array([1.0, 0.5])
    hosts, sent, soonest = pings.expire(patience, 9.0)
    assert len(hosts) == len(sent) == 0
    assert soonest == np.inf
    pings.send(np.array([0, 1]), 1.0)
    pings.send(np.array([0]), 1.2)
    hosts, sent, soonest = pings.expire(patience, 2.0)
    assert sorted(hosts.tolist()) == [0, 1]
    assert sent.tolist() == [1.0, 1.0]
    assert soonest == pytest.approx(2.2)
    hosts, sent, soonest = pings.expire(patience, 2.2)
    assert hosts.tolist() == [0]
    assert soonest == np.inf


def test_a_code_that_is_still_awaited_is_not_given_again() -> None:
    pings = known(1)
    lost = pings.send(np.array([0]), 1.0)
    for _ in range(CODES - 1):
        assert due(pings, proof=True) == [0]
        code = pings.send(np.array([0]), 1.0)
        pings.answer(np.array([0]), code, np.array([1.1]))
    assert due(pings, proof=True) == []
    assert pings.awaits(0, int(lost[0]))
    pings.expire(np.array([0.5]), 2.0)
    assert due(pings, proof=True) == [0]
    assert pings.send(np.array([0]), 2.0).tolist() == lost.tolist()


def test_stopping_forgets_and_tells_how_many() -> None:
    pings = known(2)
    pings.send(np.array([0, 1]), 1.0)
    pings.send(np.array([1]), 1.1)
    assert pings.stop(np.array([1, 0])).tolist() == [2, 1]
    assert len(pings.answer(np.array([1]), np.array([0], dtype=np.uint8), np.array([2.0]))[0]) == 0
    assert pings.stop(np.array([1, 0])).tolist() == [0, 0]


def test_unproven_are_those_with_a_probe_and_few_measurements() -> None:
    pings = Pings(3)
    pings.teach(np.array([0, 1]), np.full(2, 10, dtype=np.int16))
    sent = np.array([ENOUGH - 1.0, ENOUGH, 0.0])
    assert pings.unproven(sent, np.array([1000, 1000, 1000])).tolist() == [True, False, False]
    # A few silent probes do not deserve more proof than they are.
    few = np.array([3, 3, 3])
    assert pings.unproven(few * float(PROOFS_EACH), few).tolist() == [False, False, False]
    assert pings.unproven(few * float(PROOFS_EACH) - 1, few).tolist() == [True, True, False]
