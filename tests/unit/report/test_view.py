from __future__ import annotations

from ipaddress import ip_address
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.host import Host, HostStatus
from leadline.model.plan import OutputPlan
from leadline.model.port import Port, PortState, PortSummary, Protocol, Reason
from leadline.report.view import IgnoredPorts, has_open_port, merge, port_view, shows_host, threshold
from tests.support.report_events import port

ADDRESS = ip_address("10.0.0.1")
CLOSED, FILTERED, OPEN = PortState.CLOSED, PortState.FILTERED, PortState.OPEN


def host(
    *ports: Port, summaries: tuple[PortSummary, ...] = (), status: HostStatus = HostStatus.UP, **more: object
) -> Host:
    return Host(ADDRESS, status, Reason.RESET, ports=ports, summaries=summaries, **more)  # type: ignore[arg-type]


def many(count: int, state: PortState, protocol: Protocol = Protocol.TCP, first: int = 1000) -> tuple[Port, ...]:
    return tuple(port(number, state, Reason.RESET, protocol) for number in range(first, first + count))


def summary(first: int, last: int, state: PortState = CLOSED, reason: Reason = Reason.RESET) -> PortSummary:
    return PortSummary(Protocol.TCP, state, reason, ((first, last),), last - first + 1)


@pytest.mark.parametrize(
    ("verbosity", "debugging", "ip_protocols", "limit"),
    [(0, 0, False, 25), (1, 0, False, 50), (2, 0, False, 75), (1, 1, False, 550), (1, 1, True, 125)],
)
def test_threshold(verbosity: int, debugging: int, ip_protocols: bool, limit: int) -> None:
    assert threshold(OutputPlan(verbosity=verbosity, debugging=debugging), ip_protocols) == limit


def test_a_state_is_ignored_above_the_threshold_only() -> None:
    at_limit, above = host(*many(25, CLOSED)), host(*many(26, CLOSED))
    assert len(port_view(at_limit, OutputPlan()).shown) == 25
    assert port_view(at_limit, OutputPlan()).ignored == ()
    view = port_view(above, OutputPlan())
    assert view.shown == ()
    assert view.ignored == (IgnoredPorts(Protocol.TCP, CLOSED, Reason.RESET, 26, ((1000, 1025),)),)
    assert view.total == 26
    assert len(port_view(above, OutputPlan(verbosity=1)).shown) == 26


def test_the_count_is_over_all_protocols_single_ports_and_summaries() -> None:
    mixed = host(*many(10, CLOSED), *many(10, CLOSED, Protocol.UDP), summaries=(summary(1, 6),))
    view = port_view(mixed, OutputPlan())
    assert [(group.protocol, group.count) for group in view.ignored] == [(Protocol.TCP, 16), (Protocol.UDP, 10)]
    assert view.ignored_states() == {CLOSED: 26}


def test_open_ports_are_never_ignored() -> None:
    assert len(port_view(host(*many(2000, OPEN)), OutputPlan()).shown) == 2000


@pytest.mark.parametrize(("verbosity", "shown"), [(0, 0), (2, 0), (3, 400)])
def test_open_filtered_ports_are_shown_from_verbosity_three(verbosity: int, shown: int) -> None:
    silent = host(*many(400, PortState.OPEN_FILTERED))
    assert len(port_view(silent, OutputPlan(verbosity=verbosity)).shown) == shown


def test_debugging_three_shows_everything() -> None:
    assert len(port_view(host(summaries=(summary(1, 65535),)), OutputPlan(debugging=3)).shown) == 65535


def test_open_only_counts_all_but_the_open_ones() -> None:
    ports = (port(22), port(23, CLOSED, Reason.RESET), port(53, PortState.OPEN_FILTERED), port(80, FILTERED))
    view = port_view(host(*ports), OutputPlan(open_only=True, debugging=3))
    assert [shown.number for shown in view.shown] == [22, 53]
    assert [group.ranges for group in view.ignored] == [((23, 23),), ((80, 80),)]


def test_a_summary_that_is_to_be_shown_becomes_ports_in_order() -> None:
    view = port_view(host(port(22), port(3000), summaries=(summary(79, 80),)), OutputPlan())
    assert [shown.number for shown in view.shown] == [22, 79, 80, 3000]
    made = view.shown[2]
    assert (made.state, made.reason, made.evidence) == (CLOSED, Reason.RESET, None)
    assert made.service is not None
    assert made.service.name == "http"


def test_a_port_without_a_name_has_no_service() -> None:
    view = port_view(host(summaries=(summary(65534, 65534),)), OutputPlan())
    assert view.shown[0].service is None


def test_ignored_groups_go_by_state_then_reason() -> None:
    summaries = (
        summary(1, 30, FILTERED, Reason.ADMIN_PROHIBITED),
        summary(101, 140, CLOSED),
        summary(201, 231, FILTERED, Reason.NO_RESPONSE),
    )
    view = port_view(host(summaries=summaries), OutputPlan())
    assert [(group.state, group.count) for group in view.ignored] == [(FILTERED, 31), (FILTERED, 30), (CLOSED, 40)]
    assert list(view.ignored_states()) == [FILTERED, CLOSED]


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 9)).map(lambda pair: (pair[0], sum(pair)))))
def test_merged_ranges_hold_the_same_numbers(pairs: list[tuple[int, int]]) -> None:
    merged = merge(pairs)
    numbers = {number for first, last in pairs for number in range(first, last + 1)}
    assert [number for first, last in merged for number in range(first, last + 1)] == sorted(numbers)
    assert all(left[1] + 1 < right[0] for left, right in pairwise(merged))


QUIET, VERBOSE, OPEN_ONLY = OutputPlan(), OutputPlan(verbosity=1), OutputPlan(open_only=True, verbosity=1)
UP, DOWN, UNKNOWN = HostStatus.UP, HostStatus.DOWN, HostStatus.UNKNOWN


@pytest.mark.parametrize(
    ("subject", "plan", "ports_wanted", "shown"),
    [
        (host(), QUIET, True, True),
        (host(status=DOWN), QUIET, True, False),
        (host(status=DOWN), VERBOSE, True, True),
        (host(status=UNKNOWN), QUIET, False, True),
        (host(status=UNKNOWN, interrupted="Ping Scan"), QUIET, True, False),
        (host(status=UNKNOWN, interrupted="Ping Scan"), VERBOSE, True, True),
        (host(status=UNKNOWN, timed_out=True), QUIET, True, False),
        (host(port(22, CLOSED)), OPEN_ONLY, True, False),
        (host(port(22, CLOSED), port(80)), OPEN_ONLY, True, True),
        (host(summaries=(summary(1, 9, PortState.UNFILTERED),)), OPEN_ONLY, True, True),
        (host(), OPEN_ONLY, False, True),
        (host(status=DOWN), OPEN_ONLY, True, False),
        (host(status=DOWN), OPEN_ONLY, False, True),
    ],
)
def test_which_hosts_are_shown(subject: Host, plan: OutputPlan, ports_wanted: bool, shown: bool) -> None:
    assert shows_host(subject, plan, ports_wanted) is shown


def test_open_ports_are_found_in_ports_and_summaries() -> None:
    assert has_open_port(host(port(1, PortState.OPEN_FILTERED)))
    assert has_open_port(host(summaries=(summary(1, 2, OPEN),)))
    assert not has_open_port(host(port(1, CLOSED), summaries=(summary(2, 3, FILTERED),)))
