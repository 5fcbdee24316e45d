"""What the probed hosts would send back, and which of it is believed."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP

from leadline.engine.group import HostGroup
from leadline.engine.identity import SLOTS
from leadline.engine.probe_kind import ProbeKind
from tests.support.codecs import PORT, TCP_KINDS, build, codec_of, match, probes
from tests.support.groups import (
    SOURCES,
    group_of,
    neighbor_reply,
    packets,
    tcp_reply,
    udp_reply,
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


def test_udp_answers() -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.UDP, (1, 53, 3)))[0]
    assert match(codec, [udp_reply(sent)]) == [(1, ProbeKind.UDP, 53, 3, False, True)]
    assert match(codec, [udp_reply(sent, dport=PORT + SLOTS)]) == []


def test_a_packet_from_ourselves_is_no_answer_of_a_protocol() -> None:
    """A machine that scans itself sees its probes again."""
    group = group_of(4, hosts=1)
    group.hi[:], group.lo[:] = 0, int(ip_address(SOURCES[4]))
    codec = codec_of(group)
    assert match(codec, packets(build(codec, ProbeKind.IP_PROTOCOL, (0, 47, 0), (0, 2, 0)))) == []


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
