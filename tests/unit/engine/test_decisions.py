"""The record of timing decisions is fetched once and bounded."""

from __future__ import annotations

from leadline.engine.decisions import MOST_KEPT, Decision, Decisions


def test_decisions_are_fetched_once_oldest_first() -> None:
    kept = Decisions()
    kept.add(1.0, 2, "cwnd", "timing ping lost", 10, 5)
    kept.add(2.0, -1, "cwnd", "timing ping lost", 20, 10)
    assert kept.fetch() == [
        Decision(1.0, 2, "cwnd", "timing ping lost", 10.0, 5.0),
        Decision(2.0, -1, "cwnd", "timing ping lost", 20.0, 10.0),
    ]
    assert kept.fetch() == []


def test_only_the_newest_are_kept() -> None:
    kept = Decisions()
    for number in range(MOST_KEPT + 5):
        kept.add(float(number), 0, "cwnd", "", 0, 0)
    fetched = kept.fetch()
    assert len(fetched) == MOST_KEPT
    assert fetched[0].at == 5.0
