"""Which source ports, tags and addresses are ours."""

from __future__ import annotations

from scapy.layers.inet import TCP
from scapy.layers.inet6 import IPv6

from leadline.engine.identity import FIRST_PORT, LAST_PORT, PING_SLOT, SLOTS, pick_first_port
from leadline.engine.probe_kind import ProbeKind
from tests.support.codecs import PORT, TCP_KINDS, build, codec_of, match
from tests.support.groups import (
    error_reply,
    group_of,
    icmp_reply,
    packets,
    tcp_reply,
)


def test_first_ports_leave_room_for_all_slots() -> None:
    picked = [pick_first_port(random) for random in (0, 1, 31_967, 31_968, 2**63)]
    assert min(picked) == FIRST_PORT
    assert max(picked) + SLOTS <= LAST_PORT


def test_tags_differ_between_kinds_hosts_ports_and_slots() -> None:
    codec = codec_of(group_of(4))
    numbers = set()
    for kind in TCP_KINDS:
        wanted = [(host, port, slot) for host in range(3) for port in (1, 80, 256) for slot in (0, 1, PING_SLOT)]
        numbers |= {one[TCP].seq or one[TCP].ack for one in packets(build(codec, kind, *wanted))}
    assert len(numbers) == 81


def test_the_key_of_another_scan_opens_nothing() -> None:
    group = group_of(4)
    sent = packets(build(codec_of(group), ProbeKind.TCP_SYN, *[(0, port, 0) for port in range(60)]))
    other = codec_of(group, bytes(16))
    assert match(other, [tcp_reply(one) for one in sent]) == []
    assert match(other, [error_reply(one) for one in sent]) == []
    echoes = packets(build(codec_of(group), ProbeKind.ICMP_ECHO, (0, 0, 0)))
    assert match(other, [icmp_reply(one) for one in echoes]) == []


def test_flags_that_have_a_kind_of_their_own_make_no_third() -> None:
    for flags, kind in ((2, ProbeKind.TCP_SYN), (16, ProbeKind.TCP_ACK)):
        codec = codec_of(group_of(4), flags=flags)
        sent = packets(build(codec, kind, (0, 80, 0)))[0]
        assert match(codec, [tcp_reply(sent, "RA" if flags == 2 else "R")]) == [(0, kind, 80, 0, False, True)]


def test_echoes_of_another_block_of_sequences_are_not_ours() -> None:
    group = group_of(4)
    sent = packets(build(codec_of(group), ProbeKind.ICMP_ECHO, (0, 0, 0)))[0]
    assert match(codec_of(group, first_port=PORT + SLOTS), [icmp_reply(sent)]) == []


def test_replies_over_ipv6_are_told_apart_by_both_halves_of_the_address() -> None:
    codec = codec_of(group_of(6))
    sent = packets(build(codec, ProbeKind.TCP_SYN, (0, 80, 0)))[0]
    reply = tcp_reply(sent)
    reply[IPv6].src = "fd08::10"
    assert match(codec, [reply]) == []
