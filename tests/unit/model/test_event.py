"""The union of events is closed and complete, and its members cannot be changed by whoever reads them first."""

from __future__ import annotations

from ipaddress import ip_address
from typing import get_args

import pytest

from leadline.model import event
from leadline.model.event import Event, HostDone, HostFound, ScanEnded, ScanInfo, ScanStarted, TaskProgress
from leadline.model.host import Host, HostStatus
from leadline.model.plan import OutputPlan
from leadline.model.port import Protocol, Reason
from leadline.model.swept import HostsSilent, HostsSwept
from leadline.report.json_lines import JsonLines
from tests.support.frozen import check_frozen, values_of
from tests.support.report_events import whole_scan
from tests.support.service_events import services_scan

MEMBERS = get_args(Event)
COLUMNS = {HostsSwept, HostsSilent}
"""Many hosts at once: see test_swept."""
SAMPLES = list({type(one): one for one in (*whole_scan(), *services_scan())}.values())


def test_every_event_of_the_module_is_in_the_union() -> None:
    # ScanInfo is a part of ScanStarted, not an event.
    assert {*values_of(event), *COLUMNS} - {ScanInfo} == set(MEMBERS)


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: type(one).__name__)
def test_events_are_frozen(one: Event) -> None:
    assert isinstance(one, Event)
    check_frozen(one)


def test_the_samples_hold_every_kind() -> None:
    assert {type(one) for one in SAMPLES} | COLUMNS == set(MEMBERS)


@pytest.mark.parametrize("kind", MEMBERS, ids=lambda kind: kind.__name__)
def test_every_event_tells_its_time_first(kind: type) -> None:
    first = next(iter(kind.__dataclass_fields__))
    assert first == ("started" if kind is ScanStarted else "at")


def test_what_is_not_known_yet_has_a_default() -> None:
    started = ScanStarted(5.0, "1", ("leadline",))
    assert (started.scans, started.verbosity, started.debugging) == ((), 0, 0)
    found = HostFound(1.0, ip_address("10.0.0.1"), Reason.ECHO_REPLY)
    assert (found.reason_ttl, found.mac, found.vendor, found.hostnames) == (0, "", "", ())
    ended = ScanEnded(1.0, 2.0, "success")
    assert (ended.message, ended.hosts_total, ended.packets_sent, ended.packets_received) == ("", 0, 0, 0)
    progress = TaskProgress(1.0, "SYN Stealth Scan", 50.0, None, 1, 1, 2.0)
    assert (progress.hosts_done, progress.hosts_up, progress.hosts_active) == (0, 0, 0)


def test_equal_events_are_equal_and_others_are_not() -> None:
    host = Host(ip_address("10.0.0.1"), HostStatus.UP, Reason.RESET)
    assert HostDone(1.0, host) == HostDone(1.0, Host(ip_address("10.0.0.1"), HostStatus.UP, Reason.RESET))
    assert HostDone(1.0, host) != HostDone(2.0, host)
    assert hash(HostDone(1.0, host)) == hash(HostDone(1.0, host))
    assert ScanInfo("syn", Protocol.TCP, 2, "22,80") != ScanInfo("connect", Protocol.TCP, 2, "22,80")


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: type(one).__name__)
def test_every_event_has_a_line_in_the_complete_report(one: Event) -> None:
    assert JsonLines(OutputPlan()).feed(one).count("\n") == 1
