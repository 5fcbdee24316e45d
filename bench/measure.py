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
# The memory is looked at every so many milliseconds.
MEMORY_GLANCE = 5


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
        usage, memory = _wait(process, began + timeout)
        wall = time.perf_counter() - began
        stdout.seek(0)
        stderr.seek(0)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)}: status {process.returncode}\n{stderr.read()[-3000:]}")
        return Cost(wall, usage.ru_utime + usage.ru_stime, memory, stdout.read())


def _wait(process: subprocess.Popen[bytes], deadline: float) -> tuple[resource.struct_rusage, int]:
    """Wait for this one child; its times as the kernel counts them, and its peak memory. Killed at ``deadline``.

    The peak is read from the running process: the kernel's own count at the end includes the memory that the child
    shared with this interpreter before it became the command.
    """
    memory, turns = 0, 0
    while True:
        if turns % MEMORY_GLANCE == 0:
            memory = max(memory, _peak(process.pid))
        turns += 1
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage, memory
        if time.perf_counter() > deadline:
            process.kill()
        time.sleep(0.001)


def _peak(pid: int) -> int:
    """Peak resident set of a running process so far, in bytes; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    lines = [line.split() for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0][1]) * 1024 if lines else 0


def best(command: Sequence[str], runs: int) -> Cost:
    """The run with the least wall time: the others had company on the machine."""
    return min((measure(command) for _ in range(runs)), key=lambda cost: cost.wall)
