"""Which of our addresses a packet gets: the kernel's rules, for routes that do not name one.

IPv4: Linux ``inet_select_addr``. IPv6: RFC 6724 section 5, rules 1, 2, 3, 5, 6 and 8 (rule 7, temporary addresses,
is left out: a scan need not hide which machine it comes from).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

from leadline.link.kernel_tables import SCOPE_LINK, OwnAddress
from leadline.model.address import Address

# RFC 6724 section 2.1, default policy table: the longest matching prefix tells the label.
_LABELS = tuple(
    (IPv6Network(prefix), label)
    for prefix, label in (
        ("::1/128", 0),
        ("::ffff:0:0/96", 4),
        ("::/96", 3),
        ("2001::/32", 5),
        ("2002::/16", 2),
        ("3ffe::/16", 12),
        ("fec0::/10", 11),
        ("fc00::/7", 13),
        ("::/0", 1),
    )
)
_MULTICAST_SCOPES = {1: 2, 2: 2}
_GLOBAL, _LINK = 14, 2


def choose_source(
    owned: Sequence[OwnAddress], target: Address, gateway: Address | None, interface_index: int
) -> Address | None:
    """The source address for ``target`` over ``interface_index``, or ``None`` when no address of the family will do."""
    if isinstance(target, IPv4Address):
        hop = gateway if isinstance(gateway, IPv4Address) else target
        return _choose_v4([own for own in owned if own.address.version == 4], hop, interface_index)
    return _choose_v6([own for own in owned if own.address.version == 6], target, interface_index)


def _choose_v4(owned: list[OwnAddress], hop: IPv4Address, interface_index: int) -> Address | None:
    here = [own for own in owned if own.interface_index == interface_index and own.scope <= SCOPE_LINK]
    primary = [own for own in here if not own.secondary] or here
    for own in primary:
        if hop in ip_network((own.address, own.prefix_length), strict=False):
            return own.address
    elsewhere = [own for own in owned if own.scope < SCOPE_LINK]
    for own in (*primary, *elsewhere):
        return own.address
    return None


def _choose_v6(owned: list[OwnAddress], target: IPv6Address, interface_index: int) -> Address | None:
    wanted = _scope(target)
    label = _label(target)

    def rank(own: OwnAddress) -> tuple[bool, int, bool, bool, bool, int]:
        assert isinstance(own.address, IPv6Address)
        scope = _scope(own.address)
        distance = scope - wanted if scope >= wanted else 100 + wanted - scope
        return (
            own.address != target,
            distance,
            own.deprecated,
            own.interface_index != interface_index,
            _label(own.address) != label,
            (int(own.address) ^ int(target)).bit_length(),
        )

    # Link-local addresses mean nothing on other links; loopback's address never leaves the machine.
    candidates = [
        own
        for own in owned
        if own.interface_index == interface_index
        or (wanted > _LINK and not own.address.is_link_local and not own.address.is_loopback)
    ]
    return min(candidates, key=rank).address if candidates else None


def _scope(address: IPv6Address) -> int:
    if address.is_multicast:
        scope = (int(address) >> 112) & 15
        return _MULTICAST_SCOPES.get(scope, scope)
    return _LINK if address.is_link_local or address.is_loopback else _GLOBAL


def _label(address: IPv6Address) -> int:
    return next(label for network, label in _LABELS if address in network)
