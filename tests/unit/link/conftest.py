"""A clock to set and interfaces to use."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from leadline.link.base import Interface


@dataclass
class SetClock:
    """Time stands still until somebody sets it; ``zero`` is the date at which ``now`` was 0."""

    time: float = 0.0
    zero: float = 1_700_000_000.0

    def now(self) -> float:
        return self.time

    def epoch(self) -> float:
        return self.zero + self.time


@pytest.fixture
def clock() -> SetClock:
    return SetClock(100.0)


@pytest.fixture
def ethernet() -> Interface:
    return Interface("eth0", 2, "ethernet", 14, 1500, b"\2\0\0\0\0\1", True)
