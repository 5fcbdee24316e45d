"""The frames themselves: right in every checksum, and what an independent decoder reads in them."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np
import pytest

from leadline.sim.integrity import intact
from leadline.sim.world import BSD, EMBEDDED, LINUX, WINDOWS, SimHost, SimService, ports, simple_world
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import Kind, decode
from leadline.wire.template import IcmpKind
from tests.support.sim_scanner import Scanner

TARGETS = ("10.0.0.1", "2001:db8:ffff::5")
HOST = SimHost(
    tuple(ip_address(target) for target in TARGETS),
    tcp=ports(80),
    udp=ports(53),
    services=(SimService(53, 17, "dns", b"an answer"),),
    mask=True,
    mac=b"\x02\x00\x00\x00\x00\x77",
)


def scanner(target: str, host: SimHost = HOST) -> Scanner:
    return Scanner(simple_world([host]), target)


def assert_intact(batch: FrameBatch) -> None:
    assert len(batch)
    assert intact(batch, decode(batch), np.arange(len(batch))).all()


@pytest.mark.parametrize("target", TARGETS)
def test_all_answers_carry_right_checksums_and_addresses(target: str) -> None:
    one = scanner(target)
    asked = [
        lambda: one.tcp(target, [80, 81]),
        lambda: one.udp(target, [53, 54]),
        lambda: one.icmp(target, IcmpKind.ECHO, b"payload"),
        lambda: one.tcp(target, [80], ttl=1) if one.family == 4 else one.udp(target, [54]),
    ]
    for ask in asked:
        answer = ask()
        assert_intact(one.frames)
        assert set(answer.destination_lo.tolist()) == {one.framing.source_lo}
        assert (one.frames.frames[:, 0:6] == np.frombuffer(one.route.interface.mac, np.uint8)).all()
        assert (one.frames.frames[:, 6:12] == np.frombuffer(one.mac, np.uint8)).all()


@pytest.mark.parametrize("target", TARGETS)
def test_udp_and_echo_payloads(target: str) -> None:
    one = scanner(target)
    answer = one.udp(target, [53])
    row = one.frames.frames[0]
    assert row[answer.payload_start[0] : answer.payload_end[0]].tobytes() == b"an answer"
    answer = one.icmp(target, IcmpKind.ECHO, b"as it was")
    row = one.frames.frames[0]
    assert answer.kind.tolist() == [Kind.ICMP_ECHO_REPLY]
    assert (answer.icmp_id[0], answer.icmp_sequence[0]) == (321, 7)
    assert row[answer.payload_start[0] : answer.payload_end[0]].tobytes() == b"as it was"


def test_timestamp_and_mask_replies() -> None:
    one = scanner("10.0.0.1")
    answer = one.icmp("10.0.0.1", IcmpKind.TIMESTAMP)
    assert answer.kind.tolist() == [Kind.ICMP_TIMESTAMP_REPLY]
    stamp = int.from_bytes(one.frames.frames[0, 14 + 32 : 14 + 36].tobytes(), "big")
    assert stamp == pytest.approx(one.network.clock.now() * 1000, abs=20_000)
    assert_intact(one.frames)
    answer = one.icmp("10.0.0.1", IcmpKind.ADDRESS_MASK)
    assert answer.kind.tolist() == [Kind.ICMP_MASK_REPLY]
    assert one.frames.frames[0, 14 + 28 : 14 + 32].tolist() == [255, 255, 255, 0]
    assert_intact(one.frames)


@pytest.mark.parametrize("target", TARGETS)
def test_errors_quote_the_packet_as_it_arrived(target: str) -> None:
    one = scanner(target)
    one.udp(target, [9])
    answer = decode(one.frames)
    assert answer.quoted_valid.tolist() == [True]
    assert (answer.quoted_destination_lo[0], answer.quoted_source_lo[0]) == (
        int(ip_address(target)) & (2**64 - 1),
        one.framing.source_lo,
    )
    assert (answer.quoted_destination_port[0], answer.quoted_protocol[0], answer.quoted_ttl[0]) == (
        9,
        17,
        63 if one.family == 4 else 64,
    )
    # Whole packet: IP header, UDP header, "hello"; in IPv4 with a header checksum that fits the lower TTL.
    header = 20 if one.family == 4 else 40
    assert int(one.frames.lengths[0]) == 14 + header + 8 + header + 8 + 5
    if one.family == 4:
        quoted = one.frames.frames[0, 14 + 28 : 14 + 48].tobytes()
        words = sum(int.from_bytes(quoted[i : i + 2], "big") for i in range(0, 20, 2))
        assert words % 65535 == 0


@pytest.mark.parametrize(("look", "quoted"), [(LINUX, 33), (EMBEDDED, 28)])
def test_how_much_is_quoted_is_a_matter_of_personality(look: object, quoted: int) -> None:
    host = SimHost((ip_address("10.0.0.1"),), personality=look)  # type: ignore[arg-type]
    one = scanner("10.0.0.1", host)
    one.udp("10.0.0.1", [9])
    assert int(one.frames.lengths[0]) == 14 + 28 + quoted


@pytest.mark.parametrize("look", [LINUX, WINDOWS, BSD, EMBEDDED])
def test_syn_acks_show_the_personality(look: object) -> None:
    host = SimHost((ip_address("10.0.0.1"),), personality=look, tcp=ports(80))  # type: ignore[arg-type]
    one = scanner("10.0.0.1", host)
    answer = one.tcp("10.0.0.1", [80, 81])
    opened = answer.source_port == 80
    assert answer.window[opened].tolist() == [look.window]
    assert answer.ttl.tolist() == [look.ttl - 1] * 2
    size = int(one.frames.lengths[opened][0]) - 14 - 40
    assert one.frames.frames[opened][0, 54 : 54 + size].tobytes() == look.options
    assert (answer.window[~opened][0], int(one.frames.lengths[~opened][0])) == (0, 54)


@pytest.mark.parametrize("target", TARGETS)
def test_scapy_reads_the_same(target: str) -> None:
    from scapy.layers.inet import TCP
    from scapy.layers.l2 import Ether

    import tests.support.scapy_offline  # noqa: F401

    one = scanner(target)
    one.tcp(target, [80])
    packet = Ether(one.frames.row(0))
    assert packet[TCP].flags == "SA"
    assert packet[TCP].sport == 80
    assert packet[TCP].ack == 8
    again = packet.copy()
    del again[TCP].chksum
    assert Ether(bytes(again))[TCP].chksum == packet[TCP].chksum


def test_a_query_cut_short_is_answered_with_what_there_is() -> None:
    one = scanner("10.0.0.1")
    assert len(one.icmp("10.0.0.1", IcmpKind.ECHO)) == 1
    assert int(one.frames.lengths[0]) == 14 + 28
