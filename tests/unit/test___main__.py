"""``python -m leadline`` is the program; importing the module runs nothing."""

from __future__ import annotations

import importlib
import os
import runpy
import sys

import pytest

from leadline import __version__


def test_the_module_runs_the_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def ended(status: int) -> None:
        raise SystemExit(status)

    monkeypatch.setattr(sys, "argv", ["leadline", "-V"])
    monkeypatch.setattr(os, "_exit", ended)
    with pytest.raises(SystemExit) as end:
        runpy.run_module("leadline", run_name="__main__")
    assert end.value.code == 0
    assert capsys.readouterr().out == f"Leadline {__version__}\n"


def test_importing_the_module_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module("leadline.__main__")
    assert callable(module.run)
    assert capsys.readouterr().out == ""
