"""A server of recorded answers: ``answering.py CERTIFICATE KEY < answers``, one answer a port. Prints ``ready``.

Standard input: one JSON array a line, ``[port, at_once, tls, answer]``, the answer as latin-1 text. ``at_once``: it is
a banner; else it is the answer to the first bytes that come, whatever they are. Then the server closes its side, and
reads on until the client has closed, so that no reset overtakes the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

LONGEST = 30.0
SOON = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """What one port says."""

    port: int
    at_once: bool
    tls: bool
    data: bytes


def read_answers(lines: list[str]) -> list[Answer]:
    """The lines of standard input."""
    rows = map(json.loads, lines)
    return [Answer(port, at_once, tls, data.encode("latin-1")) for port, at_once, tls, data in rows]


async def converse(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection."""
    if not answer.at_once and not await reader.read(65536):
        return
    writer.write(answer.data)
    await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
        while await reader.read(65536):
            pass
    else:
        await asyncio.sleep(SOON)


async def serve(answers: list[Answer], context: ssl.SSLContext) -> None:
    """Serve until killed."""

    def handler(answer: Answer) -> Handler:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(converse(answer, reader, writer), LONGEST)
            with contextlib.suppress(OSError):
                writer.close()
                await writer.wait_closed()

        return handle

    for answer in answers:
        listener = socket.create_server(("::", answer.port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128)
        await asyncio.start_server(handler(answer), sock=listener, ssl=context if answer.tls else None)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(sys.argv[1], sys.argv[2])
    asyncio.run(serve(read_answers(sys.stdin.readlines()), made))
