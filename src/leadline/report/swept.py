"""Many hosts of a sweep as text, quickly: what differs between hosts of one kind is filled into a text made once.

A report's own way of writing a host makes the text of one host of each kind (same states, reasons, TTLs ...), in which
places are marked by values that nothing else could be; the others follow by filling in their addresses and times. So
each host reads as if it had been scanned alone, at a hundredth of the cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from operator import methodcaller

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64
from leadline.model.host import Host
from leadline.model.ip import Address
from leadline.model.port import Port
from leadline.model.quick_dataclass import dataclass
from leadline.model.swept import HostsSwept
from leadline.report.words import two_digits
from leadline.wire.distinct import first_of_run

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_ADDRESSES: dict[int, Address] = {
    4: IPv4Address("255.254.253.252"),
    6: IPv6Address("ffff:fefd:fcfb:faf9:f8f7:f6f5:f4f3:f2f1"),
}
# Fewer hosts of a kind than this are not worth a text of their own.
_FEW = 3
# Odd, with its bits well mixed: its powers weigh the columns of a host's key.
_WEIGHT = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Writing:
    """How a format writes a number: ``marks``: a value for each field that it writes, whose text is unlike any other;
    ``say``: the texts of a column of values.

    Fields: ``latency``, ``rttvar``, ``timeout`` of hosts, ``rtt`` and ``at`` of the ports' evidence.
    """

    marks: Mapping[str, float]
    say: Callable[[F64], list[str]]


def in_digits(values: F64) -> list[str]:
    """``two_digits`` of a column (seconds), each distinct result made once."""
    safe = np.where(values > 0, values, 1.0)
    exponent = np.floor(np.log10(safe))
    keys = (exponent * 1000 + np.rint(safe / 10.0 ** (exponent - 1))).astype(np.int64)
    keys[values <= 0] = -1_000_000
    words: dict[int, str] = {}
    told = []
    for key, value in zip(keys.tolist(), values.tolist(), strict=True):
        word = words.get(key)
        if word is None:
            word = words[key] = two_digits(value)
        told.append(word)
    return told


def in_microseconds(values: F64) -> list[str]:
    """Whole microseconds of a column of seconds."""
    return list(map(str, (values * 1e6).astype(np.int64).tolist()))


def in_full(values: F64) -> list[str]:
    """Each float as JSON writes it."""
    return list(map(repr, values.tolist()))


TEXT = Writing({"latency": 7.7e-11}, in_digits)
XML = Writing({"latency": 77_123_456.25, "rttvar": 77_123_457.25, "timeout": 77_123_458.25}, in_microseconds)
JSON = Writing({"latency": 7.1e-201, "rttvar": 7.2e-201, "timeout": 7.3e-201, "rtt": 7.4e-201, "at": 7.5e-201}, in_full)
PLAIN = Writing({}, in_full)
"""No number differs between hosts."""


def swept_text(event: HostsSwept, render: Callable[[Host], str], writing: Writing) -> str:
    """The text of all hosts in their order; ``render`` writes one host."""
    texts = np.empty(len(event), object)
    for rows in _kinds(event):
        if len(rows) < _FEW:
            texts[rows] = [render(event.host(row)) for row in rows.tolist()]
            continue
        model = render(_marked(event, int(rows[0]), writing))
        texts[rows] = _filled(event, rows, model, writing) if model else ""
    return _joined(event, texts.tolist())


def _kinds(event: HostsSwept) -> list[I64]:
    """Rows of hosts that differ in nothing but addresses and times; hosts with foreign responders are each a kind."""
    count = len(event)
    columns = [
        event.status, event.reasons, event.ttls, np.isnan(event.rtt),
        event.states, event.port_reasons, event.port_ttls, event.tries, event.answered_try,
        event.replies, event.rules, np.isnan(event.trips),
    ]  # fmt: skip
    apart = np.zeros(count, np.uint16)
    for row in {row for row, _ in event.responders}:
        apart[row] = 1 + row % 60_000
    differing = [column.reshape(count, -1) for column in (*columns, apart) if (column != column[:1]).any()]
    if not differing:
        return [np.arange(count)]
    table = np.concatenate([column.astype(np.uint16) for column in differing], axis=1)
    weights = np.cumprod(np.full(table.shape[1], _WEIGHT))
    keys = (table * weights).sum(axis=1, dtype=np.uint64)
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(first_of_run(keys[order]))
    kinds = np.split(order, starts[1:])
    # Two kinds with one key are as unlikely as can be; then each host is written by itself.
    if all((table[rows] == table[rows[0]]).all() for rows in kinds):
        return kinds
    return [np.array([row]) for row in range(count)]


def _marked(event: HostsSwept, row: int, writing: Writing) -> Host:
    """One host with the marks in the places of what differs."""
    host, marks = event.host(row), writing.marks
    ports = tuple(_marked_port(port, number, marks) for number, port in enumerate(host.ports))
    host = replace(host, address=_ADDRESSES[event.family], ports=ports)
    if host.latency is None:
        return host
    return replace(
        host,
        latency=marks.get("latency", host.latency),
        rttvar=marks.get("rttvar", host.rttvar),
        timeout=marks.get("timeout", host.timeout),
    )


def _marked_port(port: Port, number: int, marks: Mapping[str, float]) -> Port:
    evidence = port.evidence
    if evidence is None or "rtt" not in marks:
        return port
    rtt = None if evidence.rtt is None else _numbered(marks["rtt"], number)
    return replace(port, evidence=replace(evidence, rtt=rtt, at=_numbered(marks["at"], number)))


def _numbered(mark: float, number: int) -> float:
    """Another mark for each port: 7.4e-201, 7.4e-202 ..."""
    return float(f"{mark:.1e}".partition("e")[0] + f"e-{201 + number % 90}")


def _filled(event: HostsSwept, rows: I64, model: str, writing: Writing) -> list[str]:
    say, address = writing.say, str(_ADDRESSES[event.family])
    marked: dict[str, list[str]] = {}
    hosts = {"latency": event.rtt, "rttvar": event.rttvar, "timeout": event.timeout}
    for name, column in hosts.items():
        mark = say(np.array([writing.marks[name]]))[0] if name in writing.marks else ""
        if mark and mark in model:
            marked[mark] = say(column[rows])
    if "rtt" in writing.marks:
        shown = np.flatnonzero(event.states[rows[0]])
        for number, place in enumerate(shown.tolist()):
            for name, table in (("rtt", event.trips), ("at", event.times)):
                mark = say(np.array([_numbered(writing.marks[name], number)]))[0]
                if mark in model:
                    marked[mark] = say(table[rows, place])
    places = sorted((place, mark) for mark in (address, *marked) for place in _occurrences(model, mark))
    pieces, end = [], 0
    for place, mark in places:
        pieces.append(model[end:place].replace("%", "%%"))
        end = place + len(mark)
    pieces.append(model[end:].replace("%", "%%"))
    form = "%s".join(pieces)
    if not marked and event.family == 4:
        by_octet = [form % ((_NETWORK + octet,) * len(places)) for octet in _OCTETS]
        return list(map(by_octet.__getitem__, _last_octets(event, rows)))
    marked[address] = _addresses(event, rows)
    return [form % values for values in zip(*(marked[mark] for _, mark in places), strict=True)]


def _occurrences(text: str, part: str) -> list[int]:
    places, place = [], text.find(part)
    while place >= 0:
        places.append(place)
        place = text.find(part, place + len(part))
    return places


# Neighbours share all but the last octet. Where nothing else differs, the others are filled in for all of them at once,
# where this stands; no report ever writes it.
_NETWORK = "\0"
_OCTETS = tuple(map(str, range(256)))
_LACKS_NETWORK = methodcaller("__contains__", _NETWORK)


def _last_octets(event: HostsSwept, rows: I64) -> list[int]:
    octets: list[int] = (event.lo[rows] & np.uint64(0xFF)).tolist()
    return octets


def _networks(lo: U64) -> Iterator[tuple[int, int, str]]:
    """Runs of neighbours: first and last (exclusive) row, and the text that their addresses begin with."""
    networks = lo >> np.uint64(8)
    starts = np.flatnonzero(first_of_run(networks)).tolist()
    for first, end, network in zip(starts, [*starts[1:], len(lo)], networks[starts].tolist(), strict=True):
        yield first, end, f"{network >> 16}.{network >> 8 & 0xFF}.{network & 0xFF}."


def _addresses(event: HostsSwept, rows: I64) -> list[str]:
    if event.family == 6:
        return [str(event.address(row)) for row in rows.tolist()]
    last, texts = _last_octets(event, rows), list[str]()
    for first, end, network in _networks(event.lo[rows]):
        texts += [network + octet for octet in map(_OCTETS.__getitem__, last[first:end])]
    return texts


def _joined(event: HostsSwept, texts: list[str]) -> str:
    """The texts of all hosts as one, with the networks that some addresses still lack."""
    if not any(map(_LACKS_NETWORK, texts)):
        return "".join(texts)
    parts = ["".join(texts[first:end]).replace(_NETWORK, network) for first, end, network in _networks(event.lo)]
    return "".join(parts)
