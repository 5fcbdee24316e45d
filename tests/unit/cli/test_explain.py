"""``leadline explain`` from its command line to its exit status."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.cli import explain as module
from leadline.cli.explain import HELP, Question, explain, parse_question
from leadline.errors import UsageError
from leadline.report.recording import Recording

START = {"event": "scan_started", "schema": "leadline-events/1", "debugging": 0}
PORT = {"number": 22, "protocol": "tcp", "state": "open", "reason": "syn-ack", "evidence": None}
HOST = {"address": "2001:db8::1", "status": "up", "hostnames": [{"name": "a.x", "kind": "user"}], "ports": [PORT]}
END = {"event": "scan_ended", "at": 1.0, "exit": "success"}
WHOLE = "".join(
    json.dumps(event, separators=(",", ":")) + "\n" for event in (START, {"event": "host_done", "host": HOST}, END)
)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "scan.jsonl"
    path.write_text(WHOLE)
    return str(path)


@pytest.mark.parametrize(
    ("asked", "host", "port", "protocol"),
    [
        ("10.0.0.1", "10.0.0.1", None, ""),
        ("10.0.0.1:80", "10.0.0.1", 80, ""),
        ("a.example:53/udp", "a.example", 53, "udp"),
        ("2001:DB8::0:1", "2001:db8::1", None, ""),
        ("[2001:db8::1]:22/tcp", "2001:db8::1", 22, "tcp"),
        ("[2001:db8::1]", "2001:db8::1", None, ""),
    ],
)
def test_what_is_asked(asked: str, host: str, port: int | None, protocol: str) -> None:
    assert parse_question(["f", asked]) == Question("f", host, port, protocol)
    assert parse_question(["-v", "f", asked]).most == 256


@pytest.mark.parametrize("line", ["", "f", "f a b", "--odd f a", "f a:70000", "f a:b", "f 10.0.0.0/8", "f :80"])
def test_mistakes(line: str) -> None:
    with pytest.raises(UsageError):
        explain(line.split())


def test_help() -> None:
    assert explain(["--help"]) == (0, HELP)


def test_told_or_not(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    for asked, status, said in (
        ("2001:db8::1", 0, "22/tcp"),
        ("A.X:22", 0, "Port 22/tcp: open (syn-ack)"),
        ("[2001:db8::1]:23/tcp", 1, "Nothing is said of port 23/tcp"),
        ("10.0.0.7", 1, "Hosts that are up: 2001:db8::1"),
    ):
        found, text = explain([file, asked])
        assert (found, said in text) == (status, True), text
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (WHOLE[:-5], "the last line is cut short"),
        (WHOLE[:-5], "has no end"),
        (WHOLE.replace("\n", "\nrubbish\n"), "damaged and were left out: 3"),
        (WHOLE.partition("\n")[2], "the beginning of the file is missing"),
    ],
)
def test_damaged_files_are_used(file: str, content: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(file).write_text(content)
    assert explain([file, "a.x:22"])[0] == 0
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", ["", "\n", "<?xml", "{}\n", '{"event":"odd"}\n', WHOLE.replace("events/1", "events/2")]
)
def test_no_such_file(file: str, content: str) -> None:
    Path(file).write_text(content)
    with pytest.raises(UsageError, match=r"no file of -oJ|vocabulary"):
        explain([file, "a.x"])


def test_unreadable(tmp_path: Path) -> None:
    for name in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError, match="cannot be read"):
            explain([str(name), "a.x"])


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(WHOLE.encode())))
    assert explain(["-", "a.x"])[0] == 0


def test_lines_too_long(file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(module, "MOST_LINE", 1000)
    Path(file).write_text(WHOLE + "{" + "x" * 5000 + "\n" + WHOLE)
    assert explain([file, "a.x"])[0] == 0
    assert "left out: 1." in capsys.readouterr().err


@given(st.binary(max_size=300), st.integers(0, len(WHOLE)))
def test_rubbish_never_raises(rubbish: bytes, cut: int) -> None:
    recording = Recording("a.x")
    stream = io.BytesIO(WHOLE.encode()[:cut] + rubbish)
    try:
        module._read(stream, "f", recording)
    except UsageError:
        return
    assert all(line.isprintable() for line in module.answer(recording, Question("f", "a.x", 22))[1])


def test_needs_nothing_heavy(file: str) -> None:
    code = (
        "import sys\n"
        "from leadline.cli.main import entry\n"
        f"status = entry(['explain', {file!r}, 'a.x:22'])\n"
        "sys.exit(status or 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, "Something listens there" in done.stdout) == (0, True), done.stderr
