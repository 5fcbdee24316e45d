"""Where the rules are, and what is told when they are not there."""

import os
from pathlib import Path

import pytest

from leadline.data.rule_files import NMAP_FILE, find_rules, rules_mistakes


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ((None, None, None), ("", "")),
        ((None, None, ""), ("", "")),
        (("db", "data", "env"), ("--versiondb", "db")),
        ((None, "data", "env"), ("--datadir", f"data/{NMAP_FILE}")),
        ((None, None, "env"), ("NMAPDIR", f"env/{NMAP_FILE}")),
    ],
)
def test_what_names_the_file_wins(named: tuple[str | None, str | None, str | None], found: tuple[str, str]) -> None:
    assert find_rules(*named) == found


def test_rules_that_are_there(tmp_path: Path) -> None:
    (tmp_path / NMAP_FILE).touch()
    (tmp_path / "own.probes").touch()
    for named in ((str(tmp_path), None, None), (str(tmp_path / "own.probes"), None, None), (None, str(tmp_path), None)):
        assert rules_mistakes(*find_rules(*named)) == []
    assert rules_mistakes("", "") == []


def test_rules_that_are_not(tmp_path: Path) -> None:
    folder = str(tmp_path)

    def told(*named: str | None) -> str:
        (mistake,) = rules_mistakes(*find_rules(*named))  # type: ignore[arg-type]
        return mistake

    assert told("none", None, None) == "--versiondb: there is no file or folder 'none'."
    assert told(folder, None, None) == f"--versiondb: there is no *.probes file in the folder {folder!r}."
    assert told(None, "none", None) == "--datadir: there is no directory 'none'."
    assert told(None, folder, None).startswith(f"--datadir: there is no {NMAP_FILE} in {folder!r}")
    assert told(None, None, folder).startswith("NMAPDIR: ")
    (tmp_path / NMAP_FILE).mkdir()
    assert told(None, folder, None).endswith("is a directory.")


def test_rules_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "permission denied" in rules_mistakes("--versiondb", str(tmp_path / "rules"))[0]

    def refuse(path: str) -> list[str]:
        raise PermissionError

    monkeypatch.setattr(os, "listdir", refuse)
    assert "no *.probes file" in rules_mistakes("--versiondb", str(tmp_path))[0]
