"""Scan results side by side: reads XML in Nmap's format (Nmap's own or ours) and tells where two scans differ.

What is compared is what both must agree on: which hosts are up and why, every port's state and reason, TTLs and
responders of single ports, names. Latencies, times and texts are left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class PortResult:
    """``ttl`` and ``responder`` are known only for ports that were listed one by one (``listed``)."""

    state: str
    reason: str
    ttl: int = 0
    responder: str = ""
    listed: bool = False

    def __str__(self) -> str:
        details = f" ttl {self.ttl}" if self.listed and self.ttl else ""
        return f"{self.state} ({self.reason}{details}{' from ' + self.responder if self.responder else ''})"


@dataclass(slots=True)
class HostResult:
    """One host. ``ports`` maps ``(protocol, number)``; ``names`` are ``(name, kind)`` pairs."""

    status: str
    reason: str
    ttl: int = 0
    names: tuple[tuple[str, str], ...] = ()
    mac: str = ""
    ports: dict[tuple[str, int], PortResult] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} ({self.reason}{f' ttl {self.ttl}' if self.ttl else ''})"


Results = dict[str, HostResult]


def parse(document: bytes | str | Path) -> Results:
    """The hosts of one XML document (bytes, text or file), by address. Damaged XML raises ``etree.XMLSyntaxError``."""
    content = document.read_bytes() if isinstance(document, Path) else document
    root = etree.fromstring(content.encode() if isinstance(content, str) else content, _parser())
    return dict(map(_host, root.iter("host")))


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


def _host(element: etree._Element) -> tuple[str, HostResult]:
    status = element.find("status")
    kinds = {item.get("addrtype"): item.get("addr", "") for item in element.findall("address")}
    names = tuple(sorted((item.get("name", ""), item.get("type", "")) for item in element.iter("hostname")))
    host = HostResult(
        status=status.get("state", "") if status is not None else "",
        reason=status.get("reason", "") if status is not None else "",
        ttl=int(status.get("reason_ttl", "0")) if status is not None else 0,
        names=names,
        mac=kinds.get("mac", ""),
        ports=dict(_ports(element)),
    )
    return kinds.get("ipv4") or kinds.get("ipv6") or "", host


def _ports(element: etree._Element) -> Iterator[tuple[tuple[str, int], PortResult]]:
    for extra in element.iter("extraports"):
        for reasons in extra.iter("extrareasons"):
            result = PortResult(extra.get("state", ""), canonical_reason(reasons.get("reason", "")))
            for number in expand(reasons.get("ports", "")):
                # Nmap says "n/a" where it counts IP protocols, and "ip" where it lists them.
                yield (reasons.get("proto", "").replace("n/a", "ip"), number), result
    for port in element.iter("port"):
        state = port.find("state")
        assert state is not None
        result = PortResult(
            state.get("state", ""),
            canonical_reason(state.get("reason", "")),
            int(state.get("reason_ttl", "0")),
            state.get("reason_ip", ""),
            listed=True,
        )
        yield (port.get("protocol", ""), int(port.get("portid", "0"))), result


def canonical_reason(reason: str) -> str:
    """Nmap writes some reasons in the plural where it counts them (``resets``)."""
    plurals = {"resets": "reset", "no-responses": "no-response", "syn-acks": "syn-ack"}
    return plurals.get(reason, reason.removesuffix("es") if reason.endswith("unreaches") else reason)


def expand(ranges: str) -> Iterator[int]:
    """``"1-3,7"`` -> 1 2 3 7."""
    for part in filter(None, ranges.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def differences(
    peer: Results, ours: Results, *, ttl: bool = True, names: bool = True, alike: Collection[str] = ()
) -> list[str]:
    """One line for each difference, runs of ports together; empty when both say the same.

    ``alike``: reasons of hosts that count as one, because which of them is seen is a race.
    """
    lines = []
    for address in sorted(peer.keys() | ours.keys()):
        theirs, mine = peer.get(address), ours.get(address)
        if theirs is None or mine is None:
            lines.append(f"{address}: peer {theirs or 'has no such host'}, ours {mine or 'has no such host'}")
            continue
        same_reason = theirs.reason == mine.reason or {theirs.reason, mine.reason} <= set(alike)
        if theirs.status != mine.status or not same_reason or (ttl and theirs.ttl != mine.ttl):
            lines.append(f"{address}: peer {theirs}, ours {mine}")
        if names and theirs.names != mine.names:
            lines.append(f"{address}: names: peer {theirs.names}, ours {mine.names}")
        if theirs.mac != mine.mac:
            lines.append(f"{address}: MAC: peer {theirs.mac or 'none'}, ours {mine.mac or 'none'}")
        lines += _port_differences(address, theirs, mine, ttl)
    return lines


def _same(theirs: PortResult | None, mine: PortResult | None, ttl: bool) -> bool:
    if theirs is None or mine is None:
        return theirs is mine
    if (theirs.state, theirs.reason) != (mine.state, mine.reason):
        return False
    if not (theirs.listed and mine.listed):
        return True
    return theirs.responder == mine.responder and (not ttl or theirs.ttl == mine.ttl)


def _port_differences(address: str, theirs: HostResult, mine: HostResult, ttl: bool) -> Iterator[str]:
    different = [
        (key, str(theirs.ports.get(key, "not there")), str(mine.ports.get(key, "not there")))
        for key in sorted(theirs.ports.keys() | mine.ports.keys())
        if not _same(theirs.ports.get(key), mine.ports.get(key), ttl)
    ]
    for (protocol, peer_says, we_say), group in itertools.groupby(different, key=lambda row: (row[0][0], *row[1:])):
        numbers = ",".join(compress(row[0][1] for row in group))
        yield f"{address} {protocol}/{numbers}: peer {peer_says}, ours {we_say}"


def compress(numbers: Iterable[int]) -> list[str]:
    """1 2 3 7 -> ``["1-3", "7"]``. Ascending input."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return [str(first) if first == last else f"{first}-{last}" for first, last in ranges]


def assert_same(
    peer: Results, ours: Results, *, ttl: bool = True, names: bool = True, alike: Collection[str] = ()
) -> None:
    """Fail with the differences, if there are any. Two empty results are a failure too: nothing was compared."""
    assert peer, "the peer reported no host at all"
    lines = differences(peer, ours, ttl=ttl, names=names, alike=alike)
    if lines:
        shown = lines[:MOST_LINES]
        more = f"\n... and {len(lines) - len(shown)} more" if len(lines) > len(shown) else ""
        raise AssertionError(f"{len(lines)} differences from the peer:\n" + "\n".join(shown) + more)
