"""Writes src/leadline/data/tables/vendors.txt: who makes network cards, by the first three bytes of their address.

The assignments come from IEEE's public list in the form of the PyPI package ``aiooui`` (MIT licence), whose file
``oui.data`` holds: ``OUI1``, a count n, n sorted keys, n offsets into the names (all little-endian uint32), then
the names, a line each. To renew the table::

    pip download --no-deps aiooui && unzip aiooui-*.whl aiooui/oui.data
    python scripts/make_vendors.py aiooui/oui.data
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "src" / "leadline" / "data" / "tables" / "vendors.txt"
HEADING = """\
# Makers of network cards: "name:AABBCC:DDEEFF...", the first three bytes of their addresses. Written by
# scripts/make_vendors.py from IEEE's public list (PyPI package aiooui, MIT licence, Copyright J. Nick Koston).
"""
# Blocks that IEEE parcels out further: the name says nothing of the maker.
NOBODY = {"IEEE Registration Authority", "Private"}
# Not registered, but what these addresses mean.
OWN = {"525400": "QEMU virtual machine"}


def assignments(data: bytes) -> dict[str, str]:
    """``AABBCC -> name``."""
    magic, count = struct.unpack_from("<4sI", data)
    if magic != b"OUI1":
        raise SystemExit("not the table of aiooui")
    keys = struct.unpack_from(f"<{count}I", data, 8)
    offsets = struct.unpack_from(f"<{count}I", data, 8 + 4 * count)
    names = data[8 + 8 * count :]
    found = {}
    for key, offset in zip(keys, offsets, strict=True):
        name = names[offset : names.index(b"\n", offset)].decode()
        found[f"{key:06X}"] = " ".join(name.replace(":", " ").split())
    return found


def main() -> None:
    """Writes the table from the file that the first argument names."""
    prefixes: dict[str, list[str]] = {}
    for prefix, name in sorted((assignments(Path(sys.argv[1]).read_bytes()) | OWN).items()):
        if name and name not in NOBODY and name.isprintable():
            prefixes.setdefault(name, []).append(prefix)
    lines = (f"{name}:{':'.join(of_name)}\n" for name, of_name in sorted(prefixes.items()))
    TABLE.write_text(HEADING + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
