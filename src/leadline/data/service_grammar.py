r"""The grammar of version detection's rules (spec sheet 3.1), that of ``nmap-service-probes``: bytes -> values.

::

    line     = *8191byte                    ; "#" begins a comment line, blank lines are skipped
    Exclude <ports>                         ; at most once, before a file's first Probe; grammar of -p
    Probe <TCP|UDP> <name> q<d>payload<d> [no-payload]
    match|softmatch <service> m<d>pattern<d>[is] [templates]
    ports|sslports <number | range>[,...]
    rarity <1..9>
    fallback <probe>[,...]                  ; at most 18, same protocol preferred
    totalwaitms|tcpwrappedms <100..300000>

``<d>`` is any byte; in payloads the escapes of C stand for bytes: ``\ \0 \a \b \f \n \r \t \v \xHH``.

Several sources are read as if they were one. A ``Probe`` line that repeats an earlier one (protocol, name and payload)
continues it: its rules come after the earlier ones and its ports are united with theirs. Patterns and the insertions of
templates are not looked into here: ``services.checking`` does that.
"""

from __future__ import annotations

import gc
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import NoReturn

from leadline.data.port_spec import parse_ports
from leadline.data.service_rules import NULL, Rule, ServiceProbe, ServiceProbes
from leadline.data.service_template import parse_template
from leadline.errors import DataError, UsageError
from leadline.model.port import Protocol
from leadline.model.port_set import PortSet
from leadline.model.quick_dataclass import dataclass

LONGEST_LINE = 8191
LONGEST_SERVICE = 32
MOST_FALLBACKS = 18

_PROTOCOLS = {b"TCP": Protocol.TCP, b"UDP": Protocol.UDP}
ESCAPES = {
    b"\\": b"\\", b"0": b"\0", b"a": b"\a", b"b": b"\b", b"f": b"\f",
    b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
}  # fmt: skip
"""What C's escapes of one letter mean."""
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.)|$)", re.DOTALL)
_RANGE = re.compile(rb"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_NUMBER = re.compile(rb"[0-9]{1,9}")
_TUNNEL = "ssl/"


def parse(sources: Sequence[tuple[str, bytes]]) -> ServiceProbes:
    """All sources as one, in their order. Raises ``DataError`` for the first mistake, with source and line."""
    reader = _Reader()
    digest = hashlib.sha256()
    with _nothing_to_collect():
        for name, content in sources:
            digest.update(len(content).to_bytes(8, "big") + content)
            reader.read(name, content)
    return ServiceProbes(reader.finished(), reader.excluded or PortSet(), digest.hexdigest())


@contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """Without looking for garbage, which there is none of: it would take as long as reading all the rules."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@dataclass(slots=True)
class _Draft:
    """A probe that is being read. ``given``: which of the directives that may stand once have stood, and where."""

    protocol: Protocol
    name: str
    payload: bytes
    payload_allowed: bool
    ports: set[tuple[int, int]] = field(default_factory=set)
    ssl_ports: set[tuple[int, int]] = field(default_factory=set)
    rarity: int = 5
    fallback: tuple[str, ...] = ()
    total_wait: float = 5.0
    wrapped_wait: float = 2.0
    rules: list[Rule] = field(default_factory=list)
    given: dict[str, tuple[str, int]] = field(default_factory=dict)

    def finished(self) -> ServiceProbe:
        return ServiceProbe(
            self.protocol,
            self.name,
            self.payload,
            self.payload_allowed,
            _united(self.ports),
            _united(self.ssl_ports),
            self.rarity,
            self.fallback,
            self.total_wait,
            self.wrapped_wait,
            tuple(self.rules),
            frozenset(rule.service for rule in self.rules),
        )


def _united(ranges: set[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Ascending, ranges that overlap or touch made one."""
    united: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if united and first <= united[-1][1] + 1:
            united[-1] = (united[-1][0], max(last, united[-1][1]))
        else:
            united.append((first, last))
    return tuple(united)


class _Reader:
    """Reads line after line; ``source`` and ``line`` are where it is."""

    def __init__(self) -> None:
        self.drafts: dict[tuple[Protocol, str], _Draft] = {}
        self.excluded: PortSet | None = None
        self.source = ""
        self.line = 0
        self.order = 0
        self.draft: _Draft | None = None
        self.services: dict[bytes, tuple[str, str]] = {}
        self.directives: dict[bytes, Callable[[bytes], None]] = {
            b"match": self.match,
            b"softmatch": self.softmatch,
            b"Probe": self.probe,
            b"ports": lambda rest: self.open_draft("ports").ports.update(self.ranges(rest)),
            b"sslports": lambda rest: self.open_draft("sslports").ssl_ports.update(self.ranges(rest)),
            b"rarity": self.rarity,
            b"fallback": self.fallback,
            b"totalwaitms": self.total_wait,
            b"tcpwrappedms": self.wrapped_wait,
            b"Exclude": self.exclude,
        }

    def read(self, source: str, content: bytes) -> None:
        self.source, self.line, self.draft = source, 0, None
        directives = self.directives
        for number, line in enumerate(content.split(b"\n"), 1):
            if line[:1] == b"#":
                continue
            words = line.split(None, 1)
            if not words:
                continue
            self.line = number
            if len(line) > LONGEST_LINE:
                self.fail(f"the line is longer than {LONGEST_LINE} bytes")
            directive = directives.get(words[0])
            if directive is None:
                self.fail(f"there is no directive {_quoted(words[0])}")
            if len(words) == 1:
                self.fail(f"nothing follows {_quoted(words[0])}")
            directive(words[1])

    def fail(self, message: str) -> NoReturn:
        raise DataError(message, self.source, self.line)

    def finished(self) -> tuple[ServiceProbe, ...]:
        names = {name for _, name in self.drafts}
        for draft in self.drafts.values():
            if unknown := [name for name in draft.fallback if name not in names]:
                raise DataError(f'the fallback "{unknown[0]}" is the name of no probe', *draft.given["fallback"])
        return tuple(draft.finished() for draft in self.drafts.values())

    def open_draft(self, directive: str, once: bool = False) -> _Draft:
        """The probe that a directive belongs to; with ``once``, one that has not had this directive yet."""
        if self.draft is None:
            self.fail(f'"{directive}" stands before any Probe')
        if once:
            if directive in self.draft.given:
                source, line = self.draft.given[directive]
                self.fail(f'the probe "{self.draft.name}" has its "{directive}" already in {source}:{line}')
            self.draft.given[directive] = (self.source, self.line)
        return self.draft

    def match(self, rest: bytes) -> None:
        self.rule(rest, False)

    def softmatch(self, rest: bytes) -> None:
        self.rule(rest, True)

    def rule(self, rest: bytes, soft: bool) -> None:
        draft = self.draft or self.open_draft("softmatch" if soft else "match")
        service, _, text = rest.partition(b" ")
        if text[:1] != b"m":
            text = text.lstrip()
        if text[:1] != b"m":
            self.fail("the pattern does not begin with m")
        end = text.find(text[1:2], 2)
        if end < 0 or len(text) < 3:
            self.fail("the pattern is not closed")
        flags, _, templates = text[end + 1 :].partition(b" ")
        flags = flags.rstrip()
        if flags.strip(b"is"):
            self.fail(f"the pattern has the unknown flag {_quoted(flags.strip(b'is'))}")
        try:
            template = parse_template(templates)
        except ValueError as problem:
            self.fail(str(problem))
        name, tunnel = self.services.get(service) or self.service(service)
        draft.rules.append(
            Rule(
                self.order,
                name,
                soft,
                text[2:end],
                b"i" in flags,
                b"s" in flags,
                template,
                tunnel,
                self.source,
                self.line,
            )
        )
        self.order += 1

    def service(self, written: bytes) -> tuple[str, str]:
        """Name and tunnel of a service as written, remembered."""
        text = self.text(written, "service")
        name, tunnel = (text.removeprefix(_TUNNEL), "ssl") if text.startswith(_TUNNEL) else (text, "")
        if not 1 <= len(name) <= LONGEST_SERVICE:
            self.fail(f'the service name "{name}" has not 1 to {LONGEST_SERVICE} characters')
        self.services[written] = (name, tunnel)
        return name, tunnel

    def text(self, word: bytes, what: str) -> str:
        """A name, which must be printable ASCII."""
        text = word.decode("latin-1")
        if not text.isascii() or not text.isprintable():
            self.fail(f"the {what} {_quoted(word)} is not printable ASCII")
        return text

    def probe(self, rest: bytes) -> None:
        words = rest.split(None, 2)
        if len(words) != 3 or words[0] not in _PROTOCOLS:
            self.fail("a Probe needs TCP or UDP, a name and a payload")
        protocol, name, text = _PROTOCOLS[words[0]], self.text(words[1], "probe"), words[2]
        end = text.find(text[1:2], 2)
        if text[:1] != b"q" or len(text) < 3 or end < 0:
            self.fail("the payload is not of the form q|...|")
        payload = self.unescaped(text[2:end])
        option = text[end + 1 :].strip()
        if option not in (b"", b"no-payload"):
            self.fail(f"{_quoted(option)} stands behind the payload, where only no-payload can")
        if protocol is Protocol.TCP and (name == NULL) is bool(payload):
            self.fail(f'the TCP probe that sends nothing, and no other, is called "{NULL}"')
        draft = self.drafts.get((protocol, name))
        if draft is None:
            draft = self.drafts[protocol, name] = _Draft(protocol, name, payload, True)
        elif draft.payload != payload:
            self.fail(f'there is a {protocol.label.upper()} probe "{name}" already, with another payload')
        if option:
            draft.payload_allowed = False
        self.draft = draft

    def unescaped(self, text: bytes) -> bytes:
        def plain(match: re.Match[bytes]) -> bytes:
            if match[1] is not None:
                return bytes.fromhex(match[1].decode())
            if match[2] not in ESCAPES:
                self.fail(f"the payload has the unknown escape {_quoted(match[0])}")
            return ESCAPES[match[2]]

        return _ESCAPE.sub(plain, text)

    def ranges(self, rest: bytes) -> list[tuple[int, int]]:
        ranges = []
        for item in rest.split(b","):
            match = _RANGE.fullmatch(item.strip())
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
            if not first <= last <= 65535:
                self.fail(f"{_quoted(item.strip())} is no port and no range of ports")
            ranges.append((first, last))
        return ranges

    def number(self, rest: bytes, least: int, most: int) -> int:
        digits = rest.strip()
        if not _NUMBER.fullmatch(digits) or not least <= int(digits) <= most:
            self.fail(f"{_quoted(digits)} is no number from {least} to {most}")
        return int(digits)

    def rarity(self, rest: bytes) -> None:
        self.open_draft("rarity", once=True).rarity = self.number(rest, 1, 9)

    def total_wait(self, rest: bytes) -> None:
        self.open_draft("totalwaitms", once=True).total_wait = self.number(rest, 100, 300_000) / 1000

    def wrapped_wait(self, rest: bytes) -> None:
        self.open_draft("tcpwrappedms", once=True).wrapped_wait = self.number(rest, 100, 300_000) / 1000

    def fallback(self, rest: bytes) -> None:
        names = tuple(self.text(name.strip(), "fallback") for name in rest.split(b","))
        if not all(names) or len(names) > MOST_FALLBACKS:
            self.fail(f"a fallback has 1 to {MOST_FALLBACKS} names of probes")
        self.open_draft("fallback", once=True).fallback = names

    def exclude(self, rest: bytes) -> None:
        if self.excluded is not None:
            self.fail("there is more than one Exclude")
        if self.draft is not None:
            self.fail("Exclude stands behind a Probe")
        try:
            self.excluded = parse_ports(rest.strip().decode("latin-1"), (Protocol.TCP, Protocol.UDP))
        except UsageError as problem:
            self.fail(" ".join(problem.messages))


def _quoted(word: bytes) -> str:
    """For messages: at most 40 bytes, escaped."""
    return '"' + word[:40].decode("ascii", "backslashreplace").encode("unicode_escape").decode("ascii") + '"'
