"""Runs one command and measures it: wall time, CPU time, the largest resident memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEADLINE = (sys.executable, "-P", "-m", "leadline")
NMAP = ("nmap",)


@dataclass(frozen=True, slots=True)
class Cost:
    """``wall`` and ``cpu`` in seconds, ``memory`` in bytes (peak resident set), ``output``: standard output."""

    wall: float
    cpu: float
    memory: int
    output: str


def measure(command: Sequence[str], timeout: float = 1800.0) -> Cost:
    """Run to the end; a status other than 0 raises ``RuntimeError`` with what the command said."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": ""}
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment, cwd="/"
        )
        usage = _wait(process, began + timeout)
        wall = time.perf_counter() - began
        stdout.seek(0)
        stderr.seek(0)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)}: status {process.returncode}\n{stderr.read()[-3000:]}")
        return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, stdout.read())


def _wait(process: subprocess.Popen[bytes], deadline: float) -> resource.struct_rusage:
    """Wait as the kernel counts it for this one child; killed at ``deadline``."""
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        if time.perf_counter() > deadline:
            process.kill()
        time.sleep(0.001)


def best(command: Sequence[str], runs: int) -> Cost:
    """The run with the least wall time: the others had company on the machine."""
    return min((measure(command) for _ in range(runs)), key=lambda cost: cost.wall)
