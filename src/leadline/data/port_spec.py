"""The grammar of ``-p`` (spec sheet 1.4): text -> ``PortSet``.

::

    spec   = item *("," item)
    item   = [prefix] (number | range | name | "[" spec "]")
    prefix = ("T" | "U" | "S" | "P") ":"      ; TCP, UDP, SCTP, IP protocol: holds for this item and all that follow
    range  = [number] "-" [number]            ; an open end means 1, or the highest number there is
    name   = service name, "*" and "?" match as in file names

Brackets keep of what they hold only the ports that have a name in the service table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field

from leadline.data.services import Services, default_services
from leadline.errors import UsageError
from leadline.model.port import Protocol
from leadline.model.port_set import PortSet
from leadline.model.quick_dataclass import dataclass

_PREFIXES = {"T": Protocol.TCP, "U": Protocol.UDP, "S": Protocol.SCTP, "P": Protocol.IP}
_RANGE = re.compile(r"([0-9]*)-([0-9]*)")
_NAME = re.compile(r"[A-Za-z0-9*?][A-Za-z0-9*?._/+-]*")
_TOKEN = re.compile(r"[\[\],]|[^\[\],]+")


def parse_ports(text: str, protocols: Sequence[Protocol], services: Services | None = None) -> PortSet:
    """The ports that ``text`` names, each protocol's ascending and distinct.

    ``protocols``: which protocols an item without prefix means. ``services``: the table for names and brackets,
    ``None`` for the packaged one (read when needed). Raises ``UsageError``, a sentence for each mistake.
    """
    parser = _Parser(text, tuple(protocols), services)
    parser.run()
    if parser.mistakes:
        raise UsageError(*dict.fromkeys(parser.mistakes))
    return PortSet({protocol: tuple(sorted(parser.found[protocol])) for protocol in sorted(parser.found)})


def highest(protocol: Protocol) -> int:
    """The greatest number a port of this protocol can have (IP protocol numbers have one byte, RFC 791)."""
    return 255 if protocol is Protocol.IP else 65535


def _number(digits: str, open_end: int) -> int:
    """The value of some digits; no digits are an open end. Absurdly long ones are cut: too great they stay."""
    return int(digits.lstrip("0")[:9] or "0") if digits else open_end


@dataclass(slots=True)
class _Parser:
    """One run over the tokens; ``protocols`` changes when a prefix is met, ``bracket`` inside brackets."""

    text: str
    protocols: tuple[Protocol, ...]
    services: Services | None
    bracket: bool = False
    found: dict[Protocol, set[int]] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)

    def run(self) -> None:
        expects_item = True
        for token in _TOKEN.findall(self.text):
            if token == ",":
                if expects_item:
                    self.mistake("has an empty item")
                expects_item = True
            elif token == "[":
                if self.bracket or not expects_item:
                    self.mistake('has a "[" where none can stand')
                self.bracket = True
            elif token == "]":
                if not self.bracket or expects_item:
                    self.mistake('has a "]" where none can stand')
                self.bracket = False
            elif rest := self.prefix(token.strip()):
                if not expects_item:
                    self.mistake(f'has no comma before "{token}"')
                self.item(rest)
                expects_item = False
        if expects_item:
            self.mistake("ends where ports should follow" if self.text.strip() else "names no ports")
        if self.bracket:
            self.mistake('has a "[" that is never closed')

    def mistake(self, what: str) -> None:
        self.mistakes.append(f'Port list "{self.text}" {what}.')

    def prefix(self, item: str) -> str:
        """Takes the protocol prefix off an item; what follows it (nothing when brackets follow)."""
        letter, colon, rest = item.partition(":")
        if not colon:
            return item
        protocol = _PREFIXES.get(letter.strip().upper())
        if protocol is None:
            self.mistake(f'has the unknown protocol "{letter}:" (known: T: TCP, U: UDP, S: SCTP, P: IP protocol)')
        else:
            self.protocols = (protocol,)
        return rest.strip()

    def item(self, item: str) -> None:
        if item.isascii() and item.isdigit():
            self.numbers(item, item)
        elif match := _RANGE.fullmatch(item):
            self.numbers(match[1], match[2])
        elif _NAME.fullmatch(item):
            self.named(item)
        else:
            self.mistake(f'has "{item}", which is neither a port, a range nor a service name')

    def numbers(self, first_text: str, last_text: str) -> None:
        """Adds a range; empty texts are open ends (the open start is 1, for IP protocols 0)."""
        for protocol in self.protocols:
            top = highest(protocol)
            first = _number(first_text, 0 if protocol is Protocol.IP else 1)
            last = _number(last_text, top)
            if first > top or last > top:
                kind = "IP protocol numbers" if protocol is Protocol.IP else "ports"
                self.mistake(f"has {first if first > top else last}, but {kind} end at {top}")
            elif first > last:
                self.mistake(f'has the range "{first_text}-{last_text}", which goes backwards')
            elif self.bracket:
                self.add(protocol, [n for n in self.table().registered(protocol) if first <= n <= last])
            else:
                self.add(protocol, range(first, last + 1))

    def named(self, pattern: str) -> None:
        numbers = {protocol: self.table().numbers(pattern, protocol) for protocol in self.protocols}
        if not any(numbers.values()):
            spoken = " or ".join(protocol.label.upper() for protocol in self.protocols) or "any"
            self.mistake(f'has "{pattern}", which matches no {spoken} service name')
        for protocol, of_protocol in numbers.items():
            self.add(protocol, of_protocol)

    def add(self, protocol: Protocol, numbers: Sequence[int]) -> None:
        if numbers:
            self.found.setdefault(protocol, set()).update(numbers)

    def table(self) -> Services:
        if self.services is None:
            self.services = default_services()
        return self.services
