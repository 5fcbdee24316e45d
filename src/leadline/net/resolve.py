"""Names of many hosts at once: by our own parallel DNS client, or by the system's resolver in threads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from leadline.model.ip import Address
from leadline.model.plan import ResolvePlan
from leadline.net.base import Resolver
from leadline.net.host_name import clean_name
from leadline.net.system_files import (
    HOSTS,
    RESOLV_CONF,
    HostsFile,
    NameServer,
    ResolverConfiguration,
    parse_hosts,
    parse_resolv_conf,
    parse_server,
    read_lines,
)

if TYPE_CHECKING:
    from leadline.net.dns_exchange import Exchange, Health

Key = TypeVar("Key")
Value = TypeVar("Value")

_THREADS = 32
_STOP_INTERVAL = 0.1  # seconds between two looks whether to stop


def make_resolver(plan: ResolvePlan) -> Resolver:
    """The resolver that the plan asks for; without any name server known it is the system's.

    Raises ``UsageError`` for a ``--dns-servers`` entry that is no address.
    """
    typed = tuple(parse_server(text) for text in plan.servers)
    if plan.system:
        return SystemResolver()
    configuration = parse_resolv_conf(read_lines(RESOLV_CONF))
    if typed:
        configuration = ResolverConfiguration(typed, configuration.search, configuration.dots)
    elif not configuration.servers:
        return SystemResolver()
    hosts = parse_hosts(read_lines(HOSTS))
    return DnsResolver(configuration, hosts, None if typed else SystemResolver())


class SystemResolver:
    """The C library's resolver, all sources of ``nsswitch.conf``. One name can take seconds: hence threads."""

    def forward(
        self, names: Sequence[str], families: frozenset[int], stop: Callable[[], bool]
    ) -> dict[str, tuple[Address, ...]]:
        """As ``Resolver.forward``."""

        def look_up(name: str) -> tuple[Address, ...]:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            return _ordered((ip_address(str(entry[4][0]).partition("%")[0]) for entry in found), families)

        return _in_threads(dict.fromkeys(names), look_up, stop)

    def reverse(self, addresses: Sequence[Address], stop: Callable[[], bool]) -> dict[Address, str]:
        """As ``Resolver.reverse``."""

        def look_up(address: Address) -> str:
            return clean_name(socket.getnameinfo((str(address), 0), socket.NI_NAMEREQD)[0])

        return _in_threads(dict.fromkeys(addresses), look_up, stop)


class DnsResolver:
    """Asks name servers itself, hundreds of questions at once; ``hosts`` goes first.

    ``fallback`` gets the names that the servers could not tell of, or that other sources (mDNS, a directory) may know.
    """

    def __init__(
        self, configuration: ResolverConfiguration, hosts: HostsFile, fallback: Resolver | None = None
    ) -> None:
        self._configuration = configuration
        self._hosts = hosts
        self._fallback = fallback
        self._health: dict[NameServer, Health] = {}

    @property
    def servers(self) -> tuple[NameServer, ...]:
        """Who is asked."""
        return self._configuration.servers

    def forward(
        self, names: Sequence[str], families: frozenset[int], stop: Callable[[], bool]
    ) -> dict[str, tuple[Address, ...]]:
        """As ``Resolver.forward``."""
        found = {name: known for name in names if (known := self._hosts.addresses(name, families))}
        rest = [name for name in dict.fromkeys(names) if name not in found]
        if not rest or stop():
            return found
        from leadline.net.dns_lookup import addresses_of, look_up_all

        undecided: list[str] = []

        async def look_up(exchange: Exchange, name: str) -> tuple[Address, ...]:
            addresses, definite = await addresses_of(exchange, name, families, self._configuration)
            if not addresses and (not definite or _may_be_local(name)):
                undecided.append(name)
            return _ordered(addresses, families)

        found |= look_up_all(self._servers_health(), rest, look_up, stop)
        if self._fallback is not None and undecided and not stop():
            found |= self._fallback.forward(undecided, families, stop)
        return found

    def reverse(self, addresses: Sequence[Address], stop: Callable[[], bool]) -> dict[Address, str]:
        """As ``Resolver.reverse``."""
        found = {address: self._hosts.reverse[address] for address in addresses if address in self._hosts.reverse}
        rest = [address for address in dict.fromkeys(addresses) if address not in found]
        if not rest or stop():
            return found
        from leadline.net.dns_lookup import look_up_all, name_of

        return found | look_up_all(self._servers_health(), rest, name_of, stop)

    def _servers_health(self) -> dict[NameServer, Health]:
        """Kept over all lookups: a server found dead stays dead for this scan."""
        from leadline.net.dns_exchange import Health

        if not self._health:
            self._health = {server: Health() for server in self.servers}
        return self._health


def _may_be_local(name: str) -> bool:
    """Names that the DNS does not have but another source of the system may: single labels, mDNS (RFC 6762)."""
    bare = name.removesuffix(".").lower()
    return "." not in bare or bare.endswith(".local")


def _ordered(addresses: Iterable[Address], families: frozenset[int]) -> tuple[Address, ...]:
    """Distinct addresses of the families, IPv4 first, otherwise as they came."""
    kept = [address for address in dict.fromkeys(addresses) if address.version in families]
    return tuple(sorted(kept, key=lambda address: address.version))


def _in_threads(keys: Iterable[Key], look_up: Callable[[Key], Value], stop: Callable[[], bool]) -> dict[Key, Value]:
    """Answers of the blocking ``look_up`` for all keys that have one; threads that hang do not hold up the end."""
    waiting: SimpleQueue[Key] = SimpleQueue()
    answers: SimpleQueue[tuple[Key, Value | None]] = SimpleQueue()
    left = 0
    for key in keys:
        waiting.put(key)
        left += 1

    def worker() -> None:
        while not stop():
            try:
                key = waiting.get_nowait()
            except Empty:
                return
            try:
                answers.put((key, look_up(key)))
            except (OSError, ValueError):  # does not resolve; UnicodeError is a ValueError
                answers.put((key, None))

    for _ in range(min(left, _THREADS)):
        threading.Thread(target=worker, daemon=True).start()
    found: dict[Key, Value] = {}
    while left and not stop():
        try:
            key, value = answers.get(timeout=_STOP_INTERVAL)
        except Empty:
            continue
        left -= 1
        if value:
            found[key] = value
    return found
