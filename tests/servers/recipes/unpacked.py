"""Files of Debian packages that exclude each other: fetched and unpacked beside the system, never installed."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

from tests.servers.recipe import ServerError

FOLDER = Path("/var/cache/leadline-servers")
# Nobody shall gain rights by a program that lies about for tests: set-user-id bits go.
STEPS = (
    ("apt-get", "download", "-qq", "{package}"),
    ("sh", "-c", "dpkg -x {package}_*.deb . && rm {package}_*.deb && chmod -R u-s,g-s ."),
)
_lock = threading.Lock()


def unpacked(*packages: str) -> Path:
    """The root of a tree that has the files of ``packages``, kept for the next time. ``ServerError`` without them."""
    root = FOLDER / "-".join(packages)
    with _lock:
        if not (root / ".complete").exists():
            root.mkdir(parents=True, exist_ok=True)
            for package in packages:
                _fetch(package, root)
            (root / ".complete").touch()
    return root


def _fetch(package: str, root: Path) -> None:
    try:
        for step in STEPS:
            argv = [word.format(package=package) for word in step]
            subprocess.run(argv, cwd=root, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerError(f"{package} cannot be fetched: {error}") from error
