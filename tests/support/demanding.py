"""UDP servers that answer only what is asked in their own protocol, as real ones do. Prints ``ready``.

Runs as a program of its own, inside a namespace. Answers are as short as they may be.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable

Answering = Callable[[bytes], bytes]


def domain(asked: bytes) -> bytes:
    """RFC 1035: a query with one question is refused; what is none is dropped."""
    if len(asked) < 12 or asked[2] & 0x80 or asked[4:6] != b"\0\1":
        return b""
    return asked[:2] + bytes([0x80 | asked[2] & 0x79, 5]) + asked[4:6] + bytes(6) + asked[12:]


def time(asked: bytes) -> bytes:
    """RFC 5905: a client's packet (mode 3)."""
    return b"\x24\x02" + bytes(46) if len(asked) >= 48 and asked[0] & 7 == 3 else b""


def management(asked: bytes) -> bytes:
    """RFC 3416: a GetRequest of version 1 for the community public comes back as a response."""
    return asked.replace(b"\xa0", b"\xa2", 1) if asked[:1] == b"0" and b"\x04\x06public\xa0" in asked else b""


def sessions(asked: bytes) -> bytes:
    """RFC 3261: OPTIONS."""
    return b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n" if asked.startswith(b"OPTIONS sip:") else b""


def keys(asked: bytes) -> bytes:
    """RFC 2408: an IKE header that tells its length."""
    told = int.from_bytes(asked[24:28], "big")
    return asked[:8] + b"answered" + asked[16:28] if len(asked) == told >= 28 else b""


def devices(asked: bytes) -> bytes:
    """UPnP: a search."""
    return b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n" if asked.startswith(b"M-SEARCH * HTTP/1.1\r\n") else b""


def echo(asked: bytes) -> bytes:
    """Whatever was said."""
    return asked or b"\0"


def mute(_asked: bytes) -> bytes:
    """Nothing, to nobody."""
    return b""


SERVERS: dict[int, Answering] = {
    53: domain, 123: time, 161: management, 500: keys, 1900: devices, 5060: sessions, 5353: domain,
    7: echo, 1025: echo, 2000: echo, 49_152: echo, 514: mute,
}  # fmt: skip
ANSWERING = frozenset(number for number, answer in SERVERS.items() if answer is not mute)


def serve() -> None:
    """Answer until killed."""
    with selectors.DefaultSelector() as selector:
        for port, answer in SERVERS.items():
            server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            server.bind(("::", port))
            server.setblocking(False)
            selector.register(server, selectors.EVENT_READ, answer)
        print("ready", flush=True)
        while True:
            for key, _ in selector.select():
                server = key.fileobj  # type: ignore[assignment]
                with contextlib.suppress(OSError):
                    asked, peer = server.recvfrom(65_535)
                    said = key.data(asked)
                    if said:
                        server.sendto(said, peer)


if __name__ == "__main__":
    serve()
