"""``--ip-options``: IPv4 options as bytes or by their letters (spec sheet 1.7; RFC 791 section 3.1)."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

from leadline.errors import UsageError

LONGEST = 40
_NOTHING = 1
_RECORD_ROUTE, _TIMESTAMP, _LOOSE_ROUTE, _STRICT_ROUTE = 7, 68, 131, 137
_MOST_HOPS = 8

_BYTE = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|([0-9]{1,3}))(?:\*([0-9]{1,2}))?", re.ASCII)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+", re.ASCII)

# Room for nine addresses, nine times, or four of both: all that fits.
_LETTERS = {
    "R": bytes((_NOTHING, _RECORD_ROUTE, 39, 4)) + bytes(36),
    "T": bytes((_TIMESTAMP, 40, 5, 0)) + bytes(36),
    "U": bytes((_TIMESTAMP, 36, 5, 1)) + bytes(32),
}


def read_ip_options(text: str) -> tuple[bytes, IPv4Address | None]:
    """The options, and of source routes (``L`` loose, ``S`` strict) the first hop: packets are addressed to it.

    The last four bytes of a source route stand for the target's address. Raises ``UsageError``.
    """
    if text in _LETTERS:
        return _LETTERS[text], None
    if text[:1] in ("L", "S"):
        return _source_route(text[0], text[1:].split())
    options = _bytes(text)
    if len(options) > LONGEST or len(options) % 4:
        raise UsageError(f"needs a multiple of 4 bytes, at most {LONGEST}, not {len(options)}")
    return options, None


def _source_route(letter: str, words: list[str]) -> tuple[bytes, IPv4Address]:
    try:
        hops = [IPv4Address(word) for word in words]
    except ValueError:
        raise UsageError(f"{letter} needs IPv4 addresses, with spaces between them, not {' '.join(words)!r}") from None
    if not 0 < len(hops) <= _MOST_HOPS:
        raise UsageError(f"{letter} needs 1 to {_MOST_HOPS} hops, not {len(hops)}")
    kind = _LOOSE_ROUTE if letter == "L" else _STRICT_ROUTE
    route = b"".join(hop.packed for hop in hops) + bytes(4)
    return bytes((_NOTHING, kind, 3 + len(route), 4)) + route, hops[0]


def _bytes(text: str) -> bytes:
    r"""``\x07\x04*36\1``: hexadecimal or decimal bytes, some of them repeated; or nothing but hex digits."""
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    found = b""
    at = 0
    while at < len(text):
        matched = _BYTE.match(text, at)
        value = int(matched[1], 16) if matched and matched[1] else int(matched[2]) if matched else 256
        if matched is None or value > 255:
            raise UsageError(f"needs R, T, U, L HOPS, S HOPS or bytes such as \\x07\\x04*36, not {text!r}")
        found += bytes((value,)) * int(matched[3] or 1)
        at = matched.end()
    if not found:
        raise UsageError("needs R, T, U, L HOPS, S HOPS or bytes such as \\x07\\x04*36")
    return found
