"""Mistakes in what the command line names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadline.cli.inputs import input_mistakes
from leadline.plan.options import Options


@pytest.mark.parametrize(
    "target",
    [
        "example.org",
        "a",
        "10.0.0.1",
        "10.0.0.0/24",
        "10.0.0-3.*",
        "2001:db8::/64",
        "::1",
        "fe80::1%eth0",
        "10.0.0.5:80,443",
        "[::1]:22",
        "example.org/24",
    ],
)
def test_good_targets(target: str) -> None:
    assert input_mistakes(Options(targets=(target,))) == []


@pytest.mark.parametrize(
    "target", ["10.0.0.300", "10.0.0.0/33", "2001:db8::/129", "10.0.0.1:99999", "-x", "a" * 300, ""]
)
def test_bad_targets_and_exclusions(target: str) -> None:
    assert input_mistakes(Options(targets=(target,)))
    assert input_mistakes(Options(exclude=(target,)))


def test_plain_targets_need_no_numpy() -> None:
    code = (
        "import sys\n"
        "from leadline.cli.inputs import input_mistakes\n"
        "from leadline.plan.options import Options\n"
        "assert input_mistakes(Options(targets=('example.org', '10.0.0.0/8', '::1'))) == []\n"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_files(tmp_path: Path) -> None:
    good = tmp_path / "list"
    good.touch()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert input_mistakes(Options(input_files=(str(good), "-", str(pipe)))) == []
    missing, folder = str(tmp_path / "none"), str(tmp_path)
    assert input_mistakes(Options(input_files=(missing,), exclude_files=(folder,))) == [
        f"-iL: there is no file {missing!r}.",
        f"--excludefile: {folder!r} is a directory.",
    ]


def test_unreadable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "permission denied" in input_mistakes(Options(input_files=(str(secret),)))[0]
