"""What an answer is: the first rule that matches it, in file order (spec sheet 3.2 step 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from leadline.data.service_probes import load_service_probes
from leadline.data.service_rules import NULL, Rule, ServiceProbe, ServiceProbes
from leadline.model.port import Protocol
from leadline.services.expansion import expand
from leadline.services.pattern import Captures, Pattern

MOST_MATCHED = 32 << 10
"""No more bytes of an answer than this are looked at; every rule known to us decides within the first 4 KiB."""


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that matched, and what it says of the service. ``probe``: the name of the probe whose rule it is.

    ``cpe``: whole names (``cpe:/a:vendor:product:version``).
    """

    rule: Rule
    probe: str
    service: str
    tunnel: str
    soft: bool
    product: str = ""
    version: str = ""
    extrainfo: str = ""
    hostname: str = ""
    ostype: str = ""
    devicetype: str = ""
    cpe: tuple[str, ...] = ()


class Matcher:
    """Tells answers by the rules of ``probes``."""

    def __init__(self, probes: ServiceProbes) -> None:
        self.probes = probes
        self._patterns: dict[int, Pattern] = {}

    def match(self, probe: ServiceProbe, response: bytes, *, soft: bool = True) -> Match | None:
        """The first rule that matches an answer to ``probe``: of its own rules, of its fallbacks' in their order,
        then of the NULL probe's (TCP). ``soft`` = ``False`` leaves ``softmatch`` rules out. Never raises.
        """
        text = response[:MOST_MATCHED]
        for owner in self.owners(probe):
            for rule in owner.rules:
                if soft or not rule.soft:
                    captures = self._captures(rule, text)
                    if captures is not None:
                        return _match(rule, owner.name, captures)
        return None

    def owners(self, probe: ServiceProbe) -> Iterator[ServiceProbe]:
        """The probes whose rules an answer to ``probe`` is held against, in order, each once."""
        found = {probe.name: probe}
        names = (*probe.fallback, NULL) if probe.protocol is Protocol.TCP else probe.fallback
        other = Protocol.UDP if probe.protocol is Protocol.TCP else Protocol.TCP
        for name in names:
            owner = self.probes.named(probe.protocol, name) or self.probes.named(other, name)
            if owner is not None:
                found.setdefault(name, owner)
        return iter(found.values())

    def _captures(self, rule: Rule, text: bytes) -> Captures | None:
        pattern = self._patterns.get(rule.order)
        if pattern is None:
            pattern = self._patterns[rule.order] = Pattern(rule)
        return pattern.captures(text)


def _match(rule: Rule, probe: str, captures: Captures) -> Match:
    said = expand(rule.template, captures)
    return Match(
        rule,
        probe,
        rule.service,
        rule.tunnel,
        rule.soft,
        said.product,
        said.version,
        said.info,
        said.hostname,
        said.ostype,
        said.devicetype,
        said.cpe,
    )


def make_matcher(rules: str = "", cache_folder: Path | None = None) -> Matcher:
    """The matcher for our own rules, or for the file or folder ``rules``. Raises ``DataError``."""
    return Matcher(load_service_probes(rules))
