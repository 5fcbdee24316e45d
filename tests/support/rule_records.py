"""Recorded and documented answers (``tests/recorded``), and how our rules do on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadline.data.service_probes import FOLDER
from leadline.data.service_rules import Rule, ServiceProbe, ServiceProbes
from leadline.model.port import Protocol
from leadline.services.checking import problems
from leadline.services.literals import clauses_of
from leadline.services.matcher import MOST_MATCHED, Match, Matcher
from leadline.services.pattern import Pattern, plain_escapes
from tests.support.pattern_texts import hostile_texts

RECORDED = Path(__file__).resolve().parents[1] / "recorded"
SOURCES = ("recorded: ", "documented: ")
FIELDS = ("service", "tunnel", "soft", "product", "version", "extrainfo", "hostname", "ostype", "devicetype", "cpe")
# What a record may leave out, and what is then meant.
OMITTED = {name: "" for name in FIELDS if name != "service"} | {"soft": False, "cpe": [], "protocol": "tcp"}


@dataclass(frozen=True, slots=True)
class Record:
    """One answer and what is to be told from it. An answer that was read through TLS has the tunnel ``ssl``, which a
    rule may say too (``ssl/NAME``) but need not: it is known already.
    """

    theme: str
    line: int
    probe: str
    protocol: Protocol
    answer: bytes
    expected: dict[str, object]
    source: str

    @property
    def place(self) -> str:
        return f"{self.theme}.jsonl:{self.line}"


def themes() -> list[str]:
    """``mail`` for ``12-mail.probes``, in the order in which the files are read."""
    return [theme_of(path.name) for path in sorted(FOLDER.glob("*.probes"))]


def theme_of(name: str) -> str:
    return name.removesuffix(".probes").partition("-")[2]


def read_records(theme: str) -> list[Record]:
    """A theme's records; ``ValueError`` with place for one that is not of the form."""
    path = RECORDED / f"{theme}.jsonl"
    if not path.exists():
        return []
    lines = enumerate(path.read_text("utf-8").split("\n"), 1)
    return [_record(theme, number, line) for number, line in lines if line.strip()]


def _record(theme: str, number: int, line: str) -> Record:
    try:
        stored = OMITTED | json.loads(line)
        expected = {name: stored.pop(name) for name in FIELDS}
        record = Record(
            theme,
            number,
            stored.pop("probe"),
            Protocol[stored.pop("protocol").upper()],
            stored.pop("answer").encode("latin-1"),
            expected | {"cpe": tuple(expected["cpe"])},
            stored.pop("source"),
        )
        if stored:
            raise ValueError(f"unknown fields {sorted(stored)}")
        if not record.source.startswith(SOURCES) or not record.source.partition(": ")[2].strip():
            raise ValueError(f"the source begins with neither of {SOURCES}")
        if not record.answer:
            raise ValueError("the answer is empty")
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"{theme}.jsonl:{number}: {type(problem).__name__}: {problem}") from None
    return record


@dataclass(frozen=True, slots=True)
class Verdict:
    """A record held against the rules; ``difference``: in words, empty when the match is what is expected."""

    record: Record
    match: Match | None
    difference: str


def judge(matcher: Matcher, record: Record) -> Verdict:
    probe = probe_of(matcher.probes, record)
    if probe is None:
        return Verdict(record, None, f"there is no probe {record.probe}")
    match = matcher.match(probe, record.answer)
    if match is None:
        return Verdict(record, None, "no rule matches")
    got = {name: getattr(match, name) for name in FIELDS} | {"tunnel": match.tunnel or record.expected["tunnel"]}
    wrong = [f"{name}: expected {record.expected[name]!r}, got {got[name]!r}" for name in FIELDS
             if got[name] != record.expected[name]]  # fmt: skip
    return Verdict(record, match, "; ".join([*wrong, f"by {match.rule.place}"] if wrong else []))


def probe_of(probes: ServiceProbes, record: Record) -> ServiceProbe | None:
    return probes.named(record.protocol, record.probe)


def rules_of(probes: ServiceProbes, chosen: Sequence[str]) -> Iterator[tuple[ServiceProbe, Rule]]:
    """The rules that the files of the chosen themes have."""
    for probe in probes.probes:
        for rule in probe.rules:
            if theme_of(rule.source) in chosen:
                yield probe, rule


def bad_rules(probes: ServiceProbes, chosen: Sequence[str]) -> list[str]:
    return [f"{rule.place}: {what}" for _, rule in rules_of(probes, chosen) for what in problems(rule)]


@dataclass(frozen=True, slots=True)
class Hostility:
    """The text that a pattern took longest for. ``seconds``; ``exhausted``: whether it reached PCRE2's limits."""

    rule: Rule
    text: bytes
    seconds: float
    exhausted: bool


def worst_text(rule: Rule, clock: Callable[[], float]) -> Hostility:
    """Tries some dozens of texts, as long as any that is matched."""
    pattern = Pattern(rule)
    literals = [literal for clause in clauses_of(plain_escapes(rule.pattern)) for literal in sorted(clause)]
    worst = Hostility(rule, b"", 0.0, False)
    for text in hostile_texts(rule, literals, MOST_MATCHED):
        began = clock()
        pattern.captures(text)
        seconds = clock() - began
        if seconds > worst.seconds:
            worst = Hostility(rule, text, seconds, pattern.exhausted)
    return worst


def unproven(probes: ServiceProbes, chosen: Sequence[str], verdicts: Sequence[Verdict]) -> list[str]:
    """Rules that no record has as its first match."""
    proven = {verdict.match.rule.order for verdict in verdicts if verdict.match is not None}
    return [
        f"{rule.place}: {probe.name} {rule.service} {rule.pattern[:60]!r}"
        for probe, rule in rules_of(probes, chosen)
        if rule.order not in proven
    ]
