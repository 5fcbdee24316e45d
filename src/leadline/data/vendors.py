"""Who made a network card, by the first three bytes of its address (an OUI, IEEE 802-2014 section 8.2).

The table ``tables/vendors.txt`` is made by ``scripts/make_vendors.py`` from IEEE's public list. It is not parsed: a
lookup searches the text, which takes less than a millisecond and no memory beside the text, and is remembered.
"""

from __future__ import annotations

import os
import re
from functools import cache, lru_cache

TABLE = os.path.join(os.path.dirname(__file__), "tables", "vendors.txt")

_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-]?)[0-9A-Fa-f]{2}\1[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){3}")


def vendor_of(mac: str) -> str:
    """The maker of a card, ``''`` when unknown or when ``mac`` is no address (``AA:BB:CC:DD:EE:FF``)."""
    if not _MAC.fullmatch(mac):
        return ""
    return _maker(mac.replace(":", "").replace("-", "")[:6].upper())


def prefix_of(text: str) -> tuple[bytes, str]:
    """The lowest prefix of a maker whose name has ``text`` in it, in any case, and that name; empty when nobody's."""
    wanted = text.lower().encode()
    found = []
    for line in _table().splitlines():
        name, *prefixes = line.split(b":")
        if wanted in name.lower():
            found.append((min(prefixes), name))
    if not found or not wanted:
        return b"", ""
    prefix, name = min(found)
    return bytes.fromhex(prefix.decode()), name.decode()


@lru_cache(maxsize=4096)
def _maker(prefix: str) -> str:
    """The name that begins the line which has ``:prefix`` in it. Names hold no colon."""
    text = _table()
    place = text.find(f":{prefix}".encode())
    if place < 0:
        return ""
    line = text.rfind(b"\n", 0, place) + 1
    return text[line : text.index(b":", line)].decode()


@cache
def _table() -> bytes:
    """The whole table, below its comments."""
    with open(TABLE, "rb") as file:
        text = file.read()
    while text.startswith(b"#"):
        text = text.partition(b"\n")[2]
    return text
