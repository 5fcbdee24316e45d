"""Servers that no package has, hostile ones among them: ``peculiar.py 5601=close 5602=reset ...``. Prints ``ready``.

Runs as a program of its own inside a namespace; ``BEHAVIOURS`` names what a port can do.
``5603=over-tls:flood`` does it over TLS, with the files that ``CERTIFICATE`` and ``KEY`` of the environment name.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

FLOOD = 100 * 2**20
# The first flight of a TLS 1.2 server (RFC 5246, 7.3) begins so: record header, ServerHello of 70 bytes.
_HELLO_BODY = b"\x03\x03" + bytes(range(32)) + b"\x00\xc0\x2f\x00" + b"\x00\x05\xff\x01\x00\x01\x00"
SERVER_HELLO = b"\x16\x03\x03" + struct.pack("!H", len(_HELLO_BODY) + 4) + b"\x02\x00\x00" + bytes([len(_HELLO_BODY)])
SERVER_HELLO += _HELLO_BODY
# Handshake records that never finish anything: HelloRequest (RFC 5246, 7.4.1.1), to be ignored by a busy client.
HELLO_REQUEST = b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"
ALERT = b"\x15\x03\x01\x00\x02\x02\x28"  # fatal, handshake_failure
ESCAPES = (
    b"220 \x1b]0;owned\x07\x1b[31m\x1b[2J\x9b31m ]]> </port> <!-- &amp; %s%n \"'` \xff\xfe\x00\xed\xa0\x80\x7f "
    b"ESMTP Postfix\r\n"
)
OFTEN = 0.05
OVER_TLS = "over-tls:"


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection by a RST."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def close(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Accepts and closes."""


async def close_later(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Closes after four seconds, which is no sign of a TCP wrapper any more."""
    await asyncio.sleep(4.0)


async def close_soon(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Closes after one second, as a TCP wrapper may that asks a slow name server."""
    await asyncio.sleep(1.0)


async def close_on_byte(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Waits for the first byte, then closes."""
    await reader.read(1)


async def reset_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts and resets."""
    reset(writer)


async def reset_on_byte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Waits for the first byte, then resets."""
    await reader.read(1)
    reset(writer)


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Reads for ever and says nothing."""
    while await reader.read(65536):
        pass


async def banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A greeting that nobody knows, then silence."""
    writer.write(b"Greetings from an unheard-of service 4.2\r\n")
    await silent(reader, writer)


async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One byte a second, never a line's end."""
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(1.0)


async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """100 MB after the first byte from the client."""
    await reader.read(1)
    for _ in range(FLOOD // 2**16):
        writer.write(b"A" * 2**16)
        await writer.drain()


async def flood_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """100 MB as a banner."""
    for _ in range(FLOOD // 2**16):
        writer.write(b"\x00" * 2**16)
        await writer.drain()


async def escapes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A banner for terminals and XML readers to stumble over."""
    writer.write(ESCAPES)
    await silent(reader, writer)


async def html_escapes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The same in an HTTP header."""
    await reader.read(65536)
    writer.write(b"HTTP/1.0 200 OK\r\nServer: nginx/1.0\x1b[31m<!--]]>\"'&\xff\x00\r\n\r\n" + ESCAPES)
    await writer.drain()


def after_hello(answer: bytes, *, then: Behaviour = close) -> Behaviour:
    """Answers what looks like a TLS ClientHello with ``answer``, then does ``then``; other clients are closed."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(65536)
        if first[:1] == b"\x16":
            writer.write(answer)
            await writer.drain()
            await then(reader, writer)

    return behave


async def hello_requests(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A handshake that goes on for ever."""
    while True:
        writer.write(HELLO_REQUEST)
        await writer.drain()
        await asyncio.sleep(OFTEN)


BEHAVIOURS: dict[str, Behaviour] = {
    "close": close,
    "close-soon": close_soon,
    "close-later": close_later,
    "close-on-byte": close_on_byte,
    "reset": reset_at_once,
    "reset-on-byte": reset_on_byte,
    "silent": silent,
    "banner": banner,
    "trickle": trickle,
    "flood": flood,
    "flood-at-once": flood_at_once,
    "escapes": escapes,
    "html-escapes": html_escapes,
    "tls-garbage": after_hello(b"\x16\x03\x01\xff\xff" + b"\xaa" * 300),
    "tls-truncated": after_hello(SERVER_HELLO),
    "tls-stalled": after_hello(SERVER_HELLO, then=silent),
    "tls-alert": after_hello(ALERT),
    "tls-reset": after_hello(SERVER_HELLO, then=reset_on_byte),
    "tls-endless": after_hello(SERVER_HELLO, then=hello_requests),
}


def guarded(behaviour: Behaviour) -> Behaviour:
    """A client that leaves is nothing to talk about."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await behaviour(reader, writer)
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()

    return behave


def context() -> ssl.SSLContext:
    """A server's, with the certificate that the environment names."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(os.environ["CERTIFICATE"], os.environ["KEY"])
    return made


async def serve(ports: dict[int, str]) -> None:
    """Serve until killed."""
    for number, name in ports.items():
        server = socket.create_server(("::", number), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
        behaviour = guarded(BEHAVIOURS[name.removeprefix(OVER_TLS)])
        await asyncio.start_server(behaviour, sock=server, ssl=context() if name.startswith(OVER_TLS) else None)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    pairs = (argument.split("=") for argument in sys.argv[1:])
    asyncio.run(serve({int(number): name for number, name in pairs}))
