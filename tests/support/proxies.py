"""Small proxies for tests: HTTP CONNECT, SOCKS4(a) and SOCKS5, as servers' handlers for ``dialing.serving``.

Written from the RFCs and apart from ``leadline.net.proxy``, so that both sides cannot share one mistake.
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import socket
import struct
import threading
from dataclasses import dataclass, field

_SOCKS5_CODES = {"ConnectionRefusedError": 5, "TimeoutError": 6}


@dataclass(slots=True)
class SmallProxy:
    """``handle`` serves one client. ``user``/``password``: wanted when set; ``asked``: targets, as they were named."""

    kind: str
    user: str = ""
    password: str = ""
    names: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def handle(self, client: socket.socket) -> None:
        getattr(self, f"_{self.kind}")(client)

    def _connect(self, host: str, port: int) -> socket.socket:
        self.asked.append((host, port))
        return socket.create_connection((self.names.get(host, host), port), timeout=5)

    def _http(self, client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += _exactly(client, 1)
        first, *lines = head.decode("utf-8").split("\r\n")
        host, _, port = first.split(" ")[1].rpartition(":")
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if self.user and f"Proxy-Authorization: Basic {pair}" not in lines:
            client.sendall(b'HTTP/1.1 407 Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n')
            return
        try:
            target = self._connect(host.strip("[]"), int(port))
        except OSError as error:
            client.sendall(b"HTTP/1.1 503 No\r\nX-Squid-Error: ERR_CONNECT_FAIL %d\r\n\r\n" % (error.errno or 0))
            return
        _relay(client, target, b"HTTP/1.1 200 Connection established\r\n\r\n")

    def _socks4(self, client: socket.socket) -> None:
        version, command, port, packed = struct.unpack(">BBH4s", _exactly(client, 8))
        assert (version, command) == (4, 1)
        user = _text(client)
        host = _text(client) if packed[:3] == b"\0\0\0" else str(ipaddress.ip_address(packed))
        if self.user and user != self.user:
            client.sendall(b"\0\x5d" + bytes(6))
            return
        try:
            target = self._connect(host, port)
        except OSError:
            client.sendall(b"\0\x5b" + bytes(6))
            return
        _relay(client, target, b"\0\x5a" + bytes(6))

    def _socks5(self, client: socket.socket) -> None:
        version, count = _exactly(client, 2)
        assert version == 5
        wanted = 2 if self.user else 0
        if wanted not in _exactly(client, count):
            client.sendall(b"\5\xff")
            return
        client.sendall(bytes([5, wanted]))
        if wanted:
            _exactly(client, 1)
            user, password = (_exactly(client, _exactly(client, 1)[0]).decode() for _ in range(2))
            good = (user, password) == (self.user, self.password)
            client.sendall(b"\1\0" if good else b"\1\1")
            if not good:
                return
        kind = _exactly(client, 4)[3]
        if kind == 3:
            host = _exactly(client, _exactly(client, 1)[0]).decode()
        else:
            host = str(ipaddress.ip_address(_exactly(client, 4 if kind == 1 else 16)))
        (port,) = struct.unpack(">H", _exactly(client, 2))
        try:
            target = self._connect(host, port)
        except OSError as error:
            client.sendall(bytes([5, _SOCKS5_CODES.get(type(error).__name__, 4), 0, 1]) + bytes(6))
            return
        _relay(client, target, b"\5\0\0\1" + bytes(6))


def _exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


def _text(client: socket.socket) -> str:
    data = b""
    while not data.endswith(b"\0"):
        data += _exactly(client, 1)
    return data[:-1].decode("utf-8")


def _relay(client: socket.socket, target: socket.socket, answer: bytes) -> None:
    with target:
        # What the target says at once goes into one piece with the answer: that is how the two are taken apart wrongly.
        target.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            answer += target.recv(65536)
        target.settimeout(20)
        client.sendall(answer)
        back = threading.Thread(target=_copy, args=(target, client), daemon=True)
        back.start()
        _copy(client, target)
        back.join(20)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
