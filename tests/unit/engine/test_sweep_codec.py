"""SYNs without memory: what is believed, and what is not."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import numpy as np
import pytest
from scapy.layers.inet import IP, TCP

from leadline.engine.identity import SLOTS
from leadline.engine.sweep_codec import Lane, SweepCodec, SweepReplies
from leadline.model.address import columns_of
from leadline.model.tcp_flags import ACK, RST, SYN
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import decode
from tests.support.groups import batch_of, error_reply, group_of, packets, tcp_reply

KEY = bytes(range(16))
PORT = 40_000
ADDRESSES = {4: ["10.0.0.5", "10.0.0.6", "10.9.8.7"], 6: ["2001:db8::5", "2001:db8::6", "2001:db8:1::7"]}


def codec_of(family: int, key: bytes = KEY) -> SweepCodec:
    group = group_of(family)
    return SweepCodec(family, [Lane(group.route, b"\x02\x00\x00\x00\x00\x09")], key, PORT)


def probes(codec: SweepCodec, family: int) -> FrameBatch:
    hi, lo = columns_of([ip_address(text) for text in ADDRESSES[family]])
    return codec.build(0, hi, lo, np.array([80, 443, 22]), np.array([0, 9, SLOTS - 1]))


def told(found: SweepReplies) -> list[tuple[int, int, int, bool, bool]]:
    replies = found.replies
    columns = (found.lo & np.uint64(255), replies.ports, replies.slots, replies.error, replies.from_target)
    return list(zip(*(column.tolist() for column in columns), strict=True))


EXPECTED = [(5, 80, 0), (6, 443, 9), (7, 22, SLOTS - 1)]


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("flags", ["SA", "RA"])
def test_answers_tell_their_probe(family: int, flags: str) -> None:
    codec = codec_of(family)
    sent = packets(probes(codec, family))
    assert sent[0].dst == "02:00:00:00:00:09"
    answers = [tcp_reply(one, flags) for one in sent]
    assert told(codec.match(decode(batch_of(answers)))) == [(*one, False, True) for one in EXPECTED]


@pytest.mark.parametrize("family", [4, 6])
def test_errors_tell_their_probe_and_who_sent_them(family: int) -> None:
    codec = codec_of(family)
    router = "192.0.2.254" if family == 4 else "2001:db8:ffff::9"
    sent = packets(probes(codec, family))
    answers = [error_reply(sent[0], 1 if family == 6 else 3, 1, router), tcp_reply(sent[1], "SA")]
    assert told(codec.match(decode(batch_of(answers)))) == [(6, 443, 9, False, True), (5, 80, 0, True, False)]


@pytest.mark.parametrize("change", ["tag", "key", "port", "source port", "source", "bare", "destination"])
def test_strangers_are_not_believed(change: str) -> None:
    codec = codec_of(4)
    answer = tcp_reply(packets(probes(codec, 4))[0], "SA")
    if change == "tag":
        answer[TCP].ack += 7
    elif change == "key":
        codec = codec_of(4, bytes(16))
    elif change == "port":
        answer[TCP].sport += 1
    elif change == "source port":
        answer[TCP].dport = PORT + SLOTS
    elif change == "source":
        answer[IP].src = "10.0.0.6"
    elif change == "bare":
        answer[TCP].flags = "S"
    else:
        answer[IP].dst = "192.0.2.99"
    assert told(codec.match(decode(batch_of([answer])))) == []


def test_several_ways_out_have_sources_of_their_own() -> None:
    group = group_of(4)
    other = replace(group.route, source=ip_address("198.51.100.77"))
    codec = SweepCodec(4, [Lane(group.route, bytes(6)), Lane(other, bytes(6))], KEY, PORT)
    hi, lo = columns_of([ip_address("10.0.0.5")])
    for lane, source in ((0, str(group.route.source)), (1, "198.51.100.77")):
        (sent,) = packets(codec.build(lane, hi, lo, np.array([80]), np.array([1])))
        assert sent[IP].src == source
        assert told(codec.match(decode(batch_of([tcp_reply(sent, "RA")])))) == [(5, 80, 1, False, True)]
    assert (SYN, ACK, RST) == (2, 16, 4)
