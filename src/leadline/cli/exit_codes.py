"""Exit statuses. A scan that found nothing, or only hosts that are down, is a success."""

from __future__ import annotations

SUCCESS = 0
"""The scan (or ``--help``, ``-V``, ``--iflist``) came to its end."""
FATAL = 1
"""The scan could not be made or not be finished: rights, interface, an output file, an internal error."""
USAGE = 2
"""The command line cannot be carried out as given; no packet was sent and no file opened."""

_SIGNALS = {"SIGHUP": 1, "SIGINT": 2, "SIGTERM": 15}


def for_signal(name: str) -> int:
    """128 + the signal's number, as shells count it: 130 (SIGINT), 143 (SIGTERM), 129 (SIGHUP).

    The scan was cut short; every output is complete up to then and validly closed.
    """
    return 128 + _SIGNALS.get(name, 2)
