"""One simulated TCP connection of a dialogue: both ends, and the line between them."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable

from numpy.random import Generator

from leadline.model.service import TlsFacts
from leadline.net.base import MOST_AT_ONCE, DialEvent, Ended, Endpoint, Opened, Received
from leadline.sim.agenda import Agenda
from leadline.sim.line import Line, Way
from leadline.sim.listener import Listener, Turn
from leadline.sim.server import Act, ServerSide
from leadline.sim.speech import Pour, SimTls, Then
from leadline.sim.tls_records import alert_words, client_hello

# However near the host is: what one chunk of an endless stream takes at least.
_SHORTEST_ROUND = 0.000_1


class SimStream:
    """Made when the handshake is done (at ``connected``). ``tell`` takes the client's events, in order.

    Client: ``send``, ``start_tls`` and ``close`` at a time; after ``Ended`` or ``close`` nothing is told any more.
    Server: ``ServerSide``, served when its ``Listener`` says so; what the client said before waits in the inbox.
    """

    def __init__(
        self,
        token: int,
        endpoint: Endpoint,
        way: Way,
        listener: Listener,
        agenda: Agenda,
        random: Generator,
        tell: Callable[[DialEvent], None],
    ) -> None:
        self.token, self._endpoint, self._listener = token, endpoint, listener
        self._agenda, self._tell = agenda, tell
        self._up, self._down, self._round = Line(way, random), Line(way, random), 2.0 * way.latency
        self._closed = False
        self._handshaking = False
        self._secured: SimTls | None = None
        self._unsent: list[bytes] = []
        self._server = ServerSide(listener.service)
        self._served = False
        self._gone = False
        self._busy = 0.0
        self._working = False
        self._inbox: deque[tuple[bytes, str]] = deque()
        self._last_heard = 0.0
        self._poured = 0

    # The client's end.

    def connected(self, at: float) -> None:
        """The handshake is done; the server learns of it with its last packet."""
        self._agenda.put(self._up.arrival(at), self._arrive)
        if self._endpoint.tls:
            self.start_tls(self._endpoint.name, at)
        else:
            self._tell(Opened(self.token, at))

    def send(self, data: bytes, at: float) -> None:
        """Bytes for the server; during a TLS handshake they wait for its end."""
        if self._handshaking:
            self._unsent.append(data)
        else:
            self._post(data, "", at)

    def start_tls(self, name: str, at: float) -> None:
        """The client's ClientHello goes out."""
        self._handshaking, self._secured = True, None
        self._post(client_hello(name), name, at)

    def close(self, at: float) -> None:
        """The client forgets this connection; the server learns of it."""
        if not self._closed:
            self._closed = True
            self._agenda.put(self._up.arrival(at), self._depart)

    def _post(self, data: bytes, name: str, at: float) -> None:
        def arrive(moment: float) -> None:
            self._inbox.append((data, name))
            self._last_heard = moment
            self._work(moment)

        self._agenda.put(self._up.arrival(at), arrive)

    def _receive(self, data: bytes, secured: SimTls | None, at: float) -> None:
        if self._closed:
            return
        if not self._handshaking:
            for start in range(0, len(data), MOST_AT_ONCE):
                self._tell(Received(self.token, at, data[start : start + MOST_AT_ONCE]))
        elif secured is not None:
            self._secured = secured
            rounds_left = secured.version != "TLSv1.3"
            self._agenda.put(self._up.arrival(at), lambda moment: self._finish(rounds_left, moment))
            if not rounds_left:
                self._open(at)
        elif data[:1] == b"\x15":
            self._end(errno.EPROTO, at, alert_words(data))
        elif data[:1] != b"\x16":
            self._end(errno.EPROTO, at, "wrong version number")

    def _open(self, at: float) -> None:
        tls = self._secured
        if self._closed or tls is None:
            return
        self._handshaking = False
        self._tell(Opened(self.token, at, TlsFacts(tls.version, tls.cipher, tls.certificate)))
        unsent, self._unsent = self._unsent, []
        for data in unsent:
            self._post(data, "", at)

    def _end(self, error: int, at: float, message: str = "") -> None:
        if not self._closed:
            self._closed = True
            phase = "tls" if self._handshaking else "stream"
            closed = "closed during the handshake" if self._handshaking else ""
            self._tell(Ended(self.token, at, phase, error, message or (os.strerror(error) if error else closed)))
            self._agenda.put(self._up.arrival(at), self._depart)

    # The server's end.

    def _arrive(self, at: float) -> None:
        turn = self._listener.arrive(self)
        if turn is Turn.SERVED:
            self.serve(at)
        elif turn is Turn.TOO_MANY:
            service = self._listener.service
            self._perform([Act(data=service.overfull if service else b"", then=Then.CLOSE)], at)

    def serve(self, at: float) -> None:
        """The server turns to this connection now."""
        self._served, self._last_heard = True, at
        self._perform(self._server.begin(), at)
        service = self._listener.service
        if service is not None and service.idle:
            self._agenda.put(at + service.idle, self._look_idle)
        self._work(at)

    def _work(self, at: float) -> None:
        """Hear what waits in the inbox, one thing after the other: a server that is busy hears later."""
        while self._inbox and self._served and not self._gone and not self._working:
            if self._busy > at:
                self._working = True
                self._agenda.put(self._busy, self._go_on)
            else:
                data, name = self._inbox.popleft()
                self._perform(self._server.hear(data, name), at)

    def _go_on(self, at: float) -> None:
        self._working = False
        self._work(at)

    def _finish(self, tells: bool, at: float) -> None:
        """The server's end of a TLS handshake; before TLS 1.3 its last word is what opens the client's."""
        acts = self._server.finished()
        if tells:
            self._agenda.put(self._down.arrival(at), self._open)
        self._perform(acts, at)

    def _perform(self, acts: list[Act], at: float) -> None:
        for act in acts:
            if self._gone:
                return
            at += act.delay
            self._busy = at
            if act.data:
                self._say(act.data, act.secured, at)
            if act.pours is not None:
                self._pour(act.pours, act.then, at)
            else:
                self._do_then(act.then, at)

    def _say(self, data: bytes, secured: SimTls | None, at: float) -> None:
        self._agenda.put(self._down.arrival(at), lambda moment: self._receive(data, secured, moment))

    def _do_then(self, then: Then, at: float) -> None:
        if then not in (Then.CLOSE, Then.RESET):
            return
        self._gone = True
        error = 0 if then is Then.CLOSE else errno.ECONNRESET
        self._agenda.put(self._down.arrival(at), lambda moment: self._end(error, moment))
        self._agenda.put(at, self._depart)

    def _pour(self, pour: Pour, then: Then, at: float) -> None:
        """Say the next chunk; without a pace of its own the one after it waits until the client has taken this one."""
        if self._closed or self._gone:
            return
        if pour.total and self._poured >= pour.total:
            self._poured = 0
            self._do_then(then, at)
            return
        chunk = pour.chunk[: pour.total - self._poured] if pour.total else pour.chunk
        self._poured += len(chunk)
        self._busy = at

        def again(moment: float) -> None:
            self._pour(pour, then, moment)

        def drop(moment: float) -> None:
            self._say(chunk, None, moment)
            again(moment)

        def taken(moment: float) -> None:
            self._receive(chunk, None, moment)
            self._agenda.put(max(moment, self._agenda.now()) + max(self._round, _SHORTEST_ROUND), again)

        if pour.every:
            self._agenda.put(at + pour.every, drop)
        else:
            self._agenda.put(self._down.arrival(at), taken)

    def _look_idle(self, at: float) -> None:
        service = self._listener.service
        if self._gone or self._closed or service is None:
            return
        due = max(self._last_heard, self._busy) + service.idle
        if due > at:
            self._agenda.put(due, self._look_idle)
        else:
            self._perform(self._server.idle(), at)

    def _depart(self, at: float) -> None:
        self._gone = True
        self._listener.leave(self, at)
