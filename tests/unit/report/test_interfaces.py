from __future__ import annotations

from ipaddress import ip_address

from leadline.link.base import Interface
from leadline.report.interfaces import RouteLine, interface_text

LOOPBACK = Interface(
    "lo", 1, "loopback", 14, 65536, bytes(6), True, ((ip_address("127.0.0.1"), 8), (ip_address("::1"), 128))
)
ETHERNET = Interface("eth0", 2, "ethernet", 14, 1500, bytes.fromhex("02005e100001"), False)


def test_tables() -> None:
    routes = [
        RouteLine("0.0.0.0/0", "eth0", 100, ip_address("10.0.0.254")),
        RouteLine("10.0.0.0/24", "eth0"),
    ]
    assert interface_text([LOOPBACK, ETHERNET], routes) == (
        f"{'INTERFACES':*^54}\n"
        "DEV  IP/MASK     TYPE     UP   MTU   MAC\n"
        "lo   127.0.0.1/8 loopback up   65536\n"
        "lo   ::1/128     loopback up   65536\n"
        "eth0 (none)      ethernet down 1500  02:00:5E:10:00:01\n"
        "\n"
        f"{'ROUTES':*^34}\n"
        "DST/MASK    DEV  METRIC GATEWAY\n"
        "0.0.0.0/0   eth0 100    10.0.0.254\n"
        "10.0.0.0/24 eth0 0\n"
    )


def test_a_machine_without_network() -> None:
    assert interface_text([], []) == "INTERFACES\nNo interfaces found.\n\nROUTES\nNo routes found.\n"


def test_names_are_made_safe() -> None:
    odd = Interface("e\x1b0", 3, "point", 0, 1400, b"", True, ((ip_address("10.0.0.1"), 32),))
    text = interface_text([odd], [RouteLine("x\t", "y\n")])
    assert "e\\x1b0" in text
    assert "\nx\\x09    y\\x0a 0\n" in text
