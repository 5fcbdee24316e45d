"""Holds our rules of version detection against the answers in ``tests/recorded``.

``scripts/check_rules.py [THEME ...]`` (all of them without): prints records whose first match is not what they say,
rules that cannot be used, rules that no record proves, and how many protocols and products the themes name. The exit
status is 1 when anything is wrong. A theme is the name of a file of rules without number: ``mail`` for
``12-mail.probes``, whose records are in ``tests/recorded/mail.jsonl``. The records of every theme are judged, so that a
rule of one theme that takes the answers of another is seen; printed are those of the chosen themes and of the rules
that such a theme has.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from leadline.errors import DataError  # noqa: E402
from leadline.services.matcher import Matcher, make_matcher  # noqa: E402
from tests.support.rule_records import (  # noqa: E402
    Verdict,
    bad_rules,
    judge,
    read_records,
    rules_of,
    theme_of,
    themes,
    unproven,
    worst_text,
)


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 all is well, 1 something is not, 2 there is nothing to look at."""
    known = themes()
    parser = argparse.ArgumentParser(prog="check_rules.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("themes", nargs="*", metavar="THEME", help=f"of: {', '.join(known)}")
    parser.add_argument("--show", action="store_true", help="print every record of the themes with what it matches")
    parser.add_argument(
        "--hostile", action="store_true", help="print the rules that the worst answers found for them keep longest"
    )
    options = parser.parse_args(arguments)
    chosen = options.themes or known
    if unknown := sorted(set(chosen) - set(known)):
        print(f"no such theme: {', '.join(unknown)} (there are: {', '.join(known)})", file=sys.stderr)
        return 2
    try:
        matcher = make_matcher()
        verdicts = [judge(matcher, record) for theme in known for record in read_records(theme)]
    except (DataError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    if options.show:
        show([verdict for verdict in verdicts if verdict.record.theme in chosen])
    if options.hostile:
        show_slowest(matcher, chosen)
    return report(matcher, chosen, verdicts)


def show(verdicts: Sequence[Verdict]) -> None:
    """Every record beside the rule that matches it."""
    for verdict in verdicts:
        match = verdict.match
        said = f"{match.service} | {match.product} | {match.version} | {match.extrainfo}" if match else "-"
        print(f"{verdict.record.place}: {match.rule.place if match else 'nothing'}: {said}")


def show_slowest(matcher: Matcher, chosen: Sequence[str]) -> None:
    """The ten worst: a repeat without bound in front of another that takes the same letters makes a rule slow."""
    found = [worst_text(rule, time.process_time) for _, rule in rules_of(matcher.probes, chosen)]
    for worst in sorted(found, key=lambda worst: -worst.seconds)[:10]:
        print(f"{worst.rule.place}: {worst.seconds * 1000:.1f} ms for an answer like {worst.text[:50]!r}")


def report(matcher: Matcher, chosen: Sequence[str], verdicts: Sequence[Verdict]) -> int:
    """Print what is wrong and what there is; 1 when something is wrong."""
    failing = [
        f"{verdict.record.place}: {verdict.difference}"
        for verdict in verdicts
        if verdict.difference and {verdict.record.theme, *matched_theme(verdict)} & set(chosen)
    ]
    sections = {
        "records whose first match is another": failing,
        "rules that cannot be used": bad_rules(matcher.probes, chosen),
        "rules that are the first match of no record": unproven(matcher.probes, chosen, verdicts),
    }
    for title, lines in sections.items():
        if lines:
            print(f"{len(lines)} {title}:")
            print("\n".join(f"  {line}" for line in lines))
    rules = [rule for _, rule in rules_of(matcher.probes, chosen)]
    protocols = {rule.service for rule in rules}
    products = {rule.template.product for rule in rules if rule.template.product}
    records = [verdict.record for verdict in verdicts if verdict.record.theme in chosen]
    recorded = sum(record.source.startswith("recorded") for record in records)
    print(
        f"{len(rules)} rules, {len(protocols)} protocols, {len(products)} products;"
        f" {len(records)} records, {recorded} of them from real servers"
    )
    return 1 if any(sections.values()) else 0


def matched_theme(verdict: Verdict) -> list[str]:
    """The theme of the rule that matched, if one did."""
    return [theme_of(verdict.match.rule.source)] if verdict.match else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
