"""Our rules of version detection against the answers of real servers and of protocol documents (``tests/recorded``)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from leadline.data.service_probes import FOLDER, load_service_probes
from leadline.services.matcher import Matcher
from tests.support.rule_records import (
    RECORDED,
    Verdict,
    bad_rules,
    judge,
    read_records,
    theme_of,
    themes,
    unproven,
)

ROOT = Path(__file__).resolve().parents[1]
THEMES = themes()


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(load_service_probes())


@pytest.fixture(scope="module")
def verdicts(matcher: Matcher) -> list[Verdict]:
    return [judge(matcher, record) for theme in THEMES for record in read_records(theme)]


def test_every_file_of_records_has_its_rules() -> None:
    assert {path.stem for path in RECORDED.glob("*.jsonl")} <= set(THEMES)


@pytest.mark.parametrize("theme", THEMES)
def test_a_file_says_its_licence(theme: str) -> None:
    files = [path for path in FOLDER.glob("*.probes") if theme_of(path.name) == theme]
    assert len(files) == 1
    assert files[0].read_bytes().startswith(b"# SPDX-License-Identifier: Apache-2.0\n")


@pytest.mark.parametrize("theme", THEMES)
def test_every_record_is_matched_first_by_what_it_says(theme: str, verdicts: list[Verdict]) -> None:
    of_theme = [verdict for verdict in verdicts if verdict.record.theme == theme]
    assert [f"{verdict.record.place}: {verdict.difference}" for verdict in of_theme if verdict.difference] == []


@pytest.mark.parametrize("theme", THEMES)
def test_every_rule_can_be_used(theme: str, matcher: Matcher) -> None:
    assert bad_rules(matcher.probes, [theme]) == []


@pytest.mark.parametrize("theme", THEMES)
def test_every_rule_is_the_first_match_of_a_record(theme: str, matcher: Matcher, verdicts: list[Verdict]) -> None:
    assert unproven(matcher.probes, [theme], verdicts) == []


def test_there_are_rules_for_what_people_run(matcher: Matcher) -> None:
    rules = [rule for probe in matcher.probes.probes for rule in probe.rules]
    assert len({rule.service for rule in rules}) >= 120
    assert len({rule.template.product for rule in rules if rule.template.product}) >= 400


def test_a_share_of_the_answers_comes_from_real_servers() -> None:
    sources = [record.source for theme in THEMES for record in read_records(theme)]
    assert len({source for source in sources if source.startswith("recorded: ")}) >= 40


@pytest.mark.parametrize(("themes", "status"), [(["generic", "shared"], 0), (["nothing-such"], 2)])
def test_the_command_for_authors_of_rules(themes: list[str], status: int) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "check_rules.py"), *themes],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "of them from real servers" in done.stdout if status == 0 else "no such theme" in done.stderr
