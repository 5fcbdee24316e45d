"""Which ports are worth asking first: the order behind ``-F``, ``--top-ports`` and the default scan.

The head of the order is ``tables/ranking.txt``, written by hand; then come, each ascending: ports below 1024 that
have a registered name, all others that have one, and the rest (docs/reference/port-ranking.md).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache

from leadline.data.services import default_services
from leadline.errors import DataError
from leadline.model.port import Protocol

TABLE = os.path.join(os.path.dirname(__file__), "tables", "ranking.txt")
FAST_COUNT = 100
DEFAULT_COUNT = 1000

_SYSTEM_PORTS = 1024
_COMMENT = re.compile(r"#.*$", re.MULTILINE)


def top_ports(protocol: Protocol, count: int) -> tuple[int, ...]:
    """The ``count`` most worthwhile ports, the most worthwhile first, distinct; all 65,535 when more are asked for.

    IP protocol numbers have no ranking: they come ascending from 0, at most all 256.
    """
    if protocol is Protocol.IP:
        return tuple(range(min(count, 256)))
    head = _ranked().get(protocol, ())
    if count <= len(head):
        return head[:count]
    return _whole(protocol)[:count]


def known_count(protocol: Protocol) -> int:
    """How many ports (protocol numbers: 256) are worth asking at all: those ranked and those that have a name."""
    if protocol is Protocol.IP:
        return 256
    return len(
        {*_ranked().get(protocol, ()), *(number for number in default_services().registered(protocol) if number)}
    )


def parse_ranking(text: str, path: str = "") -> dict[Protocol, tuple[int, ...]]:
    """Reads the grammar of the table: sections headed ``[protocol]`` of numbers and ``first-last`` ranges.

    A number that comes again keeps its first place. Raises ``DataError`` with the section at fault.
    """
    ranked: dict[Protocol, tuple[int, ...]] = {}
    for section in _COMMENT.sub("", text).split("[")[1:]:
        label, _, body = section.partition("]")
        try:
            protocol = Protocol[label.upper()]
            ranked[protocol] = tuple(dict.fromkeys(_numbers(body)))
        except (KeyError, ValueError) as error:
            raise DataError(f"section [{label}] is damaged: {error}", path) from error
    return ranked


def _numbers(body: str) -> Iterator[int]:
    for word in body.split():
        first, _, last = word.partition("-")
        numbers = range(int(first), int(last or first) + 1)
        if not numbers or numbers[0] < 1 or numbers[-1] > 65535:
            raise ValueError(f"{word} is not a port or a range of ports")
        yield from numbers


@cache
def _ranked() -> dict[Protocol, tuple[int, ...]]:
    with open(TABLE, encoding="utf-8") as file:
        return parse_ranking(file.read(), TABLE)


@cache
def _whole(protocol: Protocol) -> tuple[int, ...]:
    """All 65,535 ports in order. ``dict.fromkeys`` keeps the first place of each."""
    registered = [number for number in default_services().registered(protocol) if number]
    system = [number for number in registered if number < _SYSTEM_PORTS]
    order = dict.fromkeys(_ranked().get(protocol, ()))
    return tuple(dict.fromkeys([*order, *system, *registered, *range(1, 65536)]))
