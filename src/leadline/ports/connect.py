"""The connect scan of one host group: the same tables as the SYN scan, over ordinary connections."""

from __future__ import annotations

import errno
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.engine.connect_machine import ConnectMachine
from leadline.engine.prober import Prober
from leadline.errors import NetworkError
from leadline.link.base import Connector
from leadline.model.address import Address
from leadline.model.event import PacketTraced, PortFound
from leadline.model.port import Port, PortState, PortSummary
from leadline.ports.classify import CONNECT_MEANINGS
from leadline.ports.probes import PortMatrix
from leadline.ports.result import PortColumns, ServiceNames

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

# Our own network is gone: nothing that follows would mean anything (spec sheet 2.8).
FATAL_ERRORS = frozenset({errno.ENETDOWN, errno.ENETRESET})

# By errno; ``UNKNOWN`` where it means nothing.
_STATES: U8 = np.zeros(1 + max(errno.errorcode), dtype=np.uint8)
_REASONS: U8 = np.zeros_like(_STATES)
for _error, _meaning in CONNECT_MEANINGS.items():
    _STATES[_error], _REASONS[_error] = _meaning.state, _meaning.reason


class ConnectScan(ConnectMachine):
    """``matrix``: the ports; ``names``: service names; ``materialised``: see ``PortColumns``."""

    def __init__(
        self, addresses: Sequence[Address], scopes: dict[int, str], matrix: PortMatrix, prober: Prober,
        connector: Connector, epoch: float, *, names: ServiceNames, materialised: int, tracing: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(addresses, scopes, matrix.numbers, prober, connector, epoch, tracing=tracing)
        self.matrix = matrix
        self._names = names
        self.columns = PortColumns(len(addresses), matrix, addresses[0].version, "connect", materialised)

    def interpret(self, hosts: I64, columns: I64, codes: U8, errors: I64, times: NDArray[np.float64]) -> None:
        again = errors == errno.EAGAIN
        if again.any():
            self.prober.requeue(hosts[again], columns[again])
        for error in FATAL_ERRORS & set(errors.tolist()):
            raise NetworkError(f"connections cannot be made any more: {errno.errorcode[error]}")
        # Errors without a meaning (and time-outs of the kernel's own) leave the attempt to its timer.
        told = _STATES[errors] != PortState.UNKNOWN
        states, reasons = _STATES[errors[told]], _REASONS[errors[told]]
        hosts, columns, codes, times = hosts[told], columns[told], codes[told], times[told]
        if not len(hosts):
            return
        items = hosts * self.prober.width + columns
        rtt = self.prober.items.round_trip(items, codes, times)
        self.answered(hosts, columns, codes, states == PortState.FILTERED, times)
        if self._tracing:
            self._trace(hosts, columns, errors[told], times)
        accepted = np.flatnonzero(self.columns.decide(items, states, reasons))
        taken = items[accepted]
        self.columns.prove(
            taken, np.zeros(len(taken), dtype=np.uint8), np.zeros(len(taken), dtype=np.uint16), rtt[accepted],
            times[accepted] - self.epoch,
        )  # fmt: skip
        for index in accepted[states[accepted] == PortState.OPEN]:
            at = float(times[index]) - self.epoch
            port = self._port(int(items[index]), at)
            self._events.append(PortFound(at, self.addresses[int(hosts[index])], port))

    def _trace(self, hosts: I64, columns: I64, errors: I64, times: NDArray[np.float64]) -> None:
        for host, column, error, at in zip(hosts, columns, errors, times, strict=True):
            word = errno.errorcode.get(int(error), str(int(error))) if error else "Connected"
            text = f"TCP localhost > {self.addresses[int(host)]}:{int(self.ports[column])} => {word}"
            self._events.append(PacketTraced(float(at) - self.epoch, "CONN", text))

    def _port(self, item: int, at: float) -> Port:
        tried = self.prober.items
        return self.columns.port(item, int(tried.tries[item]), int(tried.answered_try[item]), at, self._names)

    def result(self, host: int, now: float, complete: bool) -> tuple[tuple[Port, ...], tuple[PortSummary, ...]]:
        """The ports of one host. ``complete``: the scan of the host ran to its end, so silence is an answer too."""
        return self.columns.finished_host(host, self.prober.items, now - self.epoch, self._names, complete)
