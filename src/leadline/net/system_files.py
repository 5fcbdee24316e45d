"""What this machine knows of names: ``/etc/hosts`` and ``/etc/resolv.conf``, and name servers as people type them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from ipaddress import ip_address

from leadline.errors import UsageError
from leadline.model.ip import Address
from leadline.model.quick_dataclass import dataclass
from leadline.net.host_name import clean_name

HOSTS = "/etc/hosts"
RESOLV_CONF = "/etc/resolv.conf"
_PORT = 53
_MOST_SERVERS = 3  # as the C library (resolv.conf(5), MAXNS)


@dataclass(frozen=True, slots=True)
class NameServer:
    """``address`` with the scope of a link-local one (``fe80::1%eth0``)."""

    address: str
    port: int = _PORT


@dataclass(frozen=True, slots=True)
class HostsFile:
    """``forward``: lower-case name -> addresses in file order; ``reverse``: address -> its first name."""

    forward: dict[str, tuple[Address, ...]] = field(default_factory=dict)
    reverse: dict[Address, str] = field(default_factory=dict)

    def addresses(self, name: str, families: frozenset[int]) -> tuple[Address, ...]:
        """Of the asked families, IPv4 first. ``localhost`` is always this machine (RFC 6761 section 6.3)."""
        known = self.forward.get(name.removesuffix(".").lower(), ())
        if not known and name.removesuffix(".").lower() == "localhost":
            known = (ip_address("127.0.0.1"), ip_address("::1"))
        return tuple(sorted((a for a in known if a.version in families), key=lambda address: address.version))


@dataclass(frozen=True, slots=True)
class ResolverConfiguration:
    """Of ``resolv.conf``: servers, search domains and how many dots make a name be tried as it is first."""

    servers: tuple[NameServer, ...] = ()
    search: tuple[str, ...] = ()
    dots: int = 1


def parse_server(text: str) -> NameServer:
    """A name server as typed: ``192.0.2.1``, ``192.0.2.1:5353``, ``2001:db8::1``, ``[2001:db8::1]:5353``.

    Raises ``UsageError`` with a sentence.
    """
    host, port_text = text.strip(), ""
    if host.startswith("["):
        host, bracket, rest = host[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise UsageError(f'Name server "{text}" is not written as [address]:port.')
        port_text = rest[1:] if rest else str(_PORT)
    elif host.count(":") == 1:
        host, _, port_text = host.partition(":")
    else:
        port_text = str(_PORT)
    try:
        address = ip_address(host)
    except ValueError:
        raise UsageError(f'Name server "{text}" is no IP address (a name cannot stand here).') from None
    if not (port_text.isascii() and port_text.isdigit() and 0 < int(port_text[:6]) <= 65535):
        raise UsageError(f'Name server "{text}" has the port "{port_text}"; ports are 1 to 65535.')
    return NameServer(str(address), int(port_text))


def parse_hosts(lines: Iterable[str]) -> HostsFile:
    """Reads ``hosts(5)``; what is no address or no host name is passed over."""
    forward: dict[str, list[Address]] = {}
    reverse: dict[Address, str] = {}
    for line in lines:
        words = line.partition("#")[0].split()
        if len(words) < 2:
            continue
        try:
            address = ip_address(words[0])
        except ValueError:
            continue
        for name in filter(None, map(clean_name, words[1:])):
            known = forward.setdefault(name.lower(), [])
            if address not in known:
                known.append(address)
            reverse.setdefault(address, name)
    return HostsFile({name: tuple(addresses) for name, addresses in forward.items()}, reverse)


def parse_resolv_conf(lines: Iterable[str]) -> ResolverConfiguration:
    """Reads ``resolv.conf(5)``: ``nameserver``, ``search`` or ``domain`` (the last one counts), ``options ndots:``."""
    servers: list[NameServer] = []
    search: tuple[str, ...] = ()
    dots = 1
    for line in lines:
        keyword, *values = line.partition("#")[0].partition(";")[0].split() or [""]
        if keyword == "nameserver" and values:
            try:
                servers.append(NameServer(str(ip_address(values[0]))))
            except ValueError:
                continue
        elif keyword in ("search", "domain"):
            search = tuple(filter(None, map(clean_name, values)))
        elif keyword == "options":
            for option in values:
                name, _, value = option.partition(":")
                if name == "ndots" and value.isascii() and value.isdigit():
                    dots = min(int(value[:4]), 15)
    return ResolverConfiguration(tuple(servers[:_MOST_SERVERS]), search, dots)


def read_lines(path: str) -> list[str]:
    """The lines of a system file; none when it cannot be read (a machine without it is no mistake)."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(16 << 20).splitlines()
    except OSError:
        return []
