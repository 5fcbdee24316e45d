"""The packets of an idle scan as scapy reads them, and which answers are believed."""

from __future__ import annotations

import numpy as np
import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6PacketTooBig, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Ether

from leadline.ports.idle_frames import IdleFrames
from leadline.wire.columns import decode
from tests.support.groups import MAC, PEER, SOURCES, batch_of, lone, packets

ADDRESSES = {4: ("10.9.0.9", "10.9.0.5"), 6: ("fd09::9", "fd09::5")}
OURS = range(40_000, 40_032)


def frames_of(family: int, ours: range = OURS) -> IdleFrames:
    zombie, target = ADDRESSES[family]
    return IdleFrames(lone(zombie), lone(target), 81, bytes(range(16)), ours)


@pytest.mark.parametrize("family", [4, 6])
def test_who_seems_to_send_what_to_whom(family: int) -> None:
    made, (zombie, target) = frames_of(family), ADDRESSES[family]
    network = IP if family == 4 else IPv6
    (question,), (false,) = packets(made.question(3)), packets(made.as_target(3))
    assert (question[network].src, question[network].dst) == (SOURCES[family], zombie)
    assert (false[network].src, false[network].dst) == (target, zombie)
    for packet in (question, false):
        assert (packet[TCP].sport, packet[TCP].dport, str(packet[TCP].flags)) == (40_003, 81, "SA")
        assert packet[TCP].seq != packet[TCP].ack
    probes = packets(made.as_zombie((22, 443), 7))
    assert [packet[TCP].dport for packet in probes] == [22, 443]
    assert len({packet[TCP].seq for packet in probes}) == 2
    for packet in probes:
        assert (packet[network].src, packet[network].dst) == (zombie, target)
        assert (packet[TCP].sport, str(packet[TCP].flags), packet[TCP].options) == (81, "S", [("MSS", 1460)])
    for packet in (question, false, *probes):
        assert (packet[Ether].src, packet[Ether].dst) == (MAC, PEER)
        hops = packet[IP].ttl if family == 4 else packet[IPv6].hlim
        assert hops in (range(37, 60) if family == 4 else [255])
        again = packet.__class__(bytes(packet))
        del again[TCP].chksum
        assert packet.__class__(bytes(again))[TCP].chksum == packet[TCP].chksum


@pytest.mark.parametrize("as_target", [False, True])
def test_packet_too_big_is_about_the_answer_to_the_echo(as_target: bool) -> None:
    made, (zombie, target) = frames_of(6), ADDRESSES[6]
    sender = target if as_target else SOURCES[6]
    (echo,), (complaint,) = packets(made.echo(5, as_target)), packets(made.too_big(5, as_target))
    assert (echo[IPv6].src, echo[IPv6].dst) == (complaint[IPv6].src, complaint[IPv6].dst) == (sender, zombie)
    assert (echo[IPv6].hlim, complaint[IPv6].hlim) == (255, 255)
    asked = echo[ICMPv6EchoRequest]
    assert len(echo[IPv6]) <= 1280
    assert len(complaint[IPv6]) == 1280
    error = complaint[ICMPv6PacketTooBig]
    assert error.mtu < 1280
    quoted = IPv6(bytes(error.payload))
    assert (quoted.src, quoted.dst, quoted.nh) == (zombie, sender, 58)
    answered = bytes(quoted.payload)
    assert answered[0] == 129
    assert int.from_bytes(answered[4:6], "big") == asked.id
    assert int.from_bytes(answered[6:8], "big") == asked.seq


def answer(family: int, sequence: int, port: int, number: int, **other: object) -> Ether:
    zombie = ADDRESSES[family][0]
    segment = TCP(sport=81, dport=port, flags="R", seq=sequence)
    if family == 4:
        network = IP(src=zombie, dst=SOURCES[4], id=number, ttl=60)
    else:
        network = IPv6(src=zombie, dst=SOURCES[6], hlim=60) / IPv6ExtHdrFragment(id=number, nh=6)
    whole = Ether(src=PEER, dst=MAC) / network / segment
    for name, value in other.items():
        layer = whole[TCP] if name in ("sport", "dport", "flags", "seq") else whole[IP if family == 4 else IPv6]
        setattr(layer, name, value)
    return whole


@pytest.mark.parametrize(("family", "bits"), [(4, 16), (6, 32)])
def test_answers_are_recognised(family: int, bits: int) -> None:
    made = frames_of(family)
    assert made.bits == bits
    asked = packets(made.question(33))[0][TCP]
    (heard,) = made.heard(decode(batch_of([answer(family, asked.ack, asked.sport, 0xBEEF)], at=5.0)), range(30, 40))
    assert (heard.serial, heard.number, heard.at, heard.ttl) == (33, 0xBEEF, 5.0, 60)


def test_others_are_not() -> None:
    made = frames_of(4)
    asked = packets(made.question(33))[0][TCP]
    good = answer(4, asked.ack, asked.sport, 7)
    wrong = [
        answer(4, asked.ack + 1, asked.sport, 7),
        answer(4, asked.ack, asked.sport + 1, 7),
        answer(4, asked.ack, asked.sport, 7, src="10.9.0.8"),
        answer(4, asked.ack, asked.sport, 7, dst="10.9.0.2"),
        answer(4, asked.ack, asked.sport, 7, sport=80),
        answer(4, asked.ack, asked.sport, 7, flags="SA"),
    ]
    assert made.heard(decode(batch_of(wrong)), range(30, 40)) == []
    assert made.heard(decode(batch_of([good])), range(34, 40)) == []
    # A flood of the right answer is cut.
    assert len(made.heard(decode(batch_of([good] * 500)), range(30, 40))) == 40


def test_a_fixed_source_port() -> None:
    made = frames_of(4, range(53, 54))
    assert [packets(made.question(serial))[0][TCP].sport for serial in (0, 5)] == [53, 53]


def test_no_link_header() -> None:
    made = IdleFrames(lone("10.9.0.9", 0), lone("10.9.0.5", 0), 81, bytes(16), OURS)
    batch = made.as_zombie((1, 2, 3), 1)
    assert batch.offset == 0
    assert decode(batch).destination_port.tolist() == [1, 2, 3]
    assert np.all(decode(made.question(1)).destination_port == 81)
