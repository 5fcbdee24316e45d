"""Questions to the kernel's tables over rtnetlink, answers as bytes and attributes.

A few lines of our own instead of a library: importing pyroute2 takes longer than the whole start of the program, and it
reads four thousand routes a second where routers have a million. Formats: netlink(7), rtnetlink(7).
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

from leadline.model.quick_dataclass import dataclass

GET_LINK, GET_ADDRESS, GET_ROUTE, GET_NEIGHBOR, GET_RULE = 18, 22, 26, 30, 34
# Sizes of ifinfomsg, ifaddrmsg, rtmsg, ndmsg and fib_rule_hdr.
HEADER_BYTES = {GET_LINK: 16, GET_ADDRESS: 8, GET_ROUTE: 12, GET_NEIGHBOR: 12, GET_RULE: 12}

_REQUEST, _DUMP, _MULTI = 0x001, 0x300, 0x002
_ERROR, _DONE = 2, 3
_MESSAGE = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_TYPE_MASK = 0x3FFF  # the upper bits tell nesting and byte order
_RECEIVE_BYTES = 1 << 18
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Message:
    """One object of a table. ``header``: the kind's fixed part; ``attributes``: by number, the last of equal ones."""

    header: bytes
    attributes: dict[int, bytes]


def attributes_of(data: bytes) -> dict[int, bytes]:
    """The attributes packed in ``data``; what is cut off at the end is left out."""
    found = {}
    position, end = 0, len(data)
    while position + 4 <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, position)
        if length < 4 or position + length > end:
            break
        found[kind & _TYPE_MASK] = data[position + 4 : position + length]
        position += (length + 3) & ~3
    return found


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded."""
    return _ATTRIBUTE.pack(len(value) + 4, kind) + value + bytes(-len(value) % 4)


def dump(kind: int, family: int) -> list[Message]:
    """A whole table, for one address family (``AF_UNSPEC``: all). Raises ``OSError``."""
    header = bytes([family]) + bytes(HEADER_BYTES[kind] - 1)
    return _ask(kind, header, _REQUEST | _DUMP)


def get(kind: int, body: bytes) -> Message | None:
    """The one object that ``body`` (fixed part, attributes) describes. Raises ``OSError``, also when there is none."""
    found = _ask(kind, body, _REQUEST)
    return found[0] if found else None


def _ask(kind: int, body: bytes, flags: int) -> list[Message]:
    found: list[Message] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as opened:
        opened.settimeout(_SECONDS)
        opened.send(_MESSAGE.pack(_MESSAGE.size + len(body), kind, flags, 1, 0) + body)
        while True:
            ended = not flags & _DUMP
            for number, more, payload in split(opened.recv(_RECEIVE_BYTES)):
                if number == _ERROR:
                    error = -struct.unpack_from("=i", payload)[0] if len(payload) >= 4 else 0
                    if error:
                        raise OSError(error, os.strerror(error))
                    ended = True
                elif number == _DONE:
                    ended = True
                elif number == kind - 2:  # RTM_NEW... of the same table
                    size = HEADER_BYTES[kind]
                    found.append(Message(payload[:size], attributes_of(payload[size:])))
                    ended = ended or not more
            if ended:
                return found


def split(data: bytes) -> Iterator[tuple[int, bool, bytes]]:
    """The messages of one datagram: type, whether more follow, what is behind the message header."""
    position = 0
    while position + _MESSAGE.size <= len(data):
        length, kind, flags, _, _ = _MESSAGE.unpack_from(data, position)
        if length < _MESSAGE.size or position + length > len(data):
            return
        yield kind, bool(flags & _MULTI), data[position + _MESSAGE.size : position + length]
        position += (length + 3) & ~3
