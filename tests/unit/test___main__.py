"""``python -m leadline`` is the program; importing the module runs nothing."""

from __future__ import annotations

import importlib
import os
import runpy
import signal
import subprocess
import sys

import pytest

from leadline import __version__


def test_the_module_runs_the_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def ended(status: int) -> None:
        raise SystemExit(status)

    monkeypatch.setattr(sys, "argv", ["leadline", "-V"])
    monkeypatch.setattr(os, "_exit", ended)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit) as end:
        runpy.run_module("leadline", run_name="__main__")
    signal.signal(signal.SIGINT, before)
    assert end.value.code == 0
    assert capsys.readouterr().out == f"Leadline {__version__}\n"


def test_importing_the_module_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module("leadline.__main__")
    assert callable(module.main)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("ignored", [False, True])
def test_before_outputs_are_open_ctrl_c_ends_without_a_word(ignored: bool) -> None:
    handler = "SIG_IGN" if ignored else "default_int_handler"
    code = [
        "import leadline.__main__ as program, os, signal, sys",
        "import leadline.cli.main as main",
        "main.run = lambda: (os.kill(os.getpid(), signal.SIGINT), sys.exit(0))",
        f"signal.signal(signal.SIGINT, signal.{handler})",
        "program.main()",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(code)], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0 if ignored else -signal.SIGINT, b"")
