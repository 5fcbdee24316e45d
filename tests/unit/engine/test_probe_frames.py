"""Probes as frames, as an independent decoder sees them."""

from __future__ import annotations

import numpy as np
import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6

from leadline.engine.payloads import Payloads
from leadline.engine.probe_kind import ProbeKind
from tests.support.codecs import ICMP_KINDS, PORT, TCP_KINDS, build, codec_of
from tests.support.groups import (
    SOURCES,
    group_of,
    packets,
)


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


def test_igmp_is_asked_by_a_query() -> None:
    (four,) = packets(build(codec_of(group_of(4)), ProbeKind.IP_PROTOCOL, (0, 2, 0)))
    (six,) = packets(build(codec_of(group_of(6)), ProbeKind.IP_PROTOCOL, (0, 2, 0)))
    assert (four[IP].len, bytes(four[IP].payload)[:1]) == (28, b"\x11")
    assert (six[IPv6].plen, six[IPv6].nh) == (0, 2)


@pytest.mark.parametrize("kind", [*TCP_KINDS, *ICMP_KINDS])
def test_the_same_probe_is_the_same_frame_again(kind: ProbeKind) -> None:
    codec = codec_of(group_of(4))
    first, second = (build(codec, kind, (1, 0, 3)).row(0) for _ in range(2))
    assert first == second


def test_headerless_links_have_no_ethernet() -> None:
    batch = build(codec_of(group_of(4, kind="point", header=0)), ProbeKind.TCP_SYN, (0, 80, 0))
    assert batch.offset == 0
    assert packets(batch)[0][TCP].dport == 80
