"""Hosts that limit their answers: every port is told, at the pace that the host allows, and silence stays silence."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.ledger import Phase
from leadline.engine.pacing import TRIES, Suspicion
from leadline.engine.prober import Prober
from leadline.model.plan import TimingPlan
from tests.support.limited_hosts import CLOSED, OPEN, SILENT, T0, Bucket, LimitedHosts, ports


def pace_of(prober: Prober) -> list[tuple[str, float]]:
    return [(made.cause, made.new) for made in prober.decisions() if made.what == "pace"]


@pytest.mark.parametrize(("rate", "burst", "width"), [(1.0, 6, 120), (4.0, 6, 300), (20.0, 100, 500), (200.0, 50, 900)])
def test_every_port_of_a_limited_host_is_told_in_the_time_that_it_takes(rate: float, burst: int, width: int) -> None:
    hosts = LimitedHosts(ports(width, opened=5), [Bucket(rate, burst)])
    prober = hosts.prober()
    took = hosts.run(prober)
    assert hosts.missed() == []
    assert took <= (width - 5 - burst) / rate * 1.03 + 3
    assert max(at for (_, column), at in hosts.told.items() if hosts.kinds[0, column] == OPEN) < 1
    assert prober.pacing is not None
    assert prober.pacing.limits.estimate(0)[0] == pytest.approx(rate, rel=0.12)
    assert pace_of(prober)[0][0] == "its answers come at this rate"


def test_silent_ports_among_them_stay_silent_and_cost_no_token() -> None:
    hosts = LimitedHosts(ports(200, closed=0.5), [Bucket(1.0, 6)])
    prober = hosts.prober()
    took = hosts.run(prober)
    assert hosts.missed() == []
    closed = int((hosts.kinds == CLOSED).sum())
    assert took < 2 * closed
    silent = np.flatnonzero(hosts.kinds[0] == SILENT)
    assert (prober.items.phase[silent] == Phase.BENCHED).all()
    assert (prober.items.answered_try[silent] == 0).all()
    assert prober.items.tries[silent].min() >= TRIES


@pytest.mark.parametrize("loss", [0.03, 0.1])
def test_loss_is_not_taken_for_a_limit_and_a_limit_not_for_loss(loss: float) -> None:
    hosts = LimitedHosts(ports(100, opened=3), [Bucket(1.0, 6)], loss=loss)
    took = hosts.run(hosts.prober())
    assert hosts.missed() == []
    assert took < 91 * (1 + 2 * loss) + 10
    free = LimitedHosts(ports(500, closed=0.5, opened=3), [None], loss=loss)
    prober = free.prober()
    assert free.run(prober) < 20
    assert free.missed() == []
    assert pace_of(prober) == []


def test_a_limit_that_changes_is_followed() -> None:
    slower = LimitedHosts(ports(60), [Bucket(1.0, 6, lambda at: 1.0 if at < 20 else 0.25)])
    prober = slower.prober()
    slower.run(prober)
    assert len(slower.missed()) <= 2
    assert prober.pacing is not None
    assert prober.pacing.limits.estimate(0)[0] == pytest.approx(0.25, rel=0.15)
    faster = LimitedHosts(ports(400), [Bucket(1.0, 6, lambda at: 1.0 if at < 20 else 100.0)])
    assert faster.run(faster.prober()) < 130
    assert faster.missed() == []


def test_many_hosts_have_each_their_own_pace() -> None:
    kinds = np.repeat(ports(60, opened=2), 8, axis=0)
    buckets: list[Bucket | None] = [Bucket(rate, 6) for rate in (1.0, 2.0, 4.0, 8.0, 16.0, 1.0, 2.0)]
    hosts = LimitedHosts(kinds, [*buckets, None])
    prober = hosts.prober()
    assert hosts.run(prober) < 60
    assert hosts.missed() == []
    assert prober.pacing is not None
    seen = [prober.pacing.limits.estimate(row)[0] for row in range(8)]
    assert seen[:3] + seen[5:] == pytest.approx([1, 2, 4, 1, 2, 0], rel=0.1)


def test_the_time_left_is_known_once_the_rate_is() -> None:
    hosts = LimitedHosts(ports(200), [Bucket(1.0, 6)])
    prober = hosts.prober()
    assert prober.remaining() is None
    hosts.run(prober, most_seconds=60)
    left = prober.remaining()
    assert left == pytest.approx(200 - 6 - 60, rel=0.1)
    assert prober.progress() == pytest.approx(0.33, abs=0.03)
    prober.finish(np.array([0]))
    assert prober.done
    assert prober.remaining() is None
    assert prober.next_timer(T0) < np.inf


@pytest.mark.parametrize("suspicion", [None, Suspicion.SILENCE])
def test_without_suspicion_or_retries_nobody_is_waited_for(suspicion: Suspicion | None) -> None:
    hosts = LimitedHosts(ports(300, opened=5), [Bucket(1.0, 6)])
    plan = TimingPlan(max_retries=0) if suspicion else TimingPlan()
    prober = hosts.prober(suspicion, plan)
    assert hosts.run(prober) < 10
    assert prober.pacing is None
    assert prober.remaining() is None
    assert all(hosts.kinds[0, column] == CLOSED for _, column in hosts.missed())


def test_resets_are_suspected_only_when_they_come_late() -> None:
    limited = LimitedHosts(ports(1000), [Bucket(200.0, 100)])
    prober = limited.prober(Suspicion.RETRIES)
    limited.run(prober)
    assert limited.missed() == []
    assert pace_of(prober)
    free = LimitedHosts(ports(1000, closed=0.3), [None])
    prober = free.prober(Suspicion.RETRIES)
    assert free.run(prober) < 3
    assert pace_of(prober) == []


def test_ports_of_ones_own_are_asked_too() -> None:
    kinds = np.array([[CLOSED] * 40, [CLOSED] * 40])
    hosts = LimitedHosts(kinds, [Bucket(2.0, 6), Bucket(2.0, 6)])
    order = np.concatenate((np.arange(40), np.arange(20)))
    prober = Prober(
        2, 40, order, TimingPlan(), T0, offsets=np.array([0, 40, 60]), datagrams=True, suspicion=Suspicion.SILENCE
    )
    hosts.run(prober)
    assert hosts.missed() == [(1, column) for column in range(20, 40)]


def test_few_silent_ports_beside_many_answers_are_not_waited_for() -> None:
    kinds = np.full((1, 40), CLOSED)
    kinds[0, :5] = SILENT
    hosts = LimitedHosts(kinds, [None])
    prober = hosts.prober()
    assert hosts.run(prober) < 0.5
    assert hosts.missed() == []
    assert max(prober.items.tries) == 2
