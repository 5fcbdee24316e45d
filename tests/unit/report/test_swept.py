"""Hosts of a sweep read as if each had been scanned alone, in every format."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.event import Event, HostDone, ScanInfo, ScanStarted
from leadline.model.host import HostStatus
from leadline.model.plan import OutputPlan
from leadline.model.port import PortState, Protocol, Reason
from leadline.model.swept import HostsSilent, HostsSwept
from leadline.report.grepable import Grepable
from leadline.report.json_lines import JsonLines
from leadline.report.swept import PLAIN, in_digits, swept_text
from leadline.report.text import NormalText
from leadline.report.words import two_digits
from leadline.report.xml_doc import XmlDocument
from tests.support.swept_events import swept_event

STARTED = ScanStarted(1795436744.0, "0", ("leadline",), (ScanInfo("syn", Protocol.TCP, 2, "80,443"),))
FORMATS = (NormalText, Grepable, XmlDocument, JsonLines)
PLANS = (
    OutputPlan(),
    OutputPlan(verbosity=2, reason=True),
    OutputPlan(open_only=True),
    OutputPlan(debugging=1),
)


def together_and_alone(kind: type, plan: OutputPlan, event: HostsSwept) -> tuple[str, str]:
    report = kind(plan)
    report.feed(STARTED)
    together = report.feed(event)
    return together, "".join(report.feed(HostDone(event.at, host)) for host in event.hosts())


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("family", [4, 6])
def test_the_text_is_that_of_each_host_alone(kind: type, plan: OutputPlan, family: int) -> None:
    together, alone = together_and_alone(kind, plan, swept_event(60, family=family))
    assert together == alone


@pytest.mark.parametrize("kind", FORMATS)
def test_odd_hosts_too(kind: type) -> None:
    event = swept_event(30, ports=(22,))
    event.status[3:9] = HostStatus.DOWN
    event.reasons[3:9] = Reason.NO_RESPONSE
    event.states[10:16] = 0
    event.rtt[10:20] = np.nan
    for one in (event, replace(event, interrupted="SYN Stealth Scan"), swept_event(1), swept_event(2)):
        together, alone = together_and_alone(kind, OutputPlan(verbosity=1), one)
        assert together == alone


def test_hosts_come_in_their_order() -> None:
    report = JsonLines(OutputPlan())
    lines = [json.loads(line) for line in report.feed(swept_event(60)).splitlines()]
    assert [line["host"]["address"] for line in lines] == [str(host.address) for host in swept_event(60).hosts()]
    assert {line["event"] for line in lines} == {"host_done"}


@given(st.lists(st.integers(0, 2**32 - 1) | st.integers(0x0A0000F0, 0x0A000110), min_size=1, max_size=30))
def test_addresses_in_any_order(numbers: list[int]) -> None:
    event = replace(swept_event(len(numbers)), lo=np.array(numbers, np.uint64))
    text = swept_text(event, lambda host: f"{host.address}%s {host.address}\n", PLAIN)
    assert text == "".join(f"{IPv4Address(number)}%s {IPv4Address(number)}\n" for number in numbers)


@given(st.lists(st.floats(1e-9, 1e4), min_size=1, max_size=30))
def test_latencies_have_two_digits(values: list[float]) -> None:
    assert in_digits(np.array(values)) == [two_digits(value) for value in values]


def test_no_latency_at_all() -> None:
    assert in_digits(np.array([0.0, -1.0])) == ["0.0", "0.0"]


SILENT = HostsSilent(4.0, 65_120, HostStatus.UP, Reason.USER_SET, 1, PortState.FILTERED)
WORDS = "Not shown: 65,120 hosts without an answer (1 port of each filtered: no-response)"


@pytest.mark.parametrize(
    ("kind", "event", "text"),
    [
        (NormalText, SILENT, f"{WORDS}\n"),
        (Grepable, SILENT, f"# {WORDS}\n"),
        (XmlDocument, SILENT, f"<!-- {WORDS} -->\n"),
        (NormalText, replace(SILENT, status=HostStatus.DOWN), ""),
        (Grepable, replace(SILENT, status=HostStatus.DOWN), ""),
        (XmlDocument, replace(SILENT, status=HostStatus.DOWN), ""),
        (
            NormalText,
            replace(SILENT, count=1, interrupted="SYN Stealth Scan"),
            "Not shown: 1 host without an answer (interrupted during SYN Stealth Scan)\n",
        ),
    ],
)
def test_the_silent_are_counted(kind: type, event: Event, text: str) -> None:
    report = kind(OutputPlan())
    report.feed(STARTED)
    assert report.feed(event) == text


def test_the_silent_in_json() -> None:
    assert json.loads(JsonLines(OutputPlan()).feed(SILENT)) == {
        "event": "hosts_silent", "at": 4.0, "count": 65_120, "status": "up", "reason": "user-set", "ports": 1,
        "state": "filtered", "interrupted": "",
    }  # fmt: skip
