"""What an answer is: the first rule that matches it, in file order (spec sheet 3.2 step 6)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from leadline.data.service_probes import load_service_probes
from leadline.data.service_rules import NULL, Rule, ServiceProbe, ServiceProbes
from leadline.model.port import Protocol
from leadline.services.cache import load_index, store_index
from leadline.services.checking import check_patterns
from leadline.services.expansion import Fields, expand
from leadline.services.index import Index, build_index
from leadline.services.pattern import Pattern

MOST_MATCHED = 16 << 10
"""No more bytes of an answer than this are looked at."""
MOST_EXHAUSTED = 16
"""After so many rules that reached PCRE2's limits an answer is hostile, and no further rule is tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match(Fields):
    """A rule that matched, and what it says of the service. ``probe``: the name of the probe whose rule it is.

    ``cpe``: whole names (``cpe:/a:vendor:product:version``).
    """

    rule: Rule
    probe: str

    @property
    def service(self) -> str:
        return self.rule.service

    @property
    def tunnel(self) -> str:
        return self.rule.tunnel

    @property
    def soft(self) -> bool:
        return self.rule.soft


class Matcher:
    """Tells answers by the rules of ``probes``. ``index``: theirs, made when there is none."""

    def __init__(self, probes: ServiceProbes, index: Index | None = None) -> None:
        self.probes = probes
        self.index = index or build_index(probes)
        self._rules = {rule.order: rule for probe in probes.probes for rule in probe.rules}
        self._owners = {rule.order: place for place, probe in enumerate(probes.probes) for rule in probe.rules}
        self._chains: dict[tuple[Protocol, str], tuple[int, ...]] = {}
        self._patterns: dict[int, Pattern] = {}

    def match(self, probe: ServiceProbe, response: bytes, *, soft: bool = True) -> Match | None:
        """The first rule that matches an answer to ``probe``: of its own rules, of its fallbacks' in their order,
        then of the NULL probe's (TCP). ``soft`` = ``False`` leaves ``softmatch`` rules out. Never raises.
        """
        text = response[:MOST_MATCHED]
        candidates: dict[int, list[Rule]] = {owner: [] for owner in self._chain(probe)}
        for order in self.index.candidates(text):
            owner = self._owners[order]
            if owner in candidates and (soft or not self._rules[order].soft):
                candidates[owner].append(self._rules[order])
        exhausted = 0
        for owner, rules in candidates.items():
            for rule in rules:
                pattern = self._pattern(rule)
                captures = pattern.captures(text)
                if captures is not None:
                    said = expand(rule.template, captures)
                    return Match(rule=rule, probe=self.probes.probes[owner].name, **asdict(said))
                exhausted += pattern.exhausted
                if exhausted == MOST_EXHAUSTED:
                    return None
        return None

    def _chain(self, probe: ServiceProbe) -> tuple[int, ...]:
        """Places of the probes whose rules an answer to ``probe`` is held against, in order, each once."""
        key = (probe.protocol, probe.name)
        chain = self._chains.get(key)
        if chain is None:
            places = {(one.protocol, one.name): place for place, one in enumerate(self.probes.probes)}
            other = Protocol.UDP if probe.protocol is Protocol.TCP else Protocol.TCP
            fallbacks = [(probe.protocol, name) for name in probe.fallback]
            keys = [key, *(one if one in places else (other, one[1]) for one in fallbacks)]
            if probe.protocol is Protocol.TCP:
                keys.append((Protocol.TCP, NULL))
            chain = self._chains[key] = tuple(dict.fromkeys(places[one] for one in keys if one in places))
        return chain

    def _pattern(self, rule: Rule) -> Pattern:
        pattern = self._patterns.get(rule.order)
        if pattern is None:
            pattern = self._patterns[rule.order] = Pattern(rule)
        return pattern


def make_matcher(rules: str = "", cache_folder: Path | None = None) -> Matcher:
    """The matcher for our own rules, or for the file or folder ``rules``.

    ``cache_folder``: where indexes are kept (``cache.default_folder``); ``None``: nowhere. Raises ``DataError``, for a
    user's own rules also when a pattern cannot be used.
    """
    probes = load_service_probes(rules)
    count = sum(len(probe.rules) for probe in probes.probes)
    index = load_index(cache_folder, probes.digest, count) if cache_folder else None
    if index is None:
        if rules:
            check_patterns(probes)
        index = build_index(probes)
        if cache_folder:
            store_index(cache_folder, index)
    return Matcher(probes, index)
