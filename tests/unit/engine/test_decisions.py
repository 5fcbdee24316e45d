"""The record of timing decisions is fetched once and bounded."""

from __future__ import annotations

from ipaddress import ip_address

from leadline.engine.decisions import MOST_KEPT, Decision, Decisions, as_events
from leadline.model.event import TimingDecision


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


def test_events_tell_seconds_since_the_beginning_and_the_host_unless_it_is_the_group() -> None:
    hosts = [ip_address("10.9.0.10"), ip_address("10.9.0.11")]
    made = [Decision(101.5, 1, "cwnd", "lost", 10.0, 5.0), Decision(102.0, -1, "rate", "too much", 0.0, 300.0)]
    assert list(as_events(made, 100.0, hosts.__getitem__)) == [
        TimingDecision(1.5, hosts[1], "cwnd", "lost", 10.0, 5.0),
        TimingDecision(2.0, None, "rate", "too much", 0.0, 300.0),
    ]
    alone = list(as_events(made[1:], 100.0))
    assert alone == [TimingDecision(2.0, None, "rate", "too much", 0.0, 300.0)]
