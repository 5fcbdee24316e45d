"""Small host groups, and the replies that their hosts would send, made with scapy from the probes themselves."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

import tests.support.scapy_offline  # noqa: F401
from leadline.engine.group import HostGroup
from leadline.link.base import Interface, Route
from leadline.model.address import columns_of
from leadline.wire.batch import FrameBatch, concatenate, single

MAC, PEER = "02:00:00:00:00:01", "02:00:00:00:00:99"
SOURCES = {4: "10.9.0.1", 6: "fd09::1"}


def interface_of(family: int = 4, *, name: str = "eth0", kind: str = "ethernet", header: int = 14) -> Interface:
    mac = bytes.fromhex(MAC.replace(":", "")) if kind == "ethernet" else bytes(6)
    return Interface(name, 2, kind, header, 1500, mac, True, ((ip_address(SOURCES[family]), 16),))


def group_of(family: int = 4, hosts: int = 3, *, kind: str = "ethernet", header: int = 14) -> HostGroup:
    """``hosts`` neighbours 10.9.0.10 ... (or fd09::10 ...) on one interface."""
    first = int(ip_address({4: "10.9.0.10", 6: "fd09::10"}[family]))
    hi, lo = columns_of([ip_address(first + index) for index in range(hosts)])
    route = Route(interface_of(family, kind=kind, header=header), ip_address(SOURCES[family]))
    macs = np.tile(np.frombuffer(bytes.fromhex(PEER.replace(":", "")), dtype=np.uint8), (hosts, 1))
    return HostGroup(family, hi, lo, route, macs)


def lone(address: str, header: int = 14) -> HostGroup:
    """A group of one neighbour with this address."""
    family = ip_address(address).version
    whole = group_of(family, 1, kind="ethernet" if header else "point", header=header)
    hi, lo = columns_of([ip_address(address)])
    return HostGroup(family, hi, lo, whole.route, whole.macs)


def packets(batch: FrameBatch) -> list[Packet]:
    """The frames of a batch as scapy reads them."""
    first = Ether if batch.offset else (lambda raw: IP(raw) if raw[0] >> 4 == 4 else IPv6(raw))
    return [first(batch.row(index)) for index in range(len(batch))]


def batch_of(replies: list[Packet], offset: int = 14, at: float = 0.0) -> FrameBatch:
    """Replies as a captured batch, one millisecond apart."""
    return concatenate([single(bytes(one), offset, at + 0.001 * index) for index, one in enumerate(replies)])


def _under(probe: Packet, upper: Packet, source: str | None = None) -> Packet:
    """``upper`` on its way back."""
    if IPv6 in probe:
        network = IPv6(src=source or probe[IPv6].dst, dst=probe[IPv6].src, hlim=60) / upper
    else:
        network = IP(src=source or probe[IP].dst, dst=probe[IP].src, ttl=60) / upper
    return Ether(src=PEER, dst=MAC) / network if Ether in probe else network


def tcp_reply(probe: Packet, flags: str = "SA", **changes: int) -> Packet:
    """A segment back: acknowledges the probe as RFC 9293 section 3.10.7 says unless ``changes`` says otherwise."""
    sent = probe[TCP]
    taken = sum(letter in str(sent.flags) for letter in "SF")
    fields = {
        "sport": sent.dport,
        "dport": sent.sport,
        "seq": sent.ack if "A" in str(sent.flags) else 1234,
        "ack": 0 if "A" in str(sent.flags) else (sent.seq + taken) % 2**32,
    }
    return _under(probe, TCP(flags=flags, **(fields | changes)))


def udp_reply(probe: Packet, **changes: int) -> Packet:
    fields = {"sport": probe[UDP].dport, "dport": probe[UDP].sport} | changes
    return _under(probe, UDP(**fields) / Raw(b"hello"))


def icmp_reply(probe: Packet) -> Packet:
    if ICMPv6EchoRequest in probe:
        asked = probe[ICMPv6EchoRequest]
        return _under(probe, ICMPv6EchoReply(id=asked.id, seq=asked.seq))
    asked = probe[ICMP]
    return _under(probe, ICMP(type={8: 0, 13: 14, 17: 18}[asked.type], id=asked.id, seq=asked.seq))


def error_reply(probe: Packet, kind: int = 3, code: int = 3, source: str | None = None) -> Packet:
    """An ICMP(v6) error quoting the probe, of the target itself or of ``source``."""
    if IPv6 in probe:
        return _under(probe, ICMPv6DestUnreach(type=kind, code=code) / Raw(bytes(probe[IPv6])), source)
    return _under(probe, ICMP(type=kind, code=code) / Raw(bytes(probe[IP])[:28]), source)


def neighbor_reply(probe: Packet, mac: str = PEER) -> Packet:
    if ARP in probe:
        asked = probe[ARP]
        answer = ARP(op=2, hwsrc=mac, psrc=asked.pdst, hwdst=asked.hwsrc, pdst=asked.psrc)
        return Ether(src=mac, dst=MAC) / answer
    target = probe[ICMPv6ND_NS].tgt
    option = ICMPv6NDOptDstLLAddr(lladdr=mac)
    network = IPv6(src=target, dst=probe[IPv6].src, hlim=255)
    return Ether(src=mac, dst=MAC) / network / ICMPv6ND_NA(tgt=target, R=0, S=1, O=1) / option
