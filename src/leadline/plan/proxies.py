"""``--proxies``: the relays that every connection of a scan goes through (spec sheet 1.7), and what they rule out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address

from leadline.model.plan import Proxy, Technique
from leadline.plan.options import Options
from leadline.plan.technique_choice import OPTION_OF

_RAW = {technique.value: option for technique, option in OPTION_OF.items() if technique is not Technique.CONNECT}
_KINDS = {"http": "http", "socks4": "socks4", "socks4a": "socks4", "socks5": "socks5", "socks5h": "socks5"}
_PORTS = {"http": 8080, "socks4": 1080, "socks5": 1080}
"""Where no port is given: those that IANA's registry calls http-alt and socks."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9.])?", re.ASCII)
_LONGEST_HOST = 253
_LONGEST_CREDENTIAL = 255
"""Bytes of a user name or a password: one byte counts them (RFC 1929)."""
_MOST = 16
_CREDENTIALS = re.compile(r"(://[^:,]*:)[^,]*@")


def read_proxies(texts: Sequence[str], mistakes: list[str]) -> tuple[Proxy, ...]:
    """The chain, nearest first; what is wrong with it goes to ``mistakes``."""
    proxies = []
    for text in texts:
        found = _read(text)
        if isinstance(found, Proxy):
            proxies.append(found)
        else:
            mistakes.append(f"--proxies: {without_password(text)!r} {found}.")
    if len(texts) > _MOST:
        mistakes.append(f"--proxies takes a chain of at most {_MOST}, not {len(texts)}.")
    return tuple(proxies)


def check_proxies(options: Options) -> Iterator[str]:
    """One sentence for each mistake: in the URLs, and for what cannot go through a proxy."""
    if not options.proxies:
        return
    mistakes: list[str] = []
    read_proxies(options.proxies, mistakes)
    yield from mistakes
    for name in dict.fromkeys(options.techniques):
        if name in _RAW:
            yield f"--proxies carries connections only: {_RAW[name]} would go around it, use -sT."
    if options.scan_flags is not None:
        yield "--proxies carries connections only: --scanflags has no part in them."
    if options.ping_scan:
        yield "--proxies carries connections only: the discovery of -sn would go around it."
    if options.pings and not (options.skip_discovery or options.list_scan):
        yield "--proxies carries connections only: the -P probes would go around it, use -Pn."


def proxy_notices(options: Options) -> list[str]:
    """What goes on in another way than without proxies. ``options`` is already checked."""
    if not options.proxies:
        return []
    notices = []
    if not (options.skip_discovery or options.list_scan):
        notices.append("No host discovery, which would go around the proxies: all hosts are treated as up (-Pn).")
    if options.reverse != "never":
        notices.append("Names are looked up directly, not through the proxies (-n: no names of addresses).")
    return notices


def without_password(text: str) -> str:
    """The same with ``...`` for each password in a URL: outputs that show the command line are passed on."""
    return _CREDENTIALS.sub(r"\1...@", text)


def _read(text: str) -> Proxy | str:
    """The proxy, or what is wrong with it."""
    scheme, separator, rest = text.partition("://")
    kind = _KINDS.get(scheme.lower())
    if not separator or kind is None:
        return "is no proxy: write http://HOST:PORT, socks4://HOST:PORT or socks5://HOST:PORT"
    login, at, place = rest.removesuffix("/").rpartition("@")
    user, colon, password = login.partition(":")
    name, secret = _credential(user), _credential(password)
    if name is None or secret is None:
        return "has a user name or a password that cannot be sent (UTF-8, at most 255 bytes, no control characters)"
    if at and not name:
        return "has an empty user name"
    if kind == "socks4" and colon:
        return "has a password, which SOCKS4 does not know"
    if kind == "http" and ":" in name:
        return "has a colon in the user name, which HTTP does not allow"
    host, port = _place(place, _PORTS[kind])
    if not host:
        return "has no host"
    if not _is_host(host):
        return "names a host that is neither a name nor an address (IPv6 goes into brackets)"
    if not port:
        return "needs a port from 1 to 65535"
    return Proxy(kind, host.strip("[]"), port, name, secret)


def _credential(text: str) -> str | None:
    """Percent signs are undone, so that ``@``, ``:`` and ``,`` can be written."""
    from urllib.parse import unquote_to_bytes

    try:
        value = unquote_to_bytes(text)
        decoded = value.decode()
    except UnicodeError:
        return None
    return decoded if len(value) <= _LONGEST_CREDENTIAL and (decoded.isprintable() or not decoded) else None


def _place(text: str, default: int) -> tuple[str, int]:
    """Host and port; a port of 0 is a mistake."""
    if text.startswith("["):
        host, closed, rest = text.partition("]")
        host += closed
        if rest and not rest.startswith(":"):
            return host, 0
        port = rest[1:] if rest else str(default)
    else:
        host, colon, port = text.partition(":")
        port = port if colon else str(default)
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0
    return host, number if number < 65536 else 0


def _is_host(text: str) -> bool:
    if text.startswith("["):
        if not text.endswith("]"):
            return False
        try:
            IPv6Address(text[1:-1])
        except ValueError:
            return False
        return True
    return len(text) <= _LONGEST_HOST and bool(_HOST.fullmatch(text))
