"""The server's side of one simulated connection: bytes in, acts out, no time and no chance of its own."""

from __future__ import annotations

from dataclasses import dataclass

from leadline.sim.speech import Pour, Reply, SimTls, Then, TlsFault
from leadline.sim.tls_records import (
    HANDSHAKE_FAILURE,
    HELLO_REQUEST,
    NO_TLS,
    PROTOCOL_VERSION,
    UNRECOGNIZED_NAME,
    alert,
    is_client_hello,
    offers_tls,
    server_hello,
)
from leadline.sim.world import SimService

# What a service remembers of a request that it has not answered yet.
MOST_HEARD = 1 << 16
_SILENT = SimService(0)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that the server does, ``delay`` seconds after the one before: say ``data``, then ``then``.

    ``pours`` follows ``data``. ``secured``: with these bytes the server accepts a TLS handshake.
    """

    delay: float = 0.0
    data: bytes = b""
    then: Then = Then.STAY
    pours: Pour | None = None
    secured: SimTls | None = None


class ServerSide:
    """One accepted connection. ``service``: ``None`` says nothing (a tarpit, an open port without a service)."""

    def __init__(self, service: SimService | None) -> None:
        self._service = service or _SILENT
        self._expects = self._service.tls
        self._heard = b""
        self._greeted = False

    def begin(self) -> list[Act]:
        """The connection is served from now on."""
        return [] if self._expects is not None else self._greeting()

    def hear(self, data: bytes, name: str = "") -> list[Act]:
        """What is done about more bytes. ``name``: the server name (SNI) that a ClientHello among them asks for."""
        if self._expects is not None:
            return self._shake_hands(self._expects, data, name)
        service = self._service
        self._heard = (self._heard + data)[:MOST_HEARD]
        reply, said = reply_of(service, self._heard)
        if reply is None:
            return []
        self._heard = b""
        if reply.then is Then.TLS:
            self._expects = service.start_tls
        return [Act(service.think + reply.delay, said, reply.then, reply.pours)]

    def finished(self) -> list[Act]:
        """The client's last word of a TLS handshake has come. A service of TLS from the first byte greets now."""
        self._expects = None
        return [] if self._greeted else self._greeting()

    def idle(self) -> list[Act]:
        """The client has been silent for too long."""
        return [Act(data=self._service.farewell, then=Then.CLOSE)]

    def _greeting(self) -> list[Act]:
        service, self._greeted = self._service, True
        if not service.banner and service.after_banner is Then.STAY and service.pours is None:
            return []
        return [Act(service.banner_delay, service.banner, service.after_banner, service.pours)]

    def _shake_hands(self, tls: SimTls, data: bytes, name: str) -> list[Act]:
        delay = self._service.think + tls.delay
        if not is_client_hello(data):
            return [Act(delay, tls.plain, Then.CLOSE)]
        if tls.fault is TlsFault.SILENT:
            return []
        if tls.fault is TlsFault.CLOSE:
            return [Act(delay, then=Then.CLOSE)]
        if tls.fault is TlsFault.RESET:
            return [Act(delay, then=Then.RESET)]
        if tls.fault is TlsFault.GARBAGE:
            return [Act(delay, NO_TLS)]
        if tls.fault is TlsFault.ALERT:
            return [Act(delay, alert(HANDSHAKE_FAILURE), Then.CLOSE)]
        if tls.fault is TlsFault.ENDLESS:
            return [Act(delay, HELLO_REQUEST, pours=Pour(HELLO_REQUEST, 1.0))]
        if not offers_tls(data):
            return [Act(delay, alert(PROTOCOL_VERSION), Then.CLOSE)]
        if tls.needs_name and not name:
            return [Act(delay, alert(UNRECOGNIZED_NAME), Then.CLOSE)]
        return [Act(delay, server_hello(tls.version, tls.cipher, data), secured=tls)]


def reply_of(service: SimService, heard: bytes) -> tuple[Reply | None, bytes]:
    """The first of the service's answers (then its default) that has something to say to these bytes, and that."""
    for reply in service.answers:
        said = reply.answer(heard)
        if said is not None:
            return reply, said
    if service.default is not None:
        said = service.default.answer(heard)
        if said is not None:
            return service.default, said
    return None, b""
