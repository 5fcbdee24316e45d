"""How long to wait for what: Nmap's patience, or waits that follow the round trip (docs/decisions/0013)."""

from __future__ import annotations

from dataclasses import dataclass

from leadline.data.service_rules import ServiceProbe
from leadline.model.plan import ServicePlan, TimingPlan

# Spec sheet 3.2 step 5: a connection may take so long, one with a TLS handshake longer.
CONNECT, CONNECT_TLS = 5.0, 8.0
# Below template 3 services are asked one at a time (spec sheet 3.2); so are their connections.
_OVERLAPPING = 3
# Connections to one port at once: one that listens, one with the likeliest probe, two for the others.
_STREAMS = 4
# Connections to one host at once, by template.
_STREAMS_PER_HOST = {3: 40, 4: 60, 5: 80}


@dataclass(frozen=True, slots=True)
class Waits:
    """All in seconds; ``rtt`` is the round trip as measured by the connections themselves.

    ``streams``: connections to one port at once; ``per_host``: to one host. ``wait``: what the user asked for.
    ``patient``: exactly one connection at a time, with the waits that the rules' file states.
    """

    streams: int = _STREAMS
    per_host: int = _STREAMS_PER_HOST[3]
    wait: float | None = None
    patient: bool = False

    def connect(self, tls: bool) -> float:
        """How long a connection may take to open."""
        return CONNECT_TLS if tls else CONNECT

    def grace(self, rtt: float) -> float:
        """Silence that is enough once a later probe was answered: this service answers faster than that."""
        return max(0.1, 5 * rtt)

    def tail(self, rtt: float) -> float:
        """After a match, how long more of the same answer may come that makes the match more exact."""
        return max(0.01, 1.5 * rtt)

    def move_on(self, rtt: float) -> float:
        """Silence after which the next probe is sent on another connection; this one stays open."""
        return max(0.25, 8 * rtt)

    def trailing(self, rtt: float) -> float:
        """Silence after an answer that no rule recognised, until no more of it is expected."""
        return max(0.5, 16 * rtt)

    def single(self, rtt: float) -> float:
        """Silence on the second connection after which its probe is said on the listening one.

        A server that serves one connection at a time never looks at the second.
        """
        return max(2.0, 20 * rtt)

    def least(self, rtt: float) -> float:
        """Silence after which a connection may be given up for another probe."""
        return self.wait if self.wait is not None else max(2.0, 20 * rtt)

    def give_up(self, probe: ServiceProbe) -> float:
        """Silence after which nothing is expected any more."""
        return self.wait if self.wait is not None else probe.total_wait


def waits_of(services: ServicePlan, timing: TimingPlan) -> Waits:
    """The waits that a plan asks for."""
    overlapping = timing.template >= _OVERLAPPING and not services.patient
    per_host = _STREAMS_PER_HOST.get(timing.template, 1)
    if timing.max_parallelism is not None:
        per_host = min(per_host, timing.max_parallelism)
    per_host = max(per_host, timing.min_parallelism)
    streams = min(_STREAMS, per_host) if overlapping else 1
    return Waits(streams=streams, per_host=per_host, wait=services.wait, patient=streams == 1)
