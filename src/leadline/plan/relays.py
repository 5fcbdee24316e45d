"""Hosts that a scan goes over: the zombie of ``-sI``, the FTP server of ``-b`` (spec sheet 1.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from typing import overload

from leadline.errors import UsageError
from leadline.model.plan import FtpRelay, Technique, Zombie
from leadline.plan.options import Options

# A name or an address, nothing that could not be one (RFC 1123 section 2.1, and underscores, which exist).
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253})", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)


@overload
def read_zombie(text: str) -> Zombie: ...
@overload
def read_zombie(text: str | None) -> Zombie | None: ...
def read_zombie(text: str | None) -> Zombie | None:
    """``HOST``, ``HOST:PORT``, ``[V6]:PORT``. Raises ``UsageError`` with the end of a sentence."""
    if text is None:
        return None
    host, port = _host_and_port(text, "a zombie (HOST, HOST:PORT or [IPV6]:PORT)")
    return Zombie(host) if port is None else Zombie(host, port)


@overload
def read_relay(text: str) -> FtpRelay: ...
@overload
def read_relay(text: str | None) -> FtpRelay | None: ...
def read_relay(text: str | None) -> FtpRelay | None:
    """``[USER[:PASSWORD]@]HOST[:PORT]``; the last ``@`` counts. Raises ``UsageError`` with the end of a sentence."""
    if text is None:
        return None
    login, at, rest = text.rpartition("@")
    host, port = _host_and_port(rest, "an FTP server ([USER:PASSWORD@]HOST[:PORT])")
    relay = FtpRelay(host) if port is None else FtpRelay(host, port)
    if not at:
        return relay
    user, colon, password = login.partition(":")
    if not user or not (user + password).isprintable():
        raise UsageError("needs a user name before the @, and no control characters in it or its password")
    return FtpRelay(relay.host, relay.port, user, password if colon else relay.password)


def without_login(argument: str, relay: str | None) -> str:
    """A word of the command line as outputs may show it: the relay without its password."""
    login, at, host = (relay or "").rpartition("@")
    user, colon, password = login.partition(":")
    return argument.replace(relay, f"{user}@{host}") if relay and at and colon and password else argument


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
    yield from _check_relay(options)
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


def _check_relay(options: Options) -> Iterator[str]:
    if options.relay is None:
        if Technique.BOUNCE.value in options.techniques:
            yield "The technique 'bounce' needs the FTP server of -b."
        return
    try:
        read_relay(options.relay)
    except UsageError as error:
        yield f"-b {error.messages[0]}."
    if options.family == 6:
        yield "-b knows IPv4 only, since the PORT command has no room for more, and cannot be used with -6."
    if options.decoys:
        yield "-D hides who sends packets, and -b sends none to the target: they cannot be combined."
    if options.scan_flags is not None:
        yield "--scanflags chooses the flags of our own probes, and -b sends none: they cannot be combined."


def relay_notices(options: Options) -> Iterator[str]:
    """What a user may not expect."""
    if options.zombie is not None and not options.skip_discovery:
        yield (
            "With -sI only the port scan comes from the zombie: to find out whether targets are up, packets bear our "
            "own address (-Pn leaves that out)."
        )
    if options.zombie is not None and options.versions:
        yield "With -sI version detection (-sV) connects to open ports from our own address."
    if options.relay is not None and not options.skip_discovery:
        yield (
            "With -b only the port scan comes from the FTP server: targets that cannot be reached from here are taken "
            "for down (-Pn leaves discovery out)."
        )
