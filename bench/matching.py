"""Matching answers against rules: reading the rules, making and loading their index, each answer, the worst answers."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from bench.table import ratio, table
from leadline.data.service_probes import load_service_probes
from leadline.data.service_rules import NULL, ServiceProbe
from leadline.model.port import Protocol
from leadline.services.cache import load_index, store_index
from leadline.services.checking import check_patterns
from leadline.services.index import Index, build_index
from leadline.services.matcher import MOST_MATCHED, Matcher
from leadline.services.pattern import Pattern
from tests.support.rule_records import Hostility, Record, read_records, themes, worst_text

NMAP = Path("/usr/share/nmap/nmap-service-probes")
RUNS = 5
PASSES = 3
PLAIN_SHARE = 10
"""Trying every rule is measured on one of so many answers."""


def matching() -> str:
    """Recorded answers against our rules and an installed Nmap's: reading, index, an answer, the worst answers."""
    sets = {"our rules": ""} | ({"Nmap's rules": str(NMAP)} if NMAP.exists() else {})
    records = [record for theme in themes() for record in read_records(theme)]
    columns = {name: _measured(path, records) for name, path in sets.items()}
    rows = [[row, *(column[row] for column in columns.values())] for row in next(iter(columns.values()))]
    return table([f"{len(records)} answers, at most {MOST_MATCHED >> 10} KiB of each", *columns], rows)


def _measured(path: str, records: Sequence[Record]) -> dict[str, str]:
    probes = load_service_probes(path)
    index = build_index(probes)
    count = sum(len(probe.rules) for probe in probes.probes)
    matcher = Matcher(probes, index)
    answers = [(_probe(matcher, record), record.answer) for record in records]
    first = _seconds(partial(matcher.match, *answers[0]))
    cold = [_seconds(partial(matcher.match, *answer)) for answer in answers]
    warm = [min(_seconds(partial(matcher.match, *answer)) for _ in range(PASSES)) for answer in answers]
    candidates = [len(index.candidates(answer[:MOST_MATCHED])) for _, answer in answers]
    plain = _every_rule(matcher, answers[::PLAIN_SHARE])
    hits = sum(matcher.match(*answer) is not None for answer in answers)
    return {
        "rules": f"{count}",
        "literals": f"{len(index.literals)}",
        "always tried": f"{len(index.always)}",
        "read": _ms(_best(lambda: load_service_probes(path))),
        "check every pattern": _ms(_best(lambda: check_patterns(probes))),
        "make the index": _ms(_best(lambda: build_index(probes))),
        "load the index": _loaded(index, count),
        "first answer (automaton)": _ms(first),
        "answers recognised": f"{hits}",
        "candidates, mean": f"{statistics.mean(candidates):.0f}",
        "an answer, patterns new": _ms(statistics.mean(cold)),
        "an answer, mean": _ms(statistics.mean(warm)),
        "an answer, median": _ms(statistics.median(warm)),
        "an answer, worst": _ms(max(warm)),
        "every rule tried, mean": f"{_ms(plain)} ({ratio(statistics.mean(warm), plain)})",
    } | _hostile(matcher)


def _hostile(matcher: Matcher) -> dict[str, str]:
    """The worst text found for each rule, against its pattern alone; the ten worst of these against all rules."""
    found: list[tuple[Hostility, ServiceProbe]] = []
    for probe in matcher.probes.probes:
        found += [(worst_text(rule, time.process_time), probe) for rule in probe.rules]
    found.sort(key=lambda pair: -pair[0].seconds)
    whole = [_best(partial(matcher.match, pair[1], pair[0].text)) for pair in found[:10]]
    return {
        "hostile to one rule, mean": _ms(statistics.mean(worst.seconds for worst, _ in found)),
        "hostile to one rule, worst": f"{_ms(found[0][0].seconds)} ({found[0][0].rule.place.rpartition('/')[2]})",
        "rules above 10 ms": f"{sum(worst.seconds > 0.01 for worst, _ in found)}",
        "rules brought to PCRE2's limits": f"{sum(worst.exhausted for worst, _ in found)}",
        "hostile to all rules, worst": _ms(max(whole)),
        "zero bytes, all rules": _ms(_best(lambda: matcher.match(found[0][1], bytes(MOST_MATCHED)))),
    }


def _probe(matcher: Matcher, record: Record) -> ServiceProbe:
    """The probe of that name, else the one that only listens."""
    probe = matcher.probes.named(record.protocol, record.probe) or matcher.probes.named(Protocol.TCP, NULL)
    assert probe is not None
    return probe


def _every_rule(matcher: Matcher, answers: Sequence[tuple[ServiceProbe, bytes]]) -> float:
    """Mean seconds of trying each rule of the probe and of the NULL probe until one matches, patterns compiled."""
    null = matcher.probes.named(Protocol.TCP, NULL)
    patterns = {rule.order: Pattern(rule) for probe in matcher.probes.probes for rule in probe.rules}

    def attempt(probe: ServiceProbe, answer: bytes) -> None:
        for owner in (probe, null) if null is not None and probe is not null else (probe,):
            for rule in owner.rules:
                if patterns[rule.order].captures(answer[:MOST_MATCHED]) is not None:
                    return

    return statistics.mean(_seconds(partial(attempt, *answer)) for answer in answers)


def _loaded(index: Index, rules: int) -> str:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "leadline"
        store_index(folder, index)
        size = sum(path.stat().st_size for path in folder.iterdir())
        return f"{_ms(_best(lambda: load_index(folder, index.digest, rules)))} ({size / 1024:.0f} KiB)"


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _best(work: Callable[[], object]) -> float:
    return min(_seconds(work) for _ in range(RUNS))


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"
