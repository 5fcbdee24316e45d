"""MAC addresses that the kernel already knows: spares the first ARP or ND question for a gateway."""

from __future__ import annotations

import socket
import struct

from leadline.link import netlink
from leadline.link.base import Interface
from leadline.model.address import Address

# linux/neighbour.h: incomplete, failed and none are left out.
REACHABLE, STALE, DELAY, PROBE, PERMANENT = 0x02, 0x04, 0x08, 0x10, 0x80
_KNOWN = REACHABLE | STALE | DELAY | PROBE | PERMANENT
_TO, _LINK_ADDRESS = 1, 2
_HEADER = struct.Struct("=BBHiHBB")  # ndmsg: family, -, -, index, state, flags, type


def known_mac(interface: Interface, address: Address) -> bytes | None:
    """The neighbour entry of one address (``RTM_GETNEIGH``, Linux 5.0): 6 bytes, or ``None``. Never raises."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    body = _HEADER.pack(family, 0, 0, interface.index, 0, 0, 0) + netlink.attribute(_TO, address.packed)
    try:
        found = netlink.get(netlink.GET_NEIGHBOR, body)
    except OSError:
        return None  # no such entry, mostly
    if found is None:
        return None
    state = _HEADER.unpack(found.header)[4]
    mac = found.attributes.get(_LINK_ADDRESS, b"")
    return mac if state & _KNOWN and len(mac) == 6 and any(mac) else None
