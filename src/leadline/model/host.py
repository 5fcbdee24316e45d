"""What is known of one host at the end of its scan (or when the scan was cut)."""

from __future__ import annotations

from enum import IntEnum

from leadline.model.address import Address
from leadline.model.evidence import Evidence
from leadline.model.port import Port, PortSummary, Reason
from leadline.model.quick_dataclass import dataclass


class HostStatus(IntEnum):
    """``UNKNOWN``: the scan ended before it was known (or list scan)."""

    UNKNOWN = 0
    UP = 1
    DOWN = 2

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Hostname:
    """``kind`` is ``user`` (typed on the command line) or ``PTR`` (reverse lookup)."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Host:
    """One host, as every report sees it.

    ``latency`` (smoothed round trip), ``rttvar`` and ``timeout`` are seconds, ``None`` when never measured.
    ``started``/``ended``: seconds since the epoch. ``mac`` is ``AA:BB:CC:DD:EE:FF`` upper case, ``vendor`` its
    registered owner (empty: unknown). ``ports``: materialised one by one, ascending by protocol then number; ports of a
    state that too many share are in ``summaries`` instead. ``interrupted``: the stage during which the scan of this
    host was cut ("" when it is complete); ports not decided by then are absent. ``timed_out``: it was
    ``--host-timeout`` that cut it, ``gave_up``: ``--max-open-ports``. ``silent_since``: seconds since the scan began at
    which it was heard of last, if it left then, ``None`` when it did not. ``remarks``: what else a user should know of
    the host as a whole, a sentence each, without the full stop. ``other_addresses``: further addresses that the typed
    name resolves to, not scanned.
    """

    address: Address
    status: HostStatus
    reason: Reason
    reason_ttl: int = 0
    reason_address: Address | None = None
    hostnames: tuple[Hostname, ...] = ()
    other_addresses: tuple[Address, ...] = ()
    mac: str = ""
    vendor: str = ""
    latency: float | None = None
    rttvar: float | None = None
    timeout: float | None = None
    started: float = 0.0
    ended: float = 0.0
    evidence: Evidence | None = None
    ports: tuple[Port, ...] = ()
    summaries: tuple[PortSummary, ...] = ()
    interrupted: str = ""
    timed_out: bool = False
    gave_up: bool = False
    silent_since: float | None = None
    remarks: tuple[str, ...] = ()

    @property
    def typed_name(self) -> str:
        """The name from the command line, or the empty string."""
        return next((hostname.name for hostname in self.hostnames if hostname.kind == "user"), "")

    @property
    def name(self) -> str:
        """The first host name, or the empty string."""
        return self.hostnames[0].name if self.hostnames else ""
