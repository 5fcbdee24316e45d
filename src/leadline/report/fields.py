"""Values out of JSON objects that anybody may have written: what is asked for or its empty form, never an error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from leadline.report.escape import for_terminal

Fields: TypeAlias = Mapping[str, object]

MOST_TEXT = 300
_GREATEST = 1e15


def parse_fields(line: str) -> Fields | None:
    """The object that the line is; ``None`` when it is none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def raw(fields: Fields, name: str) -> str:
    """The text as it is in the file, not to be shown; empty when it is no text."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def text(fields: Fields, name: str, most: int = MOST_TEXT) -> str:
    """The text, escaped for the terminal, of at most about ``most`` characters."""
    return shown(raw(fields, name), most)


def shown(value: str, most: int = MOST_TEXT) -> str:
    """Any text, escaped for the terminal and cut."""
    return for_terminal(value) if len(value) <= most else for_terminal(value[:most]) + "..."


def number(fields: Fields, name: str) -> float | None:
    """A finite number of a size that times and counts have; ``None`` for all else."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # No comparison holds for what is not a number; whole ones may be too great for a float.
    return float(value) if abs(value) < _GREATEST else None


def whole(fields: Fields, name: str) -> int:
    """A whole number; 0 for all else."""
    return int(number(fields, name) or 0)


def inner(fields: Fields, name: str) -> Fields:
    """An object inside; an empty one when there is none."""
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def each(fields: Fields, name: str) -> Iterator[Fields]:
    """The objects of a list; nothing when it is no list."""
    value = fields.get(name)
    if isinstance(value, list):
        yield from (element for element in value if isinstance(element, dict))


def pairs(fields: Fields, name: str) -> list[tuple[int, int]]:
    """The pairs of whole numbers of a list, such as ``ranges``."""
    value = fields.get(name)
    return [
        (pair[0], pair[1])
        for pair in (value if isinstance(value, list) else [])
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(end, int) for end in pair)
    ]


def texts(fields: Fields, name: str) -> list[str]:
    """The texts of a list, not to be shown as they are."""
    value = fields.get(name)
    return [element for element in value if isinstance(element, str)] if isinstance(value, list) else []
