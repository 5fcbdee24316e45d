"""MAC addresses that the kernel already knows: spares the first ARP or ND question for a gateway."""

from __future__ import annotations

from leadline.link.base import Interface
from leadline.model.address import Address

# linux/neighbour.h: incomplete, failed and none are left out.
REACHABLE, STALE, DELAY, PROBE, PERMANENT = 0x02, 0x04, 0x08, 0x10, 0x80
_KNOWN = REACHABLE | STALE | DELAY | PROBE | PERMANENT


def known_mac(interface: Interface, address: Address) -> bytes | None:
    """The neighbour entry of one address (``RTM_GETNEIGH``, Linux 5.0): 6 bytes, or ``None``. Never raises."""
    try:
        from pyroute2 import IPRoute
        from pyroute2.netlink.exceptions import NetlinkError
    except ImportError:
        return None
    try:
        with IPRoute() as netlink:
            for message in netlink.neigh("get", dst=str(address), ifindex=interface.index):
                if message.get("state", 0) & _KNOWN:
                    return _mac(message.get_attr("NDA_LLADDR"))
    except (OSError, NetlinkError):
        return None
    return None


def _mac(text: object) -> bytes | None:
    if not isinstance(text, str):
        return None
    try:
        mac = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        return None
    return mac if len(mac) == 6 and any(mac) else None
