"""The capture filter against an interpreter: replies pass, the rest does not."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6ND_NA, IPv6, IPv6ExtHdrDestOpt
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from leadline.link.base import CaptureFilter
from leadline.link.filter import JUMP_EQUAL, LOAD_BYTE, RETURN, Assembler, compile_filter
from tests.support.bpf import run_filter

V4 = CaptureFilter(4, ip_address("10.0.0.1"), 40000, 40010)
V6 = CaptureFilter(6, ip_address("fd00::1"), 40000, 40010)
ETHER = Ether(src="02:00:00:00:00:02", dst="02:00:00:00:00:01")
TO_V4 = IP(src="10.0.0.2", dst="10.0.0.1")
TO_V6 = IPv6(src="fd00::2", dst="fd00::1")
OPTIONS = IP(src="10.0.0.2", dst="10.0.0.1", options=[b"\x94\x04\x00\x00"])

# What arrives, and whether it may be a reply.
V4_FRAMES: list[tuple[Packet, bool]] = [
    (TO_V4 / TCP(dport=40000), True),
    (TO_V4 / TCP(dport=40010), True),
    (TO_V4 / TCP(dport=39999), False),
    (TO_V4 / TCP(dport=40011), False),
    (TO_V4 / UDP(dport=40005), True),
    (TO_V4 / UDP(dport=53), False),
    (OPTIONS / TCP(dport=40000), True),
    (OPTIONS / TCP(dport=39999), False),
    (TO_V4 / ICMP(type=0), True),
    (TO_V4 / ICMP(type=3, code=3) / Raw(bytes(28)), True),
    (IP(src="10.0.0.2", dst="10.0.0.1", frag=1) / Raw(bytes(40)), False),
    (IP(src="10.0.0.2", dst="10.0.0.3") / TCP(dport=40000), False),
    (IP(src="10.0.0.2", dst="10.0.0.1", proto=47) / Raw(bytes(20)), False),
    (TO_V6 / TCP(dport=40000), False),
]
V6_FRAMES: list[tuple[Packet, bool]] = [
    (TO_V6 / TCP(dport=40010), True),
    (TO_V6 / TCP(dport=40011), False),
    (TO_V6 / UDP(dport=40000), True),
    (TO_V6 / ICMPv6EchoReply(), True),
    (TO_V6 / ICMPv6ND_NA(), True),
    (TO_V6 / IPv6ExtHdrDestOpt() / TCP(dport=1), True),
    (IPv6(src="fd00::2", dst="fd00::1", nh=47) / Raw(bytes(20)), False),
    (IPv6(src="fd00::2", dst="fd00:0:0:1::1") / TCP(dport=40000), False),
    (TO_V4 / TCP(dport=40000), False),
]


@pytest.mark.parametrize(
    ("capture", "packet", "wanted"),
    [(V4, *pair) for pair in V4_FRAMES] + [(V6, *pair) for pair in V6_FRAMES],
    ids=lambda value: value.summary() if isinstance(value, Packet) else None,
)
def test_with_and_without_link_header(capture: CaptureFilter, packet: Packet, wanted: bool) -> None:
    framed, bare = bytes(ETHER / packet), bytes(packet)
    assert run_filter(compile_filter(capture, 14), framed) == (len(framed) if wanted else 0)
    assert run_filter(compile_filter(capture, 0), bare) == (len(bare) if wanted else 0)


def test_our_own_frames_are_dropped() -> None:
    frame = bytes(ETHER / TO_V4 / TCP(dport=40000))
    assert run_filter(compile_filter(V4, 14), frame, packet_type=4) == 0
    assert run_filter(compile_filter(V4, 14), frame, packet_type=3) == len(frame)


def test_frames_of_a_vlan_belong_to_its_own_interface() -> None:
    frame = bytes(ETHER / TO_V4 / TCP(dport=40000))
    assert run_filter(compile_filter(V4, 14), frame, vlan_tag=100) == 0
    assert run_filter(compile_filter(V4, 14), frame, vlan_tag=7 << 13) == len(frame)  # only a priority


def test_arp_replies_only_when_neighbors_are_asked_for() -> None:
    asking = CaptureFilter(4, V4.source, 40000, 40010, neighbors=True)
    reply, request = bytes(ETHER / ARP(op=2)), bytes(ETHER / ARP(op=1))
    assert run_filter(compile_filter(asking, 14), reply) == len(reply)
    assert run_filter(compile_filter(asking, 14), request) == 0
    assert run_filter(compile_filter(V4, 14), reply) == 0
    for packet, wanted in V4_FRAMES:
        assert bool(run_filter(compile_filter(asking, 14), bytes(ETHER / packet))) is wanted
        assert bool(run_filter(compile_filter(asking, 0), bytes(packet))) is wanted


def test_further_protocols() -> None:
    for number in (47, 6):
        v4 = CaptureFilter(4, V4.source, 40000, 40010, protocols=(number,))
        v6 = CaptureFilter(6, V6.source, 40000, 40010, protocols=(number,))
        assert run_filter(compile_filter(v4, 0), bytes(IP(dst="10.0.0.1", proto=number) / Raw(bytes(20)))) == 40
        assert run_filter(compile_filter(v6, 0), bytes(IPv6(dst="fd00::1", nh=number) / Raw(bytes(20)))) == 60


@given(st.binary(max_size=120), st.sampled_from([V4, V6]), st.sampled_from([0, 14]))
def test_any_bytes_end_in_a_verdict(frame: bytes, capture: CaptureFilter, link_header: int) -> None:
    kept = run_filter(compile_filter(capture, link_header), frame)
    assert kept in (0, len(frame))
    if kept:
        destination = frame[link_header + 16 :][:4] if capture.family == 4 else frame[link_header + 24 :][:16]
        assert destination == capture.source.packed


def test_programs_are_what_the_kernel_takes() -> None:
    for capture in (V4, V6):
        for step in compile_filter(capture, 14):
            assert all(0 <= part <= 255 for part in step[1:3])
            assert 0 <= step[0] <= 0xFFFF
            assert 0 <= step[3] <= 0xFFFFFFFF


def test_assembler_refuses_what_cannot_be_jumped_to() -> None:
    code = Assembler()
    code.add(JUMP_EQUAL, 1, "far", "nowhere")
    for _ in range(300):
        code.add(LOAD_BYTE, 0)
    code.label("far")
    code.add(RETURN, 0)
    with pytest.raises(ValueError, match="300"):
        code.program()
    code = Assembler()
    code.add(JUMP_EQUAL, 1, "nowhere")
    with pytest.raises(KeyError):
        code.program()


def test_nearly_all_protocols() -> None:
    """More than jumps reach: all are let in, but ports still have to be ours."""
    every = tuple(number for number in range(256) if number not in (6, 17, 132))
    for base, network in ((V4, TO_V4), (V6, TO_V6)):
        program = compile_filter(CaptureFilter(base.family, base.source, 40000, 40010, protocols=every), 14)
        assert len(program) < 100
        for number in (2, 47, 89, 255):
            packet = network.copy()
            setattr(packet, "proto" if base.family == 4 else "nh", number)
            assert run_filter(program, bytes(ETHER / packet / Raw(bytes(20))))
        assert run_filter(program, bytes(ETHER / network / TCP(dport=40000)))
        assert not run_filter(program, bytes(ETHER / network / TCP(dport=39999)))
        assert not run_filter(program, bytes(ETHER / network / UDP(dport=53)))
