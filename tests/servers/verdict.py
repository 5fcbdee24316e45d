"""What a scanner said of a real server, judged by the server's recipe."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from tests.servers.recipe import Listener
from tests.support.services import Seen

# What Debian adds to an upstream version when it leaves files out or takes a snapshot.
_REPACKED = re.compile(r"[+~]?(dfsg|ds|repack|really).*$|[+~](git|svn|hg)?\d{8}.*$|~.*$")


@cache
def upstream_version(package: str) -> str:
    """Of an installed Debian package: without epoch, Debian's revision and marks of repacking; empty: not there."""
    command = ["dpkg-query", "--show", "--showformat=${Version}", package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return trimmed_version(done.stdout) if done.returncode == 0 else ""


def trimmed_version(debian: str) -> str:
    """``1:9.2p1-2+deb12u3`` -> ``9.2p1``."""
    whole = debian.partition(":")[2] or debian
    upstream = whole.rpartition("-")[0] or whole
    return _REPACKED.sub("", upstream)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``named``: service, tunnel and product are right; ``told``: the version is (``None``: there is none to tell).

    ``wrong``: a product was named that this is not. ``expected``: whether the recipe says what it is.
    """

    named: bool
    told: bool | None
    wrong: bool
    expected: bool

    def __str__(self) -> str:
        if self.wrong:
            return "WRONG PRODUCT"
        if not self.expected:
            return "nothing to tell"
        if not self.named:
            return "MISSED"
        return "version missed" if self.told is False else "right"


def judge(listener: Listener, seen: Seen, version_of: Callable[[str], str] = upstream_version) -> Verdict:
    """Hold what was seen against the recipe. A product where the recipe knows none is a wrong one."""
    expected = bool(listener.service or listener.product)
    right_product = same_product(listener.product, seen.product)
    right_service = seen.name == listener.service and (seen.tunnel == "ssl") == listener.tls
    wanted = listener.version
    if wanted.startswith("@"):
        wanted = version_of(wanted[1:])
    return Verdict(
        named=right_product and right_service,
        told=(wanted in seen.version) if wanted else None,
        wrong=bool(seen.product) and not right_product,
        expected=expected,
    )


def same_product(expected: str, seen: str) -> bool:
    """Whether all words of one are in the other: ``Apache httpd`` and ``Apache`` are one, two products are not."""
    wanted, found = _words(expected), _words(seen)
    if not wanted or not found:
        return wanted == found
    return wanted <= found or found <= wanted


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9.+]+", text.lower()))


def share(part: Sequence[object], whole: Sequence[object]) -> float:
    """0..1; 1 when there is nothing at all."""
    return len(part) / len(whole) if whole else 1.0
