"""Spec sheet 2.1: the templates, and settings over them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.plan.options import Options
from leadline.plan.presets import TEMPLATE_NAMES, TEMPLATES, timing_plan

# min, max, initial RTT timeout (ms), retries, fixed delay (ms), max delay TCP (ms), parallelism, host timeout (s)
TABLE = {
    0: (100, 300_000, 300_000, 10, 300_000, 300_000, 1, None),
    1: (100, 15_000, 15_000, 10, 15_000, 15_000, 1, None),
    2: (100, 10_000, 1000, 10, 400, 1000, 1, None),
    3: (100, 10_000, 1000, 10, 0, 1000, None, None),
    4: (100, 1250, 500, 6, 0, 10, None, None),
    5: (50, 300, 250, 2, 0, 5, None, 900),
}


@pytest.mark.parametrize("number", range(6))
def test_templates(number: int) -> None:
    plan = TEMPLATES[number]
    least, most, initial, retries, delay, longest, parallelism, host_timeout = TABLE[number]
    assert plan.template == number
    assert (plan.min_rtt_timeout, plan.max_rtt_timeout, plan.initial_rtt_timeout) == (
        least / 1000,
        most / 1000,
        initial / 1000,
    )
    assert plan.max_retries == retries
    assert plan.scan_delay == delay / 1000
    assert plan.max_scan_delay_tcp == longest / 1000
    assert plan.max_scan_delay_udp == max(1.0, delay / 1000)
    assert plan.max_parallelism == parallelism
    assert plan.host_timeout == host_timeout
    assert timing_plan(Options(timing=number)) == (plan, [])


def test_default_is_normal() -> None:
    assert timing_plan(Options())[0] == TEMPLATES[3]
    assert TEMPLATE_NAMES[3] == "normal"
    assert len(TEMPLATE_NAMES) == len(TEMPLATES)


def test_high_initial_raises_the_maximum() -> None:
    plan, notices = timing_plan(Options(timing=5, initial_rtt_timeout=2.0))
    assert (plan.min_rtt_timeout, plan.initial_rtt_timeout, plan.max_rtt_timeout) == (0.05, 2.0, 2.0)
    assert notices == []


def test_low_maximum_lowers_minimum_and_initial() -> None:
    plan, notices = timing_plan(Options(max_rtt_timeout=0.05))
    assert (plan.min_rtt_timeout, plan.initial_rtt_timeout, plan.max_rtt_timeout) == (0.05, 0.05, 0.05)
    assert notices == []


def test_high_minimum_raises_the_others() -> None:
    plan, _ = timing_plan(Options(timing=5, min_rtt_timeout=1.0))
    assert (plan.min_rtt_timeout, plan.initial_rtt_timeout, plan.max_rtt_timeout) == (1.0, 1.0, 1.0)


def test_moving_a_typed_value_is_said() -> None:
    plan, notices = timing_plan(Options(initial_rtt_timeout=5.0, max_rtt_timeout=1.0))
    assert plan.initial_rtt_timeout == 1.0
    assert len(notices) == 1
    assert "1s" in notices[0]


def test_scan_delay_raises_the_adaptive_maxima() -> None:
    plan, _ = timing_plan(Options(timing=4, scan_delay=2.0))
    assert (plan.scan_delay, plan.max_scan_delay_tcp, plan.max_scan_delay_udp) == (2.0, 2.0, 2.0)
    plan, _ = timing_plan(Options(timing=4, scan_delay=0.001))
    assert (plan.scan_delay, plan.max_scan_delay_tcp) == (0.001, 0.01)


def test_maximum_delay_lowers_the_template_s_fixed_one() -> None:
    plan, _ = timing_plan(Options(timing=2, max_scan_delay=0.1))
    assert (plan.scan_delay, plan.max_scan_delay_tcp, plan.max_scan_delay_udp) == (0.1, 0.1, 0.1)


def test_host_timeout_zero_is_none() -> None:
    assert timing_plan(Options(timing=5, host_timeout=0.0))[0].host_timeout is None
    assert timing_plan(Options(timing=5))[0].host_timeout == 900.0
    assert timing_plan(Options(host_timeout=30.0))[0].host_timeout == 30.0


def test_other_settings() -> None:
    options = Options(
        timing=2, min_parallelism=8, max_retries=0, min_hostgroup=5, max_hostgroup=50, min_rate=10.0, max_rate=20.0
    )
    plan, _ = timing_plan(options)
    assert (plan.min_parallelism, plan.max_parallelism) == (8, 8)
    assert plan.max_retries == 0
    assert (plan.min_hostgroup, plan.max_hostgroup) == (5, 50)
    assert (plan.min_rate, plan.max_rate) == (10.0, 20.0)
    assert timing_plan(Options(timing=0, max_parallelism=9))[0].max_parallelism == 9


seconds = st.none() | st.floats(0.005, 100.0)


@given(st.integers(0, 5), seconds, seconds, seconds, seconds, seconds)
def test_always_in_order(
    template: int,
    least: float | None,
    initial: float | None,
    most: float | None,
    delay: float | None,
    top: float | None,
) -> None:
    if least is not None and most is not None:
        least, most = min(least, most), max(least, most)
    if delay is not None and top is not None:
        delay, top = min(delay, top), max(delay, top)
    plan, _ = timing_plan(
        Options(
            timing=template,
            min_rtt_timeout=least,
            initial_rtt_timeout=initial,
            max_rtt_timeout=most,
            scan_delay=delay,
            max_scan_delay=top,
        )
    )
    assert plan.min_rtt_timeout <= plan.initial_rtt_timeout <= plan.max_rtt_timeout
    assert plan.scan_delay <= min(plan.max_scan_delay_tcp, plan.max_scan_delay_udp)
    for typed, planned in ((least, plan.min_rtt_timeout), (most, plan.max_rtt_timeout), (delay, plan.scan_delay)):
        assert typed is None or typed == planned


def test_late_resets_may_be_ignored() -> None:
    plan, notices = timing_plan(Options(defeat_rst_ratelimit=True))
    assert plan.defeat_rst_ratelimit
    assert notices == ["Closed ports whose resets come late may be shown as filtered (--defeat-rst-ratelimit)."]


def test_a_group_may_go_without_control() -> None:
    plan, (notice,) = timing_plan(Options(no_group_control=True))
    assert not plan.group_control
    assert "--nogcc" in notice
