"""A router proves the path where nobody else answers: how it is found, asked, and given up."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leadline.engine.hop_proof import (
    FARTHEST,
    FIRST_INTERVAL,
    GONE,
    MOST_SEARCHES,
    SLOW_INTERVAL,
    STEP,
    HopProof,
    Missing,
    State,
)

T0 = 50.0
PATIENCE = 0.5


def codes(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.array(numbers, dtype=np.uint8)


def ask(hop: HopProof, now: float, probes: int = 10) -> tuple[list[int], list[int]]:
    """TTLs and codes of what is sent now, after so many ordinary probes."""
    hop.probes_sent(probes)
    ttls = hop.due(now)
    return ttls.tolist(), hop.send(ttls, now).tolist() if len(ttls) else []


def searching() -> HopProof:
    hop = HopProof()
    assert ask(hop, T0) == ([], [])
    hop.begin(3)
    return hop


def proving(ttl: int = 2) -> HopProof:
    """The router at hop ``ttl`` was found; the hops behind it say nothing."""
    hop = searching()
    _, sent = ask(hop, T0)
    hop.answered(codes(*sent[:ttl]))
    hop.expire(PATIENCE, T0 + 0.6)
    assert (hop.state, hop.ttl, hop.host) == (State.PROVING, ttl, 3)
    return hop


def test_the_farthest_of_the_hops_that_answer_is_the_proof() -> None:
    hop = searching()
    ttls, sent = ask(hop, T0)
    assert ttls == list(range(1, STEP + 1))
    assert sent == list(range(STEP))
    assert hop.answered(codes(0)) == 0
    assert (hop.state, hop.ttl) == (State.PROVING, 1)
    assert hop.answered(codes(2, 1, 9, 2)) == 0
    assert hop.ttl == 3
    assert hop.earliest(PATIENCE) == pytest.approx(T0 + PATIENCE)
    assert hop.expire(PATIENCE, T0 + 0.4) is None
    assert hop.expire(PATIENCE, T0 + 0.6) is None
    assert hop.earliest(PATIENCE) == math.inf


def test_a_found_hop_serves_while_others_are_still_waited_for() -> None:
    hop = searching()
    ask(hop, T0)
    hop.answered(codes(0))
    ttls, sent = ask(hop, T0 + 0.1, probes=7)
    assert ttls == [1]
    assert sent[0] >= STEP
    assert hop.answered(codes(sent[0])) == 7
    assert hop.answered(codes(sent[0])) == 0


def test_a_long_way_is_asked_in_steps() -> None:
    hop = searching()
    asked = []
    for _ in range(10):
        ttls, sent = ask(hop, T0)
        if len(ttls) < 2:
            break
        asked.append((ttls[0], ttls[-1]))
        hop.answered(codes(*sent))
    assert asked == [(1, 8), (9, 16), (17, 24), (25, FARTHEST)]
    assert hop.ttl == FARTHEST


def test_where_no_router_answers_there_is_no_proof() -> None:
    hop = searching()
    ask(hop, T0)
    assert hop.expire(PATIENCE, T0 + 1) is None
    assert hop.state is State.NONE
    assert ask(hop, T0 + 9) == ([], [])
    assert hop.next_time == math.inf


def test_proofs_follow_each_other_at_their_interval_and_stand_for_what_was_sent_between() -> None:
    hop = proving()
    now = T0 + 1
    for probes in (30, 40):
        ttls, sent = ask(hop, now, probes)
        assert ttls == [2]
        assert hop.next_time == math.inf
        assert ask(hop, now + 0.001, 5) == ([], [])
        # What left after the proof waits for the next one.
        assert hop.answered(codes(*sent)) == (probes if probes == 30 else probes + 5)
        assert hop.next_time == pytest.approx(now + FIRST_INTERVAL)
        now += FIRST_INTERVAL


def test_nothing_is_proven_where_nothing_is_sent() -> None:
    hop = proving()
    ask(hop, T0 + 1)
    hop.answered(codes(STEP))
    assert ask(hop, T0 + 5, probes=0) == ([], [])
    assert hop.next_time == math.inf


def test_the_first_that_is_missing_is_taken_for_a_limit_and_the_next_for_a_loss() -> None:
    hop = proving()
    ask(hop, T0 + 1)
    assert hop.expire(PATIENCE, T0 + 1.5) == Missing(T0 + 1, lost=False, gone=False)
    assert hop.interval == SLOW_INTERVAL
    assert ask(hop, T0 + 1.6) == ([], [])
    ask(hop, T0 + 2.1)
    assert hop.expire(PATIENCE, T0 + 2.7) == Missing(T0 + 2.1, lost=True, gone=False)


def test_a_router_that_falls_silent_is_gone_and_looked_for_again_a_few_times() -> None:
    hop = proving()
    now, found = T0 + 1, 1
    for _ in range(MOST_SEARCHES * (GONE + 1) + 5):
        ttls, sent = ask(hop, now)
        if len(ttls) > 1:
            found += 1
            hop.answered(codes(sent[1]))
        missing = hop.expire(PATIENCE, now + PATIENCE)
        if missing is not None and missing.gone:
            assert not missing.lost
        now += SLOW_INTERVAL + 0.01
    assert found == MOST_SEARCHES
    assert hop.state is State.NONE
    assert hop.ttl == 0


def test_an_answer_in_between_keeps_the_router() -> None:
    hop = proving()
    now = T0 + 1
    for turn in range(4 * GONE):
        _, sent = ask(hop, now)
        if turn % 3 == 2:
            hop.answered(codes(*sent))
        else:
            hop.expire(PATIENCE, now + PATIENCE)
        now += SLOW_INTERVAL + 0.01
    assert hop.state is State.PROVING


def test_what_an_earlier_group_found_is_tried_first() -> None:
    hop = HopProof()
    hop.remember(5, SLOW_INTERVAL)
    hop.begin(0)
    ttls, sent = ask(hop, T0)
    assert ttls == [5]
    hop.answered(codes(*sent))
    assert (hop.state, hop.ttl, hop.interval) == (State.PROVING, 5, SLOW_INTERVAL)
    assert ask(hop, T0 + 2)[0] == [5]


def test_what_an_earlier_group_found_may_be_wrong_here() -> None:
    hop = HopProof()
    hop.remember(5, FIRST_INTERVAL)
    hop.begin(0)
    ask(hop, T0)
    hop.expire(PATIENCE, T0 + 1)
    assert ask(hop, T0 + 1)[0] == list(range(1, STEP + 1))
