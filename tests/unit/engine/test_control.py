import pytest

from leadline.engine.control import Control


def test_a_scan_runs_until_somebody_says_why_it_shall_stop() -> None:
    control = Control()
    assert not control.stopping()
    assert not control.packet_trace
    assert not control.status_requested
    control.stop = "SIGINT"
    assert control.stopping()


def test_nothing_else_can_be_asked_by_mistake() -> None:
    with pytest.raises(AttributeError):
        Control().stopped = True  # type: ignore[attr-defined]
