"""Probes and rules of version detection as values (grammar: spec sheet 3.1; ``service_grammar`` reads it)."""

from __future__ import annotations

from dataclasses import field

from leadline.model.port import Protocol
from leadline.model.port_set import PortSet
from leadline.model.quick_dataclass import dataclass

NULL = "NULL"
"""The name of the TCP probe that sends nothing and listens for a banner."""


@dataclass(frozen=True, slots=True)
class Template:
    """What a rule says of its service, before the captures are filled in; ``None``: says nothing of it.

    ``cpes``: complete texts (``cpe:/a:vendor:product:$1``), as written after ``cpe:/`` without flags.
    """

    product: bytes | None = None
    version: bytes | None = None
    info: bytes | None = None
    hostname: bytes | None = None
    ostype: bytes | None = None
    devicetype: bytes | None = None
    cpes: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One ``match`` or ``softmatch`` line. ``order``: its place among all rules of all files.

    ``service``: without the prefix ``ssl/``, which is ``tunnel`` instead. ``pattern``: PCRE2, in bytes;
    ``caseless``/``dotall``: its flags i and s. ``source``/``line``: where it is written.
    """

    order: int
    service: str
    soft: bool
    pattern: bytes
    caseless: bool
    dotall: bool
    template: Template
    tunnel: str = ""
    source: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True)
class ServiceProbe:
    """One ``Probe`` with all that belongs to it. Times are seconds.

    ``ports``/``ssl_ports``: ascending inclusive ranges of its probable ports. ``payload_allowed``: may serve as payload
    of UDP discovery and scans (not ``no-payload``). ``services``: names of all its rules.
    """

    protocol: Protocol
    name: str
    payload: bytes
    payload_allowed: bool = True
    ports: tuple[tuple[int, int], ...] = ()
    ssl_ports: tuple[tuple[int, int], ...] = ()
    rarity: int = 5
    fallback: tuple[str, ...] = ()
    total_wait: float = 5.0
    wrapped_wait: float = 2.0
    rules: tuple[Rule, ...] = ()
    services: frozenset[str] = frozenset()

    @property
    def is_null(self) -> bool:
        """Whether it only listens."""
        return self.protocol is Protocol.TCP and self.name == NULL and not self.payload

    def lists(self, port: int, tunnel: str = "") -> bool:
        """Whether ``port`` is one of its probable ports, plain or (``tunnel`` = ``ssl``) behind TLS."""
        return any(first <= port <= last for first, last in (self.ssl_ports if tunnel else self.ports))


@dataclass(frozen=True, slots=True)
class ServiceProbes:
    """All probes in file order, and the ports that are not to be probed. ``digest``: SHA-256 of what was read."""

    probes: tuple[ServiceProbe, ...] = ()
    excluded: PortSet = field(default_factory=PortSet)
    digest: str = ""

    def named(self, protocol: Protocol, name: str) -> ServiceProbe | None:
        """The probe of that name, names being those of one protocol."""
        return next((probe for probe in self.probes if probe.protocol is protocol and probe.name == name), None)
