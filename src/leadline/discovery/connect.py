"""Discovery by ordinary connections, for scans without the right to send raw packets (spec sheet 2.6, 2.8)."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.engine.connect_machine import ConnectMachine
from leadline.engine.prober import Prober
from leadline.link.base import Connector
from leadline.model.address import Address
from leadline.model.event import HostFound
from leadline.model.evidence import Evidence
from leadline.model.host import HostStatus
from leadline.model.plan import DiscoveryPlan, PingKind
from leadline.model.port import Reason

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

# What the end of an attempt says of the host: up, or nothing at all. An unreachable error comes from somebody else.
_UP = {0: Reason.SYN_ACK, errno.ECONNREFUSED: Reason.CONN_REFUSED}
_DOWN = {
    errno.EACCES: Reason.ADMIN_PROHIBITED,
    errno.EPERM: Reason.ADMIN_PROHIBITED,
    errno.ENOPROTOOPT: Reason.PROTO_UNREACH,
    errno.EHOSTUNREACH: Reason.HOST_UNREACH,
    errno.ENETUNREACH: Reason.NET_UNREACH,
    errno.ENONET: Reason.DEST_UNREACH,
}


def connect_ports(plan: DiscoveryPlan, family: int) -> I64:
    """Ports of the plan's connect pings for one family, in send order."""
    probes = plan.probes_v4 if family == 4 else plan.probes_v6
    ports = [probe.number for probe in probes if probe.kind is PingKind.TCP_CONNECT]
    return np.array(list(dict.fromkeys(ports)), dtype=np.int64)


class ConnectDiscovery(ConnectMachine):
    """Results are columns over the hosts as in ``discovery.machine``."""

    def __init__(
        self, addresses: Sequence[Address], scopes: dict[int, str], ports: I64, prober: Prober, connector: Connector,
        epoch: float, *, ignore_reset: bool,
    ) -> None:  # fmt: skip
        super().__init__(addresses, scopes, ports, prober, connector, epoch)
        self._ignore_reset = ignore_reset
        count = len(addresses)
        self.status: U8 = np.zeros(count, dtype=np.uint8)
        self.reasons: U8 = np.full(count, int(Reason.NO_RESPONSE), dtype=np.uint8)
        self.answered_by: I64 = np.full(count, -1, dtype=np.int64)
        self.rtt: NDArray[np.float64] = np.full(count, np.nan)
        self.decided_at: NDArray[np.float64] = np.full(count, np.nan)

    def interpret(self, hosts: I64, columns: I64, codes: U8, errors: I64, times: NDArray[np.float64]) -> None:
        again = errors == errno.EAGAIN
        if again.any():
            self.prober.requeue(hosts[again], columns[again])
        for index, error in enumerate(errors.tolist()):
            host, column = int(hosts[index]), int(columns[index])
            if self.status[host] == HostStatus.UP:
                continue
            if error in _UP and not (self._ignore_reset and error == errno.ECONNREFUSED):
                self._up(host, column, codes[index : index + 1], _UP[error], times[index : index + 1])
            elif error in _DOWN or error == errno.ECONNREFUSED:
                self._decided(host, column, codes[index : index + 1], times[index : index + 1], weak=True)
                self.reasons[host] = _DOWN.get(error, Reason.NO_RESPONSE)

    def _decided(self, host: int, column: int, codes: U8, times: NDArray[np.float64], *, weak: bool) -> None:
        self.answered(np.array([host]), np.array([column]), codes, np.array([weak]), times)

    def _up(self, host: int, column: int, codes: U8, reason: Reason, times: NDArray[np.float64]) -> None:
        item = np.array([host * self.prober.width + column])
        self.rtt[host] = self.prober.items.round_trip(item, codes, times)[0]
        self._decided(host, column, codes, times, weak=False)
        self.status[host] = HostStatus.UP
        self.reasons[host] = reason
        self.answered_by[host] = column
        self.decided_at[host] = times[0]
        self.prober.finish(np.array([host]))
        self.drop_host(host)
        self._events.append(HostFound(at=float(times[0]) - self.epoch, address=self.addresses[host], reason=reason))

    def evidence(self, host: int, now: float) -> Evidence:
        """The proof of a host's status. ``now``: when it was given up, for a host that nothing was heard of."""
        column = int(self.answered_by[host])
        tries = self.prober.items.tries.reshape(-1, self.prober.width)[host]
        if column < 0:
            probes = ", ".join(f"tcp-connect {port}" for port in self.ports)
            cut = bool(self.prober.active[host])
            rule = "no answer before the scan was cut -> unknown" if cut else self._why_down(Reason(self.reasons[host]))
            return Evidence(probe=probes, tries=int(tries.sum()), at=now - self.epoch, rule=rule)
        reason = Reason(int(self.reasons[host]))
        rtt = float(self.rtt[host])
        probe = f"tcp-connect {int(self.ports[column])}"
        return Evidence(
            probe=probe,
            tries=int(tries[column]),
            answered_try=int(self.prober.items.answered_try[host * self.prober.width + column]),
            reply=reason.label,
            responder=self.addresses[host],
            rtt=rtt if rtt == rtt else None,
            at=float(self.decided_at[host]) - self.epoch,
            rule=f"{probe}: {reason.label} -> up",
        )

    @staticmethod
    def _why_down(reason: Reason) -> str:
        told = "no connection was answered" if reason is Reason.NO_RESPONSE else f"connections failed: {reason.label}"
        return f"{told} -> down"
