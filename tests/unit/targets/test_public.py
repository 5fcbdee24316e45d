from ipaddress import IPv4Address
from itertools import islice

import numpy as np
import pytest

from leadline.targets.public import random_public, special_addresses


@pytest.mark.parametrize(
    ("address", "special"),
    [
        ("0.1.2.3", True),
        ("8.8.8.8", False),
        ("10.20.30.40", True),
        ("100.63.255.255", False),
        ("100.64.0.1", True),
        ("127.0.0.1", True),
        ("169.254.1.1", True),
        ("172.15.255.255", False),
        ("172.31.255.255", True),
        ("192.168.1.1", True),
        ("192.169.0.0", False),
        ("198.19.0.1", True),
        ("203.0.113.7", True),
        ("223.255.255.255", False),
        ("224.0.0.1", True),
        ("255.255.255.255", True),
    ],
)
def test_special_addresses(address: str, special: bool) -> None:
    lo = np.array([int(IPv4Address(address))], np.uint64)
    assert special_addresses().contains(4, np.zeros(1, np.uint64), lo).tolist() == [special]


def test_random_addresses_are_public_and_distinct() -> None:
    values = np.concatenate(list(islice(random_public(b"key", 4096), 5)))
    assert 15000 < len(values) < 20480
    assert len(np.unique(values)) == len(values)
    assert all(IPv4Address(int(value)).is_global for value in values[:3000])


def test_the_key_decides() -> None:
    assert next(random_public(b"a", 100)).tolist() == next(random_public(b"a", 100)).tolist()
    assert next(random_public(b"a", 100)).tolist() != next(random_public(b"b", 100)).tolist()
