"""Names of ports: what usually listens there, by the number alone.

The table ``tables/services.txt`` is made by ``scripts/make_services.py`` from IANA's registry and a list of our own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache

from leadline.errors import DataError
from leadline.model.port import Protocol

_COMMENT = re.compile(r"^#.*$", re.MULTILINE)

TABLE = os.path.join(os.path.dirname(__file__), "tables", "services.txt")


class Services:
    """Lookups over one table of ``protocol -> number -> name``. Names are lower case without blanks."""

    __slots__ = ("_names",)

    def __init__(self, names: Mapping[Protocol, Mapping[int, str]]) -> None:
        self._names = names

    def name(self, number: int, protocol: Protocol) -> str:
        """The name of a port (of an IP protocol number for ``Protocol.IP``), ``''`` when it has none."""
        return self._names.get(protocol, {}).get(number, "")

    def registered(self, protocol: Protocol) -> tuple[int, ...]:
        """All numbers that have a name, ascending."""
        return tuple(sorted(self._names.get(protocol, {})))

    def numbers(self, pattern: str, protocol: Protocol) -> tuple[int, ...]:
        """The ports, ascending, whose name matches: ``*`` any text, ``?`` one character, the rest literally.

        Upper and lower case are alike (RFC 6335 section 5.1).
        """
        names = self._names.get(protocol, {})
        wanted = pattern.lower()
        if "*" not in wanted and "?" not in wanted:
            return tuple(sorted(number for number, name in names.items() if name == wanted))
        import fnmatch

        matches = re.compile(fnmatch.translate(wanted.replace("[", "[[]"))).match
        return tuple(sorted(number for number, name in names.items() if matches(name)))


def parse_services(text: str, path: str = "") -> Services:
    """Reads the grammar of the table: ``[protocol]`` heads a section of ``number name`` lines, ``#`` heads a comment.

    Raises ``DataError`` with the section at fault. Whole sections are split at once: 11,000 rows take milliseconds.
    """
    names: dict[Protocol, dict[int, str]] = {}
    for section in _COMMENT.sub("", text).split("[")[1:]:
        label, _, rows = section.partition("]")
        words = rows.split()
        try:
            protocol = Protocol[label.upper()]
            names[protocol] = dict(zip(map(int, words[::2]), words[1::2], strict=True))
        except (KeyError, ValueError) as error:
            raise DataError(f"section [{label}] is damaged: {error}", path) from error
    return Services(names)


@cache
def default_services() -> Services:
    """The packaged table, read at the first call."""
    with open(TABLE, encoding="utf-8") as file:
        return parse_services(file.read(), TABLE)


def service_name(number: int, protocol: Protocol) -> str:
    """The packaged table's name of a port, ``''`` when it has none."""
    return default_services().name(number, protocol)
