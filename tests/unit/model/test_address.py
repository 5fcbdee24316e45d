"""Columns of addresses give back the addresses that went in."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.address import address_of, columns_of
from leadline.model.ip import Address


@given(st.lists(st.ip_addresses(), max_size=20))
def test_columns_and_back(addresses: list[Address]) -> None:
    hi, lo = columns_of(addresses)
    assert hi.dtype == lo.dtype == np.uint64
    assert hi.shape == lo.shape == (len(addresses),)
    back = [address_of(one.version, int(hi[row]), int(lo[row])) for row, one in enumerate(addresses)]
    assert back == addresses
    assert [type(one) for one in back] == [type(one) for one in addresses]


@given(st.lists(st.ip_addresses(v=6), min_size=2, max_size=20))
def test_order_of_the_columns_is_the_order_of_the_addresses(addresses: list[IPv6Address]) -> None:
    hi, lo = columns_of(list(addresses))
    order = np.lexsort((lo, hi))
    assert [addresses[row] for row in order] == sorted(addresses)


def test_the_family_is_never_in_the_columns() -> None:
    # ::1.2.3.4 and 1.2.3.4 are equal there: whoever holds columns must hold the family too.
    hi, lo = columns_of([ip_address("1.2.3.4"), ip_address("::1.2.3.4")])
    assert hi.tolist() == [0, 0]
    assert lo.tolist() == [0x01020304] * 2
    assert address_of(4, 0, int(lo[0])) == IPv4Address("1.2.3.4")
    assert address_of(6, 0, int(lo[1])) == IPv6Address("::1.2.3.4")


def test_both_halves_at_their_limits() -> None:
    ends = [ip_address(text) for text in ("0.0.0.0", "255.255.255.255", "::", "ffff:" * 7 + "ffff", "0:0:0:1::")]
    hi, lo = columns_of(ends)
    assert hi.tolist() == [0, 0, 0, 2**64 - 1, 1]
    assert lo.tolist() == [0, 2**32 - 1, 0, 2**64 - 1, 0]


def test_elements_of_the_columns_can_be_handed_over_as_they_are() -> None:
    address = ip_address("2001:db8::ffff:ffff:ffff:ffff")
    hi, lo = columns_of([address])
    assert address_of(6, hi[0], lo[0]) == address  # type: ignore[arg-type]


def test_a_scope_is_not_part_of_the_number() -> None:
    hi, lo = columns_of([ip_address("fe80::1%eth0")])
    assert address_of(6, int(hi[0]), int(lo[0])) == ip_address("fe80::1")
