"""How far one expression may reach by itself: what large ones leave out, and what needs a word of caution.

Who types 8.0.0.0/5 means the hosts of the Internet in it, not 10.0.0.0/8 of the own company nor multicast groups.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Network

from leadline.targets.address_set import AddressSet
from leadline.targets.public import SPECIAL, special_addresses
from leadline.targets.shape import Octets, Shape, Span

# An expression of more addresses leaves out the special ranges that it holds entirely ...
LARGE = 1 << 16
# ... and one of more than these (a /8) every special address.
HUGE = 1 << 24
# More addresses in one scan are taken for the whole Internet (half of the public ones would be 1.85 billion).
INTERNET = 1_000_000_000
NEEDS_EXCLUSIONS = (
    "Targets of {count:,} addresses are about the whole Internet: name a list of those who must not be scanned with "
    "--excludefile FILE (an empty one, if there is none)."
)


@cache
def _special() -> tuple[Span, ...]:
    networks = [IPv4Network(text) for text in SPECIAL]
    return tuple(Span(4, int(network.network_address), network.num_addresses) for network in networks)


def left_out_of(shape: Shape) -> AddressSet:
    """Special-purpose and multicast addresses (RFC 6890, RFC 5771) that a large IPv4 expression does not mean.

    Nothing where the expression lies within one special range: then that is what was named.
    """
    out = AddressSet()
    if shape.family != 4 or shape.count <= LARGE:
        return out
    first, last = _ends(shape)
    if any(one.start <= first and last <= one.end for one in _special()):
        return out
    if shape.count > HUGE:
        return special_addresses()
    for one in _special():
        if isinstance(shape, Span) and first <= one.start and one.end <= last:
            out.add(one)
    return out


def _ends(shape: Shape) -> tuple[int, int]:
    return (shape.lowest, shape.highest) if isinstance(shape, Octets) else (shape.start, shape.end)


def left_out_words(text: str, shape: Shape) -> str:
    """One sentence about what ``left_out_of`` takes from the expression ``text``; empty when that is nothing."""
    out = left_out_of(shape)
    first, last = _ends(shape)
    names = [name for name, one in zip(SPECIAL, _special(), strict=True) if first <= one.end and one.start <= last]
    if not out or not names:
        return ""
    if not (isinstance(shape, Octets) or shape.count > HUGE):
        names = [name for name, one in zip(SPECIAL, _special(), strict=True) if first <= one.start and one.end <= last]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"{text} is scanned without the special-purpose addresses in it ({', '.join(names[:3])}{more}): "
        "name a range by itself to scan it."
    )


def internet_mistake(counts: Iterable[int], exclude_files: tuple[str, ...]) -> str:
    """The mistake of scanning about everything without a list of exclusions; empty when there is none.

    ``counts``: IPv4 addresses of each expression.
    """
    total = sum(counts)
    return "" if total <= INTERNET or exclude_files else NEEDS_EXCLUSIONS.format(count=total)
