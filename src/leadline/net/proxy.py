"""Handshakes with proxies, sans-IO: HTTP CONNECT (RFC 9110 9.3.6, RFC 7617), SOCKS4 and 4a, SOCKS5 (RFC 1928, 1929).

A ``Tunnel`` leads through a chain of them to a target. Every answer of a proxy is hostile: bounded in size, checked.
"""

from __future__ import annotations

import base64
import errno
import re
import struct
from collections.abc import Callable, Generator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

from leadline.model.plan import Proxy
from leadline.model.quick_dataclass import dataclass
from leadline.net.certificate import clean

MOST_HEAD = 16_384
_MOST_INTERIM = 10
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.[0-9] +([1-9][0-9][0-9])(?: +([^\r\n]*))?\r?\n")
# Squid tells the errno of its own attempt: "X-Squid-Error: ERR_CONNECT_FAIL 111".
_SQUID_ERROR = re.compile(rb"\r?\nX-Squid-Error: *ERR_[A-Z_]+ +([0-9]{1,3})\r?\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hop:
    """Where a proxy is to connect to. ``host``: the text of an address, or a name for the proxy to resolve."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A tunnel that failed. ``of_target``: the last proxy says it of the target; else the proxies themselves failed.

    ``error``: the errno that comes nearest. Of the target: ``ECONNREFUSED``, ``ENETUNREACH``, ``EHOSTUNREACH``,
    ``ETIMEDOUT``, ``EACCES`` (forbidden by the proxy's rules), ``ENONET`` (the proxy does not say why). Of proxies:
    ``EACCES`` (authentication), ``EPROTO`` (not that protocol), else what their predecessor said.
    """

    error: int
    message: str
    of_target: bool


class _RefusedError(Exception):
    def __init__(self, error: int, message: str, of_target: bool = False) -> None:
        super().__init__(message)
        self.error, self.message, self.of_target = error, message, of_target


@dataclass(frozen=True, slots=True)
class _Need:
    """What a handshake sends, and how much it must have read to go on: ``size`` bytes, or a whole HTTP head (0).

    ``silent_no``: a proxy that has proved to be one closes here when it could not connect (``ssh -D``).
    """

    send: bytes
    size: int
    silent_no: bool = False


_Handshake: TypeAlias = Generator[_Need, bytes, None]


class Tunnel:
    """The handshakes of ``chain`` (nearest first), the last of which is to connect to ``target``.

    ``done``: the tunnel leads to the target; ``rest``: what the target itself said already. ``refusal``: why not.
    """

    def __init__(self, chain: tuple[Proxy, ...], target: Hop) -> None:
        self.done, self.rest = False, b""
        self.refusal: Refusal | None = None
        self._chain = chain
        self._hops = [*(Hop(proxy.host, proxy.port) for proxy in chain[1:]), target]
        self._at = -1
        self._buffer = bytearray()
        self._handshake: _Handshake
        self._need: _Need

    @property
    def proxy(self) -> Proxy:
        """The one that is spoken to."""
        return self._chain[max(self._at, 0)]

    def start(self) -> bytes:
        """The first bytes, for the nearest proxy."""
        return self._next_proxy()

    def _next_proxy(self) -> bytes:
        self._at += 1
        if self._at == len(self._chain):
            self.done, self.rest = True, bytes(self._buffer)
            return b""
        proxy = self._chain[self._at]
        self._handshake = _HANDSHAKES[proxy.kind](proxy, self._hops[self._at])
        return self._step(None)

    def _step(self, answer: bytes | None) -> bytes:
        try:
            self._need = self._handshake.send(answer) if answer is not None else next(self._handshake)
        except StopIteration:
            return self._next_proxy()
        except _RefusedError as refused:
            self._refuse(refused)
            return b""
        return self._need.send

    def _refuse(self, refused: _RefusedError) -> None:
        last = self._at == len(self._chain) - 1
        message = f"{proxy_text(self.proxy)}: {refused.message}"
        self.refusal = Refusal(refused.error, message, refused.of_target and last)

    def close(self) -> None:
        """The proxy has closed the connection in order, which is a refusal too."""
        silent_no = self._need.silent_no
        error = errno.ENONET if silent_no else errno.ECONNRESET
        self._refuse(_RefusedError(error, "closed without an answer", silent_no))

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the proxies; returns what to send them."""
        self._buffer += data
        send = b""
        while not self.done and self.refusal is None:
            answer = self._answer()
            if answer is None:
                break
            send += self._step(answer)
        return send

    def _answer(self) -> bytes | None:
        size = self._need.size
        if not size:
            end = _HEAD_END.search(self._buffer, 0, MOST_HEAD)
            # A proxy of another kind, or none at all, may never end its line.
            size = end.end() if end else MOST_HEAD
        if len(self._buffer) < size and not self._foreign():
            return None
        answer = bytes(self._buffer[:size])
        del self._buffer[:size]
        return answer

    def _foreign(self) -> bool:
        """What came is no HTTP head, and will not become one."""
        beginning = b"HTTP/1."[: len(self._buffer)]
        return not self._need.size and bytes(self._buffer[: len(beginning)]) != beginning


def proxy_text(proxy: Proxy) -> str:
    """A proxy as messages name it: without user and password."""
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    return f"{proxy.kind}://{host}:{proxy.port}"


def proxy_problem(proxy: Proxy) -> str:
    """Why a proxy cannot be used as it is given, in words; empty when it can."""
    user, password = proxy.user.encode("utf-8", "replace"), proxy.password.encode("utf-8", "replace")
    if proxy.kind not in _HANDSHAKES:
        return f"{proxy.kind} is no kind of proxy (there are: {', '.join(_HANDSHAKES)})"
    if not proxy.host or len(proxy.host) > 255 or not proxy.host.isprintable() or " " in proxy.host:
        return "no host, or one that cannot be"
    if not 0 < proxy.port < 65536:
        return f"{proxy.port} is no port"
    if proxy.kind == "socks5" and max(len(user), len(password)) > 255:
        return "user and password of a SOCKS5 proxy have at most 255 bytes each"
    if proxy.kind == "socks4" and (b"\0" in user or len(user) > 255 or password):
        return "a SOCKS4 proxy knows a user of at most 255 bytes and no password"
    if proxy.kind == "http" and ":" in proxy.user:
        return "the user of an HTTP proxy has no colon"
    return ""


def _http(proxy: Proxy, hop: Hop) -> _Handshake:
    where = f"[{hop.host}]:{hop.port}" if ":" in hop.host else f"{hop.host}:{hop.port}"
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
    if proxy.user:
        pair = base64.b64encode(f"{proxy.user}:{proxy.password}".encode("utf-8", "replace")).decode("ascii")
        lines.append(f"Proxy-Authorization: Basic {pair}")
    head = yield _Need("\r\n".join([*lines, "", ""]).encode("utf-8", "replace"), 0)
    code, told = _status(head)
    for _ in range(_MOST_INTERIM):
        if code >= 200:
            break
        head = yield _Need(b"", 0)
        code, told = _status(head)
    if 200 <= code < 300:
        return
    if code == 407:
        raise _RefusedError(
            errno.EACCES, f"authentication is refused ({told})" if proxy.user else f"wants a user ({told})"
        )
    squid = _SQUID_ERROR.search(head)
    if squid and int(squid[1]) in _SQUID_ERRNOS:
        raise _RefusedError(int(squid[1]), told, True)
    raise _RefusedError(_HTTP_ERRORS.get(code, errno.ENONET), told, True)


def _status(head: bytes) -> tuple[int, str]:
    """Code and status line of an HTTP head."""
    status = _STATUS.match(head)
    if status is None:
        raise _RefusedError(errno.EPROTO, "no HTTP proxy: its answer is none of HTTP")
    return int(status[1]), clean(f"{status[1].decode()} {(status[2] or b'').decode('latin-1')}".strip(), 100)


_SQUID_ERRNOS = frozenset({errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ETIMEDOUT})
# RFC 9110 15: forbidden by rule, or no answer in time. All else does not say what became of the connection.
_HTTP_ERRORS = {403: errno.EACCES, 405: errno.EACCES, 451: errno.EACCES, 504: errno.ETIMEDOUT, 408: errno.ETIMEDOUT}


def _socks4(proxy: Proxy, hop: Hop) -> _Handshake:
    user = proxy.user.encode("utf-8", "replace")
    address = _address(hop.host)
    if isinstance(address, IPv4Address):
        where, name = address.packed, b""
    else:
        # 4a: an address that cannot be, and the name after the user. An IPv6 address goes as its text; who resolves
        # names with the system's resolver understands it.
        where, name = b"\0\0\0\1", hop.host.encode("utf-8", "replace") + b"\0"
    answer = yield _Need(b"\4\1" + struct.pack(">H", hop.port) + where + user + b"\0" + name, 8)
    if answer[0] not in (0, 4) or answer[1] not in (90, 91, 92, 93):
        raise _RefusedError(errno.EPROTO, "no SOCKS4 proxy")
    if answer[1] in (92, 93):
        raise _RefusedError(errno.EACCES, "the user is refused (identd)")
    if answer[1] == 91:
        raise _RefusedError(errno.ENONET, "request rejected or failed", True)


# RFC 1928 6: words, and the errno that comes nearest.
_SOCKS5_REPLIES = {
    1: (errno.ENONET, "general failure"),
    2: (errno.EACCES, "not allowed by the proxy's rules"),
    3: (errno.ENETUNREACH, "network unreachable"),
    4: (errno.EHOSTUNREACH, "host unreachable"),
    5: (errno.ECONNREFUSED, "connection refused"),
    6: (errno.ETIMEDOUT, "TTL expired"),
    8: (errno.ENETUNREACH, "address type not supported"),
}


def _socks5(proxy: Proxy, hop: Hop) -> _Handshake:
    greeting = b"\5\2\0\2" if proxy.user else b"\5\1\0"
    answer = yield _Need(greeting, 2)
    if answer[0] != 5:
        raise _RefusedError(errno.EPROTO, "no SOCKS5 proxy")
    if answer[1] == 2 and proxy.user:
        user, password = proxy.user.encode("utf-8", "replace"), proxy.password.encode("utf-8", "replace")
        answer = yield _Need(b"\1" + bytes([len(user)]) + user + bytes([len(password)]) + password, 2)
        if answer[1]:
            raise _RefusedError(errno.EACCES, "user and password are refused")
    elif answer[1]:
        raise _RefusedError(errno.EACCES, "no way of authentication in common" if proxy.user else "wants a user")
    reply = yield _Need(b"\5\1\0" + _socks5_address(hop.host) + struct.pack(">H", hop.port), 4, silent_no=True)
    if reply[0] != 5:
        raise _RefusedError(errno.EPROTO, "no SOCKS5 proxy")
    if reply[1] in _SOCKS5_REPLIES:
        raise _RefusedError(*_SOCKS5_REPLIES[reply[1]], True)
    if reply[1]:
        told = "connecting is not supported" if reply[1] == 7 else f"reply {reply[1]} is unknown"
        raise _RefusedError(errno.EPROTO, told)
    size = {1: 4, 4: 16}.get(reply[3], 0)
    if reply[3] == 3:
        size = (yield _Need(b"", 1))[0]
    elif not size:
        raise _RefusedError(errno.EPROTO, f"address type {reply[3]} is unknown")
    yield _Need(b"", size + 2)


def _socks5_address(host: str) -> bytes:
    address = _address(host)
    if address is None:
        name = host.encode("utf-8", "replace")[:255]
        return b"\3" + bytes([len(name)]) + name
    return (b"\1" if address.version == 4 else b"\4") + address.packed


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


_HANDSHAKES: dict[str, Callable[[Proxy, Hop], _Handshake]] = {"http": _http, "socks4": _socks4, "socks5": _socks5}
