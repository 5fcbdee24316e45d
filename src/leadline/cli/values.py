"""The values of options: text -> number, name, list. Errors are clauses that follow the option's name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from leadline.errors import UsageError
from leadline.plan.durations import parse_duration

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_DIGITS = re.compile(r"[+-]?\d+", re.ASCII)
_MOST_DIGITS = 18
_FACTORS = {"k": 1e3, "m": 1e6, "g": 1e9}
_LONGEST_BARE_WAIT = 100.0


def integer(text: str) -> int:
    """A whole number in decimal digits. Raises ``UsageError``."""
    if not _DIGITS.fullmatch(text) or len(text) > _MOST_DIGITS:
        raise UsageError(f"needs a whole number, not {text!r}")
    return int(text)


def number(text: str) -> float:
    """A decimal number (no exponent). Raises ``UsageError``."""
    if not _NUMBER.fullmatch(text) or len(text) > _MOST_DIGITS:
        raise UsageError(f"needs a number, not {text!r}")
    return float(text)


def rate(text: str) -> float:
    """A number of things a second: ``1500``, ``50k``, ``1.5M``, ``1G``. Raises ``UsageError``."""
    factor = _FACTORS.get(text[-1:].lower(), 0.0)
    digits = text[:-1] if factor else text
    if not _NUMBER.fullmatch(digits) or len(digits) > _MOST_DIGITS:
        raise UsageError(f"needs a number such as 1500, 50k or 1.5M, not {text!r}")
    return float(digits) * (factor or 1.0)


def wait(text: str) -> float:
    """How long a silent service is waited for, in seconds. Raises ``UsageError``."""
    try:
        return parse_duration(text, _LONGEST_BARE_WAIT)
    except UsageError as error:
        if text[:1].isdigit():
            raise
        raise UsageError(f"{error.messages[0].partition(', not')[0]}, or the word patient, not {text!r}") from None


def template(text: str) -> int:
    """A timing template by number or name. Raises ``UsageError``."""
    from leadline.plan.presets import TEMPLATE_NAMES  # not at the top: -V and --help do without the plan

    word = text.lower()
    if word in TEMPLATE_NAMES:
        return TEMPLATE_NAMES.index(word)
    if len(text) == 1 and text in "012345":
        return int(text)
    names = ", ".join(f"{rank} or {name}" for rank, name in enumerate(TEMPLATE_NAMES))
    raise UsageError(f"needs a timing template ({names}), not {text!r}")


def comma_list(text: str) -> tuple[str, ...]:
    """The parts between commas. Raises ``UsageError`` when there is none or one is empty."""
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise UsageError(f"needs names separated by single commas, not {text!r}")
    return parts


def output_name(text: str, clock: Mapping[str, str]) -> str:
    """The name of a file to write: time escapes (spec sheet 1.8) replaced from ``clock``, ``%%`` is a percent sign.

    Refuses names that look like a forgotten value: ``-oX -v`` writes no file named ``-v``. Raises ``UsageError``.
    """
    if not text:
        raise UsageError("needs the name of a file")
    if text.startswith("-") and text != "-":
        raise UsageError(f"needs the name of a file, and {text} looks like an option (write ./{text} if it is a file)")
    return re.sub("%(.)", lambda matched: clock.get(matched[1], matched[0]), text)


def clock_escapes(year: int, month: int, day: int, hour: int, minute: int, second: int) -> dict[str, str]:
    """What each letter behind ``%`` stands for, at that moment."""
    return {
        "H": f"{hour:02}",
        "M": f"{minute:02}",
        "S": f"{second:02}",
        "T": f"{hour:02}{minute:02}{second:02}",
        "R": f"{hour:02}{minute:02}",
        "m": f"{month:02}",
        "d": f"{day:02}",
        "y": f"{year % 100:02}",
        "Y": f"{year:04}",
        "D": f"{month:02}{day:02}{year % 100:02}",
        "F": f"{year:04}-{month:02}-{day:02}",
        "%": "%",
    }
