from __future__ import annotations

from ipaddress import ip_address, ip_network

import numpy as np

from leadline.model.address import columns_of
from leadline.sim.firewall import Action, Rule, in_network, verdicts


def judge(rules: list[Rule], packets: list[tuple[str, int, int, int]], family: int = 4) -> list[int]:
    """Packets as (destination, protocol, port, flags)."""
    hi, lo = columns_of([ip_address(packet[0]) for packet in packets])
    protocol = np.array([packet[1] for packet in packets], np.uint8)
    port = np.array([packet[2] for packet in packets], np.uint16)
    flags = np.array([packet[3] for packet in packets], np.uint16)
    return verdicts(rules, family, hi, lo, protocol, port, flags).tolist()


def test_first_match_wins_and_none_is_minus_one() -> None:
    rules = [Rule(Action.ACCEPT, protocol=6, ports=((80, 80),)), Rule(Action.DROP, protocol=6)]
    packets = [("10.0.0.1", 6, 80, 2), ("10.0.0.1", 6, 81, 2), ("10.0.0.1", 17, 80, 0)]
    assert judge(rules, packets) == [0, 1, -1]


def test_ports_are_inclusive_ranges_of_protocols_that_have_them() -> None:
    rules = [Rule(Action.DROP, ports=((10, 12), (20, 20)))]
    packets = [("10.0.0.1", 6, port, 2) for port in (9, 10, 12, 13, 20)]
    assert judge(rules, packets) == [-1, 0, 0, -1, 0]
    assert judge([Rule(Action.DROP, ports=((0, 65535),))], [("10.0.0.1", 1, 0, 0)]) == [-1]


def test_networks_and_flags() -> None:
    rules = [Rule(Action.DROP, networks=(ip_network("10.1.0.0/16"),), flags=(0x12, 0x10))]
    packets = [
        ("10.1.2.3", 6, 80, 0x10),
        ("10.1.2.3", 6, 80, 0x02),
        ("10.2.0.1", 6, 80, 0x10),
        ("10.1.0.1", 17, 1, 0x10),
    ]
    assert judge(rules, packets) == [0, -1, -1, -1]


def test_icmp_means_icmpv6_too() -> None:
    assert judge([Rule(Action.DROP, protocol=1)], [("2001:db8::1", 58, 0, 0), ("2001:db8::1", 6, 0, 0)], 6) == [0, -1]


def test_in_network_agrees_with_ipaddress() -> None:
    addresses = [ip_address(text) for text in ("2001:db8::", "2001:db8::1:0", "2001:db8:1::", "::", "2001:db8:0:1::5")]
    hi, lo = columns_of(addresses)
    for text in ("2001:db8::/64", "2001:db8::/32", "::/0", "2001:db8::1:0/128", "2001:db8::/112"):
        network = ip_network(text)
        assert in_network(network, 6, hi, lo).tolist() == [address in network for address in addresses], text
    assert not in_network(ip_network("0.0.0.0/0"), 6, hi, lo).any()
