"""Whole packets: a link header if there is one, the network packet, the transport; and a line of text about each."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from leadline.errors import WireError
from leadline.model.quick_dataclass import dataclass
from leadline.wire import icmp, icmpv6, sctp, tcp, udp
from leadline.wire.arp import REPLY, REQUEST, Arp
from leadline.wire.ethernet import TYPE_ARP, TYPE_IPV4, TYPE_IPV6, Ethernet, mac_text
from leadline.wire.icmp import Icmp
from leadline.wire.icmpv6 import Icmpv6, Neighbor
from leadline.wire.ipv4 import Ipv4
from leadline.wire.ipv6 import Ipv6
from leadline.wire.sctp import Init, Sctp
from leadline.wire.tcp import Tcp, flags_text, parse_options
from leadline.wire.udp import Udp

Network: TypeAlias = Ipv4 | Ipv6 | Arp
Transport: TypeAlias = Tcp | Udp | Sctp | Icmp | Icmpv6


@dataclass(frozen=True, slots=True)
class Frame:
    """``link``: ``None`` on header-less interfaces; its payload is empty here (it is ``network``).

    ``transport``: ``None`` for protocols not known here, fragments and damaged headers: then the bytes are in the
    payload of ``network``, which is empty otherwise. ``network`` is ``None`` for link protocols not known here.
    """

    link: Ethernet | None
    network: Network | None
    transport: Transport | None = None

    @classmethod
    def parse(cls, data: bytes, offset: int) -> Frame:
        """A frame whose network header is at ``offset`` (0: no link header, else an Ethernet header ends there).

        ``WireError`` when link or network header are damaged. A damaged transport is not an error: see ``transport``.
        """
        if not offset:
            return cls(None, *_parse_packet(data, False))
        link = Ethernet.parse(data[offset - 14 :])
        if link.ethertype == TYPE_ARP:
            return cls(replace(link, payload=b""), Arp.parse(link.payload))
        if link.ethertype not in (TYPE_IPV4, TYPE_IPV6):
            return cls(link, None)
        network, transport = _parse_packet(link.payload, False)
        if (link.ethertype == TYPE_IPV4) != isinstance(network, Ipv4):
            raise WireError("the Ethernet type and the IP version differ")
        return cls(replace(link, payload=b""), network, transport)

    def emit(self) -> bytes:
        """The bytes, with all lengths and checksums. ``WireError`` when something does not fit."""
        packet = b"" if self.network is None else _emit_packet(self.network, self.transport)
        return packet if self.link is None else self.link.emit() + packet


def parse_quoted(data: bytes) -> tuple[Ipv4 | Ipv6, Transport | None]:
    """The packet quoted in an ICMP error, cut anywhere behind its IP header.

    The transport is ``None`` when its header is not whole, as with the 8 bytes of TCP that many routers quote.
    """
    return _parse_packet(data, True)


def _parse_packet(data: bytes, quoted: bool) -> tuple[Ipv4 | Ipv6, Transport | None]:
    network: Ipv4 | Ipv6 = Ipv6.parse(data, quoted) if data and data[0] >> 4 == 6 else Ipv4.parse(data, quoted)
    # The transport header of a first fragment is whole, but lengths and checksums are of the whole datagram.
    if network.fragment_offset or (isinstance(network, Ipv4) and network.more_fragments):
        return network, None
    try:
        transport = _parse_transport(network, quoted)
    except WireError:
        return network, None
    return (network if transport is None else replace(network, payload=b"")), transport


def _parse_transport(network: Ipv4 | Ipv6, quoted: bool) -> Transport | None:
    data = network.payload
    if network.protocol == tcp.PROTOCOL:
        return Tcp.parse(data)
    if network.protocol == udp.PROTOCOL:
        datagram = Udp.parse(data, quoted)
        # Bytes behind the datagram would be lost: leave such a packet as it is.
        return datagram if len(datagram.payload) + udp.HEADER_BYTES == len(data) else None
    if network.protocol == sctp.PROTOCOL:
        return Sctp.parse(data)
    if network.protocol == icmp.PROTOCOL and isinstance(network, Ipv4):
        return Icmp.parse(data)
    if network.protocol == icmpv6.PROTOCOL and isinstance(network, Ipv6):
        return Icmpv6.parse(data)
    return None


def _emit_packet(network: Network, transport: Transport | None) -> bytes:
    if isinstance(network, Arp) or transport is None:
        return network.emit()
    if isinstance(transport, Icmp | Sctp):
        return replace(network, payload=transport.emit()).emit()
    payload = transport.emit(network.source.packed, network.destination.packed)
    return replace(network, payload=payload).emit()


def summary(data: bytes, offset: int) -> str:
    """One line about any frame, for people; never raises. Only numbers and names of ours: safe on a terminal."""
    try:
        frame = Frame.parse(data, offset)
    except WireError as error:
        return f"unreadable frame of {len(data)} bytes: {error}"
    if isinstance(frame.network, Arp):
        return _arp_text(frame.network)
    if frame.network is None:
        ethertype = frame.link.ethertype if frame.link else 0
        return f"Ethernet type 0x{ethertype:04x}, {len(data)} bytes"
    length = len(data) - offset
    return f"{_packet_text(frame.network, frame.transport)} {_network_text(frame.network, length)}"


def _arp_text(packet: Arp) -> str:
    if packet.operation == REQUEST:
        return f"ARP who-has {packet.target} tell {packet.sender}"
    if packet.operation == REPLY:
        return f"ARP reply {packet.sender} is-at {mac_text(packet.sender_mac)}"
    return f"ARP operation {packet.operation} from {packet.sender}"


def _network_text(network: Ipv4 | Ipv6, length: int) -> str:
    if isinstance(network, Ipv6):
        return f"hlim={network.hop_limit} len={length}"
    fragment = ""
    if network.more_fragments or network.fragment_offset:
        fragment = f" fragment@{network.fragment_offset * 8}{'+' if network.more_fragments else ''}"
    return f"ttl={network.ttl} id={network.identification} len={length}{fragment}"


def _packet_text(network: Ipv4 | Ipv6, transport: Transport | None) -> str:
    if isinstance(transport, Tcp):
        return _tcp_text(network, transport)
    if isinstance(transport, Udp):
        return f"UDP {_ends(network, transport)} payload={len(transport.payload)}"
    if isinstance(transport, Sctp):
        return _sctp_text(network, transport)
    if isinstance(transport, Icmp):
        name = icmp.message_name(transport.type, transport.code)
        return f"ICMP {_hosts(network)} {name} {_message_text(transport)}"
    if isinstance(transport, Icmpv6):
        name = icmpv6.message_name(transport.type, transport.code)
        return f"ICMPv6 {_hosts(network)} {name} {_message_text(transport)}"
    return f"IP protocol {network.protocol} {_hosts(network)} payload={len(network.payload)}"


def _hosts(network: Ipv4 | Ipv6) -> str:
    return f"{network.source} > {network.destination}"


def _ends(network: Ipv4 | Ipv6, ports: Tcp | Udp | Sctp) -> str:
    source, destination = str(network.source), str(network.destination)
    if isinstance(network, Ipv6):
        source, destination = f"[{source}]", f"[{destination}]"
    return f"{source}:{ports.source_port} > {destination}:{ports.destination_port}"


def _tcp_text(network: Ipv4 | Ipv6, segment: Tcp) -> str:
    text = f"TCP {_ends(network, segment)} {flags_text(segment.flags)} seq={segment.sequence}"
    if segment.flags & tcp.ACK:
        text += f" ack={segment.acknowledgment}"
    text += f" win={segment.window}"
    if segment.payload:
        text += f" payload={len(segment.payload)}"
    return text + _options_text(segment.options)


def _sctp_text(network: Ipv4 | Ipv6, packet: Sctp) -> str:
    words = []
    try:
        for chunk in sctp.parse_chunks(packet.payload):
            word = sctp.chunk_name(chunk.type)
            if chunk.type in (sctp.INIT, sctp.INIT_ACK):
                word += f" init-tag={Init.parse(chunk.value).initiate_tag}"
            words.append(word)
    except WireError:
        words.append("<damaged chunk>")
    return f"SCTP {_ends(network, packet)} {', '.join(words) or 'no chunk'} tag={packet.verification_tag}"


def _options_text(data: bytes) -> str:
    try:
        options = parse_options(data)
    except WireError:
        return " <damaged options>"
    words: list[str] = []
    for option in options:
        value = int.from_bytes(option.data, "big")
        if option.kind == tcp.OPTION_SEGMENT_SIZE:
            words.append(f"mss {value}")
        elif option.kind == tcp.OPTION_WINDOW_SCALE:
            words.append(f"wscale {value}")
        elif option.kind == tcp.OPTION_SACK_PERMITTED:
            words.append("sackOK")
        elif option.kind == tcp.OPTION_TIMESTAMPS and len(option.data) == 8:
            words.append(f"timestamp {value >> 32} {value & 0xFFFFFFFF}")
        elif option.kind != tcp.OPTION_NOTHING:
            words.append(f"option {option.kind}")
    return f" <{', '.join(words)}>" if words else ""


def _message_text(message: Icmp | Icmpv6) -> str:
    text = f"({message.type}/{message.code})"
    if message.is_error:
        return f"{text} about {_quoted_text(message.payload)}"
    if isinstance(message, Icmpv6):
        try:
            neighbor = Neighbor.from_message(message)
        except WireError:
            pass
        else:
            mac = neighbor.mac
            return f"{text} {neighbor.target}" + (f" {mac_text(mac)}" if mac else "")
    return f"{text} id={message.identifier} seq={message.sequence}"


def _quoted_text(data: bytes) -> str:
    try:
        network, transport = parse_quoted(data)
    except WireError:
        return "an unreadable packet"
    if isinstance(transport, Tcp | Udp | Sctp):
        return f"{type(transport).__name__.upper()} {_ends(network, transport)}"
    if isinstance(transport, Icmp | Icmpv6):
        return f"ICMP {_hosts(network)} ({transport.type}/{transport.code})"
    ports, name = network.payload, {tcp.PROTOCOL: "TCP", sctp.PROTOCOL: "SCTP"}.get(network.protocol)
    if name and not network.fragment_offset and len(ports) >= 4:
        ends = Udp(int.from_bytes(ports[:2], "big"), int.from_bytes(ports[2:4], "big"))
        return f"{name} {_ends(network, ends)}"
    return f"IP protocol {network.protocol} {_hosts(network)}"
