import numpy as np
import pytest

from leadline.engine.loss import MOST_RETRIES, TOLERATED, LossMeter


def counted(hosts: int, host: int, sent: int, lost: int) -> LossMeter:
    meter = LossMeter(hosts)
    meter.count(np.array([host, host]), np.array([sent - 1.0, 1.0]), np.array([lost, 0.0]))
    return meter


def test_nothing_known_means_no_loss_and_one_retry() -> None:
    meter = LossMeter(3)
    assert meter.share().tolist() == [0, 0, 0]
    assert meter.retries_needed().tolist() == [1, 1, 1]


def test_a_host_leans_on_the_group_until_it_has_measurements_of_its_own() -> None:
    meter = counted(2, 0, 10_000, 1000)
    assert meter.sent.tolist() == [10_000, 0, 10_000]
    own, other = meter.share()
    assert own == pytest.approx(0.1, abs=0.001)
    assert other == pytest.approx(0.1, abs=0.001)
    meter.count(np.array([1]), np.array([10_000.0]), np.array([0.0]))
    assert meter.share()[1] < 0.001


@pytest.mark.parametrize("share", [0.001, 0.01, 0.05, 0.1, 0.2])
def test_so_many_tries_make_a_lost_answer_rarer_than_tolerated(share: float) -> None:
    retries = int(counted(1, 0, 1_000_000, int(share * 1e6)).retries_needed()[0])
    assert share ** (retries + 1) <= TOLERATED * 1.01
    assert retries == 1 or share**retries > TOLERATED


def test_a_dead_path_costs_a_bounded_number() -> None:
    assert counted(1, 0, 1000, 1000).retries_needed().tolist() == [MOST_RETRIES]


def test_what_was_lost_at_another_pace_fades() -> None:
    meter = LossMeter(1)
    meter.count(np.array([0]), np.array([40.0]), np.array([20.0]))
    meter.count_group(8.0, 4.0)
    meter.fade(0.25)
    assert meter.sent.tolist() == [10.0, 12.0]
    assert meter.lost.tolist() == [5.0, 6.0]
