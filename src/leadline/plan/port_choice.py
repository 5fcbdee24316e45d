"""Which ports: ``-p``, ``-F``, ``--top-ports``, ``--exclude-ports`` (spec sheet 1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from functools import lru_cache

from leadline.errors import UsageError
from leadline.model.port import EXTENSION_HEADERS, Protocol
from leadline.model.port_set import PortSet
from leadline.model.quick_dataclass import dataclass
from leadline.plan.options import Options

DEFAULT_COUNT = 1000
"""So many of the most common ports when nothing else was asked for."""
FAST_COUNT = 100
"""And so many with ``-F``."""

_EVERY_RANK = 65536


@dataclass(slots=True)
class PortChoice:
    """``ports``: less the excluded ones already. ``mistakes`` and ``notices`` are whole sentences."""

    ports: PortSet = field(default_factory=PortSet)
    excluded: PortSet = field(default_factory=PortSet)
    mistakes: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def choose_ports(options: Options, protocols: Sequence[Protocol]) -> PortChoice:
    """The ports to scan of each of ``protocols``; none at all when there is no protocol (``-sn``, ``-sL``)."""
    choice = PortChoice()
    # Discovery keeps off the excluded ports too, and it may use UDP and SCTP whatever is scanned.
    everywhere = (Protocol.IP,) if Protocol.IP in protocols else (Protocol.TCP, Protocol.UDP, Protocol.SCTP)
    choice.excluded = read_ports(options.exclude_ports, everywhere, "--exclude-ports", choice.mistakes)
    if not protocols:
        return choice
    typed = read_ports(options.ports, protocols, "-p", choice.mistakes)
    if choice.mistakes:
        return choice
    chosen: dict[Protocol, tuple[int, ...]] = {}
    for protocol in protocols:
        numbers = _wanted(options, protocol, typed)
        if not numbers:
            if options.ports is not None:  # else --top-ports asks for none, which is told elsewhere
                choice.mistakes.append(f"-p {options.ports} names no {_name(protocol)} to scan.")
            continue
        gone = frozenset(choice.excluded.of(protocol))
        left = tuple(number for number in numbers if number not in gone) if gone else numbers
        if not left:
            choice.mistakes.append(f"--exclude-ports leaves no {_name(protocol)} to scan.")
        chosen[protocol] = left
    for protocol in typed.ports:
        if protocol not in protocols:
            scan = "-sO" if protocol is Protocol.IP else f"{protocol.label.upper()} scan"
            choice.notices.append(f"The {_name(protocol)}s of -p are not scanned: no {scan} is asked for.")
    choice.ports = PortSet(chosen)
    return choice


def read_ports(text: str | None, protocols: Sequence[Protocol], option: str, mistakes: list[str]) -> PortSet:
    """``text`` as a set of ports; what is wrong with it goes to ``mistakes``, and the set is empty then."""
    if text is None:
        return PortSet()
    try:
        return _parsed(text, tuple(protocols))
    except UsageError as error:
        mistakes.extend(f"{option}: {message}" for message in error.messages)
        return PortSet()


@lru_cache(maxsize=8)
def _parsed(text: str, protocols: tuple[Protocol, ...]) -> PortSet:
    # The mistakes are looked for before the rights are known, the plan is made after: all ports would be read thrice.
    from leadline.data.port_spec import parse_ports

    return parse_ports(text, protocols)


def _name(protocol: Protocol) -> str:
    return "IP protocol" if protocol is Protocol.IP else f"{protocol.label.upper()} port"


def _protocols(options: Options, typed: PortSet) -> tuple[int, ...]:
    """IP protocol numbers, ascending: all of them, with ``-F`` those that have a name."""
    if options.ports is not None:
        return typed.of(Protocol.IP)
    from leadline.data.services import default_services

    numbers = default_services().registered(Protocol.IP) if options.fast else tuple(range(256))
    return tuple(number for number in numbers if options.family != 6 or number not in EXTENSION_HEADERS)


def _wanted(options: Options, protocol: Protocol, typed: PortSet) -> tuple[int, ...]:
    """Ascending. With ``--top-ports`` a range of ``-p`` is what the most common ports are taken from."""
    if protocol is Protocol.IP:
        return _protocols(options, typed)
    if options.ports is not None and options.top_ports is None:
        return typed.of(protocol)
    from leadline.data.ranking import known_count, top_ports

    if options.ports is not None:
        allowed = frozenset(typed.of(protocol))
        ranked = [number for number in top_ports(protocol, _EVERY_RANK) if number in allowed]
        return tuple(sorted(ranked[: options.top_ports]))
    count = FAST_COUNT if options.fast else DEFAULT_COUNT
    # Of SCTP far fewer ports have a use than of the others: the rest only when asked for by number.
    count = min(count, known_count(protocol)) if options.top_ports is None else options.top_ports
    return tuple(sorted(top_ports(protocol, count)))
