"""One seed of the large accuracy table: mixed hosts behind a lossy path, each with limits of its own."""

from __future__ import annotations

import pytest

from bench import accuracy_large


def test_nothing_is_missed_and_nothing_is_false(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy_large, "HOSTS", 8)
    one = accuracy_large.scan((2, None))
    assert one.loss == 0.03
    assert one.there == 8 * accuracy_large.OPEN
    assert one.there == one.found + one.down
    assert one.false == one.wrong == 0
