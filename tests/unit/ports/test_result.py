from ipaddress import ip_address
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.port import PortState, Protocol, Reason
from leadline.ports.probes import port_matrix
from leadline.ports.result import PortColumns, icmp_answer, ranges_of, tcp_answer

OPEN, CLOSED, FILTERED = PortState.OPEN, PortState.CLOSED, PortState.FILTERED
PORTS = (22, 80, 443, 8080)
ROUTER = ip_address("10.0.0.254")


def names(number: int, protocol: Protocol) -> str:
    return {22: "ssh", 80: "http"}.get(number, "")


def columns(hosts: int = 2, materialised: int = 25, ports: tuple[int, ...] = PORTS, family: int = 4) -> PortColumns:
    matrix = port_matrix([ports] * hosts, (), True, np.random.default_rng(1))
    return PortColumns(hosts, matrix, family, "syn", materialised)


def items(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def decide(told: PortColumns, item: int, state: PortState, reason: Reason, at: float = 2.5) -> bool:
    accepted = told.decide(items(item), np.array([state], dtype=np.uint8), np.array([reason], dtype=np.uint8))
    if accepted[0]:
        answer = {OPEN: 0x12, CLOSED: 0x14}.get(state, int(icmp_answer(np.array([3]), np.array([13]))[0]))
        told.prove(
            items(item), np.array([60], dtype=np.uint8), np.array([answer], dtype=np.uint16), np.array([0.02]),
            np.array([at]),
        )  # fmt: skip
    return bool(accepted[0])


def tried(told: PortColumns) -> tuple[np.ndarray, np.ndarray]:
    return np.full(len(told.states), 3, dtype=np.uint8), np.full(len(told.states), 2, dtype=np.uint8)


def test_an_open_port_with_its_proof() -> None:
    told = columns()
    assert decide(told, 1, OPEN, Reason.SYN_ACK)
    port = told.port(1, 2, 1, 9.0, names)
    assert (port.number, port.state, port.reason, port.reason_ttl) == (80, OPEN, Reason.SYN_ACK, 60)
    assert port.service is not None
    assert (port.service.name, port.service.method) == ("http", "table")
    assert port.reason_address is None
    evidence = port.evidence
    assert evidence is not None
    assert (evidence.probe, evidence.tries, evidence.answered_try) == ("syn", 2, 1)
    assert (evidence.reply, evidence.rule, evidence.ttl) == ("tcp SA", "syn: tcp SA -> open", 60)
    assert evidence.rtt == pytest.approx(0.02)
    assert evidence.at == pytest.approx(2.5), "when it was decided, not when the host was finished"


def test_an_error_of_somebody_else_names_him() -> None:
    told = columns()
    decide(told, 0, FILTERED, Reason.ADMIN_PROHIBITED)
    told.responder(0, 0, int(ROUTER))
    port = told.port(0, 1, 1, 9.0, names)
    assert port.reason_address == ROUTER
    assert port.evidence is not None
    assert (port.evidence.reply, port.evidence.responder) == ("icmp 3/13", ROUTER)


def test_whose_answer_is_no_longer_believed_is_forgotten() -> None:
    told = columns()
    decide(told, 0, FILTERED, Reason.ADMIN_PROHIBITED)
    told.responder(0, 0, int(ROUTER))
    assert decide(told, 0, OPEN, Reason.SYN_ACK)
    port = told.port(0, 1, 1, 9.0, names)
    assert (port.state, port.reason_address) == (OPEN, None)
    assert port.evidence is not None
    assert port.evidence.reply == "tcp SA"


def test_errors_of_the_sixth_family() -> None:
    told = columns(family=6)
    decide(told, 0, FILTERED, Reason.ADMIN_PROHIBITED)
    evidence = told.port(0, 1, 1, 9.0, names).evidence
    assert evidence is not None
    assert evidence.reply == "icmpv6 3/13"


def test_what_the_rules_refuse_changes_nothing() -> None:
    told = columns()
    decide(told, 0, OPEN, Reason.SYN_ACK)
    assert not decide(told, 0, CLOSED, Reason.RESET)
    assert not decide(told, 0, FILTERED, Reason.HOST_UNREACH)
    assert told.reasons[0] == Reason.SYN_ACK


def test_a_port_that_was_not_heard_of() -> None:
    told = columns()
    told.give_up(items(0))
    port = told.port(2, 4, 0, 9.0, names)
    assert (port.state, port.reason, port.reason_ttl, port.service) == (FILTERED, Reason.NO_RESPONSE, 0, None)
    evidence = port.evidence
    assert evidence is not None
    assert (evidence.reply, evidence.rtt, evidence.answered_try, evidence.at) == ("", None, 0, 9.0)
    assert evidence.rule == "syn: no reply to any try -> filtered"


def test_a_connection_has_no_flags_but_a_reason() -> None:
    told = columns()
    told.decide(items(0), np.array([CLOSED], dtype=np.uint8), np.array([Reason.CONN_REFUSED], dtype=np.uint8))
    evidence = told.port(0, 1, 1, 9.0, names).evidence
    assert evidence is not None
    assert (evidence.reply, evidence.rule) == ("conn-refused", "syn: conn-refused -> closed")


def test_giving_up_one_host_leaves_the_others_and_what_is_known() -> None:
    told = columns()
    decide(told, 1, CLOSED, Reason.RESET)
    told.give_up(items(0))
    assert told.states[:4].tolist() == [FILTERED, CLOSED, FILTERED, FILTERED]
    assert not told.states[4:].any()


def test_the_ports_of_a_host_ascending_open_ones_and_few_of_a_kind_one_by_one() -> None:
    told = columns(materialised=1)
    decide(told, 3, OPEN, Reason.SYN_ACK)
    decide(told, 2, OPEN, Reason.SYN_ACK)
    decide(told, 0, CLOSED, Reason.RESET)
    tries, answered = tried(told)
    ports, summaries = told.of_host(0, tries, answered, 9.0, names)
    assert [(port.number, port.state) for port in ports] == [(22, CLOSED), (443, OPEN), (8080, OPEN)]
    assert summaries == ()
    assert all(port.evidence is not None and port.evidence.tries == 3 for port in ports)
    assert told.of_host(1, tries, answered, 9.0, names) == ((), ())


def test_many_of_a_kind_become_ranges() -> None:
    told = columns(hosts=2, materialised=2, ports=(1, 2, 3, 7, 9, 10))
    for item in (6, 7, 8, 10, 11):
        decide(told, item, CLOSED, Reason.RESET)
    told.give_up(items(1))
    ports, summaries = told.of_host(1, *tried(told), 9.0, names)
    assert [(port.number, port.reason) for port in ports] == [(7, Reason.NO_RESPONSE)]
    (summary,) = summaries
    assert (summary.state, summary.reason, summary.count) == (CLOSED, Reason.RESET, 5)
    assert summary.ranges == ((1, 3), (9, 10))


def test_one_state_for_two_reasons_is_told_apart() -> None:
    told = columns(materialised=0)
    decide(told, 0, FILTERED, Reason.ADMIN_PROHIBITED)
    told.give_up(items(0))
    _, summaries = told.of_host(0, *tried(told), 9.0, names)
    assert {(one.reason, one.count) for one in summaries} == {(Reason.ADMIN_PROHIBITED, 1), (Reason.NO_RESPONSE, 3)}


@given(st.sets(st.integers(0, 65_535), max_size=50))
def test_ranges_hold_exactly_the_numbers(numbers: set[int]) -> None:
    ranges = ranges_of(np.array(sorted(numbers), dtype=np.int64))
    assert [number for first, last in ranges for number in range(first, last + 1)] == sorted(numbers)
    assert all(after[0] > before[1] + 1 for before, after in pairwise(ranges))


def test_icmp_answers_are_marked() -> None:
    stored = icmp_answer(np.array([3, 11, 0], dtype=np.uint8), np.array([255, 0, 0], dtype=np.uint8))
    assert stored.tolist() == [0x83FF, 0x8B00, 0x8000]


@pytest.mark.parametrize("flags", [0x04, 0x14, 0x1FF])
def test_flags_and_windows_as_they_are_kept(flags: int) -> None:
    sent = np.array([flags, flags], dtype=np.uint16)
    windows = np.array([0, 5], dtype=np.uint16)
    assert tcp_answer(sent, None).tolist() == [flags, flags]
    with_windows = tcp_answer(sent, windows)
    assert len(set(with_windows.tolist())) == 2
    told = columns()
    letters = {0x04: "R", 0x14: "RA", 0x1FF: "FSRPAUECN"}[flags]
    words = [told._answer_words(int(answer)) for answer in with_windows]
    assert words == [f"tcp {letters} without a window", f"tcp {letters} with a window"]


def test_silence_means_what_the_technique_says() -> None:
    matrix = port_matrix([PORTS], (), True, np.random.default_rng(1))
    told = PortColumns(1, matrix, 4, "fin", 2, silence=PortState.OPEN_FILTERED, apart=[PortState.OPEN_FILTERED])
    told.give_up(items(0))
    found, summaries = told.of_host(0, *tried(told), 9.0, names)
    assert [(port.state, port.reason) for port in found] == [(PortState.OPEN_FILTERED, Reason.NO_RESPONSE)] * 4
    assert summaries == ()
    assert found[0].evidence is not None
    assert found[0].evidence.rule == "fin: no reply to any try -> open|filtered"
