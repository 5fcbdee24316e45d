"""Exit statuses are a promise to scripts."""

import signal

import pytest

from leadline.cli import exit_codes


def test_fixed_numbers() -> None:
    assert (exit_codes.SUCCESS, exit_codes.FATAL, exit_codes.USAGE) == (0, 1, 2)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_as_shells_count_them(name: str) -> None:
    assert exit_codes.for_signal(name) == 128 + signal.Signals[name]
