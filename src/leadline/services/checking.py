"""Whether rules can be used: their patterns compile, never match nothing, and their templates can be filled in.

Compiling thousands of patterns costs as much as reading them twice, so it is done for files that were not seen before
(``index``) and, more strictly, for our own data by a test and by ``scripts/check_rules.py``.
"""

from __future__ import annotations

from collections.abc import Iterator

from leadline.data.service_rules import Rule, ServiceProbes
from leadline.errors import DataError
from leadline.services.expansion import problem_of
from leadline.services.pattern import Pattern


def check_patterns(probes: ServiceProbes) -> None:
    """Raises ``DataError`` for the first rule whose pattern cannot be used."""
    for probe in probes.probes:
        for rule in probe.rules:
            problem = pattern_problem(rule, Pattern(rule))
            if problem:
                raise DataError(problem, rule.source, rule.line)


def pattern_problem(rule: Rule, pattern: Pattern) -> str:
    """Why a pattern cannot be used; empty when it can."""
    if pattern.problem:
        return f"the pattern does not compile: {pattern.problem}"
    if pattern.captures(b"") is not None:
        return "the pattern matches nothing at all"
    return ""


def problems(rule: Rule) -> Iterator[str]:
    """All that is wrong with a rule, its templates included: an insertion that can never be filled in is no error to
    whoever uses a file (the field stays empty), but it is a mistake of whoever writes one.
    """
    pattern = Pattern(rule)
    if problem := pattern_problem(rule, pattern):
        yield problem
        return
    template = rule.template
    texts = [template.product, template.version, template.info, template.hostname, template.ostype, template.devicetype]
    for text in [*texts, *template.cpes]:
        if text is not None and (problem := problem_of(text, pattern.groups)):
            yield f"{text.decode('latin-1')!r}: {problem}"
    if len({cpe[5:6] for cpe in template.cpes}) < len(template.cpes):
        yield "two CPEs are of the same part (a, h, o), of which only the last one is kept"
    for cpe in template.cpes:
        if cpe[5:7] not in (b"a:", b"h:", b"o:") or cpe.count(b":") < 3:
            yield f"{cpe.decode('latin-1')!r} is not cpe:/PART:VENDOR:PRODUCT with a part of a, h, o"
