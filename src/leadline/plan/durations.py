"""Times as people type them: a number and perhaps a unit (spec sheet section 1)."""

from __future__ import annotations

import re

from leadline.errors import UsageError

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TIME = re.compile(r"(\d+\.?\d*|\.\d+)(ms|s|m|h)?", re.IGNORECASE | re.ASCII)
_LONGEST = 10 * 365 * 86400.0


def parse_duration(text: str, bare_limit: float | None = None) -> float:
    """Seconds. Units: ``ms``, ``s``, ``m``, ``h``; without one it is seconds.

    A number without a unit that is ``bare_limit`` or more is refused: who types ``--host-timeout 90000`` thinks in
    milliseconds, and would wait for a day. Raises ``UsageError`` (a clause that follows the option's name).
    """
    matched = _TIME.fullmatch(text)
    if matched is None:
        raise UsageError(f"needs a time such as 500ms, 2s, 1.5m or 1h, not {text!r}")
    unit = (matched[2] or "").lower()
    seconds = float(matched[1]) * _UNITS[unit]
    if seconds > _LONGEST:
        raise UsageError(f"needs a time below ten years, not {text!r}")
    if not unit and bare_limit is not None and seconds >= bare_limit:
        raise UsageError(
            f"takes seconds when no unit is given, and {text} seconds is unlikely to be meant:"
            f" write {text}ms or {text}s"
        )
    return seconds


def say_duration(seconds: float) -> str:
    """The time in the shortest unit that suits: ``100ms``, ``1.25s``, ``15m``."""
    if seconds < 1:
        return f"{seconds * 1000:g}ms"
    if seconds >= 60 and seconds % 60 == 0:
        return f"{seconds / 60:g}m"
    return f"{seconds:g}s"
