import pytest

from leadline.engine.control import Control
from leadline.engine.progress import INTERVAL, Board, ProgressMeter, Tally


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


def test_groups_of_one_task_are_one_progress() -> None:
    boards: dict[str, Board] = {}
    tally = Tally()
    board = boards["SYN"] = Board(100.0)
    first = ProgressMeter("SYN", tally, 100.0, 100.0, board, 300.0, boards)
    second = ProgressMeter("SYN", tally, 102.0, 100.0, board, 100.0, boards)
    second.look = lambda: (0.4, 40, 4)
    event = first.event(104.0, 0.8, 240, 24)
    assert event.percent == pytest.approx(70)
    assert (event.sent, event.received) == (280, 28)
    assert event.remaining == pytest.approx(4 * 0.3 / 0.7), "counted from the begin of the first group"
    assert not second.due(104.1), "what one has told the others need not tell again"
    first.end()
    first.end()
    assert second.event(105.0, 0.4, 40, 4).percent == pytest.approx(85), "what is done still counts"
    second.end()
    fresh = ProgressMeter("SYN", tally, 200.0, 100.0, board, 5.0, boards)
    assert fresh.event(201.0, 0.5, 1, 1).percent == pytest.approx(50), "a later group begins anew"


def test_a_request_is_answered_by_every_task_at_work() -> None:
    boards = {"SYN": Board(100.0), "Service scan": Board(100.0), "old": Board(100.0)}
    first, second = (ProgressMeter(task, Tally(), 100.0, 100.0, boards[task], 1.0, boards) for task in list(boards)[:2])
    control = Control()
    control.status_requested = True
    assert first.due(100.1, control)
    assert not control.status_requested
    first.event(100.1, 0.1, 1, 1)
    assert not first.due(100.1, control)
    assert second.due(100.1, control)
    assert not boards["old"].asked, "nobody is there to answer"


def test_what_waits_for_its_turn_counts() -> None:
    boards: dict[str, Board] = {}
    board = boards["SYN"] = Board(100.0)
    board.waiting = 300.0
    first = ProgressMeter("SYN", Tally(), 100.0, 100.0, board, 100.0, boards)
    assert first.event(110.0, 1.0, 50, 5).percent == pytest.approx(25)
    first.end()
    board.waiting = 0.0
    second = ProgressMeter("SYN", Tally(), 112.0, 100.0, board, 300.0, boards)
    event = second.event(120.0, 1 / 3, 10, 1)
    assert event.percent == pytest.approx(50), "the first group still counts"
    assert event.remaining == pytest.approx(20.0), "since the first began"
    assert (event.sent, event.received) == (60, 6)
    second.end()
    assert ProgressMeter("SYN", Tally(), 200.0, 100.0, board, 5.0).event(201.0, 0.5, 1, 1).percent == pytest.approx(50)
