"""What a user is told of a failure that nobody foresaw."""

from __future__ import annotations

import errno


def fault_words(error: Exception, debugging: bool) -> str:
    """One sentence; with ``debugging`` the traceback goes to the error stream first.

    A process that may open no more files fails wherever it is, and it is not Leadline's fault.
    """
    if debugging:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return "too many open files: allow this process, or the system, more of them (ulimit -n)"
    hint = "" if debugging else " (a fault of Leadline; with -d it shows where)"
    return f"internal error: {type(error).__name__}: {error}{hint}"
