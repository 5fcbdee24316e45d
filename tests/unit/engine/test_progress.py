import pytest

from leadline.engine.progress import INTERVAL, ProgressMeter, Tally


def meter(tally: Tally | None = None) -> ProgressMeter:
    return ProgressMeter("SYN", tally or Tally(), 110.0, 100.0)


def test_events_are_due_at_intervals_and_after_each_other() -> None:
    progress = meter()
    assert not progress.due(110.0)
    assert progress.due(110.0 + INTERVAL)
    progress.event(110.1, 0.1, 1, 1)
    assert not progress.due(110.0 + INTERVAL)
    assert progress.due(110.1 + INTERVAL)


def test_an_event_tells_how_far_and_how_long_still() -> None:
    event = meter(Tally(hosts_done=1, hosts_up=2, hosts_active=3)).event(112.0, 0.25, 400, 300)
    assert (event.at, event.task, event.percent, event.sent, event.received) == (12.0, "SYN", 25.0, 400, 300)
    assert event.remaining == pytest.approx(6.0)
    assert event.rate == pytest.approx(200.0)
    assert (event.hosts_done, event.hosts_up, event.hosts_active) == (1, 2, 3)


@pytest.mark.parametrize("share", [0.0, 0.01])
def test_too_early_to_tell_the_end(share: float) -> None:
    assert meter().event(112.0, share, 0, 0).remaining is None
    assert meter().event(112.0, 1.0, 0, 0).remaining == 0


def test_the_rate_is_smoothed_and_not_measured_over_an_instant() -> None:
    progress = meter()
    assert progress.event(111.0, 0.1, 100, 0).rate == pytest.approx(100)
    assert progress.event(111.0 + INTERVAL / 4, 0.1, 10_000, 0).rate == pytest.approx(100)
    assert progress.event(112.0, 0.1, 300, 0).rate == pytest.approx(125)
