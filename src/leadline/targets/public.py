"""Random public IPv4 addresses (``-iR``): every address at most once, nothing that is not the public Internet's."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

import numpy as np

from leadline.model.address import U64
from leadline.targets.address_set import AddressSet
from leadline.targets.permute import Permutation
from leadline.targets.shape import Span

# IANA IPv4 special-purpose registry (RFC 6890 and its updates), multicast (RFC 5771), class E (RFC 1112) and broadcast.
SPECIAL = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
)


def special_addresses() -> AddressSet:
    """All IPv4 addresses that are not public unicast."""
    special = AddressSet()
    for text in SPECIAL:
        network = IPv4Network(text)
        special.add(Span(4, int(network.network_address), network.num_addresses))
    return special


def random_public(key: bytes, size: int) -> Iterator[U64]:
    """All public IPv4 addresses in the order that ``key`` decides, in columns of at most ``size``."""
    permutation = Permutation(1 << 32, key)
    special = special_addresses()
    for start in range(0, 1 << 32, size):
        lo = permutation.at(np.arange(start, min(start + size, 1 << 32), dtype=np.uint64))
        yield lo[~special.contains(4, np.zeros(len(lo), np.uint64), lo)]
