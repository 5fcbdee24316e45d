"""Real servers for targets: ``listener.py tcp|udp 22,80,443``. TCP accepts and closes, UDP echoes. Prints ``ready``.

Runs as a program of its own, inside a namespace.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys


def open_socket(kind: socket.SocketKind, port: int) -> socket.socket:
    """One dual-stack socket bound to ``port`` of every address."""
    server = socket.socket(socket.AF_INET6, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind(("::", port))
    if kind is socket.SOCK_STREAM:
        server.listen(4096)
    server.setblocking(False)
    return server


def serve(transport: str, ports: list[int]) -> None:
    """Answer until killed."""
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    with selectors.DefaultSelector() as selector:
        for port in ports:
            selector.register(open_socket(kind, port), selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for key, _ in selector.select():
                server = key.fileobj
                assert isinstance(server, socket.socket)
                with contextlib.suppress(OSError):
                    if kind is socket.SOCK_STREAM:
                        server.accept()[0].close()
                    else:
                        data, peer = server.recvfrom(65535)
                        server.sendto(data, peer)


if __name__ == "__main__":
    serve(sys.argv[1], [int(port) for port in sys.argv[2].split(",")])
