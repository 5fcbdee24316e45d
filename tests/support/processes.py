"""Processes that a test starts and that end with it, whatever becomes of the test."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def started(
    command: Sequence[str], *, stdout: int = subprocess.DEVNULL, stderr: int | None = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[str]]:  # fmt: skip
    """``command`` in the project's folder, without input; killed when the block is left and it still runs."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, text=True, cwd=ROOT, env=environment
    ) as process:
        try:
            yield process
        finally:
            # Leaving the outer block closes its pipes and takes its status.
            process.kill()
