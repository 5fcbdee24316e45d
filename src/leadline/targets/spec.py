"""The grammar of one target expression (spec sheet 1.1): text -> a compact value, never expanded.

::

    target = host [":" ports]               ; ports as for -p, of this target alone
           | "[" v6 "]" ["/" bits] [":" ports]
    host   = v4 ["/" bits] | v6 ["/" bits] | name ["/" bits]
    v4     = octet "." octet "." octet "." octet
    octet  = part *("," part)               ; part: number, "*", or a range with open ends (10.0.0-3.1,7,200-)
    v6     = address ["%" scope]            ; the scope is the interface of a link-local address

``bits`` keeps that many leading bits: ``name/24`` is the block around the address that the name resolves to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv6Address

from leadline.errors import UsageError
from leadline.model.port_set import PortSet
from leadline.model.quick_dataclass import dataclass
from leadline.targets.shape import Octets, Shape, Span

_PLAIN_V4 = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}")
_OCTETS = re.compile(r"[0-9*,-]+(?:\.[0-9*,-]+)+")
_PART = re.compile(r"([0-9]{0,3})-([0-9]{0,3})")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_SCOPE = re.compile(r"[A-Za-z0-9_.@-]{1,15}")
_LONGEST = 4096
_LONGEST_NAME = 253


@dataclass(frozen=True, slots=True)
class Named:
    """A host name to resolve; ``bits``: the block around its address, ``None`` for the address alone."""

    name: str
    bits: int | None = None


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """One expression. ``ports``: those typed for this target alone. ``scope``: interface of a link-local address."""

    text: str
    shape: Shape | Named
    ports: PortSet | None = None
    scope: str = ""


def parse_target(text: str, parse_port_list: Callable[[str], PortSet]) -> TargetSpec:
    """Reads one expression; ``parse_port_list`` reads what follows ``host:``. Raises ``UsageError``, one sentence."""
    if _PLAIN_V4.fullmatch(text):
        return TargetSpec(text, Span(4, _plain_v4(text)))
    if len(text) > _LONGEST:
        raise UsageError(f'Target "{text[:40]}..." is longer than {_LONGEST} characters.')
    host, bits_text, port_text = _split(text)
    bits = _prefix_length(text, bits_text)
    ports = None if port_text is None else parse_port_list(port_text)
    if ":" in host:
        address, _, scope = host.partition("%")
        return TargetSpec(text, _v6_block(text, address, bits), ports, _checked_scope(text, host, scope))
    if _OCTETS.fullmatch(host):
        return TargetSpec(text, _v4_block(text, host, bits), ports)
    return TargetSpec(text, Named(_host_name(text, host), bits), ports)


def block_around(family: int, value: int, bits: int) -> Span:
    """The block of all addresses that share the first ``bits`` bits with ``value``."""
    count = 1 << ((32 if family == 4 else 128) - bits)
    return Span(family, value & -count, count)


def _split(text: str) -> tuple[str, str | None, str | None]:
    """Host, prefix length and ports, the last two as text, ``None`` where there are none."""
    ports: str | None = None
    if text.startswith("["):
        inside, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in inside:
            raise UsageError(f'Target "{text}" is no IPv6 address in brackets.')
        bits_outside, colon, after = rest.partition(":")
        if bits_outside and (not bits_outside.startswith("/") or "/" in inside):
            raise UsageError(f'Target "{text}" has "{bits_outside}" where only a prefix length or ports can follow.')
        host, ports = inside + bits_outside, after if colon else None
    else:
        host = text
        first, _, rest = text.partition(":")
        if rest and not _looks_like_v6(text):
            host, ports = first, rest
        elif text.endswith(":") and text.count(":") == 1:
            raise UsageError(f'Target "{text}" ends where ports should follow.')
    host, slash, bits = host.partition("/")
    return host, bits if slash else None, ports


def _looks_like_v6(text: str) -> bool:
    """More than one colon and only hexadecimal digits between them (``host:T:80,U:53`` has ports instead)."""
    address = text.partition("/")[0].partition("%")[0]
    return address.count(":") > 1 and re.fullmatch(r"[0-9A-Fa-f:.]+", address) is not None


def _prefix_length(text: str, bits: str | None) -> int | None:
    if bits is None:
        return None
    if not (bits.isascii() and bits.isdigit() and len(bits) <= 3):
        raise UsageError(f'Target "{text}" has the prefix length "{bits}", which is no number.')
    if int(bits) > 128:
        raise UsageError(f'Target "{text}" has the prefix length {bits}; an address has at most 128 bits.')
    return int(bits)


def _plain_v4(text: str) -> int:
    value = 0
    for part in text.split("."):
        octet = int(part)
        if octet > 255:
            raise UsageError(f'Target "{text}" has the octet {octet}; an octet ends at 255.')
        value = value << 8 | octet
    return value


def _v4_block(text: str, host: str, bits: int | None) -> Shape:
    parts = host.split(".")
    if len(parts) != 4:
        raise UsageError(f'Target "{text}" is no IPv4 address: it has {len(parts)} octets, not 4.')
    if bits is not None and bits > 32:
        raise UsageError(f'Target "{text}" has the prefix length {bits}; an IPv4 address has 32 bits.')
    values = [_octet_values(text, part) for part in parts]
    if bits is not None:
        masks = (0xFFFFFFFF << (32 - bits)) & 0xFFFFFFFF
        values = [_widened(octet, (masks >> (24 - 8 * place)) & 255) for place, octet in enumerate(values)]
    octets = Octets(tuple(values))
    if octets.span_count() == 1:
        return next(octets.spans())
    return octets


def _octet_values(text: str, octet: str) -> tuple[int, ...]:
    """What one octet can be, ascending: ``*``, numbers and ranges with open ends, separated by commas."""
    values: set[int] = set()
    for part in octet.split(","):
        if part == "*":
            first, last = 0, 255
        elif match := _PART.fullmatch(part):
            first, last = int(match[1] or 0), int(match[2] or 255)
        elif part.isdigit() and len(part) <= 3:
            first = last = int(part)
        else:
            raise UsageError(f'Target "{text}" has the octet "{part or octet}", which is neither a number nor a range.')
        if max(first, last) > 255:
            raise UsageError(f'Target "{text}" has the octet {max(first, last)}; an octet ends at 255.')
        if first > last:
            raise UsageError(f'Target "{text}" has the range "{part}", which goes backwards.')
        values.update(range(first, last + 1))
    return tuple(sorted(values))


def _widened(values: tuple[int, ...], mask: int) -> tuple[int, ...]:
    """All values that share the bits of ``mask`` with one of these."""
    kept = {value & mask for value in values}
    return tuple(value for value in range(256) if value & mask in kept)


def _v6_block(text: str, address: str, bits: int | None) -> Span:
    try:
        value = int(IPv6Address(address))
    except ValueError:
        raise UsageError(f'Target "{text}" is no IPv6 address.') from None
    return block_around(6, value, 128 if bits is None else bits)


def _checked_scope(text: str, host: str, scope: str) -> str:
    if "%" in host and not _SCOPE.fullmatch(scope):
        raise UsageError(f'Target "{text}" has the scope "{scope}", which is no name of an interface.')
    return scope


def _host_name(text: str, host: str) -> str:
    """The checked name in the letters that DNS takes: other scripts are put in their ASCII form (RFC 3490)."""
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            raise UsageError(f'Target "{text}" is no host name.') from None
    labels = host.removesuffix(".").split(".")
    if len(host) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise UsageError(f'Target "{text}" is neither an address nor a host name.')
    return host
