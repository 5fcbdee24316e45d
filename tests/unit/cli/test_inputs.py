"""Mistakes in what the command line names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadline.cli.inputs import input_mistakes, output_mistakes
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


def test_rules_of_version_detection(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert "no nmap-service-probes in" in input_mistakes(Options(versions=True, datadir=folder))[0]
    assert input_mistakes(Options(versions=True, nmapdir=folder))[0].startswith("NMAPDIR: ")
    assert input_mistakes(Options(nmapdir=folder, datadir=folder)) == []  # nobody asks for versions
    (tmp_path / "nmap-service-probes").touch()
    assert input_mistakes(Options(versions=True, datadir=folder)) == []


def test_outputs_that_can_be_written(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("old results")
    options = Options(normal=str(there), xml=str(tmp_path / "new"), json="-", record="/dev/null", input_files=("-",))
    assert output_mistakes(options) == []
    assert there.read_text() == "old results"


def test_outputs_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = tmp_path / "targets"
    targets.write_text("10.0.0.1")
    monkeypatch.chdir(tmp_path)
    options = Options(normal=str(tmp_path), xml="none/x", grepable="targets", input_files=(str(targets),))
    assert output_mistakes(options) == [
        f"-oN: {str(tmp_path)!r} is a directory.",
        "-oX: there is no directory 'none'.",
        "-oG: 'targets' is also read as a list of targets.",
    ]
    monkeypatch.setattr(os, "access", lambda *arguments: False)
    assert output_mistakes(Options(normal="new", record="targets")) == [
        "-oN: no file can be made in '.' (permission denied).",
        "--record: the file 'targets' cannot be written (permission denied).",
    ]


@pytest.mark.parametrize(
    ("targets", "wrong"),
    [(("0.0.0.0/0",), True), (("*.*.*.*",), True), (("0.0.0.0/2",), True), (("0.0.0.0/3",), False), (("::/0",), False)],
)
def test_the_whole_internet_needs_an_exclude_file(targets: tuple[str, ...], wrong: bool) -> None:
    assert any("--excludefile" in text for text in input_mistakes(Options(targets=targets))) == wrong
    assert input_mistakes(Options(targets=targets, exclude_files=("/dev/null",))) == []
    assert input_mistakes(Options(targets=targets, list_scan=True)) == []
