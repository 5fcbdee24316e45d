"""Answers in columns, and the hosts that they become."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np

from leadline.model.host import HostStatus
from leadline.model.plan import TimingPlan
from leadline.model.port import PortState, Protocol, Reason
from leadline.model.tcp_flags import ACK, RST, SYN
from leadline.ports.result import icmp_answer
from leadline.ports.sweep_answers import FINAL, HOSTS_AT_ONCE, Answers, ChunkResult, Telling


def telling(ports: tuple[int, ...], *, pings: bool = False, ignore_reset: bool = False) -> Telling:
    def names(number: int, protocol: Protocol) -> str:
        return "http" if number == 80 else ""

    return Telling(np.array(ports), names, "syn", TimingPlan(), pings, ignore_reset)


def add(answers: Answers, item: int, reason: Reason, answer: int, tries: int = 1, trip: float = 0.25) -> None:
    answers.add(
        items=np.array([item]), reasons=np.array([reason]), ttls=np.array([57]), answers=np.array([answer]),
        tries=np.array([tries]), trips=np.array([trip]), times=np.array([1.5]),
    )  # fmt: skip


def chunk(marks: list[int], answers: Answers, ports: int, *, passes: int = 2, cut: str = "") -> ChunkResult:
    rows = np.flatnonzero(np.array(marks).reshape(-1, ports).any(axis=1))
    lo = np.uint64(0x0A000000) + rows.astype(np.uint64)
    hi, table = np.zeros_like(lo), np.array(marks, np.uint8)
    return ChunkResult(4, table, answers, rows, hi, lo, passes, 9.0, 100.0, 110.0, cut)


ICMP = int(icmp_answer(np.array([3], np.uint8), np.array([13], np.uint8))[0])


def test_hosts_of_two_ports() -> None:
    answers = Answers()
    add(answers, 0, Reason.RESET, RST | ACK)
    add(answers, 0, Reason.SYN_ACK, SYN | ACK, tries=2, trip=0.125)  # a later one replaces it
    add(answers, 3, Reason.ADMIN_PROHIBITED, ICMP)
    answers.responders(np.array([3]), np.zeros(1, np.uint64), np.array([0xC0000201], np.uint64))
    marks = [FINAL | PortState.OPEN, 0, 0, PortState.FILTERED]
    (event,) = chunk(marks, answers, 2).events(telling((80, 443)))
    first, second = event.hosts()
    assert [(port.number, port.state, port.reason) for port in first.ports] == [
        (80, PortState.OPEN, Reason.SYN_ACK),
        (443, PortState.FILTERED, Reason.NO_RESPONSE),
    ]
    opened, silent = (port.evidence for port in first.ports)
    assert opened is not None
    assert silent is not None
    assert (opened.tries, opened.answered_try, opened.rtt, opened.at) == (2, 2, 0.125, 1.5)
    assert opened.rule == "syn: tcp SA twice -> open"
    assert (silent.tries, silent.answered_try, silent.rule) == (2, 0, "syn: no reply to any try -> filtered")
    assert (first.latency, first.status, first.reason) == (0.125, HostStatus.UP, Reason.USER_SET)
    assert second.ports[1].reason_address == ip_address("192.0.2.1")
    assert second.ports[1].evidence is not None
    assert second.ports[1].evidence.reply == "icmp 3/13"
    assert (first.ports[0].service is not None, first.ports[1].service) == (True, None)


def test_what_the_second_look_did_not_confirm() -> None:
    answers = Answers()
    for item in range(3):
        add(answers, item, Reason.SYN_ACK, SYN | ACK)
    marks = [FINAL | PortState.CLOSED, FINAL | PortState.FILTERED, int(PortState.OPEN)]
    (event,) = chunk(marks, answers, 1, cut="SYN Stealth Scan").events(telling((22,)))
    told = [(host.ports[0].state, host.ports[0].reason) for host in event.hosts()]
    assert told == [
        (PortState.CLOSED, Reason.RESET),
        (PortState.FILTERED, Reason.NO_RESPONSE),
        (PortState.OPEN, Reason.SYN_ACK),
    ]
    rules = [host.ports[0].evidence.rule for host in event.hosts() if host.ports[0].evidence is not None]
    assert rules == [
        "syn: tcp SA, but RST at a second look -> closed",
        "syn: tcp SA, but not again at a second look -> filtered",
        "syn: tcp SA -> open",
    ]


def test_a_cut_chunk_says_nothing_of_silent_ports() -> None:
    answers = Answers()
    add(answers, 0, Reason.RESET, RST)
    (event,) = chunk([int(PortState.CLOSED), 0], answers, 2, cut="SYN Stealth Scan").events(telling((1, 2)))
    (host,) = event.hosts()
    assert [port.number for port in host.ports] == [1]
    assert host.interrupted == "SYN Stealth Scan"


def test_who_is_up_by_answers() -> None:
    answers = Answers()
    add(answers, 0, Reason.RESET, RST)
    add(answers, 1, Reason.ADMIN_PROHIBITED, ICMP)
    add(answers, 2, Reason.SYN_ACK, SYN | ACK)
    marks = [int(PortState.CLOSED), int(PortState.FILTERED), FINAL | PortState.OPEN]
    (event,) = chunk(marks, answers, 1).events(telling((80,), pings=True))
    assert [(host.status, host.reason, host.reason_ttl) for host in event.hosts()] == [
        (HostStatus.UP, Reason.RESET, 57),
        (HostStatus.DOWN, Reason.ADMIN_PROHIBITED, 57),
        (HostStatus.UP, Reason.SYN_ACK, 57),
    ]
    (event,) = chunk(marks, answers, 1).events(telling((80,), pings=True, ignore_reset=True))
    assert event.host(0).status is HostStatus.DOWN


def test_events_are_of_bounded_size_and_columns_grow() -> None:
    answers, count = Answers(), HOSTS_AT_ONCE + 10
    items = np.arange(count)
    answers.add(
        items=items, reasons=np.full(count, Reason.RESET), ttls=np.full(count, 60), answers=np.full(count, RST),
        tries=np.ones(count), trips=np.full(count, 0.1), times=np.zeros(count),
    )  # fmt: skip
    events = list(chunk([int(PortState.CLOSED)] * count, answers, 1).events(telling((80,))))
    assert [len(event) for event in events] == [HOSTS_AT_ONCE, 10]
    assert answers.count == count
