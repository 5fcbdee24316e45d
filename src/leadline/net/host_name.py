"""Which names from the network may be believed to be host names: everything a server says is hostile text."""

from __future__ import annotations

import re

# Letters, digits, hyphens and underscores (RFC 952, RFC 1123 2.1, RFC 2181 11); no control characters, no escapes.
_NAME = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}")
_LONGEST = 255


def clean_name(text: str) -> str:
    """The name without its final dot, or ``''`` when it is none that a report should show."""
    name = text[: _LONGEST + 2].removesuffix(".")
    return name if len(name) <= _LONGEST and _NAME.fullmatch(name) else ""
