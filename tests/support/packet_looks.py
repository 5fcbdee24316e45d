"""What an observer can tell scanners by in their packets, field by field.

Fields that are drawn at random are told by what they can be, everything else by value. Where the two scanners differ on
purpose, the reason stands with the field.
"""

from __future__ import annotations

import zlib
from ipaddress import ip_address

from tests.support.crc import crc32c
from tests.support.watch import Datagram

SCANNER_MAC, TARGET_MAC = "02:00:00:00:77:01", "02:00:00:00:77:02"
ACK = 0x10
# By the version of IP.
ICMP = {4: 1, 6: 58}


def in_groups(found: list[Datagram]) -> dict[tuple[int, int, int], list[Datagram]]:
    """Copies of one probe, in the order in which they were sent; the order of ports is drawn."""
    groups: dict[tuple[int, int, int], list[Datagram]] = {}
    for one in found:
        flags = one.payload[13] if one.protocol == 6 else 0
        groups.setdefault((one.protocol, one.port, flags), []).append(one)
    return dict(sorted(groups.items()))


def asks_for_protocols(shape: str) -> bool:
    """Whether a scan or its pings ask for IP protocols."""
    return "-sO" in shape or "-PO" in shape


def network_look(one: Datagram, shape: str) -> tuple[object, ...]:
    """What an observer can tell scanners by in the frame and the IP header."""
    mac: object = one.mac
    if "--spoof-mac 0" in shape:
        # Nmap draws the multicast bit as well, and bridges drop such frames: ours is always a single card's.
        mac = "drawn" if one.mac != SCANNER_MAC else one.mac
    elif "--spoof-mac" in shape:
        # What is not given is drawn.
        mac = one.mac[: len(shape.partition("--spoof-mac ")[2].split()[0])]
    ttl: object = one.ttl
    if "--ttl" not in shape and one.version == 4:
        ttl = 37 <= one.ttl <= 59
    source = "public" if ip_address(one.source).is_global else one.source
    label: object = one.identification
    if one.version == 4 or asks_for_protocols(shape):
        # Nmap draws a flow label for what asks for protocols, 16 bits of it. Ours is drawn, from all 20, where the tag
        # has no other place (decision 0019), and 0 with proper headers, which look as in every other scan.
        label = "drawn"
    if one.version == 6 and one.protocol not in (6, 17, 58, 132) and "--ttl" not in shape:
        ttl = 37 <= one.ttl <= 59
    return (
        mac, source, one.destination, one.version, one.header_words, one.service, label, one.flags, ttl, one.protocol,
        one.options, one.pieces, one.sound,
    )  # fmt: skip


def transport_look(one: Datagram, shape: str, target: str) -> tuple[object, ...]:
    """The same of what the packet carries."""
    body = one.payload
    data_at = {6: (body[12] >> 4) * 4 if len(body) > 12 else 0, 17: 8, 132: 28}.get(one.protocol, 0)
    data: object = body[data_at:]
    if "--data-length" in shape:
        data = len(body) - data_at
    if one.protocol == 6:
        # Nmap gives all its probes one number, ours have a number each: what repeats it is ours. To the ACK that asks
        # for TCP Nmap gives a drawn sequence number, ours is 0 as in all ACK probes of both.
        numbers: list[object] = [bool(int.from_bytes(body[at : at + 4])) for at in (4, 8)]
        if asks_for_protocols(shape) and body[13] == ACK:
            numbers[0] = "either"
        fixed = (one.port, numbers, body[12:16], body[18:data_at])
    elif one.protocol == 17:
        fixed = (one.port, body[4:6])
    elif one.protocol == ICMP[one.version]:
        # The identifier is drawn. The sequence number is 0 with Nmap; ours tells the try, so that the round trip of a
        # repeated ping is known. The code of an ICMPv6 echo that asks for the protocol is 129 with Nmap, which is the
        # type of the answer; it is 0 (RFC 4443 section 4.1).
        code = "either" if asks_for_protocols(shape) and one.version == 6 else body[1]
        fixed = (one.port, code, bool(any(body[4:6])), len(body))
        data = body[8:] if "--data-length" not in shape else len(body)
    elif one.protocol == 132:
        is_init = body[12] == 1
        chunk = (body[12:16], any(body[16:20]), body[20:28]) if is_init else (body[12:16], any(body[16:20]))
        fixed = (one.port, len(body), any(body[4:8]), *chunk)
        data = body[32 if is_init else 20 :] if "--data-length" not in shape else len(body)
    elif one.protocol == 2 and one.version == 4 and len(body) >= 8:
        # A query. Nmap leaves something in its group address; that of a query for all groups is 0 (RFC 2236 section 2).
        right = internet_checksum(body[:2] + bytes(2) + body[4:], False).to_bytes(2)
        fixed = (body[:2], body[2:4] == right, len(body))
        data = body[8:] if "--data-length" not in shape else len(body)
    else:
        fixed = ()
    told: object = "no ports"
    if one.protocol in (6, 17, 132):
        told = one.source_port if "-g " in shape else 33_000 <= one.source_port <= 65_535
    return (*fixed, told, data, checksum_look(one, target))


def checksum_look(one: Datagram, target: str) -> str:
    """Whether the checksum is right, by how much it is not, and whose address it was made for."""
    at = {6: 16, 17: 6, ICMP[one.version]: 2, 132: 8}.get(one.protocol)
    if at is None:
        return "none"
    size = 4 if one.protocol == 132 else 2
    told = int.from_bytes(one.payload[at : at + size], "little")
    blank = one.payload[:at] + bytes(size) + one.payload[at + size :]
    for name, destination in (("target", target), ("header", one.destination)):
        if one.protocol == 132:
            right = crc32c(blank)
        else:
            pseudo = b""
            if one.protocol != 1:
                pseudo = ip_address(one.source).packed + ip_address(destination).packed
                pseudo += len(blank).to_bytes(4) + one.protocol.to_bytes(4)
            right = int.from_bytes(internet_checksum(pseudo + blank, one.protocol == 17).to_bytes(2), "little")
        if (told - right) % (1 << 8 * size) in (0, (1 << 8 * size) - 1):
            return f"{name} {'right' if told == right else 'one less'}"
    if one.protocol == 132 and zlib.adler32(blank).to_bytes(4) == one.payload[at : at + size]:
        return "adler"
    return "wrong"


def internet_checksum(data: bytes, is_udp: bool) -> int:
    """RFC 1071, word by word."""
    total = sum(int.from_bytes(data[at : at + 2].ljust(2, b"\0")) for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF if is_udp and total == 0xFFFF else total ^ 0xFFFF


def looks(found: list[Datagram], shape: str, target: str) -> dict[tuple[int, int, int], list[tuple[object, ...]]]:
    groups = in_groups(found)
    made = {}
    for key, copies in groups.items():
        # Copies share their identification and their numbers; what asks for protocols is built anew for each copy by
        # Nmap, and gets identifications of its own there.
        alike = key[0] in (1, 6, 17, 132) and not asks_for_protocols(shape)
        shared = len({one.identification for one in copies}) == 1 if alike else "either"
        same = len({(one.source_port, one.payload[4:12]) for one in copies}) == 1 if alike and key[0] == 6 else "either"
        times = len({one.ttl for one in copies}) == 1 if "--ttl" in shape else "drawn"
        made[key] = [(*network_look(one, shape), *transport_look(one, shape, target)) for one in copies]
        made[key].append((shared, same, times))
    return made
