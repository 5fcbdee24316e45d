"""What a test needs from its machine, and the sentence it skips with when that is missing.

Where ``CI`` is set nothing may be skipped for such a reason: the test fails instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

import pytest

_PROGRAMS = {"netns": ("ip", "nft"), "peers": ("ip", "nft", "setpriv", "nmap")}


def missing_for(marker: str) -> str:
    """Why tests with ``marker`` cannot run here; empty when they can."""
    if marker not in _PROGRAMS:
        return ""
    if os.geteuid() != 0:
        return "needs root (it makes network namespaces)"
    absent = [program for program in _PROGRAMS[marker] if shutil.which(program) is None]
    return f"needs {', '.join(absent)}" if absent else ""


def require(marker: str) -> None:
    """Skip the running test (fail it in CI) when its machine lacks something."""
    reason = missing_for(marker)
    if not reason:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI skips nothing", pytrace=False)
    pytest.skip(reason)


def require_packages(missing: Sequence[str]) -> None:
    """Skip the running test (fail it in CI) when Debian packages of the servers it starts are ``missing``."""
    if not missing:
        return
    reason = f"needs {', '.join(missing)} (scripts/farm --install --tests)"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI skips nothing", pytrace=False)
    pytest.skip(reason)
