"""``--iflist``: this machine's interfaces and routes as the scanner sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from leadline.report.interfaces import RouteLine, interface_text

if TYPE_CHECKING:
    from leadline.link.kernel_tables import KernelTables

_MAIN_TABLE = 254
_UNICAST = 1


def interfaces_and_routes() -> str:
    """The text to print. Raises ``LinkError`` when the kernel cannot be asked."""
    from leadline.link.kernel_tables import read_tables

    tables = read_tables()
    return interface_text(tables.interfaces, route_lines(tables))


def route_lines(tables: KernelTables) -> Iterator[RouteLine]:
    """The unicast routes of the main table, the longest prefixes (which decide) first, IPv4 before IPv6."""
    names = {interface.index: interface.name for interface in tables.interfaces}
    for family in (4, 6):
        entries = [
            entry
            for entry in tables.routes.get(family, ())
            if entry.table == _MAIN_TABLE and entry.kind == _UNICAST and entry.interface_index in names
        ]
        for entry in sorted(entries, key=lambda entry: (-entry.prefix_length, int(entry.network), entry.metric)):
            destination = f"{entry.network}/{entry.prefix_length}"
            yield RouteLine(destination, names[entry.interface_index], entry.metric, entry.gateway)
