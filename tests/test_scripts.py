"""The launcher and its environment: found from anywhere, idle once it stands, clear when it cannot be made."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ("leadline", "environment", "lock", "test", "check", "bench", "farm", "record", "peers")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with the scripts and a stand-in for Python that tells how it was called."""
    clone = tmp_path / "a clone"
    (clone / "scripts").mkdir(parents=True)
    for name in ("leadline", "environment"):
        shutil.copy(ROOT / "scripts" / name, clone / "scripts" / name)
    for name in ("requirements.lock", "requirements-test.lock"):
        (clone / name).write_text("# nothing\n", "ascii")
        os.utime(clone / name, (1_000_000, 1_000_000))
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s|" "$@"\n', "ascii")
    python.chmod(0o755)
    (clone / ".venv" / "ready").touch()
    return clone


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_posix_shell_and_executable(name: str) -> None:
    path = ROOT / "scripts" / name
    assert os.access(path, os.X_OK)
    assert path.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    assert run("sh", "-n", path).returncode == 0


def test_arguments_reach_the_module_unchanged(clone: Path) -> None:
    done = run(clone / "scripts" / "leadline", "-p", "1-10", "a b", "", "*")
    assert done.stdout == "-P|-m|leadline|-p|1-10|a b||*|"
    assert done.stderr == ""


def test_from_its_own_folder(clone: Path) -> None:
    assert run("./leadline", "-V", cwd=clone / "scripts").stdout == "-P|-m|leadline|-V|"
    assert run("sh", "leadline", "-V", cwd=clone / "scripts").stdout == "-P|-m|leadline|-V|"


def test_through_symlinks_absolute_and_relative(clone: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "bin"
    elsewhere.mkdir()
    (elsewhere / "absolute").symlink_to(clone / "scripts" / "leadline")
    (elsewhere / "relative").symlink_to(Path("..") / clone.name / "scripts" / "leadline")
    (elsewhere / "chain").symlink_to("relative")
    for name in ("absolute", "relative", "chain"):
        assert run(elsewhere / name, "-V", cwd=Path("/")).stdout == "-P|-m|leadline|-V|"
    path = f"{elsewhere}:{os.environ['PATH']}"
    assert run("chain", "-V", cwd=Path("/"), PATH=path).stdout == "-P|-m|leadline|-V|"


def test_an_interpreter_that_is_missing_is_named(clone: Path) -> None:
    shutil.rmtree(clone / ".venv")
    done = run(clone / "scripts" / "leadline", "-V", LEADLINE_PYTHON="/nowhere/python3")
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "/nowhere/python3 is not it" in done.stderr


def test_an_interpreter_without_venv_is_explained(clone: Path, tmp_path: Path) -> None:
    bare = tmp_path / "python3"
    bare.write_text(
        '#!/bin/sh\ncase $2 in *import*venv*) exit 1 ;; *realpath*) echo "$0" ;; *version_info*) exit 0 ;; esac\n',
        "ascii",
    )
    bare.chmod(0o755)
    shutil.rmtree(clone / ".venv")
    done = run(clone / "scripts" / "leadline", "-V", LEADLINE_PYTHON=str(bare))
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


def test_a_newer_lock_makes_the_environment_be_checked_again(clone: Path) -> None:
    os.utime(clone / "requirements.lock")
    os.utime(clone / ".venv" / "ready", (1_000_000, 1_000_000))
    done = run(clone / "scripts" / "leadline", "-V", LEADLINE_PYTHON="/nowhere/python3")
    assert done.returncode == 1
    assert "preparing the Python environment" in done.stderr


@pytest.mark.netns
def test_a_folder_that_cannot_be_written_is_said(clone: Path) -> None:
    shutil.rmtree(clone / ".venv")
    script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$1/scripts/leadline" -V'
    done = run("unshare", "--mount", "sh", "-c", script, "sh", clone)
    assert done.returncode == 1
    assert "cannot be written by you" in done.stderr
    assert str(clone / ".venv") in done.stderr
