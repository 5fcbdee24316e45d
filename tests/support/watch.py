"""What arrives on a cable while scans run: frames put together to datagrams, and their fields as an observer sees them.

Decoded by scapy, so that nothing of what is compared was read by the code under test.
"""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet

import tests.support.scapy_offline  # noqa: F401
from tests.support.capture import read_frames
from tests.support.netns import SUPPORT, Namespace


class Watch:
    """The frames that one device sends or receives, since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = 0

    def frames(self) -> list[bytes]:
        """Those since the last call, in order; waits until no more are written."""
        whole: list[bytes] = []
        count = -1
        while len(whole) != count:
            count = len(whole)
            time.sleep(0.05)
            whole = read_frames(self._path)
        self._seen, before = len(whole), self._seen
        return whole[before:]


@contextmanager
def watch(namespace: Namespace, device: str, path: Path) -> Iterator[Watch]:
    """Watch while the block runs. Frames that leave by a ring are seen only where they arrive."""
    watcher = namespace.start(sys.executable, "-P", str(SUPPORT / "capture.py"), device, str(path))
    assert watcher.stdout is not None
    ready, _, _ = select.select([watcher.stdout], [], [], 20.0)
    assert ready
    assert watcher.stdout.readline() == "ready\n"
    try:
        yield Watch(path)
    finally:
        watcher.kill()
        watcher.wait()


@dataclass(frozen=True, slots=True)
class Piece:
    """What one frame of a datagram holds of it: ``size`` bytes from ``offset`` on, and whether ``more`` follow."""

    offset: int
    more: bool
    size: int


@dataclass(frozen=True, slots=True)
class Datagram:
    """An IP packet, from one frame or from its fragments. ``sound``: all header checksums and lengths were right."""

    mac: str
    source: str
    destination: str
    version: int
    header_words: int
    service: int
    identification: int
    flags: int
    ttl: int
    protocol: int
    options: bytes
    pieces: tuple[Piece, ...]
    payload: bytes
    sound: bool

    @property
    def source_port(self) -> int:
        """Of TCP, UDP and SCTP."""
        return int.from_bytes(self.payload[:2])

    @property
    def port(self) -> int:
        """Of TCP, UDP and SCTP; the type of ICMP over its own version of IP; 0 of everything else."""
        if (self.version, self.protocol) in ((4, 1), (6, 58)):
            return self.payload[0]
        return int.from_bytes(self.payload[2:4]) if self.protocol in (6, 17, 132) else 0


def datagrams(frames: list[bytes], sender: str = "-") -> list[Datagram]:
    """What the hardware address ``sender`` sent, in order of first pieces; ``-ADDRESS``: what all others sent."""
    open_ones: dict[tuple[str, str, int, int], list[Packet]] = {}
    for number, frame in enumerate(frames):
        packet = Ether(frame)
        if not (packet.src != sender[1:] if sender.startswith("-") else packet.src == sender):
            continue
        if IP in packet:
            ip = packet[IP]
            whole = not (ip.flags.MF or ip.frag)
            key = (ip.src, ip.dst, ip.proto, number + (1 << 16) if whole else ip.id)
            open_ones.setdefault(key, []).append(packet)
        elif IPv6 in packet:
            open_ones[packet[IPv6].src, packet[IPv6].dst, packet[IPv6].nh, number + (1 << 16)] = [packet]
    return [_put_together(packets) for packets in open_ones.values()]


def _put_together(packets: list[Packet]) -> Datagram:
    first = packets[0]
    if IPv6 in first:
        ip = first[IPv6]
        payload = bytes(ip)[40 : 40 + ip.plen]
        return Datagram(
            first.src, ip.src, ip.dst, 6, 10, ip.tc, ip.fl, 0, ip.hlim, ip.nh, b"", (Piece(0, False, ip.plen),),
            payload, sound=len(payload) == ip.plen,
        )  # fmt: skip
    ip, pieces, data, sound = first[IP], [], [], True
    for packet in packets:
        part, header = packet[IP], packet[IP].ihl * 4
        body = bytes(part)[header : part.len]
        pieces.append(Piece(part.frag * 8, bool(part.flags.MF), len(body)))
        data.append(body)
        again = part.copy()
        del again.chksum
        sound &= IP(bytes(again)).chksum == part.chksum and len(body) == part.len - header
        sound &= _header(part) == _header(ip)
    return Datagram(
        first.src, ip.src, ip.dst, 4, ip.ihl, ip.tos, ip.id, int(ip.flags) & ~1, ip.ttl, ip.proto,
        bytes(ip)[20 : ip.ihl * 4], tuple(pieces), b"".join(data), sound,
    )  # fmt: skip


def _header(ip: Packet) -> tuple[object, ...]:
    return ip.ihl, ip.tos, ip.id, int(ip.flags) & ~1, ip.ttl, ip.proto, bytes(ip)[20 : ip.ihl * 4]
