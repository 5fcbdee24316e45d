"""The text of ``--iflist``: this machine's interfaces and routes, as two tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from leadline.model.ip import Address
from leadline.model.quick_dataclass import dataclass
from leadline.report.escape import for_terminal


class InterfaceLike(Protocol):
    """What the table needs of an interface (``link.base.Interface`` has it). ``mac``: six bytes, zeros for none."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def mtu(self) -> int: ...
    @property
    def mac(self) -> bytes: ...
    @property
    def up(self) -> bool: ...
    @property
    def addresses(self) -> Sequence[tuple[Address, int]]: ...


@dataclass(frozen=True, slots=True)
class RouteLine:
    """One route. ``destination``: ``10.0.0.0/8``; ``interface``: its name; ``gateway``: ``None`` on the local link."""

    destination: str
    interface: str
    metric: int = 0
    gateway: Address | None = None


def interface_text(interfaces: Iterable[InterfaceLike], routes: Iterable[RouteLine]) -> str:
    """Both tables, each with its title; a sentence instead of a table that would be empty."""
    rows = [row for interface in interfaces for row in _interface_rows(interface)]
    text = _section("INTERFACES", ("DEV", "IP/MASK", "TYPE", "UP", "MTU", "MAC"), rows, "No interfaces found.")
    lines: list[tuple[str, ...]] = [
        (
            for_terminal(route.destination),
            for_terminal(route.interface),
            str(route.metric),
            str(route.gateway) if route.gateway is not None else "",
        )
        for route in routes
    ]
    return text + "\n" + _section("ROUTES", ("DST/MASK", "DEV", "METRIC", "GATEWAY"), lines, "No routes found.")


def _interface_rows(interface: InterfaceLike) -> list[tuple[str, ...]]:
    mac = interface.mac.hex(":").upper() if any(interface.mac) else ""
    state = "up" if interface.up else "down"
    networks = [f"{address}/{prefix}" for address, prefix in interface.addresses] or ["(none)"]
    name = for_terminal(interface.name)
    return [(name, network, interface.kind, state, str(interface.mtu), mac) for network in networks]


def _section(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]], nothing: str) -> str:
    if not rows:
        return f"{title}\n{nothing}\n"
    table = [heads, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    lines = [" ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    width = max(map(len, lines))
    return "\n".join([f"{title:*^{width}}", *lines]) + "\n"
