"""When a host is taken for gone, and when it is back."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.presence import DOUBTFUL, GONE, MOST, Presence

NO_LOSS = np.zeros(2)


def test_a_host_that_misses_many_in_a_row_is_gone_since_it_was_heard_of() -> None:
    presence = Presence(2)
    presence.heard(np.array([0, 0, 1]), 5.0)
    for missed in range(1, GONE):
        assert presence.lost(np.array([0]), NO_LOSS).tolist() == []
        assert presence.doubtful.tolist() == [missed >= DOUBTFUL, False]
    assert presence.gone_since(0) is None
    assert presence.lost(np.array([0]), NO_LOSS).tolist() == [0]
    presence.leave(np.array([0]))
    assert presence.gone_since(0) == 5.0
    assert presence.gone_since(1) is None
    assert presence.missed.tolist() == [0, 0]


def test_an_answer_ends_the_row_and_tells_what_was_lost_in_it() -> None:
    presence = Presence(2)
    presence.lost(np.array([0, 0, 0, 1]), NO_LOSS)
    back, missed = presence.heard(np.array([0, 0]), 1.0)
    assert (back.tolist(), missed.tolist()) == ([0], [3.0])
    assert presence.heard(np.array([0]), 2.0)[0].tolist() == []
    assert presence.missed.tolist() == [0, 1]


def test_who_is_heard_of_again_is_not_gone() -> None:
    presence = Presence(1)
    presence.leave(np.array([0]))
    assert presence.gone_since(0) == -np.inf
    presence.heard(np.array([0]), 3.0)
    assert presence.gone_since(0) is None


@pytest.mark.parametrize(("share", "needed"), [(0.0, GONE), (0.1, GONE), (0.28, 11), (0.5, MOST), (0.95, MOST)])
def test_a_poor_path_takes_more(share: float, needed: int) -> None:
    presence = Presence(1)
    shares = np.array([share])
    lost = 1
    while not len(presence.lost(np.array([0]), shares)):
        lost += 1
    assert lost == needed


def test_nothing_is_held_against_hosts_on_an_overrun_path() -> None:
    presence = Presence(2)
    presence.lost(np.array([0, 0, 1]), NO_LOSS)
    presence.pardon()
    assert presence.missed.tolist() == [0, 0]


def test_unheard_are_those_that_were_asked_since() -> None:
    presence = Presence(3)
    assert not presence.unheard.any()
    presence.asked(np.array([0, 1, 1]), 1.0)
    presence.heard(np.array([1]), 1.5)
    assert presence.unheard.tolist() == [True, False, False]
    presence.asked(np.array([1]), 2.0)
    assert presence.unheard.tolist() == [True, True, False]
