"""What honest hosts answer, seen from the wire."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.sim.answers import finished, honest_answers
from leadline.sim.faults import TokenBucket
from leadline.sim.firewall import HOST_PROHIBITED
from leadline.sim.state import State
from leadline.sim.terrain import Terrain
from leadline.sim.traffic import AnswerKind
from leadline.sim.world import (
    BSD,
    EMBEDDED,
    LINUX,
    WINDOWS,
    Personality,
    PortTable,
    SimHost,
    SimService,
    ports,
    simple_world,
)
from leadline.wire.columns import Kind
from tests.support.sim_columns import probes

OPEN, CLOSED, SILENT, REJECTED = 80, 81, 82, 83
TABLE = PortTable(
    open=frozenset({OPEN}), filtered=frozenset({SILENT}), rejected=frozenset({REJECTED}), error=HOST_PROHIBITED
)
HOST = SimHost((ip_address("10.0.0.1"), ip_address("2001:db8:ffff::9")), tcp=TABLE, udp=TABLE, mask=True)
SYN, ACK, RST, FIN = 2, 16, 4, 1


def answers(port: int, flags: int, host: SimHost = HOST, count: int = 1):
    terrain = Terrain(simple_world([host]))
    state = State(terrain, np.random.default_rng(1))
    return honest_answers(terrain, state, 4, probes(["10.0.0.1"] * count, [port] * count, flags=flags))


# RFC 9293 section 3.10.7.1 (CLOSED) and 3.10.7.2 (LISTEN): port, flags sent -> flags, sequence, acknowledgment.
# Probes have sequence 1000 and acknowledgment 5.
@pytest.mark.parametrize(
    ("port", "flags", "expected"),
    [
        (CLOSED, SYN, (RST | ACK, 0, 1001)),
        (CLOSED, FIN, (RST | ACK, 0, 1001)),
        (CLOSED, 0, (RST | ACK, 0, 1000)),
        (CLOSED, SYN | FIN, (RST | ACK, 0, 1002)),
        (CLOSED, ACK, (RST, 5, 0)),
        (CLOSED, SYN | ACK, (RST, 5, 0)),
        (CLOSED, RST, None),
        (CLOSED, RST | ACK, None),
        (OPEN, ACK, (RST, 5, 0)),
        (OPEN, SYN | ACK, (RST, 5, 0)),
        (OPEN, RST, None),
        (OPEN, FIN, None),
        (OPEN, 0, None),
        (OPEN, FIN | 0x28, None),
        (SILENT, SYN, None),
        (SILENT, ACK, None),
        (REJECTED, RST, None),
    ],
)
def test_tcp(port: int, flags: int, expected: tuple[int, int, int] | None) -> None:
    found = answers(port, flags)
    rows = list(zip(found.flags.tolist(), found.sequence.tolist(), found.acknowledgment.tolist(), strict=True))
    assert rows == ([expected] if expected else [])


# Where stacks differ: personality, flags sent to an open port -> flags, sequence, acknowledgment, window.
@pytest.mark.parametrize(
    ("look", "flags", "expected"),
    [
        (LINUX, SYN | FIN, None),
        (LINUX, FIN | ACK, (RST, 5, 0, 0)),
        (WINDOWS, FIN, (RST | ACK, 0, 1001, 0)),
        (WINDOWS, 0, (RST | ACK, 0, 1000, 0)),
        (WINDOWS, FIN | 0x28, (RST | ACK, 0, 1001, 0)),
        (WINDOWS, FIN | ACK, (RST, 5, 0, 0)),
        (WINDOWS, RST, None),
        (BSD, FIN, None),
        (BSD, FIN | ACK, None),
        (BSD, ACK, (RST, 5, 0, 0)),
        (BSD, SYN | FIN | ACK, (RST, 5, 0, 0)),
        (EMBEDDED, ACK, (RST, 5, 0, 4096)),
        (EMBEDDED, FIN | ACK, (RST, 5, 0, 4096)),
        (EMBEDDED, FIN, None),
    ],
)
def test_odd_segments_to_open_ports(look: Personality, flags: int, expected: tuple[int, int, int, int] | None) -> None:
    host = replace(HOST, personality=look)
    found = answers(OPEN, flags, host)
    columns = (found.flags, found.sequence, found.acknowledgment, found.window)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == ([expected] if expected else [])
    closed = answers(CLOSED, flags, host)
    assert closed.window.tolist() == [0] * len(closed)


@pytest.mark.parametrize("look", [BSD, EMBEDDED])
def test_a_syn_with_fin_opens_a_connection_where_it_is_not_filtered(look: Personality) -> None:
    found = answers(OPEN, SYN | FIN, replace(HOST, personality=look))
    assert (found.flags.tolist(), found.acknowledgment.tolist()) == ([SYN | ACK], [1001])


def test_a_limit_of_resets_keeps_windows_with_their_segments() -> None:
    host = replace(HOST, personality=EMBEDDED, reset_limit=TokenBucket(rate=1.0, burst=3.0))
    found = answers(OPEN, ACK, host, count=10)
    assert found.window.tolist() == [4096] * 3


def test_open_port_accepts() -> None:
    found = answers(OPEN, SYN)
    assert found.flags.tolist() == [SYN | ACK]
    assert found.acknowledgment.tolist() == [1001]
    assert found.ttl.tolist() == [63]


def test_rejected_port() -> None:
    found = answers(REJECTED, SYN)
    assert (found.kind[0], found.icmp_type[0], found.icmp_code[0]) == (AnswerKind.ERROR, 3, 10)
    assert found.quoted_ttl.tolist() == [63]


@pytest.mark.parametrize(
    ("port", "expected"), [(OPEN, AnswerKind.UDP), (CLOSED, (3, 3)), (REJECTED, (3, 10)), (SILENT, None)]
)
def test_udp(port: int, expected: object) -> None:
    terrain = Terrain(simple_world([HOST]))
    state = State(terrain, np.random.default_rng(1))
    found = honest_answers(terrain, state, 4, probes(["10.0.0.1"], [port], kind=Kind.UDP))
    if expected is None:
        assert len(found) == 0
    elif isinstance(expected, tuple):
        assert (found.icmp_type[0], found.icmp_code[0]) == expected
    else:
        assert found.kind[0] == expected


def test_udp_service_has_its_banner() -> None:
    host = SimHost(
        (ip_address("10.0.0.1"),), udp=ports(53, 54), services=(SimService(53, 17, "dns", b"hi"), SimService(53))
    )
    terrain = Terrain(simple_world([host]))
    state = State(terrain, np.random.default_rng(1))
    found = honest_answers(terrain, state, 4, probes(["10.0.0.1"] * 2, [53, 54], kind=Kind.UDP))
    assert [terrain.payloads[number] for number in found.payload.tolist()] == [b"hi", b"leadline"]


@pytest.mark.parametrize(
    ("kind", "answer", "willing"),
    [
        (Kind.ICMP_ECHO_REQUEST, AnswerKind.ECHO, True),
        (Kind.ICMP_TIMESTAMP_REQUEST, AnswerKind.TIMESTAMP, False),
        (Kind.ICMP_MASK_REQUEST, AnswerKind.MASK, True),
    ],
)
def test_icmp_queries(kind: Kind, answer: AnswerKind, willing: bool) -> None:
    host = SimHost((ip_address("10.0.0.1"),), echo=True, timestamp=False, mask=True)
    terrain = Terrain(simple_world([host]))
    state = State(terrain, np.random.default_rng(1))
    found = honest_answers(terrain, state, 4, probes(["10.0.0.1"], [0], kind=kind))
    assert found.kind.tolist() == ([answer] if willing else [])


@pytest.mark.parametrize(
    ("refuses", "protocol", "refused"), [(True, 99, True), (True, 132, False), (True, 6, False), (False, 99, False)]
)
def test_unknown_protocols(refuses: bool, protocol: int, refused: bool) -> None:
    host = SimHost((ip_address("10.0.0.1"),), refuses_protocols=refuses)
    terrain = Terrain(simple_world([host]))
    asked = probes(["10.0.0.1"], [0], kind=Kind.IP_OTHER)
    asked.protocol[:] = protocol
    found = honest_answers(terrain, State(terrain, np.random.default_rng(1)), 4, asked)
    assert list(zip(found.icmp_type, found.icmp_code, strict=True)) == ([(3, 2)] if refused else [])


def test_limits_of_resets_and_errors() -> None:
    limited = SimHost(
        (ip_address("10.0.0.1"),), tcp=TABLE, reset_limit=TokenBucket(1.0, 3), icmp_limit=TokenBucket(1.0, 2)
    )
    assert len(answers(CLOSED, SYN, limited, 10)) == 3
    assert len(answers(REJECTED, SYN, limited, 10)) == 2
    assert len(answers(OPEN, SYN, limited, 10)) == 10


def test_finished_answers_carry_the_look_of_their_host() -> None:
    terrain = Terrain(simple_world([HOST]))
    made = finished(terrain, State(terrain, np.random.default_rng(1)), probes(["10.0.0.1"], [1]), AnswerKind.ECHO)
    assert (made.ttl[0], made.style[0], made.ip_id[0]) == (63, 0, 0)
