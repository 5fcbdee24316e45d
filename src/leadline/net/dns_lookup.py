"""Lookups of many names or addresses in one event loop. Loaded by the first lookup: dnspython is slow to load."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import TypeVar

import dns.exception
import dns.message
import dns.name
import dns.rdatatype

from leadline.model.ip import Address
from leadline.net.dns_exchange import MALFORMED, Exchange, Health
from leadline.net.host_name import clean_name
from leadline.net.system_files import NameServer, ResolverConfiguration

Key = TypeVar("Key")
Value = TypeVar("Value")

MOST_ADDRESSES = 64  # of one name; what a server sends beyond is dropped
_WORKERS = 300  # what three servers take at most
_STOP_INTERVAL = 0.1  # seconds between two looks whether to stop


def look_up_all(
    servers: Mapping[NameServer, Health],
    keys: Iterable[Key],
    look_up: Callable[[Exchange, Key], Awaitable[Value]],
    stop: Callable[[], bool],
) -> dict[Key, Value]:
    """The answers of ``look_up`` for all keys that have one; what is known by then when ``stop`` says so."""
    found: dict[Key, Value] = {}
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(_work(servers, iter(keys), look_up, found, stop))
    finally:
        loop.close()
    return found


async def _work(
    servers: Mapping[NameServer, Health],
    keys: Iterator[Key],
    look_up: Callable[[Exchange, Key], Awaitable[Value]],
    found: dict[Key, Value],
    stop: Callable[[], bool],
) -> None:
    exchange = Exchange(servers)

    async def worker() -> None:
        for key in keys:
            value = await look_up(exchange, key)
            if value:
                found[key] = value

    workers = {asyncio.create_task(worker()) for _ in range(_WORKERS)}
    pending = workers
    try:
        while pending and not stop():
            done, pending = await asyncio.wait(pending, timeout=_STOP_INTERVAL)
            for task in done:
                task.result()
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        exchange.close()


async def addresses_of(
    exchange: Exchange, name: str, families: frozenset[int], configuration: ResolverConfiguration
) -> tuple[tuple[Address, ...], bool]:
    """The addresses of the first search candidate that has any; and whether every answer so far was definite."""
    definite = True
    for candidate in candidates(name, configuration):
        answers = await asyncio.gather(*(_of_family(exchange, candidate, family) for family in sorted(families)))
        definite = definite and all(sure for _, sure in answers)
        addresses = tuple(address for part, _ in answers for address in part)
        if addresses:
            return addresses, definite
    return (), definite


async def name_of(exchange: Exchange, address: Address) -> str:
    """The first pointer of an address that is a host name, ``''`` without any."""
    answer = await exchange.ask(dns.name.from_text(address.reverse_pointer), dns.rdatatype.PTR)
    return next((name for text in _records(answer.message) if (name := clean_name(text))), "")


def candidates(name: str, configuration: ResolverConfiguration) -> Iterator[dns.name.Name]:
    """The names to try, as ``resolv.conf(5)`` says: with enough dots the name itself first, else last."""
    texts = [] if name.endswith(".") else [f"{name}.{domain}" for domain in configuration.search]
    texts.insert(0 if name.count(".") >= configuration.dots else len(texts), name)
    for text in texts:
        try:
            yield dns.name.from_text(text)
        except (dns.exception.DNSException, UnicodeError):  # too long with the search domain
            continue


async def _of_family(exchange: Exchange, name: dns.name.Name, family: int) -> tuple[list[Address], bool]:
    answer = await exchange.ask(name, dns.rdatatype.A if family == 4 else dns.rdatatype.AAAA)
    return [ip_address(text) for text in dict.fromkeys(_records(answer.message))], answer.definite


def _records(message: dns.message.Message | None) -> list[str]:
    """The records that answer the question, over aliases, as text; none when the message contradicts itself."""
    if not isinstance(message, dns.message.QueryMessage):
        return []
    try:
        answer = message.resolve_chaining().answer
    except MALFORMED:
        return []
    return [record.to_text() for record in answer or ()][:MOST_ADDRESSES]
