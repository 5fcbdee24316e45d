from ipaddress import IPv4Address, IPv6Address

import pytest

from leadline.errors import WireError
from leadline.wire.arp import Arp
from leadline.wire.ethernet import Ethernet
from leadline.wire.frame import Frame, Network, Transport, parse_quoted, summary
from leadline.wire.icmp import Icmp
from leadline.wire.icmpv6 import Icmpv6, Neighbor
from leadline.wire.ipv4 import Ipv4
from leadline.wire.ipv6 import Extension, Ipv6
from leadline.wire.sctp import ABORT, INIT, Chunk, Init, Sctp
from leadline.wire.tcp import Tcp, TcpOption, emit_options
from leadline.wire.udp import Udp

US, THEM = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
US6, THEM6 = IPv6Address("fe80::1"), IPv6Address("fe80::2")
MAC, OTHER_MAC = b"\x02\x00\x00\x00\x00\x01", b"\x02\x00\x00\x00\x00\x02"
SYN = Tcp(40000, 80, 7, flags=2, window=1024, options=b"\x02\x04\x05\xb4")
INIT_PROBE = Sctp(40000, 80, 0, Chunk(INIT, value=Init(77, 32768, 10, 2048, 5).emit()).emit())
PROBE = Frame(None, Ipv4(US, THEM, 6, 64, 9), SYN).emit()
PROBE6 = Frame(None, Ipv6(US6, THEM6, 6), SYN).emit()
OPTIONS = emit_options(
    (TcpOption(2, b"\x05\xb4"), TcpOption(1), TcpOption(3, b"\x07"), TcpOption(4), TcpOption(8, bytes(7) + b"\x05"))
)


def link(ethertype: int) -> Ethernet:
    return Ethernet(OTHER_MAC, MAC, ethertype)


@pytest.mark.parametrize(
    "frame",
    [
        Frame(link(0x0800), Ipv4(US, THEM, 6), SYN),
        Frame(link(0x0800), Ipv4(US, THEM, 47, payload=b"gre")),
        Frame(link(0x86DD), Ipv6(US6, THEM6, 17), Udp(1, 2, b"x")),
        Frame(link(0x86DD), Ipv6(US6, THEM6, 58), Icmpv6(128, 0, 1)),
        Frame(link(0x0800), Ipv4(US, THEM, 132), Sctp(1, 2, 3, b"\x06\x00\x00\x04")),
        Frame(link(0x86DD), Ipv6(US6, THEM6, 132), Sctp(1, 2, 3, b"damaged")),
        Frame(link(0x0800), Ipv4(US, THEM, 1), Icmp(8, 0, 1)),
        Frame(link(0x0806), Arp(1, MAC, US, bytes(6), THEM)),
        Frame(Ethernet(OTHER_MAC, MAC, 0x88CC, b"lldp"), None),
        Frame(None, Ipv4(US, THEM, 58, payload=bytes(8))),
        Frame(None, Ipv6(US6, THEM6, 1, payload=bytes(8))),
    ],
)
def test_both_directions(frame: Frame) -> None:
    assert Frame.parse(frame.emit(), 0 if frame.link is None else 14) == frame


@pytest.mark.parametrize(
    "network",
    [
        Ipv4(US, THEM, 6, more_fragments=True, payload=bytes([0x50] * 40)),
        Ipv4(US, THEM, 6, fragment_offset=3, payload=bytes([0x50] * 40)),
        Ipv6(US6, THEM6, 6, extensions=(Extension(44, bytes([0, 0, 8, 0, 0, 0, 1])),), payload=bytes([0x50] * 40)),
        Ipv4(US, THEM, 6, payload=b"short"),
        Ipv4(US, THEM, 17, payload=bytes([0, 1, 0, 2, 0, 8, 0, 0]) + b"behind the datagram"),
    ],
)
def test_fragments_and_damaged_transports_stay_bytes(network: Network) -> None:
    assert Frame.parse(network.emit(), 0) == Frame(None, network)


def test_the_ethernet_type_must_be_of_the_packet() -> None:
    with pytest.raises(WireError, match="differ"):
        Frame.parse(Ethernet(MAC, MAC, 0x86DD, PROBE).emit(), 14)
    with pytest.raises(WireError, match="0 bytes"):
        Frame.parse(b"", 0)


def test_quoted_packets() -> None:
    assert parse_quoted(PROBE) == (Ipv4(US, THEM, 6, 64, 9), SYN)
    network, transport = parse_quoted(PROBE[:28])
    assert transport is None
    assert isinstance(network, Ipv4)
    assert network.payload == PROBE[20:28]
    datagram = Frame(None, Ipv4(US, THEM, 17), Udp(5, 6, b"long payload")).emit()
    assert parse_quoted(datagram[:30])[1] == Udp(5, 6, b"lo")


def text(network: Network, transport: Transport | None = None) -> str:
    return summary(Frame(None, network, transport).emit(), 0)


V4, V6 = Ipv4(US, THEM, 0, 64, 9), Ipv6(US6, THEM6, 0)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (PROBE, "TCP 10.0.0.1:40000 > 10.0.0.2:80 S seq=7 win=1024 <mss 1460> ttl=64 id=9 len=44"),
        (PROBE6, "TCP [fe80::1]:40000 > [fe80::2]:80 S seq=7 win=1024 <mss 1460> hlim=64 len=64"),
        (
            Frame(None, Ipv4(US, THEM, 6), Tcp(1, 2, 3, 4, 0x12, 5, options=OPTIONS, payload=b"ab")).emit(),
            "TCP 10.0.0.1:1 > 10.0.0.2:2 SA seq=3 ack=4 win=5 payload=2 "
            "<mss 1460, wscale 7, sackOK, timestamp 0 5> ttl=64 id=0 len=62",
        ),
        (
            Frame(None, Ipv4(US, THEM, 6), Tcp(1, 2, 3, options=b"\x02\x09\x00\x00")).emit(),
            "TCP 10.0.0.1:1 > 10.0.0.2:2 - seq=3 win=0 <damaged options> ttl=64 id=0 len=44",
        ),
        (
            Frame(None, Ipv4(US, THEM, 6), Tcp(1, 2, 3, options=b"\xfe\x04\x00\x00")).emit(),
            "TCP 10.0.0.1:1 > 10.0.0.2:2 - seq=3 win=0 <option 254> ttl=64 id=0 len=44",
        ),
        (
            Frame(None, Ipv6(US6, THEM6, 17), Udp(5, 53, b"abc")).emit(),
            "UDP [fe80::1]:5 > [fe80::2]:53 payload=3 hlim=64 len=51",
        ),
        (
            Frame(None, Ipv4(US, THEM, 1), Icmp(8, 0, 0x00050006)).emit(),
            "ICMP 10.0.0.1 > 10.0.0.2 echo request (8/0) id=5 seq=6 ttl=64 id=0 len=28",
        ),
        (
            Frame(None, Ipv4(US, THEM, 47, 1, 0, fragment_offset=2, payload=b"x")).emit(),
            "IP protocol 47 10.0.0.1 > 10.0.0.2 payload=1 ttl=1 id=0 len=21 fragment@16",
        ),
        (
            Frame(None, Ipv4(US, THEM, 6, more_fragments=True, payload=b"x")).emit(),
            "IP protocol 6 10.0.0.1 > 10.0.0.2 payload=1 ttl=64 id=0 len=21 fragment@0+",
        ),
        (
            Frame(None, Ipv4(US, THEM, 132), INIT_PROBE).emit(),
            "SCTP 10.0.0.1:40000 > 10.0.0.2:80 INIT init-tag=77 tag=0 ttl=64 id=0 len=52",
        ),
        (
            Frame(None, Ipv6(US6, THEM6, 132), Sctp(80, 40000, 77, Chunk(ABORT, 1).emit() + b"rest")).emit(),
            "SCTP [fe80::1]:80 > [fe80::2]:40000 ABORT, <damaged chunk> tag=77 hlim=64 len=60",
        ),
        (
            Frame(None, Ipv4(US, THEM, 132), Sctp(80, 40000, 77)).emit(),
            "SCTP 10.0.0.1:80 > 10.0.0.2:40000 no chunk tag=77 ttl=64 id=0 len=32",
        ),
        (b"", "unreadable frame of 0 bytes: an IPv4 header of 0 bytes"),
    ],
)
def test_lines_about_packets(data: bytes, line: str) -> None:
    assert summary(data, 0) == line


@pytest.mark.parametrize(
    ("quoted", "about"),
    [
        (PROBE, "TCP 10.0.0.1:40000 > 10.0.0.2:80"),
        (PROBE[:28], "TCP 10.0.0.1:40000 > 10.0.0.2:80"),
        (Frame(None, Ipv4(US, THEM, 17), Udp(5, 6)).emit(), "UDP 10.0.0.1:5 > 10.0.0.2:6"),
        (Frame(None, Ipv4(US, THEM, 1), Icmp(8)).emit(), "ICMP 10.0.0.1 > 10.0.0.2 (8/0)"),
        (Frame(None, Ipv4(US, THEM, 132), INIT_PROBE).emit(), "SCTP 10.0.0.1:40000 > 10.0.0.2:80"),
        (Frame(None, Ipv4(US, THEM, 132), INIT_PROBE).emit()[:28], "SCTP 10.0.0.1:40000 > 10.0.0.2:80"),
        (Ipv4(US, THEM, 47).emit(), "IP protocol 47 10.0.0.1 > 10.0.0.2"),
        (b"junk", "an unreadable packet"),
    ],
)
def test_lines_about_icmp_errors(quoted: bytes, about: str) -> None:
    line = text(Ipv4(THEM, US, 1), Icmp(3, 3, 0, quoted))
    wanted = f"ICMP 10.0.0.2 > 10.0.0.1 port unreachable (3/3) about {about} ttl=64 id=0 len={28 + len(quoted)}"
    assert line == wanted


def test_lines_about_icmpv6() -> None:
    solicit = Neighbor(False, THEM6, 0, ((1, MAC),)).to_message()
    start = "ICMPv6 fe80::1 > fe80::2 "
    assert text(Ipv6(US6, THEM6, 58), solicit) == (
        start + "neighbor solicitation (135/0) fe80::2 02:00:00:00:00:01 hlim=64 len=72"
    )
    bare = Neighbor(True, THEM6).to_message()
    assert text(Ipv6(US6, THEM6, 58), bare) == start + "neighbor advertisement (136/0) fe80::2 hlim=64 len=64"
    assert text(Ipv6(US6, THEM6, 58), Icmpv6(129, 0, 3)) == start + "echo reply (129/0) id=0 seq=3 hlim=64 len=48"
    about = text(Ipv6(US6, THEM6, 58), Icmpv6(1, 4, 0, PROBE6))
    assert about.startswith(start + "port unreachable (1/4) about TCP [fe80::1]:40000 > [fe80::2]:80 hlim=64")


@pytest.mark.parametrize(
    ("packet", "line"),
    [
        (Arp(1, MAC, US, bytes(6), THEM), "ARP who-has 10.0.0.2 tell 10.0.0.1"),
        (Arp(2, OTHER_MAC, THEM, MAC, US), "ARP reply 10.0.0.2 is-at 02:00:00:00:00:02"),
        (Arp(9, OTHER_MAC, THEM, MAC, US), "ARP operation 9 from 10.0.0.2"),
    ],
)
def test_lines_about_arp(packet: Arp, line: str) -> None:
    assert summary(Frame(link(0x0806), packet).emit(), 14) == line


def test_lines_about_other_frames() -> None:
    assert summary(Ethernet(MAC, MAC, 0x88CC, b"x").emit(), 14) == "Ethernet type 0x88cc, 15 bytes"
    assert summary(bytes(3), 14) == "unreadable frame of 3 bytes: an Ethernet frame of 3 bytes"
