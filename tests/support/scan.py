"""Runs whole scans from tests, ours and the peer's, and reads their XML."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.compare import Results, parse
from tests.support.netns import ROOT, Namespace, as_user

LEADLINE = (sys.executable, "-P", "-m", "leadline")
NMAP = ("nmap",)
# Of a user who is not root only these count as the rights to send raw packets.
RAW_RIGHTS = ("net_raw",)


@dataclass(frozen=True, slots=True)
class Run:
    """One scan that has ended. ``seconds``: wall time of the process."""

    command: tuple[str, ...]
    status: int
    stdout: str
    stderr: str
    xml: bytes
    seconds: float

    @property
    def hosts(self) -> Results:
        """Every host of the XML output."""
        return parse(self.xml)


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT / "src")}


@contextmanager
def _user_command(command: Sequence[str], capabilities: Sequence[str] | None) -> Iterator[tuple[list[str], Path]]:
    """``command`` with XML into a file that the user may write; the file's path too."""
    with tempfile.TemporaryDirectory(prefix="leadline-test-") as folder:
        Path(folder).chmod(0o777)
        xml = Path(folder) / "scan.xml"
        whole = [*command, "-oX", str(xml)]
        yield (whole if capabilities is None else as_user(*whole, capabilities=capabilities)), xml


def scan(
    namespace: Namespace,
    program: Sequence[str],
    *arguments: str,
    capabilities: Sequence[str] | None = None,
    timeout: float = 300.0,
) -> Run:
    """Run ``program`` (``LEADLINE`` or ``NMAP``) in a namespace to its end; a status other than 0 raises.

    ``capabilities``: as user nobody with these only; ``None`` = as root.
    """
    with _user_command([*program, *arguments], capabilities) as (command, xml):
        began = time.monotonic()
        done = subprocess.run(
            namespace.command(*command),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
            env=_environment(),
            cwd=ROOT,
        )
        seconds = time.monotonic() - began
        if done.returncode:
            raise AssertionError(
                f"{' '.join(command)}: status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
            )
        return Run(tuple(command), done.returncode, done.stdout, done.stderr, xml.read_bytes(), seconds)


def both(
    namespace: Namespace, *arguments: str, capabilities: Sequence[str] | None = None, timeout: float = 300.0
) -> tuple[Run, Run]:
    """The same command line for Nmap and for Leadline, one after the other: ``(peer, ours)``."""
    peer = scan(namespace, NMAP, *arguments, capabilities=capabilities, timeout=timeout)
    ours = scan(namespace, LEADLINE, *arguments, capabilities=capabilities, timeout=timeout)
    return peer, ours
