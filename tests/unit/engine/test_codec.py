"""Probes as frames, what hosts would send back, and which of it is believed."""

from __future__ import annotations

from dataclasses import fields
from ipaddress import ip_address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from leadline.engine.codec import FIRST_PORT, LAST_PORT, PING_SLOT, SLOTS, ProbeCodec, Replies
from leadline.engine.group import HostGroup
from leadline.engine.payloads import Payloads
from leadline.engine.probe_kind import ProbeKind
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import decode
from tests.support.groups import (
    SOURCES,
    batch_of,
    error_reply,
    group_of,
    icmp_reply,
    neighbor_reply,
    packets,
    tcp_reply,
    udp_reply,
)

KEY = bytes(range(16))
PORT = 40_000
ICMP_KINDS = [ProbeKind.ICMP_ECHO, ProbeKind.ICMP_TIMESTAMP, ProbeKind.ICMP_ADDRESS_MASK]
TCP_KINDS = [ProbeKind.TCP_SYN, ProbeKind.TCP_ACK, ProbeKind.TCP_FLAGS]
FIN = 1


def codec_of(
    group: HostGroup, key: bytes = KEY, first_port: int = PORT, *, payloads: Payloads | None = None,
    flags: int = FIN,
) -> ProbeCodec:  # fmt: skip
    return ProbeCodec(group, key, first_port, payloads, flags)


def build(codec: ProbeCodec, kind: ProbeKind, *probes: tuple[int, int, int]) -> FrameBatch:
    """Frames of (host, port, slot) probes."""
    hosts, ports, slots = np.array(probes, dtype=np.int64).T
    return codec.build(np.full(len(probes), int(kind), dtype=np.uint8), hosts, ports, slots)


def match(codec: ProbeCodec, replies: list[Packet], offset: int = 14) -> list[tuple[int, int, int, int, bool, bool]]:
    """(host, kind, port, slot, error, from target) of each reply that is believed."""
    found = codec.match(decode(batch_of(replies, offset)))
    return rows_of(found)


def rows_of(found: Replies) -> list[tuple[int, int, int, int, bool, bool]]:
    columns = (found.hosts, found.kinds, found.ports, found.slots, found.error, found.from_target)
    return list(zip(*(column.tolist() for column in columns), strict=True))


# ---- frames ----------------------------------------------------------------------------------------------------------


def test_first_ports_leave_room_for_all_slots() -> None:
    picked = [ProbeCodec.pick_first_port(random) for random in (0, 1, 31_967, 31_968, 2**63)]
    assert min(picked) == FIRST_PORT
    assert max(picked) + SLOTS <= LAST_PORT


def test_syn_probes_as_an_independent_decoder_sees_them() -> None:
    group = group_of(4)
    frame = packets(build(codec_of(group), ProbeKind.TCP_SYN, (1, 443, 2)))[0]
    assert (frame[IP].src, frame[IP].dst) == (SOURCES[4], "10.9.0.11")
    assert (frame[TCP].sport, frame[TCP].dport, str(frame[TCP].flags)) == (PORT + 2, 443, "S")
    assert frame[TCP].options == [("MSS", 1460)]
    assert 37 <= frame[IP].ttl <= 59
    assert frame[TCP].ack == 0


def test_ack_probes_carry_the_tag_in_the_acknowledgment_number() -> None:
    frame = packets(build(codec_of(group_of(6)), ProbeKind.TCP_ACK, (0, 80, 0)))[0]
    assert str(frame[TCP].flags) == "A"
    assert frame[TCP].ack != frame[TCP].seq == 0
    assert frame[TCP].options == []


@pytest.mark.parametrize(
    ("flags", "letters", "numbers", "options"),
    [
        (0, "", (True, False), []),
        (0x29, "FPU", (True, False), []),
        (0x11, "FA", (False, True), []),
        (0x12, "SA", (True, True), [("MSS", 1460)]),
        (0xFF, "FSRPAUEC", (True, True), [("MSS", 1460)]),
    ],
)
def test_flags_of_the_scan(
    flags: int, letters: str, numbers: tuple[bool, bool], options: list[tuple[str, int]]
) -> None:
    codec = codec_of(group_of(4), flags=flags)
    segment = packets(build(codec, ProbeKind.TCP_FLAGS, (0, 80, 0)))[0][TCP]
    assert (str(segment.flags), segment.window, segment.options) == (letters, 1024, options)
    assert (segment.seq != 0, segment.ack != 0) == numbers


def test_flags_that_have_a_kind_of_their_own_make_no_third() -> None:
    for flags, kind in ((2, ProbeKind.TCP_SYN), (16, ProbeKind.TCP_ACK)):
        codec = codec_of(group_of(4), flags=flags)
        sent = packets(build(codec, kind, (0, 80, 0)))[0]
        assert match(codec, [tcp_reply(sent, "RA" if flags == 2 else "R")]) == [(0, kind, 80, 0, False, True)]


def test_mixed_kinds_come_kind_by_kind_in_the_order_of_the_first() -> None:
    codec = codec_of(group_of(4))
    kinds = np.array([ProbeKind.UDP, ProbeKind.TCP_SYN, ProbeKind.UDP], dtype=np.uint8)
    batch = codec.build(kinds, np.array([0, 1, 2]), np.array([53, 80, 161]), np.zeros(3, dtype=np.int64))
    assert [TCP in frame for frame in packets(batch)] == [False, False, True]


def test_all_payloads_of_a_port_are_one_probe() -> None:
    codec = codec_of(group_of(4), payloads=Payloads({53: (b"question", b"another"), 123: (b"time",)}))
    batch = build(codec, ProbeKind.UDP, (0, 53, 1), (1, 99, 0), (1, 53, 0), (0, 123, 0))
    frames = [(one[IP].dst, one[UDP].sport, one[UDP].dport, bytes(one[UDP].payload)) for one in packets(batch)]
    assert sorted(frames) == [
        ("10.9.0.10", PORT, 123, b"time"),
        ("10.9.0.10", PORT + 1, 53, b"another"),
        ("10.9.0.10", PORT + 1, 53, b"question"),
        ("10.9.0.11", PORT, 53, b"another"),
        ("10.9.0.11", PORT, 53, b"question"),
        ("10.9.0.11", PORT, 99, b""),
    ]


def test_protocols_are_probed_with_bare_packets() -> None:
    frames = packets(build(codec_of(group_of(4)), ProbeKind.IP_PROTOCOL, (0, 2, 0), (1, 47, 0)))
    assert [one[IP].proto for one in frames] == [2, 47]


@pytest.mark.parametrize("family", [4, 6])
def test_errors_about_udp_must_quote_the_right_ip_identification(family: int) -> None:
    group = group_of(family)
    codec = codec_of(group)
    sent = packets(build(codec, ProbeKind.UDP, (0, 99, 3)))[0]
    believed = [(0, ProbeKind.UDP, 99, 3, True, True)]
    assert match(codec, [error_reply(sent)]) == believed
    if family == 4:
        swapped = sent.copy()
        swapped[IP].id = int.from_bytes(sent[IP].id.to_bytes(2, "big"), "little")
        assert match(codec, [error_reply(swapped)]) == believed
        sent[IP].id ^= 0x0101
        assert match(codec, [error_reply(sent)]) == []


@pytest.mark.parametrize("kind", [*TCP_KINDS, *ICMP_KINDS])
def test_the_same_probe_is_the_same_frame_again(kind: ProbeKind) -> None:
    codec = codec_of(group_of(4))
    first, second = (build(codec, kind, (1, 0, 3)).row(0) for _ in range(2))
    assert first == second


def test_headerless_links_have_no_ethernet() -> None:
    batch = build(codec_of(group_of(4, kind="point", header=0)), ProbeKind.TCP_SYN, (0, 80, 0))
    assert batch.offset == 0
    assert packets(batch)[0][TCP].dport == 80


# ---- round trips -----------------------------------------------------------------------------------------------------

probes = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 65535), st.integers(0, SLOTS - 1)), min_size=1, max_size=8, unique=True
)


@settings(max_examples=25)
@given(st.sampled_from([4, 6]), st.sampled_from(TCP_KINDS), probes, st.binary(min_size=16, max_size=16))
def test_tcp_answers_name_their_probe(
    family: int, kind: ProbeKind, wanted: list[tuple[int, int, int]], key: bytes
) -> None:
    codec = codec_of(group_of(family), key)
    flags = "R" if kind is ProbeKind.TCP_ACK else "RA"
    replies = [tcp_reply(one, flags) for one in packets(build(codec, kind, *wanted))]
    assert match(codec, replies) == [(host, kind, port, slot, False, True) for host, port, slot in wanted]


@settings(max_examples=25)
@given(st.sampled_from([4, 6]), st.sampled_from([*TCP_KINDS, ProbeKind.UDP]), probes)
def test_errors_that_quote_a_probe_name_it(family: int, kind: ProbeKind, wanted: list[tuple[int, int, int]]) -> None:
    codec = codec_of(group_of(family))
    code = (3, 13) if family == 4 else (1, 1)
    router = {4: "10.9.0.254", 6: "fd09::fe"}[family]
    wanted = sorted(wanted, key=lambda probe: probe[1])
    sent = packets(build(codec, kind, *wanted))
    assert match(codec, [error_reply(one, *code) for one in sent]) == [
        (host, kind, port, slot, True, True) for host, port, slot in wanted
    ]
    assert match(codec, [error_reply(one, *code, source=router) for one in sent]) == [
        (host, kind, port, slot, True, False) for host, port, slot in wanted
    ]


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


def test_other_kinds_of_message_may_keep_an_answer_company() -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.UDP, (1, 53, 3)))[0]
    stray = tcp_reply(packets(build(codec, ProbeKind.TCP_SYN, (0, 80, 0)))[0], ack=1)
    assert match(codec, [stray, udp_reply(sent)]) == [(1, ProbeKind.UDP, 53, 3, False, True)]


def test_udp_answers() -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.UDP, (1, 53, 3)))[0]
    assert match(codec, [udp_reply(sent)]) == [(1, ProbeKind.UDP, 53, 3, False, True)]
    assert match(codec, [udp_reply(sent, dport=PORT + SLOTS)]) == []


def test_protocol_pings() -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.IP_PROTOCOL, (0, 2, 1), (1, 4, 0), (2, 47, 0)))
    answers = [IP(src=one[IP].dst, dst=one[IP].src, proto=one[IP].proto) / Raw(bytes(12)) for one in sent]
    kind = ProbeKind.IP_PROTOCOL
    assert match(codec, [_on_wire(one) for one in answers]) == [
        (0, kind, 2, -1, False, True),
        (1, kind, 4, -1, False, True),
        (2, kind, 47, -1, False, True),
    ]
    errors = [error_reply(one, 3, 2) for one in sent[:2]]
    assert match(codec, errors) == [(0, kind, 2, 1, True, True), (1, kind, 4, 0, True, True)]


def _on_wire(packet: Packet) -> Packet:
    return Ether(src="02:00:00:00:00:99", dst="02:00:00:00:00:01") / packet[IP]


@pytest.mark.parametrize("family", [4, 6])
def test_errors_about_protocols_repeat_what_the_probe_had_of_its_own(family: int) -> None:
    """The IP identification, or the flow label: a packet without content has nothing else."""
    codec, kind = codec_of(group_of(family)), ProbeKind.IP_PROTOCOL
    probes = packets(build(codec, kind, (0, 47, 0), (1, 47, 3), (2, 89, PING_SLOT)))
    error = (3, 2) if family == 4 else (4, 1)
    assert match(codec, [error_reply(one, *error) for one in probes]) == [
        (0, kind, 47, 0, True, True),
        (1, kind, 47, 3, True, True),
        (2, kind, 89, PING_SLOT, True, True),
    ]
    layer, name = (IP, "id") if family == 4 else (IPv6, "fl")
    assert all(getattr(one[layer], name) for one in probes)
    for one in probes:
        setattr(one[layer], name, getattr(one[layer], name) ^ 1)
    assert match(codec, [error_reply(one, *error) for one in probes]) == []


def test_a_packet_from_ourselves_is_no_answer_of_a_protocol() -> None:
    """A machine that scans itself sees its probes again."""
    group = group_of(4, hosts=1)
    group.hi[:], group.lo[:] = 0, int(ip_address(SOURCES[4]))
    codec = codec_of(group)
    assert match(codec, packets(build(codec, ProbeKind.IP_PROTOCOL, (0, 47, 0), (0, 2, 0)))) == []


def test_igmp_is_asked_by_a_query() -> None:
    (four,) = packets(build(codec_of(group_of(4)), ProbeKind.IP_PROTOCOL, (0, 2, 0)))
    (six,) = packets(build(codec_of(group_of(6)), ProbeKind.IP_PROTOCOL, (0, 2, 0)))
    assert (four[IP].len, bytes(four[IP].payload)[:1]) == (28, b"\x11")
    assert (six[IPv6].plen, six[IPv6].nh) == (0, 2)


@pytest.mark.parametrize("family", [4, 6])
def test_neighbors_answer_by_address(family: int) -> None:
    kind = ProbeKind.ARP if family == 4 else ProbeKind.NEIGHBOR
    codec = codec_of(group_of(family))
    sent = packets(build(codec, kind, (2, 0, 0), (0, 0, 5)))
    replies = [neighbor_reply(one, "02:00:00:00:00:77") for one in sent]
    assert match(codec, replies) == [(2, kind, 0, -1, False, True), (0, kind, 0, -1, False, True)]
    other = codec_of(HostGroup(family, codec.group.hi[:1], codec.group.lo[:1], codec.group.route))
    assert match(other, replies[:1]) == []
    # Requests and solicitations of others are no answers.
    assert match(codec, sent) == []


# ---- what is not believed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [{"ack": 5}, {"dport": PORT - 1}, {"dport": PORT + SLOTS}, {"dport": PORT + 1}, {"sport": 81}],
    ids=str,
)
def test_answers_with_a_wrong_tag_or_port_are_not_ours(changes: dict[str, int]) -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.TCP_SYN, (0, 80, 0)))[0]
    assert match(codec, [tcp_reply(sent, "SA")]) != []
    for flags in ("SA", "RA", "A"):
        assert match(codec, [tcp_reply(sent, flags, **changes)]) == []


@pytest.mark.parametrize("flags", ["R", "RA"])
def test_resets_of_ack_probes_must_repeat_our_number(flags: str) -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.TCP_ACK, (0, 80, 0)))[0]
    assert match(codec, [tcp_reply(sent, flags)]) == [(0, ProbeKind.TCP_ACK, 80, 0, False, True)]
    assert match(codec, [tcp_reply(sent, flags, seq=sent[TCP].ack ^ 1)]) == []
    assert match(codec, [tcp_reply(sent, "A")]) == []


def test_answers_to_one_kind_prove_nothing_of_another() -> None:
    """Same host, port and slot: what is right for one kind of probe is wrong for the others."""
    codec = codec_of(group_of(4))
    for kind in TCP_KINDS:
        sent = packets(build(codec, kind, (1, 80, 3)))[0]
        reply = tcp_reply(sent, "R" if kind is ProbeKind.TCP_ACK else "RA")
        assert match(codec, [reply]) == [(1, kind, 80, 3, False, True)]
        for other in ({"sport": 81}, {"dport": PORT + 4}):
            assert match(codec, [tcp_reply(sent, "R" if kind is ProbeKind.TCP_ACK else "RA", **other)]) == []


@pytest.mark.parametrize("family", [4, 6])
def test_an_error_about_an_ack_probe_must_repeat_what_it_can(family: int) -> None:
    codec = codec_of(group_of(family))
    sent = packets(build(codec, ProbeKind.TCP_ACK, (0, 80, 0)))[0]
    code = (3, 13) if family == 4 else (1, 1)
    assert len(match(codec, [error_reply(sent, *code)])) == 1
    forged = sent.copy()
    if family == 4:
        forged[IP].id ^= 0x5555
    else:
        forged[TCP].ack ^= 1
    assert match(codec, [error_reply(forged, *code)]) == []


@pytest.mark.parametrize("flags", [0, 1, 0x29, 0x11, 0x04, 0x14, 0xFF])
def test_probes_with_flags_seen_again_on_loopback_are_no_answers(flags: int) -> None:
    group = group_of(4, 1)
    group.lo[0] = int(group.route.source)
    codec = codec_of(group, flags=flags)
    wanted = [(0, port, slot) for port in (80, PORT, PORT + 1, PORT + 20) for slot in (0, 1, 31)]
    assert match(codec, packets(build(codec, ProbeKind.TCP_FLAGS, *wanted))) == []


def test_some_stacks_reset_with_our_number_itself() -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.TCP_SYN, (0, 80, 0)))[0]
    same = sent[TCP].seq
    assert len(match(codec, [tcp_reply(sent, "RA", ack=same)])) == 1
    assert match(codec, [tcp_reply(sent, "SA", ack=same)]) == []


def test_strangers_and_answers_to_others_are_not_ours() -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.TCP_SYN, (0, 80, 0)))[0]
    for change in ({"src": "10.9.0.200"}, {"src": "10.9.0.11"}, {"dst": "10.9.0.2"}):
        reply = tcp_reply(sent)
        for name, value in change.items():
            setattr(reply[IP], name, value)
        assert match(codec, [reply]) == []


def test_the_key_of_another_scan_opens_nothing() -> None:
    group = group_of(4)
    sent = packets(build(codec_of(group), ProbeKind.TCP_SYN, *[(0, port, 0) for port in range(60)]))
    other = codec_of(group, bytes(16))
    assert match(other, [tcp_reply(one) for one in sent]) == []
    assert match(other, [error_reply(one) for one in sent]) == []
    echoes = packets(build(codec_of(group), ProbeKind.ICMP_ECHO, (0, 0, 0)))
    assert match(other, [icmp_reply(one) for one in echoes]) == []


def test_errors_must_quote_us_and_reach_us() -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.TCP_SYN, (0, 80, 0)))[0]
    for change in ({"src": "10.9.0.2"}, {"dst": "10.9.0.99"}):
        forged = sent.copy()
        for name, value in change.items():
            setattr(forged[IP], name, value)
        reply = error_reply(forged)
        reply[IP].dst = SOURCES[4]
        assert match(codec, [reply]) == []
    reply = error_reply(sent)
    reply[IP].dst = "10.9.0.2"
    assert match(codec, [reply]) == []
    forged = sent.copy()
    forged[TCP].seq ^= 1
    forged[IP].id ^= 0x5555
    assert match(codec, [error_reply(forged)]) == []


def test_echoes_of_another_block_of_sequences_are_not_ours() -> None:
    group = group_of(4)
    sent = packets(build(codec_of(group), ProbeKind.ICMP_ECHO, (0, 0, 0)))[0]
    assert match(codec_of(group, first_port=PORT + SLOTS), [icmp_reply(sent)]) == []


def test_a_bare_syn_is_a_split_handshake() -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.TCP_SYN, (0, 80, 0)))[0]
    assert match(codec, [tcp_reply(sent, "S", ack=0)]) == [(0, ProbeKind.TCP_SYN, 80, 0, False, True)]
    reflected = tcp_reply(sent, "S", seq=sent[TCP].seq, ack=0)
    assert match(codec, [reflected]) == []


def test_our_own_probe_seen_on_loopback_is_no_answer_even_to_one_of_our_source_ports() -> None:
    group = group_of(4, 1)
    group.lo[0] = int(group.route.source)
    codec = codec_of(group)
    wanted = [(0, port, slot) for port in (80, PORT, PORT + 1, PORT + 20) for slot in (0, 1, 31)]
    assert match(codec, packets(build(codec, ProbeKind.TCP_SYN, *wanted))) == []


def test_tags_differ_between_kinds_hosts_ports_and_slots() -> None:
    codec = codec_of(group_of(4))
    numbers = set()
    for kind in TCP_KINDS:
        wanted = [(host, port, slot) for host in range(3) for port in (1, 80, 256) for slot in (0, 1, PING_SLOT)]
        numbers |= {one[TCP].seq or one[TCP].ack for one in packets(build(codec, kind, *wanted))}
    assert len(numbers) == 81


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
    assert len(codec.match(decode(batch_of([_on_wire(IP(src="1.2.3.4", dst="5.6.7.8") / ICMP())])))) == 0


def test_replies_over_ipv6_are_told_apart_by_both_halves_of_the_address() -> None:
    codec = codec_of(group_of(6))
    sent = packets(build(codec, ProbeKind.TCP_SYN, (0, 80, 0)))[0]
    reply = tcp_reply(sent)
    reply[IPv6].src = "fd08::10"
    assert match(codec, [reply]) == []
