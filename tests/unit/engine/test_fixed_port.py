"""Probes from one port: what they look like on the wire, and which try an answer belongs to."""

from __future__ import annotations

import numpy as np
import pytest
from scapy.packet import Packet

from leadline.engine.fixed_port import FixedPortCodec
from leadline.engine.identity import PING_SLOT, SLOTS
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.replies import Replies
from leadline.model.tcp_flags import FIN
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import decode
from leadline.wire.shaping import FrameShape, shape_frames
from tests.support.groups import batch_of, error_reply, group_of, icmp_reply, packets, tcp_reply, udp_reply
from tests.support.machines import KEY

FIRST, FIXED = 40_000, 53


def codec(family: int = 4, flags: int = 2, data: int = 0) -> FixedPortCodec:
    return FixedPortCodec(group_of(family), KEY, FIRST, fixed_port=FIXED, flags=flags, data=data)


def sent(
    made: FixedPortCodec, kind: ProbeKind, slots: list[int], port: int = 80, data: bytes | None = None
) -> list[Packet]:
    """Probes to host 1, one for each slot, as they leave."""
    count = len(slots)
    batch: FrameBatch = made.build(
        np.full(count, int(kind), np.uint8), np.ones(count, np.int64), np.full(count, port), np.array(slots)
    )
    return packets(shape_frames(batch, FrameShape(source_port=FIXED, data=data)))


def matched(made: FixedPortCodec, answers: list[Packet]) -> Replies:
    return made.match(decode(batch_of(answers)))


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(
    ("kind", "flags", "answer"),
    [
        (ProbeKind.TCP_SYN, 2, "SA"),
        (ProbeKind.TCP_SYN, 2, "RA"),
        (ProbeKind.TCP_ACK, 2, "R"),
        (ProbeKind.TCP_FLAGS, FIN, "RA"),
    ],
)
def test_every_try_is_told_from_the_others(family: int, kind: ProbeKind, flags: int, answer: str) -> None:
    made = codec(family, flags)
    slots = list(range(SLOTS))
    probes = sent(made, kind, slots)
    assert {probe.sport for probe in probes} == {FIXED}
    replies = matched(made, [tcp_reply(probe, answer) for probe in probes])
    assert replies.slots.tolist() == slots
    assert set(replies.kinds.tolist()) == {int(kind)}
    assert set(replies.hosts.tolist()) == {1}
    assert set(replies.ports.tolist()) == {80}


def test_answers_that_acknowledge_data() -> None:
    made = codec(data=5)
    probes = sent(made, ProbeKind.TCP_SYN, [0, 3], data=b"hello")
    taken = [tcp_reply(probe, "RA", ack=(probe.seq + 6) % 2**32) for probe in probes]
    assert matched(made, taken).slots.tolist() == [0, 3]
    too_far = [tcp_reply(probe, "RA", ack=(probe.seq + 7) % 2**32) for probe in probes]
    assert len(matched(made, too_far)) == 0


def test_strangers_are_not_believed() -> None:
    made = codec()
    (probe,) = sent(made, ProbeKind.TCP_SYN, [0])
    assert len(matched(made, [tcp_reply(probe, ack=5), tcp_reply(probe, dport=FIRST), tcp_reply(probe, sport=81)])) == 0


@pytest.mark.parametrize("family", [4, 6])
def test_errors_quote_the_try(family: int) -> None:
    made = codec(family)
    probes = sent(made, ProbeKind.TCP_SYN, [0, 7, PING_SLOT])
    replies = matched(made, [error_reply(probe, *((3, 3) if family == 4 else (1, 4))) for probe in probes])
    assert replies.slots.tolist() == [0, 7, PING_SLOT]
    assert replies.error.all()


def test_datagrams_tell_no_try() -> None:
    made = codec()
    probes = sent(made, ProbeKind.UDP, [2, 3])
    replies = matched(made, [udp_reply(probes[0]), error_reply(probes[1])])
    assert replies.slots.tolist() == [-1, -1]
    assert replies.error.tolist() == [False, True]


def test_pings_without_ports_are_as_ever() -> None:
    made = codec()
    echo = sent(made, ProbeKind.ICMP_ECHO, [4], 0)
    syn = sent(made, ProbeKind.TCP_SYN, [5])
    replies = matched(made, [icmp_reply(echo[0]), tcp_reply(syn[0]), error_reply(echo[0], 3, 1)])
    assert replies.rows.tolist() == [0, 1, 2]
    assert replies.slots.tolist() == [4, 5, 4]
    assert replies.kinds.tolist() == [ProbeKind.ICMP_ECHO, ProbeKind.TCP_SYN, ProbeKind.ICMP_ECHO]


def test_our_own_probes_seen_again_are_no_answers() -> None:
    """On loopback, to the very port that we send from."""
    made = codec()
    made.group.hi[1], made.group.lo[1] = made.group.hi[0], int(made.group.route.source)
    again = FixedPortCodec(made.group, KEY, FIRST, fixed_port=FIXED)
    for kind in (ProbeKind.TCP_SYN, ProbeKind.UDP):
        assert len(matched(again, sent(again, kind, [0], FIXED))) == 0
    (probe,) = sent(again, ProbeKind.TCP_SYN, [0], FIXED)
    assert matched(again, [tcp_reply(probe)]).ports.tolist() == [FIXED]
