"""First signal asks, second insists, third leaves."""

import os
import signal
from dataclasses import dataclass

import pytest

from leadline.cli.signals import StopSignals


@dataclass
class Control:
    stop: str = ""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_first_signal_asks(name: str) -> None:
    control = Control()
    before = signal.getsignal(signal.Signals[name])
    with StopSignals(control):
        os.kill(os.getpid(), signal.Signals[name])
        assert control.stop == name
    assert signal.getsignal(signal.Signals[name]) == before


def test_second_insists_and_the_first_reason_stays() -> None:
    control = Control()
    with StopSignals(control):
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert control.stop == "SIGTERM"


def test_third_leaves_with_the_terminal_put_right() -> None:
    done: list[object] = []
    with StopSignals(Control(), done.append) as signals:
        signals.before_leaving = lambda: done.append("restored")
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    assert done == ["restored", 130]


def test_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        control = Control()
        with StopSignals(control):
            os.kill(os.getpid(), signal.SIGHUP)
        assert control.stop == ""
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
