"""What simulated hosts answer to SCTP and to protocols without ports, from frame to frame."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np
import pytest

from leadline.sim.exchange import Exchange
from leadline.sim.faults import TokenBucket
from leadline.sim.state import State
from leadline.sim.terrain import Terrain
from leadline.sim.world import PortTable, SimHost, made_up_mac, ports, simple_world
from leadline.wire.batch import FrameBatch, concatenate
from leadline.wire.columns import Decoded, Kind, decode
from leadline.wire.sctp import (
    ABORT,
    DATA,
    INIT_ACK,
    REFLECTED,
    SHUTDOWN_COMPLETE,
    Chunk,
    Init,
    Sctp,
    SctpView,
)
from leadline.wire.sctp_template import COOKIE_ECHO_CHUNK, INIT_CHUNK, SctpTemplate
from leadline.wire.template import Framing, IpTemplate

OPEN, CLOSED, SILENT, REJECTED = 80, 81, 82, 83
TABLE = PortTable(open=frozenset({OPEN}), filtered=frozenset({SILENT}), rejected=frozenset({REJECTED}))
HOST = SimHost((ip_address("10.0.0.1"), ip_address("2001:db8:ffff::9")), sctp=TABLE)
US = {4: ip_address("192.0.2.2"), 6: ip_address("2001:db8:ffff::2")}
THEM = {4: ip_address("10.0.0.1"), 6: ip_address("2001:db8:ffff::9")}


def next_hop(family: int) -> np.ndarray:
    mac = b"\x02\x4c\x44\x00\x00\xfe" if family == 4 else made_up_mac(HOST.addresses[0])
    return np.frombuffer(mac, np.uint8).reshape(1, 6)


def columns(address: object) -> tuple[np.ndarray, np.ndarray]:
    value = int(address)  # type: ignore[call-overload]
    return np.array([value >> 64], np.uint64), np.array([value & (1 << 64) - 1], np.uint64)


def framing(family: int) -> Framing:
    ours = int(US[family])
    return Framing(family, 14, b"\x02\x4c\x44\x00\x00\x01", ours >> 64, ours & (1 << 64) - 1)


def said(sent: FrameBatch, host: SimHost = HOST) -> tuple[Decoded, FrameBatch | None]:
    world = simple_world([host])
    terrain = Terrain(world)
    exchange = Exchange(terrain, State(terrain, np.random.default_rng(1)), frozenset(US.values()))
    answers = [batch for batch in exchange.answer(world.interfaces[0], sent) if len(batch)]
    whole = concatenate(answers) if answers else None
    return decode(whole or FrameBatch(np.zeros((0, 60), np.uint8), np.zeros(0, np.int32), np.zeros(0), 14)), whole


def packet(chunk: Chunk, port: int, tag: int, word: int = 77, family: int = 4) -> FrameBatch:
    hi, lo = columns(THEM[family])
    return SctpTemplate(framing(family), chunk).build(hi, lo, next_hop(family), 40000, port, tag, word, 5, 64, 9)


@pytest.mark.parametrize("family", [4, 6])
def test_an_init_is_accepted(family: int) -> None:
    decoded, frames = said(packet(INIT_CHUNK, OPEN, 0, family=family))
    assert frames is not None
    assert decoded.kind.tolist() == [Kind.SCTP]
    assert (decoded.source_port[0], decoded.destination_port[0]) == (OPEN, 40000)
    assert (decoded.chunk_type[0], decoded.chunk_flags[0], decoded.sequence[0]) == (INIT_ACK, 0, 77)
    assert decoded.acknowledgment[0] > 0
    start = int(decoded.payload_start[0]) - 12
    assert SctpView(frames.row(0)[start:]).checksum_holds()


# Chunk, port, verification tag -> chunk and flags of the answer, its tag. The initiate tag of an INIT is 77.
@pytest.mark.parametrize(
    ("chunk", "port", "tag", "expected"),
    [
        (INIT_CHUNK, CLOSED, 0, (ABORT, 0, 77)),
        (INIT_CHUNK, SILENT, 0, None),
        (INIT_CHUNK, OPEN, 4, None),
        (INIT_CHUNK, CLOSED, 4, None),
        (COOKIE_ECHO_CHUNK, OPEN, 9, None),
        (COOKIE_ECHO_CHUNK, CLOSED, 9, (ABORT, REFLECTED, 9)),
        (Chunk(DATA, value=bytes(12)), OPEN, 9, (ABORT, REFLECTED, 9)),
        (Chunk(ABORT), CLOSED, 9, None),
        (Chunk(SHUTDOWN_COMPLETE), OPEN, 9, None),
    ],
)
def test_by_rfc_9260(chunk: Chunk, port: int, tag: int, expected: tuple[int, int, int] | None) -> None:
    decoded, _ = said(packet(chunk, port, tag))
    found = zip(decoded.chunk_type.tolist(), decoded.chunk_flags.tolist(), decoded.sequence.tolist(), strict=True)
    assert list(found) == ([expected] if expected else [])


def test_an_init_without_a_tag_is_no_init() -> None:
    assert not len(said(packet(INIT_CHUNK, CLOSED, 0, word=0))[0])


@pytest.mark.parametrize(("family", "error"), [(4, (3, 13)), (6, (1, 1))])
def test_a_rejected_port(family: int, error: tuple[int, int]) -> None:
    decoded, _ = said(packet(INIT_CHUNK, REJECTED, 0, family=family))
    assert (decoded.icmp_type[0], decoded.icmp_code[0]) == error
    assert (decoded.quoted_destination_port[0], decoded.quoted_acknowledgment[0]) == (REJECTED, 77)


def test_a_damaged_packet_and_one_with_an_old_checksum_are_dropped() -> None:
    hi, lo = columns(THEM[4])
    good = packet(INIT_CHUNK, OPEN, 0)
    old = SctpTemplate(framing(4), INIT_CHUNK, adler=True).build(hi, lo, next_hop(4), 40000, OPEN, 0, 77, 5, 64, 9)
    assert (len(said(good)[0]), len(said(old)[0])) == (1, 0)
    good.frames[0, -1] ^= 1
    assert not len(said(good)[0])


def test_hosts_without_sctp_refuse_the_protocol() -> None:
    decoded, _ = said(packet(INIT_CHUNK, OPEN, 0), SimHost((THEM[4],), protocols=frozenset()))
    assert (decoded.icmp_type[0], decoded.icmp_code[0]) == (3, 2)


def test_aborts_are_limited_like_resets() -> None:
    host = SimHost((THEM[4],), sctp=ports(), reset_limit=TokenBucket(rate=1.0, burst=2.0))
    decoded, _ = said(concatenate([packet(INIT_CHUNK, port, 0) for port in (1, 2, 3, 4)]), host)
    assert len(decoded) == 2


# Protocol -> what comes: an error (type, code), a packet of that protocol, or nothing.
@pytest.mark.parametrize(
    ("family", "protocol", "expected"),
    [
        (4, 2, None),
        (4, 47, 47),
        (4, 58, (3, 2)),
        (4, 89, (3, 2)),
        (6, 1, (4, 1)),
        (6, 47, 47),
        (6, 59, None),
        (6, 89, (4, 1)),
    ],
)
def test_protocols_without_ports(family: int, protocol: int, expected: int | tuple[int, int] | None) -> None:
    hi, lo = columns(THEM[family])
    sent = IpTemplate(framing(family), protocol).build(hi, lo, next_hop(family), 64, 9)
    host = SimHost(HOST.addresses, answered_protocols=frozenset({47}))
    decoded, _ = said(sent, host)
    found = [
        (int(decoded.icmp_type[row]), int(decoded.icmp_code[row]))
        if decoded.kind[row] == Kind.ICMP_ERROR
        else int(decoded.protocol[row])
        for row in range(len(decoded))
    ]
    assert found == ([] if expected is None else [expected])
    if isinstance(expected, tuple):
        assert decoded.quoted_protocol[0] == protocol


def test_an_init_ack_that_a_stack_would_take() -> None:
    _, frames = said(packet(INIT_CHUNK, OPEN, 0))
    assert frames is not None
    answer = Sctp.parse(frames.row(0)[34:])
    assert answer.verification_tag == 77
    init = Init.parse(answer.payload[4:])
    assert (init.inbound_streams, init.parameters[:2]) == (2048, b"\x00\x07")
