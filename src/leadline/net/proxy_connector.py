"""The connect scan through a chain of proxies: a port is open when the last proxy has connected to it."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from leadline.errors import NetworkError
from leadline.link.base import Attempt, Clock, Connected
from leadline.model.address import Address
from leadline.model.plan import Proxy
from leadline.net.base import Ended, Endpoint, Opened
from leadline.net.dialer import EpollDialer

# So many attempts that the proxies themselves failed or left unanswered, and so long without any answer about a
# target, and the chain is tried anew: the proxies may have gone away.
SUSPICIOUS_FAILURES = 20
SUSPICIOUS_SECONDS = 10.0
# The proxy wants another user, or is none of that kind: no repeating helps.
_HOPELESS = frozenset({errno.EACCES, errno.EPROTO})


class ProxyConnector:
    """``Connector`` over a dialer. Not thread-safe.

    Raises as ``EpollDialer`` does when it is made; ``poll`` raises ``NetworkError`` when the chain does not work any
    more. A single failure on the way counts as silence (``ETIMEDOUT``): the attempt may be repeated.
    """

    def __init__(self, clock: Clock, limit: int | None, proxies: tuple[Proxy, ...]) -> None:
        # Connections go to one address and port only: closed with a FIN they would use up our ports in half a minute.
        self._dialer = EpollDialer(clock, limit, proxies, reset=True)
        self.capacity = self._dialer.capacity
        self._clock = clock
        self._pending: set[int] = set()
        self._unanswered = 0
        self._heard = clock.now()

    def start_all(self, attempts: Sequence[Attempt]) -> None:
        """Begin attempts, see ``start``."""
        for attempt in attempts:
            self.start(*attempt)

    def start(self, token: int, address: Address, port: int, scope: str = "") -> None:
        """See ``EpollConnector.start``. A link-local address means nothing to a proxy: ``ENETUNREACH``."""
        if token in self._pending:
            raise ValueError(f"token {token} is pending")
        self._pending.add(token)
        self._dialer.open(token, Endpoint(address, port, scope=scope))

    def cancel(self, token: int) -> None:
        """Forget a pending attempt; unknown tokens are ignored."""
        if token in self._pending:
            self._pending.discard(token)
            self._dialer.close(token)
            self._unanswered += 1

    def poll(self, timeout: float) -> list[Connected]:
        """Attempts that ended; waits at most ``timeout`` seconds for the first."""
        ended: list[Connected] = []
        for event in self._dialer.poll(timeout):
            if event.token not in self._pending:
                continue  # the target's first words came along with the proxy's answer
            if isinstance(event, Opened):
                self._dialer.close(event.token)
                ended.append(self._answered(event.token, 0, event.at))
            elif isinstance(event, Ended):
                ended.append(self._ended(event))
        self._suspect()
        return ended

    @property
    def descriptor(self) -> int:
        """The dialer's."""
        return self._dialer.descriptor

    def next_look(self, until: float) -> float:
        """See ``Source.next_look``."""
        return self._dialer.next_look(until)

    def _ended(self, event: Ended) -> Connected:
        if event.phase == "connect":
            return self._answered(event.token, event.error, event.at)
        if event.error in _HOPELESS:
            raise NetworkError(f"the proxy cannot be used: {event.message}")
        self._pending.discard(event.token)
        self._unanswered += 1
        return Connected(event.token, errno.ETIMEDOUT, event.at)

    def _answered(self, token: int, error: int, at: float) -> Connected:
        self._pending.discard(token)
        self._unanswered, self._heard = 0, at
        return Connected(token, error, at)

    def _suspect(self) -> None:
        now = self._clock.now()
        if self._unanswered >= SUSPICIOUS_FAILURES and now - self._heard > SUSPICIOUS_SECONDS:
            self._dialer.reach_proxies()
            self._unanswered, self._heard = 0, self._clock.now()

    def close(self) -> None:
        """Close everything; pending attempts are forgotten."""
        self._pending.clear()
        self._dialer.close_all()
