"""The index leaves out no rule: the first match is the one that trying every rule in file order finds.

For every rule of ours, and for every rule of an installed Nmap (its file is only loaded by the program here), texts are
made that it matches.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadline.data.service_probes import load_service_probes
from leadline.data.service_rules import NULL, Rule, ServiceProbe
from leadline.model.port import Protocol
from leadline.services.matcher import MOST_MATCHED, Matcher
from leadline.services.pattern import Pattern
from tests.support.pattern_texts import matching_texts
from tests.support.rule_records import probe_of, read_records, themes

NMAP = Path("/usr/share/nmap/nmap-service-probes")
needs_nmap = pytest.mark.skipif(not NMAP.exists(), reason="needs the rules of an installed Nmap")


class EveryRule:
    """What the index must be equal to."""

    def __init__(self, matcher: Matcher) -> None:
        self.probes = matcher.probes
        self.patterns = {rule.order: Pattern(rule) for probe in self.probes.probes for rule in probe.rules}

    def first(self, probe: ServiceProbe, text: bytes) -> Rule | None:
        for owner in self.owners(probe):
            for rule in owner.rules:
                if self.patterns[rule.order].captures(text[:MOST_MATCHED]) is not None:
                    return rule
        return None

    def owners(self, probe: ServiceProbe) -> list[ServiceProbe]:
        names = [probe.name, *probe.fallback, *([NULL] if probe.protocol is Protocol.TCP else [])]
        other = Protocol.UDP if probe.protocol is Protocol.TCP else Protocol.TCP
        found = [self.probes.named(probe.protocol, name) or self.probes.named(other, name) for name in names]
        return list({owner.name: owner for owner in found if owner}.values())


def rules(matcher: Matcher) -> Iterator[tuple[ServiceProbe, Rule]]:
    return ((probe, rule) for probe in matcher.probes.probes for rule in probe.rules)


def matched_texts(every: EveryRule, rule: Rule, count: int) -> list[bytes]:
    texts = matching_texts(rule, count)
    return [text for text in texts if every.patterns[rule.order].captures(text) is not None]


@pytest.fixture(scope="module")
def ours() -> Matcher:
    return Matcher(load_service_probes())


@pytest.fixture(scope="module")
def nmaps() -> Matcher:
    return Matcher(load_service_probes(NMAP))


def test_every_record_has_the_same_first_match(ours: Matcher) -> None:
    every = EveryRule(ours)
    records = [record for theme in themes() for record in read_records(theme)]
    for record in records:
        probe = probe_of(ours.probes, record)
        if probe is not None:
            match = ours.match(probe, record.answer)
            assert (match.rule if match else None) is every.first(probe, record.answer), record.place


def test_every_rule_of_ours_has_the_same_first_match(ours: Matcher) -> None:
    every = EveryRule(ours)
    recorded: dict[int, list[bytes]] = {}
    for record in (record for theme in themes() for record in read_records(theme)):
        probe = probe_of(ours.probes, record)
        match = ours.match(probe, record.answer) if probe else None
        if match is not None:
            recorded.setdefault(match.rule.order, []).append(record.answer)
    for probe, rule in rules(ours):
        texts = matched_texts(every, rule, 6) or recorded.get(rule.order, [])
        assert texts, f"{rule.place}: no text was found that it matches"
        for text in texts[:2]:
            match = ours.match(probe, text)
            assert match is not None, rule.place
            assert match.rule is every.first(probe, text), rule.place


def test_what_matches_a_rule_makes_it_a_candidate(ours: Matcher) -> None:
    every = EveryRule(ours)
    for _, rule in rules(ours):
        for text in matched_texts(every, rule, 12):
            assert rule.order in ours.index.candidates(text), rule.place


@needs_nmap
@pytest.mark.slow
def test_what_matches_a_rule_of_nmap_makes_it_a_candidate(nmaps: Matcher) -> None:
    every = EveryRule(nmaps)
    without_text = 0
    for _, rule in rules(nmaps):
        texts = matched_texts(every, rule, 4)
        without_text += not texts
        for text in texts:
            assert rule.order in nmaps.index.candidates(text), rule.place
    assert without_text < 20


@needs_nmap
@pytest.mark.slow
def test_rules_of_nmap_have_the_same_first_match(nmaps: Matcher) -> None:
    """Every 25th rule: trying all of twelve thousand for the text of each would take minutes."""
    every = EveryRule(nmaps)
    for probe, rule in [*rules(nmaps)][::25]:
        for text in matched_texts(every, rule, 3)[-1:]:
            match = nmaps.match(probe, text)
            assert match is not None, rule.place
            assert match.rule is every.first(probe, text), rule.place
