from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.event import ScanEnded
from leadline.model.evidence import Evidence
from leadline.model.host import Host, HostStatus
from leadline.model.port import PortState, Protocol, Reason
from leadline.report import words
from tests.support.timezone import utc

__all__ = ["utc"]  # the fixture

EPOCH = 1795436744.9


@pytest.mark.usefixtures("utc")
def test_times_of_day() -> None:
    assert words.calendar(EPOCH) == "Mon Nov 23 12:25:44 2026"
    assert words.minute(EPOCH) == "12:25"
    assert words.stamp(EPOCH) == "2026-11-23 12:25 UTC"
    assert words.stamp(EPOCH, seconds=True) == "2026-11-23 12:25:44 UTC"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00:00"), (67.9, "0:01:07"), (90_000, "25:00:00"), (-3, "0:00:00")]
)
def test_clock_span(seconds: float, text: str) -> None:
    assert words.clock_span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0012345, "0.0012"),
        (0.000022, "0.000022"),
        (0.000007, "0.0000070"),
        (0.5, "0.50"),
        (0.0999, "0.10"),
        (0.0996, "0.10"),
        (1.0, "1.0"),
        (9.96, "10"),
        (12.3, "12"),
        (123.0, "120"),
        (0.0, "0.0"),
        (-1.0, "0.0"),
        (float("nan"), "0.0"),
        (float("inf"), "0.0"),
    ],
)
def test_latency_has_two_digits(seconds: float, text: str) -> None:
    assert words.two_digits(seconds) == text


@given(st.floats(1e-7, 1e5))
def test_latency_is_within_a_twentieth(seconds: float) -> None:
    text = words.two_digits(seconds)
    assert "e" not in text
    assert float(text) == pytest.approx(seconds, rel=0.051)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0B"), (572, "572B"), (1408, "1.408KB"), (999_999, "999.999KB"), (21_776_000, "21.776MB")]
)
def test_bytes(count: int, text: str) -> None:
    assert words.in_bytes(count) == text


def test_counts() -> None:
    assert words.counted(1, "host") == "1 host"
    assert words.counted(0, "host") == "0 hosts"
    assert words.hosts_summary(1, 1, 0.07) == "1 IP address (1 host up) scanned in 0.07 seconds"
    assert words.hosts_summary(2, 0, 60) == "2 IP addresses (0 hosts up) scanned in 60.00 seconds"


def test_ranges() -> None:
    assert words.range_list(((22, 22), (80, 90), (65535, 65535))) == "22,80-90,65535"
    assert words.range_list(()) == ""


def test_reasons() -> None:
    router = ip_address("10.0.0.254")
    assert words.reason_words(Reason.NO_RESPONSE, 0, None) == "no-response"
    assert words.reason_words(Reason.SYN_ACK, 64, None) == "syn-ack ttl 64"
    assert words.reason_words(Reason.HOST_UNREACH, 63, router) == "host-unreach from 10.0.0.254 ttl 63"
    assert words.reason_words(Reason.HOST_UNREACH, 0, router) == "host-unreach from 10.0.0.254"


def test_labels_are_the_model_s() -> None:
    assert words.STATE_LABEL[PortState.OPEN_FILTERED] == "open|filtered"
    assert set(words.STATE_LABEL) == set(PortState)
    assert set(words.REASON_LABEL) == set(Reason)
    assert set(words.PROTOCOL_LABEL) == set(Protocol)


ANSWERED = Evidence("syn", 3, 2, "tcp SA", ip_address("10.0.0.1"), 64, 0.0123, 1.0, "syn: SYN/ACK -> open")


@pytest.mark.parametrize(
    ("evidence", "sentence"),
    [
        (
            ANSWERED,
            "syn sent 3 times, try 2 answered by tcp SA from 10.0.0.1 with ttl 64 after 0.012s; syn: SYN/ACK -> open",
        ),
        (
            replace(ANSWERED, answered_try=0, responder=None, ttl=0, rtt=None, rule=""),
            "syn sent 3 times, not matched to a try, answered by tcp SA",
        ),
        (Evidence("arp", 1), "arp sent 1 time, no answer"),
        (Evidence("", 0, rule="user: -Pn -> up"), "nothing sent; user: -Pn -> up"),
    ],
)
def test_evidence(evidence: Evidence, sentence: str) -> None:
    assert words.evidence_words(evidence) == sentence


@pytest.mark.parametrize(
    ("interrupted", "timed_out", "text"),
    [
        ("", False, ""),
        ("Ping Scan", False, "interrupted during Ping Scan"),
        ("Ping Scan", True, "host timeout during Ping Scan"),
        ("", True, "host timeout during the scan"),
    ],
)
def test_why_a_host_was_cut(interrupted: str, timed_out: bool, text: str) -> None:
    host = Host(ip_address("10.0.0.1"), HostStatus.UP, Reason.RESET, interrupted=interrupted, timed_out=timed_out)
    assert words.cut_words(host) == text


@pytest.mark.parametrize(
    ("exit_word", "message", "words_of_end", "reason"),
    [
        ("success", "", "done", ""),
        ("interrupted", "interrupted by SIGINT", "interrupted by SIGINT", ""),
        ("interrupted", "SIG\tINT", "interrupted (SIG\\x09INT)", ""),
        ("interrupted", "", "interrupted", ""),
        ("error", "no\troute", "stopped by an error", "; no\\x09route"),
        ("error", "", "stopped by an error", ""),
    ],
)
def test_endings(exit_word: str, message: str, words_of_end: str, reason: str) -> None:
    event = ScanEnded(1.0, EPOCH, exit_word, message)
    assert words.ending(event) == words_of_end
    assert words.ending_reason(event) == reason


def test_a_host_that_was_given_up_says_so() -> None:
    host = Host(ip_address("10.0.0.1"), HostStatus.UP, Reason.RESET, interrupted="SYN Stealth Scan", gave_up=True)
    assert words.cut_words(host) == "given up during SYN Stealth Scan: so many ports are open (--max-open-ports)"
