"""Where the rules of version detection are: our own, a file or folder that was named, or an installed Nmap's."""

from __future__ import annotations

import os

NMAP_FILE = "nmap-service-probes"
"""The file of rules in a folder of Nmap's data files."""


def find_rules(versiondb: str | None, datadir: str | None, nmapdir: str | None) -> tuple[str, str]:
    """Who named the rules, and their path; two empty texts mean our own.

    What names the file itself wins over what names the folder, and an option over the environment (spec sheet 1.8).
    """
    if versiondb is not None:
        return "--versiondb", versiondb
    if datadir is not None:
        return "--datadir", os.path.join(datadir, NMAP_FILE)
    if nmapdir:
        return "NMAPDIR", os.path.join(nmapdir, NMAP_FILE)
    return "", ""


def rules_mistakes(source: str, path: str) -> list[str]:
    """One sentence when there are no rules to read at what ``find_rules`` gave; what is in them is not looked at."""
    if not source:
        return []
    folder = os.path.dirname(path)
    if source != "--versiondb" and not os.path.isdir(folder):
        return [f"{source}: there is no directory {folder!r}."]
    if not os.path.exists(path):
        if source == "--versiondb":
            return [f"{source}: there is no file or folder {path!r}."]
        return [f"{source}: there is no {NMAP_FILE} in {folder!r} (--versiondb names a file of rules itself)."]
    if os.path.isdir(path):
        if source != "--versiondb":
            return [f"{source}: {path!r} is a directory."]
        if not any(name.endswith(".probes") for name in _names(path)):
            return [f"{source}: there is no *.probes file in the folder {path!r}."]
        return []
    return [] if os.access(path, os.R_OK) else [f"{source}: the file {path!r} cannot be read (permission denied)."]


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
