"""Installing the Debian packages of recipes without letting any of their daemons start."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.servers.recipe import Recipe

# Debian's invoke-rc.d asks this program before it starts a service; 101 = not allowed (its manual page).
POLICY = Path("/usr/sbin/policy-rc.d")
FORBID = "#!/bin/sh\nexit 101\n"


def missing_packages(recipes: Sequence[Recipe]) -> list[str]:
    """Packages of ``recipes`` that are not installed."""
    wanted = sorted({package for recipe in recipes for package in recipe.packages})
    if not wanted:
        return []
    command = ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\n", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    installed = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("installed ")}
    return [package for package in wanted if package not in installed]


@contextlib.contextmanager
def no_daemon_starts() -> Iterator[None]:
    """While the block runs, packages that are installed don't start their services."""
    made = not POLICY.exists()
    if made:
        POLICY.write_text(FORBID, "ascii")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if made:
            POLICY.unlink()


def install(recipes: Sequence[Recipe]) -> list[str]:
    """Install what is missing, all at once, else one by one; the packages that could not be installed."""
    missing = missing_packages(recipes)
    if not missing:
        return []
    with no_daemon_starts():
        _apt("update", "-qq")
        if not _apt("install", *missing):
            for package in missing:
                _apt("install", package)
    return missing_packages(recipes)


def _apt(verb: str, *words: str) -> bool:
    options = ["-o", "DPkg::Lock::Timeout=900", "-o", "Dpkg::Use-Pty=0"]
    quiet = ["-y", "-qq", "--no-install-recommends", "--no-remove"] if verb == "install" else []
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", *options, verb, *quiet, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"apt-get {verb} {' '.join(words)[:200]}: {done.stderr[-1000:]}", file=sys.stderr)
    return not done.returncode
