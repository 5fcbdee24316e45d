"""``--iflist``."""

from ipaddress import ip_address

import pytest

from leadline.cli import iflist
from leadline.link import kernel_tables
from leadline.link.base import Interface
from leadline.link.kernel_tables import KernelTables, RouteEntry

ETHERNET = Interface("eth7", 7, "ethernet", 14, 1500, b"\x02\0\0\0\0\1", True, ((ip_address("10.0.0.2"), 24),))
TABLES = KernelTables(
    interfaces=(ETHERNET,),
    routes={
        4: (
            RouteEntry(254, ip_address("0.0.0.0"), 0, interface_index=7, gateway=ip_address("10.0.0.1")),
            RouteEntry(254, ip_address("10.0.0.0"), 24, interface_index=7, metric=100),
            RouteEntry(255, ip_address("10.0.0.2"), 32, kind=kernel_tables.LOCAL, interface_index=7),
            RouteEntry(254, ip_address("10.9.0.0"), 16, kind=kernel_tables.BLACKHOLE),
            RouteEntry(254, ip_address("10.8.0.0"), 16, interface_index=99),
        ),
        6: (RouteEntry(254, ip_address("fe80::"), 64, interface_index=7),),
    },
)


def test_routes_that_packets_take() -> None:
    lines = [(line.destination, line.interface, line.metric, line.gateway) for line in iflist.route_lines(TABLES)]
    assert lines == [
        ("10.0.0.0/24", "eth7", 100, None),
        ("0.0.0.0/0", "eth7", 0, ip_address("10.0.0.1")),
        ("fe80::/64", "eth7", 0, None),
    ]


def test_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_tables, "read_tables", lambda: TABLES)
    text = iflist.interfaces_and_routes()
    assert "02:00:00:00:00:01" in text
    assert "10.0.0.1" in text.splitlines()[-2]


def test_this_machine() -> None:
    assert "127.0.0.1/8" in iflist.interfaces_and_routes()
