"""Source addresses as the kernel chooses them (RFC 6724 examples among them)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.link.kernel_tables import OwnAddress
from leadline.link.source_address import choose_source


def own(text: str, index: int = 2, scope: int = 0) -> OwnAddress:
    address, _, length = text.partition("/")
    return OwnAddress(ip_address(address), int(length or 64), index, scope)


@pytest.mark.parametrize(
    ("owned", "target", "gateway", "source"),
    [
        (["10.1.0.1/24", "10.2.0.1/24"], "10.2.0.7", "", "10.2.0.1"),
        (["10.1.0.1/24", "10.2.0.1/24"], "8.8.8.8", "10.2.0.254", "10.2.0.1"),
        (["10.1.0.1/24", "10.2.0.1/24"], "8.8.8.8", "10.3.0.254", "10.1.0.1"),
        (["10.1.0.1/24"], "8.8.8.8", "fe80::1", "10.1.0.1"),
        (["fd00::1"], "8.8.8.8", "", ""),
        # RFC 6724 section 10.1
        (["2001:db8:3::1", "fe80::1"], "2001:db8:1::1", "", "2001:db8:3::1"),
        (["2001:db8:3::1", "fe80::1"], "ff05::1", "", "2001:db8:3::1"),
        (["2001:db8:1::1", "2001:db8:2::1"], "2001:db8:1::1", "", "2001:db8:1::1"),
        (["fe80::1", "2001:db8:1::1"], "fe80::9", "", "fe80::1"),
        (["fe80::1", "2001:db8:1::1"], "ff02::1", "", "fe80::1"),
        (["2001:db8:1::1", "2001:db8:3::1"], "2001:db8:1::2", "", "2001:db8:1::1"),
        (["2002:c633:6401::1", "2001:db8:1::1"], "2002:c633:6401::d5e3", "", "2002:c633:6401::1"),
        (["fd00::1", "2001:db8::1"], "fd77::1", "", "fd00::1"),
        (["fd00::1", "2001:db8::1"], "2620::1", "", "2001:db8::1"),
        (["fe80::1"], "2620::1", "", "fe80::1"),
        (["10.1.0.1/24"], "2620::1", "", ""),
    ],
)
def test_choice(owned: list[str], target: str, gateway: str, source: str) -> None:
    for order in (owned, owned[::-1]) if ":" in target else (owned,):
        via = ip_address(gateway) if gateway else None
        chosen = choose_source([own(each) for each in order], ip_address(target), via, 2)
        assert str(chosen or "") == source


def test_other_interfaces_help_out_when_ours_has_none() -> None:
    elsewhere = [own("127.0.0.1/8", 1, 254), own("169.254.1.1/16", 1, 253), own("10.1.0.1/24", 3)]
    assert choose_source(elsewhere, ip_address("8.8.8.8"), None, 2) == ip_address("10.1.0.1")
    assert choose_source(elsewhere[:2], ip_address("8.8.8.8"), None, 2) is None
    elsewhere = [own("::1", 1, 254), own("fe80::3", 3), own("2001:db8::1", 3)]
    assert choose_source(elsewhere, ip_address("2620::1"), None, 2) == ip_address("2001:db8::1")
    assert choose_source(elsewhere, ip_address("fe80::9"), None, 2) is None


def test_secondary_and_deprecated_addresses_come_last() -> None:
    first, second = own("10.1.0.9/24"), own("10.1.0.1/24")
    both = [replace(first, secondary=True), second]
    assert choose_source(both, ip_address("10.1.0.7"), None, 2) == second.address
    assert choose_source(both[:1], ip_address("10.1.0.7"), None, 2) == first.address
    old, new = own("2001:db8:1::1"), own("2001:db8:2::1")
    both = [replace(old, deprecated=True), new]
    assert choose_source(both, ip_address("2001:db8:1::7"), None, 2) == new.address
    assert choose_source(both[:1], ip_address("2001:db8:1::7"), None, 2) == old.address
