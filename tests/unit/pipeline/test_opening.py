"""The first and the last event, and what must not begin."""

from __future__ import annotations

import pytest

from leadline import __version__
from leadline.engine.control import Control
from leadline.errors import PrivilegeError
from leadline.model.event import (
    Event,
    Notice,
    ScanEnded,
    ScanInfo,
    ScanStarted,
)
from leadline.model.port import Protocol
from leadline.pipeline import run
from leadline.plan.build import build_plan
from leadline.plan.options import Options
from leadline.sim.network import SimNetwork
from tests.support.pipelines import NEAR, FailingResolver, check_failure, collect, world_of
from tests.support.sim_scan import sim_scan


def test_what_the_first_and_the_last_event_say() -> None:
    scan = sim_scan(world_of(), *NEAR, "192.0.2.7", ports="22-30", verbosity=2, arguments=("leadline", "x"))
    (started,) = scan.of(ScanStarted)
    assert (started.version, started.verbosity, started.arguments) == (__version__, 2, ("leadline", "x"))
    ended = scan.ended
    assert (ended.exit, ended.message) == ("success", "")
    assert (ended.hosts_up, ended.hosts_down, ended.hosts_total) == (2, 1, 3)
    # One ping and nine ports of each; what was asked beyond that measured the path.
    assert 2 + 2 * 9 <= ended.packets_received < ended.packets_sent
    assert ended.ended == pytest.approx(started.started + ended.at)


def test_notices_of_the_plan_come_first() -> None:
    events, _ = collect(SimNetwork(world_of(raw=False)), NEAR[0], techniques=("syn",), ports="22")
    assert isinstance(events[1], Notice)
    assert events[1].level == "warning"


def test_a_plan_for_a_network_with_more_rights_fails_before_the_first_packet() -> None:
    """A SYN scan has a substitute; the other techniques have none, and a connect scan says something else."""
    network = SimNetwork(world_of(raw=False))
    for options in (Options(targets=NEAR[:1], techniques=("fin",)), Options(targets=NEAR[:1], scan_flags="SYNFIN")):
        events: list[Event] = []
        steps = run(build_plan(options, True), network, network.resolver(), Control())
        with pytest.raises(PrivilegeError, match="raw packets cannot be sent"):
            events.extend(steps)
        assert isinstance(events[-1], ScanEnded)
        assert (events[-1].exit, events[-1].packets_sent) == ("error", 0)
    connect = build_plan(Options(targets=NEAR[:1], ports="22", reverse="never", skip_discovery=True), True)
    assert isinstance(list(run(connect, network, network.resolver(), Control()))[-1], ScanEnded)


def test_the_flags_that_were_chosen_are_told() -> None:
    scan = sim_scan(world_of(), NEAR[0], ports="22", techniques=("null",), scan_flags="PSHFIN")
    assert scan.of(ScanStarted)[0].scans == (ScanInfo("null", Protocol.TCP, 1, "22", "FINPSH"),)
    assert sim_scan(world_of(), NEAR[0], ports="22", techniques=("null",)).of(ScanStarted)[0].scans[0].flags == ""


def test_an_internal_error_is_told_as_one() -> None:
    resolver = FailingResolver(ZeroDivisionError("by zero"))
    events, error = collect(SimNetwork(world_of()), *NEAR, resolver=resolver, reverse=None, ports="22")
    check_failure(events, error, ZeroDivisionError, "internal error: ZeroDivisionError: by zero")
