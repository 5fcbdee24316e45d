import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.engine.ledger import CODES, Items, Ledger, Phase, microseconds


def ids(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def test_times_wrap_after_seventy_one_minutes() -> None:
    assert microseconds(1.5) == 1_500_000
    assert microseconds(4294.967296 + 0.25) == 250_000


@given(sent=st.floats(0, 1e9), passed=st.floats(0, 2000), again=st.floats(0, 100))
def test_round_trips_are_exact_across_the_wrap(sent: float, passed: float, again: float) -> None:
    items = Items(1, 1)
    items.mark_sent(ids(0), sent)
    items.mark_sent(ids(0), sent + again)
    times = np.array([sent + again + passed, sent + again + passed])
    both = items.round_trip(ids(0, 0), np.array([0, 1], dtype=np.uint8), times)
    assert both == pytest.approx([passed + again, passed], abs=1e-5)


def test_codes_count_tries_and_old_ones_have_no_round_trip() -> None:
    items = Items(1, 2)
    assert [int(items.mark_sent(ids(1), float(step))[0]) for step in range(3)] == [0, 1, 2]
    assert items.tries.tolist() == [0, 3]
    assert items.phase.tolist() == [Phase.FRESH, Phase.OUTSTANDING]
    rtt = items.round_trip(ids(1, 1, 1), np.array([0, 1, 2], dtype=np.uint8), np.full(3, 5.0))
    assert np.isnan(rtt[0])
    assert rtt[1:].tolist() == [4.0, 3.0]


def test_codes_wrap_after_sixteen_tries() -> None:
    items = Items(1, 1)
    codes = [int(items.mark_sent(ids(0), float(step))[0]) for step in range(CODES + 2)]
    assert codes[-3:] == [15, 0, 1]
    assert items.round_trip(ids(0), np.array([1], dtype=np.uint8), np.array([18.0])).tolist() == [1.0]


def outstanding(width: int, *sends: tuple[int, float]) -> tuple[Items, Ledger]:
    items, ledger = Items(2, width), Ledger()
    for item, at in sends:
        items.mark_sent(ids(item), at)
        ledger.add(ids(item), items.tries[ids(item)], at)
    return items, ledger


def test_each_host_has_its_own_patience() -> None:
    items, ledger = outstanding(2, (0, 1.0), (2, 1.0), (1, 1.5))
    patience = np.array([1.0, 3.0])
    gone, sent, soonest = ledger.expire(items, 2, patience, 1.9)
    assert len(gone) == len(sent) == 0
    assert soonest == 2.0
    gone, sent, soonest = ledger.expire(items, 2, patience, 2.0)
    assert (gone.tolist(), sent.tolist(), soonest) == ([0], [1.0], 2.5)
    gone, sent, soonest = ledger.expire(items, 2, patience, 9.0)
    assert (gone.tolist(), sent.tolist(), soonest) == ([2, 1], [1.0, 1.5], np.inf)
    assert len(ledger) == 0
    assert ledger.expire(items, 2, patience, 9.0)[2] == np.inf


def test_answered_and_repeated_probes_are_swept_out() -> None:
    items, ledger = outstanding(2, (0, 1.0), (1, 1.0), (0, 1.5))
    items.phase[1] = Phase.DECIDED
    assert len(ledger) == 3
    gone, _, soonest = ledger.expire(items, 2, np.ones(2), 2.0)
    assert len(gone) == 0
    assert soonest == 2.5
    assert len(ledger) == 1


def test_forgotten_items_never_expire() -> None:
    items, ledger = outstanding(2, (0, 1.0), (1, 1.0), (2, 1.0))
    ledger.forget(ids(0, 2))
    assert len(ledger) == 1
    assert ledger.expire(items, 2, np.ones(2), 9.0)[0].tolist() == [1]


def test_it_grows_and_keeps_its_order() -> None:
    items, ledger = Items(1, 5000), Ledger()
    for first in range(0, 5000, 700):
        some = np.arange(first, min(first + 700, 5000))
        items.mark_sent(some, first * 1e-3)
        ledger.add(some, items.tries[some], first * 1e-3)
    assert len(ledger) == 5000
    gone, sent, _ = ledger.expire(items, 5000, np.ones(1), 100.0)
    assert gone.tolist() == list(range(5000))
    assert (np.diff(sent) >= 0).all()


def test_first_rows_are_those_that_unique_finds() -> None:
    items = Items(3, 5)
    generator = np.random.default_rng(1)
    for count in (0, 1, 4, 60):
        picked = generator.integers(0, 15, count)
        first = np.unique(picked, return_index=True)[1]
        assert items.first_rows(picked).tolist() == sorted(first.tolist())
