"""Scapy as a pure encoder and decoder: importing this takes its ways to the network away.

An ``Ether`` layer without ``dst`` makes scapy ask the real network for the address (ARP, neighbour discovery) while it
builds a packet; a test must never do that. Here it raises instead.
"""

from __future__ import annotations

from typing import NoReturn

# These imports set the attributes that are replaced below: they must come first.
import scapy.arch
import scapy.layers.inet6  # noqa: F401
from scapy.config import conf


def refuse(*_arguments: object, **_options: object) -> NoReturn:
    """Stands for scapy's sockets and for its look-up of link addresses."""
    raise AssertionError("a test let scapy ask the network: give Ether both src and dst")


conf.neighbor.resolve = refuse
conf.L2socket = conf.L2listen = conf.L3socket = conf.L3socket6 = refuse
