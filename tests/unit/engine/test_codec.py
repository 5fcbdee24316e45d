"""Answers and errors of several kinds at once."""

from __future__ import annotations

from dataclasses import fields

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from leadline.engine.identity import SLOTS
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.replies import Replies
from leadline.wire.columns import decode
from tests.support.codecs import ICMP_KINDS, PORT, build, codec_of, match, on_wire
from tests.support.groups import (
    batch_of,
    error_reply,
    group_of,
    icmp_reply,
    packets,
    tcp_reply,
    udp_reply,
)


@pytest.mark.parametrize("kind", ICMP_KINDS)
@pytest.mark.parametrize("first_port", [PORT, PORT + 5, 65_000 - SLOTS])
def test_icmp_answers_and_errors_name_their_try(kind: ProbeKind, first_port: int) -> None:
    codec = codec_of(group_of(4), first_port=first_port)
    wanted = [(0, 0, 0), (1, 0, 7), (2, 0, 31)]
    sent = packets(build(codec, kind, *wanted))
    assert match(codec, [icmp_reply(one) for one in sent]) == [(h, kind, 0, s, False, True) for h, _, s in wanted]
    errors = [error_reply(one, 3, 1, source="10.9.9.9") for one in sent]
    assert match(codec, errors) == [(h, kind, 0, s, True, False) for h, _, s in wanted]


def test_icmpv6_echoes() -> None:
    codec = codec_of(group_of(6))
    sent = packets(build(codec, ProbeKind.ICMP_ECHO, (2, 0, 17)))
    assert match(codec, [icmp_reply(sent[0])]) == [(2, ProbeKind.ICMP_ECHO, 0, 17, False, True)]
    assert match(codec, [error_reply(sent[0], 1, 3)]) == [(2, ProbeKind.ICMP_ECHO, 0, 17, True, True)]


def test_protocol_pings() -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.IP_PROTOCOL, (0, 2, 1), (1, 4, 0), (2, 47, 0)))
    answers = [IP(src=one[IP].dst, dst=one[IP].src, proto=one[IP].proto) / Raw(bytes(12)) for one in sent]
    kind = ProbeKind.IP_PROTOCOL
    assert match(codec, [on_wire(one) for one in answers]) == [
        (0, kind, 2, -1, False, True),
        (1, kind, 4, -1, False, True),
        (2, kind, 47, -1, False, True),
    ]
    errors = [error_reply(one, 3, 2) for one in sent[:2]]
    assert match(codec, errors) == [(0, kind, 2, 1, True, True), (1, kind, 4, 0, True, True)]


def test_other_kinds_of_message_may_keep_an_answer_company() -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.UDP, (1, 53, 3)))[0]
    stray = tcp_reply(packets(build(codec, ProbeKind.TCP_SYN, (0, 80, 0)))[0], ack=1)
    assert match(codec, [stray, udp_reply(sent)]) == [(1, ProbeKind.UDP, 53, 3, False, True)]


def test_answers_of_several_kinds_come_oldest_first() -> None:
    codec = codec_of(group_of(4))
    syn = packets(build(codec, ProbeKind.TCP_SYN, (0, 80, 0), (1, 80, 0)))
    echo = packets(build(codec, ProbeKind.ICMP_ECHO, (2, 0, 0)))[0]
    noise = Ether(src="02:00:00:00:00:99", dst="02:00:00:00:00:01") / ARP(op=1)
    found = codec.match(decode(batch_of([tcp_reply(syn[0]), noise, icmp_reply(echo), error_reply(syn[1])])))
    assert found.rows.tolist() == [0, 2, 3]
    assert found.hosts.tolist() == [0, 2, 1]
    assert {field.name for field in fields(Replies)} == set(Replies.__slots__)
    assert all(len(getattr(found, field.name)) == 3 for field in fields(Replies))


def test_nothing_ours_is_an_empty_answer() -> None:
    codec = codec_of(group_of(4))
    assert len(codec.match(decode(batch_of([on_wire(IP(src="1.2.3.4", dst="5.6.7.8") / ICMP())])))) == 0
