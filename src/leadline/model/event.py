"""The event stream: report = f(events). A closed union; every output handles (or skips) each kind.

Times named ``at`` are seconds since the scan began (monotonic); ``started``/``ended`` are seconds since the epoch.
"""

from __future__ import annotations

from typing import TypeAlias

from leadline.model.address import Address
from leadline.model.host import Host, Hostname
from leadline.model.port import Port, Protocol, Reason
from leadline.model.quick_dataclass import dataclass
from leadline.model.swept import HostsSilent, HostsSwept


@dataclass(frozen=True, slots=True)
class ScanInfo:
    """One technique of the scan.

    ``technique`` is Nmap's XML word (``syn``, ``connect`` ...); ``services`` a range list. ``flags``: names of the
    TCP flags that were chosen (``FINSYN``), empty where they are the technique's own.
    """

    technique: str
    protocol: Protocol
    count: int
    services: str
    flags: str = ""


@dataclass(frozen=True, slots=True)
class ScanStarted:
    """First event. ``arguments`` is the command line as typed, program name first."""

    started: float
    version: str
    arguments: tuple[str, ...]
    scans: tuple[ScanInfo, ...] = ()
    verbosity: int = 0
    debugging: int = 0


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A stage begins on a group of hosts.

    ``task`` as users of Nmap know it (``ARP Ping Scan``, ``SYN Stealth Scan`` ...).
    """

    at: float
    task: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """``percent`` 0..100; ``remaining`` seconds or ``None`` when unknown; ``rate`` packets a second, lately.

    ``hosts_done`` and ``hosts_up`` count over the whole scan.
    """

    at: float
    task: str
    percent: float
    remaining: float | None
    sent: int
    received: int
    rate: float
    hosts_done: int = 0
    hosts_up: int = 0
    hosts_active: int = 0


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """``detail`` in words (``1000 total ports``, ``4096 total hosts``)."""

    at: float
    task: str
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TargetSkipped:
    """A target expression that gave no address (unresolvable, excluded, no route); ``reason`` in words."""

    at: float
    expression: str
    reason: str


@dataclass(frozen=True, slots=True)
class HostFound:
    """Early notice that a host is up (Nmap's hosthint); the full answer follows in ``HostDone``."""

    at: float
    address: Address
    reason: Reason
    reason_ttl: int = 0
    mac: str = ""
    vendor: str = ""
    hostnames: tuple[Hostname, ...] = ()


@dataclass(frozen=True, slots=True)
class PortFound:
    """Early notice of an open port."""

    at: float
    address: Address
    port: Port


@dataclass(frozen=True, slots=True)
class HostDone:
    """All that will be known of one host."""

    at: float
    host: Host


@dataclass(frozen=True, slots=True)
class TimingDecision:
    """``what`` (``cwnd``, ``scan_delay``, ``retry_limit`` ...) changed from ``old`` to ``new`` because of ``cause``.

    ``address`` is ``None`` for the whole group.
    """

    at: float
    address: Address | None
    what: str
    cause: str
    old: float
    new: float


@dataclass(frozen=True, slots=True)
class PacketTraced:
    """One packet (``--packet-trace``).

    ``direction`` is ``SENT``, ``RCVD`` or ``CONN``; ``summary`` one line of text.
    """

    at: float
    direction: str
    summary: str


@dataclass(frozen=True, slots=True)
class ServiceTraced:
    """One step of the dialogue with a service (``--version-trace``); ``text`` is already printable."""

    at: float
    address: Address
    port: int
    protocol: Protocol
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a user should read. ``level``: ``info``, ``warning``, ``error`` or ``debug``."""

    at: float
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class ScanEnded:
    """Last event, always sent. ``exit``: ``success``, ``interrupted`` or ``error`` (``message`` says what happened)."""

    at: float
    ended: float
    exit: str
    message: str = ""
    hosts_up: int = 0
    hosts_down: int = 0
    hosts_total: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    packets_received: int = 0
    bytes_received: int = 0


Event: TypeAlias = (
    ScanStarted
    | TaskStarted
    | TaskProgress
    | TaskEnded
    | TargetSkipped
    | HostFound
    | PortFound
    | HostDone
    | HostsSwept
    | HostsSilent
    | TimingDecision
    | PacketTraced
    | ServiceTraced
    | Notice
    | ScanEnded
)
