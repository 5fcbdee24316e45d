"""Hosts that a scan goes over: the zombie of ``-sI`` (spec sheet 1.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address

from leadline.errors import UsageError
from leadline.model.plan import Technique, Zombie
from leadline.plan.options import Options

# A name or an address, nothing that could not be one (RFC 1123 section 2.1, and underscores, which exist).
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253})", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)


def read_zombie(text: str) -> Zombie:
    """``HOST``, ``HOST:PORT``, ``[V6]:PORT``. Raises ``UsageError`` with the end of a sentence."""
    host, port = _host_and_port(text, "a zombie (HOST, HOST:PORT or [IPV6]:PORT)")
    return Zombie(host) if port is None else Zombie(host, port)


def _host_and_port(text: str, what: str) -> tuple[str, int | None]:
    host, port = text, ""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        port = rest[1:] if rest.startswith(":") else rest and "?"
        if not closed or not _is_v6(host):
            raise UsageError(f"needs {what}, not {text!r}")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not (_is_v6(host) if ":" in host else _HOST.fullmatch(host)):
        raise UsageError(f"needs {what}, not {text!r}")
    if not port and host != text and not text.endswith("]"):
        raise UsageError(f"needs {what}, not {text!r}")
    if not port:
        return host, None
    if not _PORT.fullmatch(port) or int(port) > 65_535:
        raise UsageError(f"needs a port from 1 to 65535, not {port!r}")
    return host, int(port)


def _is_v6(text: str) -> bool:
    try:
        return isinstance(ip_address(text), IPv6Address) and "%" not in text
    except ValueError:
        return False


def check_relays(options: Options) -> Iterator[str]:
    """One sentence for each mistake."""
    if options.zombie is None:
        if Technique.IDLE.value in options.techniques:
            yield "The technique 'idle' needs the zombie of -sI."
        return
    try:
        read_zombie(options.zombie)
    except UsageError as error:
        yield f"-sI {error.messages[0]}."
    if options.proxies:
        yield "-sI sends raw packets, which no proxy carries: leave --proxies out."
    if options.decoys:
        yield "-D hides who sends, and -sI lets the target see only the zombie: they cannot be combined."
    if options.scan_flags is not None:
        yield "--scanflags cannot be used with -sI, which counts the answers to SYN and to nothing else."


def relay_notices(options: Options) -> Iterator[str]:
    """What a user may not expect."""
    if options.zombie is not None and not options.skip_discovery:
        yield (
            "With -sI only the port scan comes from the zombie: to find out whether targets are up, packets bear our "
            "own address (-Pn leaves that out)."
        )
