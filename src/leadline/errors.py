"""What can go wrong on our own side, sorted by who can mend it.

What a remote host does is a result, never an exception: nothing here is raised because of received bytes
outside ``wire``, and a ``WireError`` never leaves the stage that met it.
"""

from __future__ import annotations


class ScanError(Exception):
    """Base of every error that Leadline raises on purpose."""


class UsageError(ScanError):
    """The command line (or the arguments of the API) cannot be carried out as given.

    ``messages`` holds one clear sentence for each mistake: all of them are reported at once.
    """

    def __init__(self, *messages: str) -> None:
        super().__init__("\n".join(messages))
        self.messages = messages


class PrivilegeError(ScanError):
    """The operation needs rights (CAP_NET_RAW) that this process does not have."""


class LinkError(ScanError):
    """An interface or a capture ring cannot be used."""


class NetworkError(ScanError):
    """This machine cannot reach the target at all: no route, no source address."""


class DataError(ScanError):
    """A data file is damaged or not in the grammar it should be in.

    ``path`` and ``line`` (1-based, 0 when no single line is at fault) say where.
    """

    def __init__(self, message: str, path: str = "", line: int = 0) -> None:
        where = f"{path}:{line}: " if line else f"{path}: " if path else ""
        super().__init__(where + message)
        self.path = path
        self.line = line


class ScriptError(ScanError):
    """A script failed; the text carries its traceback."""


class WireError(ValueError):
    """Bytes are not the protocol they were taken for. Stays inside the stage that met it."""
