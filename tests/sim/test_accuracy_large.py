"""One seed of the large accuracy table: mixed hosts behind a lossy path, each with limits of its own."""

from __future__ import annotations

import pytest

from bench import accuracy_large
from tests.support.sim_scan import sim_scan


def test_nothing_is_missed_and_nothing_is_false(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy_large, "HOSTS", 8)
    one = accuracy_large.scan((2, None))
    assert one.loss == 0.03
    assert one.there == 8 * accuracy_large.OPEN
    assert one.there == one.found + one.down
    assert one.false == one.wrong == 0


def test_who_answers_one_kind_of_ping_behind_loss_is_found() -> None:
    """Seed 3: one host answers echo requests only, and three in a row are lost with their answers."""
    world, truth, _ = accuracy_large.make(3)
    done = sim_scan(world, f"10.0.0.1-{accuracy_large.HOSTS}", seed=3, ping_scan=True)
    assert done.hosts.keys() == truth.keys()


def test_what_is_missed_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy_large, "HOSTS", 8)
    one = accuracy_large.scan((4, 0))
    assert one.there - one.found + one.wrong > 0
    told = accuracy_large.summary("one try", [one])
    assert "one try, 10% lost each way" in told
    assert f"  {one.remarks[0]}" in told.splitlines()
    assert one.remarks[0].startswith("seed 4: 10.0.0.")
