"""What discovery and port scan by ordinary connections have in common: a prober over a ``Connector``."""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from leadline.engine.decisions import as_events
from leadline.engine.ledger import CODES
from leadline.engine.prober import Prober
from leadline.engine.sends import PING
from leadline.link.base import Connected, Connector
from leadline.model.address import Address
from leadline.model.event import Event
from leadline.wire.distinct import distinct_rows

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

_ANSWERS = np.array([0, errno.ECONNREFUSED])


class ConnectMachine(ABC):
    """``addresses``: of the group's hosts; ``scopes``: interface of link-local ones; ``ports``: of each column.

    A token names one attempt: ``item * 16 + code``, or ``-1 - (host * 16 + code)`` for a timing ping.
    """

    def __init__(
        self, addresses: Sequence[Address], scopes: dict[int, str], ports: I64, prober: Prober, connector: Connector,
        epoch: float, *, tracing: bool = False,
    ) -> None:  # fmt: skip
        self.addresses, self.prober, self.epoch, self.ended = addresses, prober, epoch, 0
        self.ports = ports
        self._scopes, self._connector, self._tracing = scopes, connector, tracing
        self._live: set[int] = set()
        self._live_pings: set[int] = set()
        self._ping_ports: I64 = np.zeros(len(addresses), dtype=np.int64)
        self._events: list[Event] = []

    @abstractmethod
    def interpret(self, hosts: I64, columns: I64, codes: U8, errors: I64, times: NDArray[np.float64]) -> None:
        """Take the ends of attempts to items, ``(N,)`` each; timing pings are dealt with before.

        An attempt that ended in a connection to itself (``EAGAIN``) is to be given to ``Prober.requeue``.
        """

    def start(self, now: float, room: int) -> int:
        """Give up what is overdue and start as many attempts as may be started now; returns their number."""
        for item in self.prober.expire(now):
            self._cancel(int(item) * CODES + (int(self.prober.items.tries[item]) - 1) % CODES)
        self._sweep_pings()
        sends = self.prober.take(now, min(room, self._connector.capacity - len(self._live)))
        if sends is None:
            return 0
        ping = sends.columns == PING
        codes = sends.codes.astype(np.int64)
        items = (sends.hosts * self.prober.width + sends.columns) * CODES + codes
        tokens = np.where(ping, -1 - (sends.hosts * CODES + codes), items).tolist()
        ports = np.where(ping, self._ping_ports[sends.hosts], self.ports[sends.columns]).tolist()
        hosts = sends.hosts.tolist()
        addresses = map(self.addresses.__getitem__, hosts)
        scopes = (self._scopes.get(host, "") for host in hosts) if self._scopes else repeat("")
        self._live.update(tokens)
        self._live_pings.update(token for token in tokens if token < 0)
        self._connector.start_all(list(zip(tokens, addresses, ports, scopes, strict=False)))
        return len(hosts)

    def take(self, ended: list[Connected], now: float) -> None:
        """Attempts that ended."""
        ended = [one for one in ended if one.token in self._live]
        if not ended:
            return
        self.ended += len(ended)
        tokens = np.array([one.token for one in ended], dtype=np.int64)
        errors = np.array([one.error for one in ended], dtype=np.int64)
        times = np.array([one.at for one in ended])
        self._live.difference_update(tokens.tolist())
        ping = tokens < 0
        if ping.any():
            self._live_pings.difference_update(tokens[ping].tolist())
            # Anything but an answer of the host itself leaves a ping to its timer.
            told = ping & np.isin(errors, _ANSWERS)
            names = -1 - tokens[told]
            self.prober.ping_answered(names // CODES, (names % CODES).astype(np.uint8), times[told], now)
        tokens, errors, times = tokens[~ping], errors[~ping], times[~ping]
        items, codes = tokens // CODES, (tokens % CODES).astype(np.uint8)
        self.interpret(items // self.prober.width, items % self.prober.width, codes, errors, times)

    def answered(
        self, hosts: I64, columns: I64, codes: U8, weak: NDArray[np.bool_], times: NDArray[np.float64]
    ) -> None:
        """Book ends that decide their items; a port that answered serves as timing ping (spec sheet 2.5)."""
        now = float(times.max(initial=0.0))
        self.prober.answer(hosts, columns, codes, times, weak, now)
        usable = np.flatnonzero(~weak)
        unique, first = distinct_rows(hosts[usable])
        better = self.prober.pings.teach(unique, np.full(len(unique), 10, dtype=np.int16))
        self._ping_ports[unique[better]] = self.ports[columns[usable[first[better]]]]

    def drop_host(self, host: int) -> None:
        """Cancel everything that is still pending for a host that needs no more."""
        first = host * self.prober.width
        for token in [token for token in self._live if first <= token // CODES < first + self.prober.width]:
            self._cancel(token)
        for token in [token for token in self._live_pings if (-1 - token) // CODES == host]:
            self._cancel(token)

    def cancel_all(self) -> None:
        """Cancel everything that is still pending."""
        for token in list(self._live):
            self._cancel(token)

    def _cancel(self, token: int) -> None:
        if token in self._live:
            self._live.discard(token)
            self._live_pings.discard(token)
            self._connector.cancel(token)

    def _sweep_pings(self) -> None:
        for token in list(self._live_pings):
            host, code = divmod(-1 - token, CODES)
            if not self.prober.pings.awaits(host, code):
                self._cancel(token)

    def next_timer(self, now: float) -> float | None:
        """When ``start`` should be called again if nothing ends."""
        return self.prober.next_timer(now)

    def events(self) -> Iterator[Event]:
        """What became known since the last call."""
        taken, self._events = self._events, []
        yield from taken
        yield from as_events(self.prober.decisions(), self.epoch, self.addresses.__getitem__)

    @property
    def done(self) -> bool:
        return self.prober.done
