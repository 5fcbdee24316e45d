"""Protocol values, whole frames and capture files: round trips, scapy's bytes both ways, and no error but WireError."""

from __future__ import annotations

import io
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw
from scapy.utils import PcapNgReader

from leadline.errors import WireError
from leadline.wire import frame as frames
from leadline.wire.arp import Arp
from leadline.wire.ethernet import Ethernet
from leadline.wire.frame import Frame, summary
from leadline.wire.icmp import Icmp
from leadline.wire.icmpv6 import Icmpv6, Neighbor
from leadline.wire.ipv4 import Ipv4
from leadline.wire.ipv6 import Extension, Ipv6
from leadline.wire.pcapng import LINKTYPE_ETHERNET, LINKTYPE_RAW, Reader, Writer
from leadline.wire.tcp import Tcp, TcpOption, emit_options, parse_options
from leadline.wire.udp import Udp
from tests.support import scapy_offline

assert scapy_offline  # imported for what it takes away

byte = st.integers(0, 255)
short = st.integers(0, 0xFFFF)
word = st.integers(0, 0xFFFFFFFF)
mac = st.binary(min_size=6, max_size=6)
v4 = word.map(IPv4Address)
v6 = st.integers(0, (1 << 128) - 1).map(IPv6Address)
payload = st.binary(max_size=60)
padded = st.integers(0, 10).flatmap(lambda words: st.binary(min_size=words * 4, max_size=words * 4))

option = st.one_of(st.just(TcpOption(1)), st.builds(TcpOption, st.integers(2, 255), st.binary(max_size=10)))
tcp = st.builds(Tcp, short, short, word, word, st.integers(0, 511), short, short, st.integers(0, 7), padded, payload)
udp = st.builds(Udp, short, short, payload)
icmp = st.builds(Icmp, byte, byte, word, payload)
icmpv6 = st.builds(Icmpv6, byte, byte, word, payload)
arp = st.builds(Arp, short, mac, v4, mac, v4)
ipv4 = st.builds(
    Ipv4, v4, v4, byte, byte, short, byte, st.booleans(), st.booleans(), st.booleans(), st.integers(0, 0x1FFF), padded
)


@st.composite
def extensions(draw: st.DrawFn) -> Extension:
    number = draw(st.sampled_from([0, 43, 44, 51, 60, 135]))
    units = draw(st.integers(0, 2))
    if number == 44:
        # A first fragment: later ones end the chain.
        return Extension(44, b"\x00\x00" + bytes([draw(st.integers(0, 7))]) + draw(st.binary(min_size=4, max_size=4)))
    size = (units * 2 + 2) * 4 if number == 51 else (units + 1) * 8
    return Extension(number, bytes([units * 2 if number == 51 else units]) + bytes(size - 2))


plain_protocol = byte.filter(lambda number: number not in {0, 43, 44, 51, 60, 135, 139, 140})
ipv6 = st.builds(
    Ipv6,
    v6,
    v6,
    plain_protocol,
    byte,
    byte,
    st.integers(0, 0xFFFFF),
    st.lists(extensions(), max_size=4).map(tuple),
    payload,
)


@given(ipv4, payload)
def test_ipv4_round_trip(packet: Ipv4, body: bytes) -> None:
    packet = replace(packet, payload=body)
    assert Ipv4.parse(packet.emit() + b"padding") == packet


@given(ipv6)
def test_ipv6_round_trip(packet: Ipv6) -> None:
    assert Ipv6.parse(packet.emit() + b"padding") == packet


@given(tcp, v4, v6)
def test_tcp_round_trip(segment: Tcp, short_address: IPv4Address, long_address: IPv6Address) -> None:
    for address in (short_address.packed, long_address.packed):
        assert Tcp.parse(segment.emit(address, address)) == segment


@given(st.lists(option, max_size=3).map(tuple))
def test_tcp_options_round_trip(options: tuple[TcpOption, ...]) -> None:
    assert parse_options(emit_options(options)) == options


@given(udp, v4)
def test_udp_round_trip(datagram: Udp, address: IPv4Address) -> None:
    assert Udp.parse(datagram.emit(address.packed, address.packed) + b"padding") == datagram


@given(icmp, icmpv6, v6)
def test_icmp_round_trips(old: Icmp, new: Icmpv6, address: IPv6Address) -> None:
    assert Icmp.parse(old.emit()) == old
    assert Icmpv6.parse(new.emit(address.packed, address.packed)) == new


@given(st.booleans(), v6, word, st.lists(st.tuples(byte, st.sampled_from([b"abcdef", b"x" * 14])), max_size=3))
def test_neighbor_round_trip(
    is_advertisement: bool, target: IPv6Address, flags: int, options: list[tuple[int, bytes]]
) -> None:
    neighbor = Neighbor(is_advertisement, target, flags, tuple(options))
    assert Neighbor.from_message(neighbor.to_message()) == neighbor


@given(mac, mac, arp)
def test_arp_frames_are_scapys(destination: bytes, source: bytes, packet: Arp) -> None:
    frame = Frame(Ethernet(destination, source, 0x0806), packet)
    theirs = Ether(src=source.hex(":"), dst=destination.hex(":")) / ARP(
        op=packet.operation,
        hwsrc=packet.sender_mac.hex(":"),
        psrc=str(packet.sender),
        hwdst=packet.target_mac.hex(":"),
        pdst=str(packet.target),
    )
    assert frame.emit() == bytes(theirs)
    assert Frame.parse(bytes(theirs), 14) == frame


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Frame, Packet]:
    """A frame of ours and scapy's idea of the same."""
    family = draw(st.sampled_from([4, 6]))
    ttl, body = draw(byte), draw(payload)
    a, b = draw(short), draw(short)
    network: Ipv4 | Ipv6
    if family == 4:
        source, destination, number = draw(v4), draw(v4), draw(short)
        network = Ipv4(source, destination, 0, ttl, number, draw(byte), dont_fragment=draw(st.booleans()))
        below: Packet = IP(src=str(source), dst=str(destination), ttl=ttl, id=number, tos=network.service)
        below.flags = "DF" if network.dont_fragment else ""
    else:
        source6, destination6, flow = draw(v6), draw(v6), draw(st.integers(0, 0xFFFFF))
        network = Ipv6(source6, destination6, 0, ttl, draw(byte), flow)
        below = IPv6(src=str(source6), dst=str(destination6), hlim=ttl, fl=flow, tc=network.traffic_class)
    what = draw(st.sampled_from(["tcp", "udp", "echo"]))
    if what == "tcp":
        segment = draw(tcp.map(lambda value: replace(value, reserved=0, urgent=0, options=b"\x02\x04\x05\xb4")))
        above = TCP(
            sport=segment.source_port,
            dport=segment.destination_port,
            seq=segment.sequence,
            ack=segment.acknowledgment,
            flags=segment.flags,
            window=segment.window,
            options=[("MSS", 1460)],
        ) / Raw(segment.payload)
        return Frame(None, replace(network, protocol=6), segment), below / above
    if what == "udp":
        return Frame(None, replace(network, protocol=17), Udp(a, b, body)), below / UDP(sport=a, dport=b) / Raw(body)
    if family == 4:
        echo = Icmp(8, 0, a << 16 | b, body)
        return Frame(None, replace(network, protocol=1), echo), below / ICMP(type=8, id=a, seq=b) / Raw(body)
    echo6 = Icmpv6(128, 0, a << 16 | b, body)
    return Frame(None, replace(network, protocol=58), echo6), below / ICMPv6EchoRequest(id=a, seq=b, data=body)


@settings(max_examples=80)
@given(pairs(), mac, mac)
def test_whole_packets_are_scapys(pair: tuple[Frame, Packet], destination: bytes, source: bytes) -> None:
    ours, theirs = pair
    assert ours.emit() == bytes(theirs)
    assert Frame.parse(bytes(theirs), 0) == ours
    ethertype = 0x0800 if isinstance(ours.network, Ipv4) else 0x86DD
    linked = replace(ours, link=Ethernet(destination, source, ethertype))
    whole = bytes(Ether(src=source.hex(":"), dst=destination.hex(":"), type=ethertype) / theirs)
    assert linked.emit() == whole
    assert Frame.parse(whole, 14) == linked


PARSERS = [
    Ethernet.parse,
    Arp.parse,
    Ipv4.parse,
    lambda data: Ipv4.parse(data, True),
    Ipv6.parse,
    lambda data: Ipv6.parse(data, True),
    Tcp.parse,
    parse_options,
    Udp.parse,
    lambda data: Udp.parse(data, True),
    Icmp.parse,
    Icmpv6.parse,
    lambda data: Neighbor.from_message(Icmpv6.parse(data)),
    frames.parse_quoted,
    lambda data: Frame.parse(data, 0),
    lambda data: Frame.parse(data, 14),
    lambda data: list(Reader(io.BytesIO(data))),
]


@st.composite
def nearly(draw: st.DrawFn) -> bytes:
    """Random bytes, or a good packet with a few bytes changed and cut somewhere."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=120))
    builder = draw(st.sampled_from([ipv4, ipv6, arp, icmp]))
    data = bytearray(draw(builder).emit())
    for _ in range(draw(st.integers(0, 3))):
        data[draw(st.integers(0, len(data) - 1))] = draw(byte)
    return bytes(data[: draw(st.integers(0, len(data)))])


@settings(max_examples=300)
@given(nearly())
def test_parsers_raise_nothing_but_wire_errors(data: bytes) -> None:
    for parse in PARSERS:
        try:
            parse(data)
        except WireError:
            pass


@settings(max_examples=300)
@given(nearly(), st.sampled_from([0, 14]), st.sampled_from([b"", b"\x08\x00", b"\x86\xdd", b"\x08\x06"]))
def test_a_summary_is_one_printable_line_for_any_bytes(data: bytes, offset: int, ethertype: bytes) -> None:
    line = summary(bytes(12) + ethertype + data if ethertype else data, 14 if ethertype else offset)
    assert line.isprintable()
    assert len(line) < 400


packets = st.lists(
    st.tuples(st.integers(0, 1), st.binary(max_size=80), st.integers(0, 1 << 62), st.integers(0, 2)), max_size=5
)


def captured(rows: list[tuple[int, bytes, int, int]]) -> bytes:
    file = io.BytesIO()
    writer = Writer(file)
    writer.add_interface("eth0", LINKTYPE_ETHERNET)
    writer.add_interface("tun0", LINKTYPE_RAW)
    for interface, data, stamp, direction in rows:
        writer.write(interface, data, stamp, direction)
    return file.getvalue()


@given(packets)
def test_pcapng_round_trip(rows: list[tuple[int, bytes, int, int]]) -> None:
    found = [
        (("eth0", "tun0").index(packet.interface.name), packet.data, packet.nanoseconds, packet.direction)
        for packet in Reader(io.BytesIO(captured(rows)))
    ]
    assert found == rows


@settings(max_examples=30)
@given(packets)
def test_scapy_reads_our_pcapng(rows: list[tuple[int, bytes, int, int]]) -> None:
    rows = [(interface, data + b"\x45", stamp % (1 << 60), direction) for interface, data, stamp, direction in rows]
    reader = PcapNgReader(io.BytesIO(captured(rows)))
    for interface, data, stamp, _ in rows:
        packet = reader.read_packet()
        assert bytes(packet.original) == data
        assert packet.sniffed_on == ("eth0", "tun0")[interface]
        assert packet.time == pytest.approx(stamp / 1e9, abs=1e-6)
    with pytest.raises(EOFError):
        reader.read_packet()


@settings(max_examples=200)
@given(packets, st.data())
def test_a_damaged_pcapng_raises_wire_errors_only(rows: list[tuple[int, bytes, int, int]], data: st.DataObject) -> None:
    raw = bytearray(captured(rows))
    for _ in range(data.draw(st.integers(0, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(byte)
    cut = data.draw(st.integers(0, len(raw)))
    try:
        list(Reader(io.BytesIO(bytes(raw[:cut]))))
    except WireError:
        pass
