"""Why Leadline with Nmap's rules may differ from Nmap: the documented reasons; Nmap without its version scripts."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType

# (recipe, port, field) -> reason; field "" = all fields of that port. Each names what Nmap documents.
_OLD = "Nmap's TLS library refuses what this server speaks (TLS 1.0 and 1.1, no certificate): ours still talks to it"
_MULTIPLEXER = "two services on one port: silent clients get SSH, those who talk HTTP (decision 0013)"
_HANGS_UP = "every probe is closed after seconds: tcpwrapped only in the patient order (decision 0013)"
_IMPATIENT = "it hangs up on silent clients after half a second, and serves the next one then (decision 0013)"
_BY_CHANCE = "micro_httpd ends now and then before its answer to GenericLines is through; both rules are Nmap's"
EXPLAINED: dict[tuple[str, int, str], str] = {
    **{("old-tls", number, "product"): _BY_CHANCE for number in (5403, 5404)},
    ("stunnel", 5443, "product"): _BY_CHANCE,
    ("micro-httpd", 8026, "product"): _BY_CHANCE,
    ("sslh", 5030, ""): _MULTIPLEXER,
    ("peculiar", 5606, "name"): _HANGS_UP,
    ("monit", 2812, ""): _IMPATIENT,
    ("old-tls", 5401, ""): _OLD,
    ("old-tls", 5402, ""): _OLD,
    ("old-tls", 5405, ""): _OLD,
}

# (recorded answer as file:line, field) -> reason.
EXPLAINED_ANSWERS: dict[tuple[str, str], str] = {}


def explanation(recipe: str, number: int, field: str) -> str:
    """The documented reason for a difference, empty when there is none."""
    return EXPLAINED.get((recipe, number, field), "") or EXPLAINED.get((recipe, number, ""), "")


def replay_explanation(place: str, field: str) -> str:
    """The same for a recorded answer."""
    return EXPLAINED_ANSWERS.get((place, field), "") or EXPLAINED_ANSWERS.get((place, ""), "")


class Setting:
    """A folder for Nmap's ``--datadir`` while the block runs: its own data by symbolic links, but no scripts.

    ``-sV`` runs the scripts of the category "version" too, which change what the rules said.
    """

    def __init__(self, data: Path) -> None:
        """``data``: an installed Nmap's data folder."""
        self._data = data
        self._folder = Path()

    def __enter__(self) -> Path:
        self._folder = Path(tempfile.mkdtemp(prefix="leadline-nmap-data-"))
        for path in self._data.iterdir():
            if path.name != "scripts":
                (self._folder / path.name).symlink_to(path)
        (self._folder / "scripts").mkdir()
        (self._folder / "scripts" / "script.db").touch()
        return self._folder

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder)
