"""Words and numbers of ports: users know the words, columns hold the numbers."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np
import pytest

from leadline.model import port as module
from leadline.model.evidence import Evidence
from leadline.model.port import Port, PortState, PortSummary, Protocol, Reason
from leadline.model.service import Service
from tests.support.frozen import check_frozen, loads, values_of

# Every word that Nmap's XML has for a reason and that a stage of ours gives, or will give (spec sheet 2.6, 2.8, 6.3).
REASONS = [
    "unknown-response", "no-response", "syn-ack", "split-handshake-syn", "reset", "conn-refused",
    "net-unreach", "host-unreach", "proto-unreach", "port-unreach", "net-prohibited", "host-prohibited",
    "admin-prohibited", "dest-unreach", "time-exceeded", "echo-reply", "timestamp-reply",
    "addressmask-reply", "arp-response", "nd-response", "localhost-response", "user-set", "udp-response",
    "proto-response", "perm-denied", "no-route", "beyond-scope", "param-problem", "reject-route",
    "source-quench", "init-ack", "abort", "ipid-change", "no-ipid-change", "script-set", "tcp-response",
]  # fmt: skip


def test_the_words_of_the_states_are_nmaps() -> None:
    assert {state.label for state in PortState} - {"unknown"} == {
        "open", "closed", "filtered", "unfiltered", "open|filtered", "closed|filtered",
    }  # fmt: skip


def test_the_words_of_the_reasons_are_nmaps() -> None:
    assert sorted(reason.label for reason in Reason) == sorted(REASONS)


def test_the_words_of_the_protocols_are_nmaps() -> None:
    assert {protocol.label: int(protocol) for protocol in Protocol} == {"ip": 0, "tcp": 6, "udp": 17, "sctp": 132}


@pytest.mark.parametrize("kind", [PortState, Reason, Protocol])
def test_columns_of_bytes_hold_them(kind: type[PortState] | type[Reason] | type[Protocol]) -> None:
    column = np.array(list(kind), dtype=np.uint8)
    assert [kind(int(one)) for one in column] == list(kind)


def test_zero_is_what_is_not_known_so_that_fresh_columns_say_so() -> None:
    assert PortState(0) is PortState.UNKNOWN
    assert Reason(0) is Reason.UNKNOWN_RESPONSE


def test_a_port_says_only_what_is_known() -> None:
    port = Port(80, Protocol.TCP, PortState.FILTERED, Reason.NO_RESPONSE)
    assert (port.reason_ttl, port.reason_address, port.service, port.evidence) == (0, None, None, None)


VALUES = [
    Port(
        80, Protocol.TCP, PortState.FILTERED, Reason.ADMIN_PROHIBITED, 63, ip_address("10.0.0.254"),
        Service("http"), Evidence("syn", 1),
    ),
    PortSummary(Protocol.TCP, PortState.CLOSED, Reason.RESET, ((1, 21), (23, 79)), 78),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_ports_are_frozen(value: object) -> None:
    check_frozen(value)
    assert len({value, value}) == 1


def test_every_value_is_looked_at() -> None:
    assert {type(value) for value in VALUES} == set(values_of(module))


def test_ports_need_no_numpy() -> None:
    assert not loads("leadline.model.port", "numpy")
