"""Which rules an answer can match at all: found in one pass over it, however many rules there are.

Of each rule's clauses (``literals``) one is chosen, the least common among all rules; an Aho-Corasick automaton finds
all chosen literals in the answer. Rules without a usable clause are always candidates. What is left is tried in file
order, so the first match is the same as if every rule were tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leadline.data.service_rules import Rule, ServiceProbes
from leadline.services.literals import Clause, clauses_of
from leadline.services.pattern import plain_escapes

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

# What a short literal costs beside one that so many rules more have: it is hit more often by chance.
_SHORTNESS = {2: 400, 3: 60, 4: 10}


@dataclass(slots=True)
class Index:
    """``literals``: distinct, in lower case; ``rules[i]``: orders of the rules that ``literals[i]`` makes candidates;
    ``always``: those of the rules that are candidates for every answer. Orders ascend. ``digest``: that of the rules.
    """

    literals: Sequence[bytes]
    rules: Sequence[Sequence[int]]
    always: Sequence[int]
    digest: str
    _automaton: BytesAhoCorasick | None = field(default=None, repr=False, compare=False)

    def candidates(self, text: bytes) -> list[int]:
        """Orders of the rules that can match, ascending."""
        automaton = self._automaton or self._built()
        hits = {hit[0] for hit in automaton.find_matches_as_indexes(text.lower(), overlapping=True)}
        found = set(self.always)
        for hit in hits:
            found.update(self.rules[hit])
        return sorted(found)

    def _built(self) -> BytesAhoCorasick:
        """The automaton, made when the first answer comes: until then nobody waits for it."""
        from ahocorasick_rs import BytesAhoCorasick, Implementation

        self._automaton = BytesAhoCorasick(self.literals, implementation=Implementation.NoncontiguousNFA)
        return self._automaton


def build_index(probes: ServiceProbes) -> Index:
    """Reads every pattern; about 40 microseconds each."""
    rules = [rule for probe in probes.probes for rule in probe.rules]
    clauses = {rule.order: _clauses(rule) for rule in rules}
    counts = Counter(literal for of_rule in clauses.values() for clause in of_rule for literal in clause)
    places: dict[bytes, list[int]] = {}
    always = []
    for order, of_rule in sorted(clauses.items()):
        if of_rule:
            for literal in min(of_rule, key=lambda clause: _cost(clause, counts)):
                places.setdefault(literal, []).append(order)
        else:
            always.append(order)
    return Index(tuple(places), tuple(map(tuple, places.values())), tuple(always), probes.digest)


def _clauses(rule: Rule) -> Iterable[Clause]:
    return clauses_of(plain_escapes(rule.pattern))


def _cost(clause: Clause, counts: Counter[bytes]) -> int:
    """Ascending from what few rules have and seldom comes by chance."""
    return sum(counts[literal] + _SHORTNESS.get(len(literal), 0) for literal in clause)
