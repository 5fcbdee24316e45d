import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.engine.timing import (
    HOST_LIMIT,
    LEAST_RTTVAR,
    PING_MAGNIFIER,
    PROVEN_LIMIT,
    RoundTrips,
    ScanDelays,
    Windows,
)
from leadline.model.plan import TimingPlan


def ids(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def trips_of(hosts: int = 2, **plan: float) -> RoundTrips:
    return RoundTrips(hosts, TimingPlan(**plan))  # type: ignore[arg-type]


def rfc6298(samples: list[float]) -> tuple[float, float]:
    srtt = samples[0]
    rttvar = max(LEAST_RTTVAR, srtt)
    for sample in samples[1:]:
        rttvar += (abs(sample - srtt) - rttvar) / 4
        srtt += (sample - srtt) / 8
    return srtt, rttvar


# ---- round trips -----------------------------------------------------------------------------------------------------


def test_unknown_hosts_wait_the_initial_time_until_the_group_knows_better() -> None:
    trips = trips_of(3)
    assert trips.timeout.tolist() == [1.0] * 4
    trips.sample(ids(1), np.array([0.2]))
    assert trips.srtt.tolist() == [-1, 0.2, -1, 0.2]
    assert trips.rttvar[1] == pytest.approx(0.2)
    assert trips.timeout == pytest.approx([1.0, 1.0, 1.0, 1.0])
    trips.sample(ids(1), np.array([0.2]))
    assert trips.timeout == pytest.approx([0.8, 0.8, 0.8, 0.8])


@given(st.lists(st.floats(0.001, 1.4), min_size=1, max_size=20))
def test_one_by_one_it_is_the_classic_smoothing(samples: list[float]) -> None:
    trips = trips_of(1)
    for sample in samples:
        trips.sample(ids(0), np.array([sample]))
    srtt, rttvar = rfc6298(samples)
    assert trips.srtt == pytest.approx([srtt, srtt])
    assert trips.rttvar == pytest.approx([rttvar, rttvar])
    assert trips.timeout[0] == pytest.approx(min(10, max(0.1, srtt + 4 * rttvar)))


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0.01, 0.5)), min_size=1, max_size=30))
def test_a_batch_smooths_the_mean_as_singles_in_order_do(samples: list[tuple[int, float]]) -> None:
    together, apart = trips_of(4), trips_of(4)
    together.sample(ids(*[host for host, _ in samples]), np.array([rtt for _, rtt in samples]))
    for host, rtt in samples:
        apart.sample(ids(host), np.array([rtt]))
    assert together.srtt == pytest.approx(apart.srtt)
    assert ((together.rttvar < 0) == (apart.rttvar < 0)).all()


def test_a_second_batch_weighs_the_deviation_from_the_mean_before_it() -> None:
    trips = trips_of(1)
    trips.sample(ids(0), np.array([0.1]))
    trips.sample(ids(0, 0), np.array([0.2, 0.3]))
    assert trips.srtt[0] == pytest.approx(0.1 * 0.875**2 + 0.2 * 0.125 * 0.875 + 0.3 * 0.125)
    assert trips.rttvar[0] == pytest.approx(0.1 * 0.75**2 + 0.1 * 0.25 * 0.75 + 0.2 * 0.25)


@pytest.mark.parametrize("rtt", [8.0, 1e9, -0.05, -3.0])
def test_absurd_samples_are_ignored(rtt: float) -> None:
    trips = trips_of(1)
    trips.sample(ids(0), np.array([rtt]))
    assert trips.srtt[0] < 0
    trips.sample(ids(0, 0), np.array([rtt, 0.3]))
    assert trips.srtt[0] == pytest.approx(0.3)


def test_slightly_negative_samples_count_as_ten_milliseconds() -> None:
    trips = trips_of(1)
    trips.sample(ids(0), np.array([-0.02]))
    assert trips.srtt[0] == pytest.approx(0.01)


def test_sudden_giants_are_ignored() -> None:
    trips = trips_of(1)
    trips.sample(ids(0), np.array([0.1]))
    trips.sample(ids(0), np.array([3.0]))
    assert trips.srtt[0] == pytest.approx(0.1)
    trips.sample(ids(0, 0), np.array([3.0, 0.1]))
    assert trips.srtt[0] == pytest.approx(0.1)


def test_timeouts_stay_within_what_was_asked_for() -> None:
    trips = trips_of(2, min_rtt_timeout=0.3, max_rtt_timeout=0.7)
    for _ in range(30):
        trips.sample(ids(0, 1), np.array([0.001, 0.72]))
    assert trips.timeout[0] == 0.3
    assert trips.timeout[1] == 0.7


def test_deviation_is_capped() -> None:
    trips = trips_of(1)
    trips.sample(ids(0), np.array([7.0]))
    assert trips.rttvar[0] == 2.0


def test_an_earlier_stage_gives_the_start() -> None:
    trips = trips_of(3)
    trips.seed(np.array([0.1, -1.0, 0.3]), np.array([0.0001, -1.0, 9.0]))
    assert trips.srtt.tolist() == pytest.approx([0.1, -1, 0.3, 0.2])
    assert trips.rttvar.tolist() == pytest.approx([0.005, -1, 2.0, 2.0])
    assert trips.timeout == pytest.approx([0.12, 8.2, 8.3, 8.2])
    nothing = trips_of(2)
    nothing.seed(np.full(2, -1.0), np.full(2, -1.0))
    assert nothing.timeout.tolist() == [1.0] * 3


# ---- windows ---------------------------------------------------------------------------------------------------------


def windows_of(hosts: int, plan: TimingPlan | None = None, threshold: float = 75.0) -> Windows:
    windows = Windows(hosts, plan or TimingPlan(), 1000)
    windows.ssthresh[:] = threshold
    return windows


def test_slow_start_then_avoidance() -> None:
    windows = windows_of(2)
    assert windows.cwnd.tolist() == [10, 10, 10]
    windows.resolved(ids(0, 0, 1))
    windows.acknowledge(ids(0, 0, 1), 1.0)
    assert windows.cwnd.tolist() == [12, 11, 13]
    windows.ssthresh[0] = 12
    windows.resolved(ids(0))
    windows.acknowledge(ids(0), 1.0)
    assert 12 < windows.cwnd[0] < 12.5
    windows.acknowledge(ids(), 1.0)
    assert windows.cwnd[1] == 11


def test_the_group_starts_without_a_threshold() -> None:
    windows = Windows(1, TimingPlan(), 1000)
    assert windows.ssthresh[-1] == windows.limit[-1] == 1000


def test_slow_start_stops_at_the_threshold() -> None:
    windows = windows_of(1)
    windows.resolved(np.zeros(100, dtype=np.int64))
    windows.acknowledge(np.zeros(100, dtype=np.int64), PING_MAGNIFIER)
    assert windows.cwnd.tolist() == [75, 75]


def test_sparse_answers_count_for_the_silent_ones_too() -> None:
    windows = Windows(1, TimingPlan(), 10_000)
    windows.resolved(np.zeros(20, dtype=np.int64))
    windows.acknowledge(ids(0), 1.0)
    assert windows.cwnd[0] == 30
    windows = Windows(1, TimingPlan(), 10_000)
    windows.resolved(np.zeros(9000, dtype=np.int64))
    windows.acknowledge(ids(0), 1.0)
    assert windows.cwnd[-1] == 60


@pytest.mark.parametrize(
    ("plan", "host", "group", "start"),
    [
        (TimingPlan(), 300, 5000, 10),
        (TimingPlan(max_parallelism=7), 7, 7, 7),
        (TimingPlan(min_parallelism=400), 400, 5000, 400),
        (TimingPlan(min_parallelism=5, max_parallelism=3), 5, 5, 5),
    ],
)
def test_limits(plan: TimingPlan, host: int, group: int, start: int) -> None:
    windows = Windows(1, plan, 5000)
    assert windows.limit.tolist() == [host, group]
    assert windows.cwnd.tolist() == [start, start]
    for _ in range(40):
        windows.resolved(np.zeros(1000, dtype=np.int64))
        windows.acknowledge(np.zeros(1000, dtype=np.int64), 3.0)
    assert (windows.cwnd <= windows.limit).all()


def test_faster_templates_grow_faster() -> None:
    grown = []
    for template in (3, 4, 5):
        windows = windows_of(1, TimingPlan(template=template), threshold=5.0)
        windows.resolved(ids(0))
        windows.acknowledge(ids(0), 1.0)
        grown.append(float(windows.cwnd[0]))
    assert 10 < grown[0] < grown[1] == grown[2] < 11


def test_one_decrease_for_all_that_was_in_flight_together() -> None:
    windows = windows_of(2)
    windows.cwnd[:] = (40, 40, 80)
    rows = windows.drop(ids(0, 0), np.array([1.0, 1.1]), 2.0)
    assert rows.tolist() == [0, 2]
    assert windows.cwnd.tolist() == [20, 40, 40]
    assert windows.ssthresh.tolist() == [20, 75, 40]
    assert len(windows.drop(ids(0), np.array([1.9]), 2.5)) == 0
    assert windows.drop(ids(1), np.array([1.9]), 2.5).tolist() == [1]
    assert windows.drop(ids(0), np.array([2.6]), 3.0).tolist() == [0, 2]
    assert windows.cwnd[0] == 10


def test_nothing_lost_is_no_drop() -> None:
    assert len(Windows(1, TimingPlan(), 1000).drop(ids(), np.empty(0), 1.0)) == 0


def test_a_decrease_is_half_the_share_of_losses_since_the_last_one() -> None:
    windows = windows_of(1, threshold=1.0)
    windows.acknowledge(np.zeros(19, dtype=np.int64), 1.0)
    windows.cwnd[:] = 100
    windows.drop(ids(0), np.array([1.0]), 1.5)
    assert windows.cwnd == pytest.approx([97.5, 97.5])
    # What came before the decrease does not weigh in the next one.
    windows.acknowledge(ids(0), 1.0)
    windows.cwnd[:] = 100
    windows.drop(ids(0), np.array([2.0]), 2.5)
    assert windows.cwnd == pytest.approx([75, 75])


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=60))
def test_windows_stay_within_their_bounds(history: list[tuple[int, bool]]) -> None:
    windows = Windows(4, TimingPlan(max_parallelism=50), 1000)
    for step, (host, lost) in enumerate(history):
        before = windows.cwnd.copy()
        windows.resolved(ids(host))
        if lost:
            rows = windows.drop(ids(host), np.array([step + 0.5]), step + 1.0)
            assert rows.tolist() == [host, 4]
            assert (windows.cwnd[rows] >= before[rows] / 2 - 1e-9).all()
            assert (windows.cwnd <= before).all()
        else:
            windows.acknowledge(ids(host), 1.0)
            assert (windows.cwnd >= before).all()
        assert (windows.cwnd >= 1).all()
        assert (windows.cwnd <= windows.limit).all()


def test_a_window_never_shrinks_below_the_minimum_asked_for() -> None:
    windows = Windows(1, TimingPlan(min_parallelism=6), 1000)
    for step in range(10):
        windows.drop(ids(0), np.array([step + 0.5]), float(step + 1))
    assert windows.cwnd.tolist() == [6, 6]
    thin = Windows(1, TimingPlan(), 1000)
    for step in range(10):
        thin.drop(ids(0), np.array([step + 0.5]), float(step + 1))
    assert thin.cwnd.tolist() == [1, 1]
    assert thin.ssthresh.tolist() == [2, 2]


# ---- scan delays -----------------------------------------------------------------------------------------------------


def drops(delays: ScanDelays, count: int, now: float) -> list[int]:
    return delays.drops(np.zeros(count, dtype=np.int64), np.full(count, now - 0.1), now).tolist()


def test_many_drops_among_few_answers_raise_the_delay() -> None:
    delays = ScanDelays(2, TimingPlan(), datagrams=False)
    assert drops(delays, 10, 1.0) == []
    assert drops(delays, 1, 1.1) == [0]
    assert delays.delay.tolist() == [0.005, 0]
    # What was sent before the boost says nothing of the new pace.
    assert delays.drops(np.zeros(50, dtype=np.int64), np.full(50, 1.0), 1.2).tolist() == []
    assert drops(delays, 11, 2.0) == [0]
    assert delays.delay[0] == 0.01


def test_good_answers_outweigh_drops() -> None:
    delays = ScanDelays(1, TimingPlan(), datagrams=False)
    delays.good(np.zeros(100, dtype=np.int64))
    assert drops(delays, 20, 1.0) == []
    assert drops(delays, 60, 2.0) == [0]


@pytest.mark.parametrize(("template", "raised"), [(3, [0]), (4, [])])
def test_faster_templates_bear_more(template: int, raised: list[int]) -> None:
    delays = ScanDelays(1, TimingPlan(template=template), datagrams=False)
    delays.good(np.zeros(20, dtype=np.int64))
    assert drops(delays, 12, 1.0) == raised


@pytest.mark.parametrize(
    ("plan", "datagrams", "expected"),
    [
        (TimingPlan(), True, [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]),
        (TimingPlan(max_scan_delay_tcp=0.01), False, [0.005, 0.01, 0.01]),
        (TimingPlan(max_scan_delay_tcp=0.0), False, [0.0, 0.0]),
        (TimingPlan(max_scan_delay_tcp=0.002), False, [0.002]),
        (TimingPlan(scan_delay=3.0, max_scan_delay_tcp=1.0), False, [3.0, 3.0]),
    ],
)
def test_boosts_double_up_to_the_maximum(plan: TimingPlan, datagrams: bool, expected: list[float]) -> None:
    delays = ScanDelays(1, plan, datagrams)
    for step, delay in enumerate(expected):
        drops(delays, 11, step + 1.0)
        assert delays.delay[0] == pytest.approx(delay)


def test_boosting_nobody() -> None:
    delays = ScanDelays(1, TimingPlan(), datagrams=False)
    delays.boost(ids(), 1.0)
    assert delays.delay.tolist() == [0]


def test_ready_after_the_delay() -> None:
    delays = ScanDelays(2, TimingPlan(scan_delay=0.5), datagrams=False)
    assert delays.ready(-1e9).all()
    delays.sent(ids(0), 1.0)
    assert delays.ready(1.4).tolist() == [False, True]
    assert delays.ready(1.5).tolist() == [True, True]


def test_one_limited_host_does_not_narrow_the_group_that_answers() -> None:
    windows = Windows(4, TimingPlan(), 8192)
    windows.cwnd[-1] = 400.0
    for host in range(3):
        windows.acknowledge(np.full(20, host), 1.0)
    before = windows.cwnd[-1]
    windows.drop(np.full(30, 3), np.full(30, 5.0), 5.1)
    assert windows.cwnd[-1] == before
    assert windows.cwnd[3] < 10.0


def test_loss_of_all_hosts_narrows_the_group() -> None:
    windows = Windows(4, TimingPlan(), 8192)
    windows.cwnd[-1] = 400.0
    everybody = np.repeat(np.arange(4), 10)
    windows.acknowledge(everybody, 1.0)
    before = windows.cwnd[-1]
    windows.drop(everybody, np.full(40, 5.0), 5.1)
    assert windows.cwnd[-1] == pytest.approx(before * 0.75)


def answered_without_loss(windows: Windows, turns: int) -> None:
    for _ in range(turns):
        hosts = np.zeros(300, dtype=np.int64)
        windows.resolved(hosts)
        windows.acknowledge(hosts, 1.0)


def test_a_host_that_answers_all_and_loses_nothing_goes_beyond_the_usual_limit() -> None:
    windows = Windows(1, TimingPlan(), 8192)
    answered_without_loss(windows, 60)
    assert HOST_LIMIT < windows.cwnd[0] == windows.limit[0] <= PROVEN_LIMIT


def test_the_first_loss_ends_the_growth_beyond_the_usual_limit() -> None:
    windows = Windows(1, TimingPlan(), 8192)
    answered_without_loss(windows, 60)
    windows.drop(np.zeros(5, dtype=np.int64), np.full(5, 5.0), 5.1)
    after = float(windows.cwnd[0])
    answered_without_loss(windows, 60)
    assert windows.limit[0] <= max(HOST_LIMIT, after)


def test_a_silent_host_or_a_limit_of_the_user_stays_at_the_usual_limit() -> None:
    silent = Windows(1, TimingPlan(), 8192)
    for _ in range(60):
        silent.resolved(np.zeros(300, dtype=np.int64))
        silent.acknowledge(np.zeros(200, dtype=np.int64), 1.0)
    assert silent.cwnd[0] == HOST_LIMIT
    asked = Windows(1, TimingPlan(max_parallelism=40), 8192)
    answered_without_loss(asked, 60)
    assert asked.cwnd[0] == 40.0


def test_finished_hosts_tell_nothing_of_the_path_any_more() -> None:
    windows = Windows(3, TimingPlan(), 8192)
    windows.cwnd[-1] = 400.0
    for host in (0, 1):
        windows.acknowledge(np.full(20, host), 1.0)
    windows.retire(np.array([0, 1]))
    windows.drop(np.full(20, 2), np.full(20, 5.0), 5.1)
    assert windows.cwnd[-1] < 400.0


# ---- proofs of the path ----------------------------------------------------------------------------------------------


def test_a_proof_of_the_path_opens_the_window_at_most_twofold() -> None:
    windows = Windows(3, TimingPlan(), 8192)
    windows.path_proven(1)
    assert windows.cwnd[-1] == 18
    windows.path_proven(1000)
    assert windows.cwnd[-1] == 36
    for _ in range(20):
        windows.path_proven(10_000)
    assert windows.cwnd[-1] == 8192
    assert (windows.cwnd[:-1] == 10).all()


def test_a_proof_missing_narrows_it_by_its_share_once_for_what_was_in_flight_together() -> None:
    windows = Windows(1, TimingPlan(), 8192)
    for _ in range(6):
        windows.path_proven(10_000)
    before = windows.cwnd[-1]
    windows.path_lost(100.0, 101.0)
    assert windows.cwnd[-1] == pytest.approx(before * (1 - 1 / 11))
    after = windows.cwnd[-1]
    windows.path_lost(100.5, 101.1)
    assert windows.cwnd[-1] == after
    windows.path_lost(102.0, 103.0)
    assert windows.cwnd[-1] < after * 0.85
    # After a loss it opens by a share only.
    after = windows.cwnd[-1]
    windows.path_proven(10_000)
    assert windows.cwnd[-1] == pytest.approx(after * 9 / 8)


def test_a_path_that_loses_every_proof_is_narrowed_to_the_least() -> None:
    windows = Windows(1, TimingPlan(), 8192)
    for turn in range(60):
        windows.path_lost(float(turn), turn + 0.5)
    assert windows.cwnd[-1] == pytest.approx(windows.low, abs=0.1)


def test_blind_growth_after_a_loss_ends_at_half_of_what_was_proven() -> None:
    windows = Windows(1, TimingPlan(), 8192)
    for _ in range(5):
        windows.path_proven(10_000)
    windows.path_lost(10.0, 11.0)
    windows.blind_again()
    for _ in range(100):
        windows.expired(1000)
    assert windows.cwnd[-1] == 80
    assert Windows(1, TimingPlan(max_parallelism=40), 8192).silent_limit == 40
