"""The dialogue with one port: which probe is sent when, and which answer decides (spec sheet 3.2; decision 0013).

The verdict is the one of the patient order (``order``): the first probe in it whose answer a rule recognises. Later
probes are sent on connections of their own before the earlier ones have run out of time, but an answer to a later
one counts only once the earlier ones are settled.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from leadline.data.service_rules import ServiceProbe, ServiceProbes
from leadline.model.port import Protocol
from leadline.model.service import TlsFacts
from leadline.net.base import Ended
from leadline.services.agenda import Agenda, Moment, best_of, soft_of
from leadline.services.commands import Command
from leadline.services.connections import Connections
from leadline.services.expansion import FIELDS
from leadline.services.matcher import Match
from leadline.services.order import LISTED, LISTENING, PatientOrder, Place
from leadline.services.patience import UNKNOWN_RTT, Manner, Patience
from leadline.services.run import MOMENT, Judge, Run, ending
from leadline.services.waiting import Waits

_TLS_SERVICES = ("ssl", "dtls")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the dialogue is with. ``rtt``: seconds, negative when never measured. ``likely``: the name of a probe that
    others with this port number answered to, empty when nobody has. ``name``: the target's host name, if it has one.
    ``heard``: answers of the port to payloads of the probes that list it.
    """

    port: int
    protocol: Protocol = Protocol.TCP
    rtt: float = -1.0
    likely: str = ""
    name: str = ""
    heard: tuple[bytes, ...] = ()


def completed(match: Match, soft: Match) -> Match:
    """What a softmatch said before of the same service stays where the match itself says nothing."""
    if soft is match or soft.service != match.service:
        return match
    return replace(match, **{name: getattr(match, name) or getattr(soft, name) for name in FIELDS})


def _recognised(run: Run) -> str:
    return "recognised by its banner" if run.listening else f"recognised by its answer to {run.probe.name}"


@dataclass(slots=True)
class Verdict:
    """``kind``: ``match``, ``soft match``, ``tcpwrapped``, ``no match`` or ``incomplete``. ``reason``: in words."""

    kind: str
    match: Match | None
    tunnel: str
    tls: TlsFacts | None
    probe: str
    reason: str


@dataclass(slots=True)
class Dialogue:
    """``services.commands.Conversation`` with one port; ``verdict`` is its result. ``trace`` hears of each step."""

    subject: Subject
    probes: ServiceProbes
    judge: Judge
    intensity: int
    waits: Waits
    trace: Callable[[float, str], None] | None = None
    verdict: Verdict | None = None
    tls: TlsFacts | None = None
    _lines: Connections = field(init=False)
    _patience: Patience = field(init=False)
    _tried: bool = False
    _suspected: float | None = None
    _verified: bool = False
    _slow: bool = False
    _stepped: float = 0.0

    def __post_init__(self) -> None:
        agenda = self._agenda_for("", self.subject.likely)
        self._lines = Connections(agenda, self.waits, self.judge, self.subject.name, self.trace)
        rtt = self.subject.rtt if self.subject.rtt >= 0 else UNKNOWN_RTT
        self._patience = Patience(self.waits, self._lines, rtt, Manner.ALONE if self.waits.patient else Manner.TOGETHER)

    def _agenda_for(self, tunnel: str, likely: str) -> Agenda:
        order = PatientOrder(self.probes, self.subject.port, self.subject.protocol, tunnel, self.intensity)
        return Agenda(order, self.waits, likely)

    @property
    def done(self) -> bool:
        return self.verdict is not None

    @property
    def runs(self) -> list[Run]:
        """All probes since it began, or began anew inside TLS."""
        return self._lines.runs

    @property
    def history(self) -> list[Run]:
        """All runs, those before a TLS tunnel was found included."""
        return [*self._lines.earlier, *self._lines.runs]

    @property
    def responsive(self) -> bool:
        """Whether anything was ever received."""
        return self._lines.responsive

    def start(self, now: float) -> None:
        """``Conversation.start``."""
        if not self._heard_already(now):
            self._step(now)

    def _heard_already(self, now: float) -> bool:
        """Whether an answer of the port scan says what it is; which of the payloads it answers nobody knows (spec
        sheet 3.2 step 1).
        """
        for place, probe in self._lines.agenda.order.probes():
            for data in self.subject.heard if place[0] == LISTED and probe.payload_allowed and probe.payload else ():
                match = self.judge.match(probe, data, soft=False)
                if match is not None and match.service not in _TLS_SERVICES:
                    run = self._lines.recall(place, probe, data, match, now)
                    self._end("match", run, f"recognised by an answer to the port scan, to {probe.name}", now)
                    return True
        return False

    def commands(self) -> list[Command]:
        """``Conversation.commands``."""
        return self._lines.commands()

    def begun(self, stream: int, now: float) -> None:
        """``Conversation.begun``."""
        for run in self._lines.on(stream):
            run.begun = now

    def opened(self, stream: int, tls: TlsFacts | None, now: float) -> None:
        """``Conversation.opened``."""
        for run in self._lines.on(stream):
            if tls is not None:
                self.tls = tls
            elif run.begun is not None and self.subject.protocol is Protocol.TCP:
                self._patience.rtt = max(now - run.begun, self.subject.rtt)
            self._lines.say(run, now)
        self._step(now)

    def received(self, stream: int, data: bytes, now: float) -> None:
        """``Conversation.received``."""
        for run in self._lines.on(stream):
            self._lines.tell(now, f"{run.probe.name}: {len(data)} bytes received")
            if self._overheard(run, data):
                self._begin_alone(now)
                return
            if not run.hear(data, now, self.judge):
                self._lines.close(run, "answer cut", now)
        self._step(now)

    def ended(self, stream: int, end: Ended, now: float) -> None:
        """``Conversation.ended``."""
        for run in self._lines.on(stream):
            if end.phase == "connect" and end.error == errno.ECONNRESET:
                # Accepted and reset before we looked: a refusal would have been told as such.
                end, run.spoke = replace(end, phase="stream"), run.begun
            words, passing = ending(end)
            run.look(now, self.judge)
            run.finish(words, now)
            if passing and run.tunnel and end.error == errno.EPROTO and not run.total:
                # An alert after the handshake: it wants a certificate of ours, for instance.
                words, passing, end = f"refused inside TLS: {end.message}", False, replace(end, phase="tls")
            self._lines.tell(now, f"{run.probe.name}: {run.outcome}")
            if not passing:
                self._failed(run, words, end.phase, now)
            elif run.listening and not run.total and run.spoke is not None and not self._lines.timed_out:
                self._suspected = now if now - run.spoke <= run.probe.wrapped_wait else None
        self._step(now)

    def advance(self, now: float) -> None:
        """``Conversation.advance``."""
        self._step(now)

    def stop(self, now: float) -> None:
        """The scan is cut: the verdict is what is known so far."""
        self._decide_without_waiting(now, "the scan was cut")

    # -------------------------------------------------------------------------------------------------- one step

    def _step(self, now: float) -> None:
        if self.done:
            return
        self._stepped = now
        self._expire(now)
        self._narrow(now)
        if self.verdict is not None or self._decide(now):
            return
        if self._suspected is not None:
            self._suspicion(self._suspected, now)
            return
        self._try_alone(now)
        if not any(run.hard is not None for run in self.runs):
            self._launch(now)
        nothing_left = self._lines.agenda.following(self.runs) is None
        if (
            nothing_left
            and all(self._patience.hopeless(run, now) for run in self._lines.pending)
            and not self._ask_slowly(now)
        ):
            self._decide_without_waiting(now, "no rule fits", complete=True)

    def _moment(self, now: float) -> Moment:
        patience = self._patience
        return Moment(
            self.runs, now, patience.rtt, patience.alone, patience.manner is Manner.TRIAL, patience.least()
        )  # fmt: skip

    def _expire(self, now: float) -> None:
        for run in self._lines.pending:
            if run.spoke is None:
                if self._patience.connected_too_late(run, now):
                    self._lines.close(run, "TLS handshake timed out" if run.tunnel else "connection timed out", now)
                    self._failed(run, run.outcome, "connect", now)
            elif run.hard is None and now + MOMENT >= self._patience.deadline(run, run.spoke):
                following = self._lines.agenda.following(self.runs)
                if run.listening and self._patience.alone and not run.total and following is not None:
                    self._lines.reuse(run, *following, now)
                else:
                    self._lines.close(run, "silence", now)

    def _ask_slowly(self, now: float) -> bool:
        """Once, when an answer has shown how slow it is: what was given up earlier than that is asked again."""
        early = self._patience.given_up_early()
        if self._slow or not early:
            return False
        self._slow = True
        self._lines.tell(now, "it answers slowly: asking again what was given up early")
        self._lines.agenda.launched.difference_update(run.place for run in early)
        self._launch(now)
        return bool(self._lines.pending)

    def _narrow(self, now: float) -> None:
        """After a softmatch only probes that know the service go on (spec sheet 3.2 step 4)."""
        soft = soft_of(self.runs)
        if soft is None or soft.soft is None:
            return
        for run in [run for run in self.runs if run.place > soft.place]:
            if not self._lines.agenda.order.eligible(run.place, soft.soft.service):
                if not run.over:
                    self._lines.close(run, "not for this service", now)
                run.hard = run.soft = None
                # An earlier softmatch, of another service, may still come and want it.
                self._lines.agenda.launched.discard(run.place)

    def _decide(self, now: float) -> bool:
        best = best_of(self.runs)
        if best is None or not self._patience.heard_enough(best, now):
            return False
        following = self._lines.agenda.following(self.runs)
        if following is not None and following[0] < best.place:
            if not best.over:
                self._lines.close(best, "match", now)
            self._launch(now, before=best.place)
            return False
        if any(run.place < best.place and not run.settled(now, self._patience.grace(best)) for run in self.runs):
            return False
        self._accept(best, now)
        return True

    def _accept(self, run: Run, now: float) -> None:
        match = run.hard
        tcp = self.subject.protocol is Protocol.TCP
        if match is not None and match.service == "ssl" and tcp and not self._lines.tunnel and not match.tunnel:
            self._enter_tunnel(run, now)
            return
        if match is not None and match.tunnel:
            self._lines.tunnel = match.tunnel
        self._end("match", run, _recognised(run), now)

    def _enter_tunnel(self, run: Run, now: float) -> None:
        """All begins anew inside TLS (spec sheet 3.2 step 9)."""
        self._lines.tell(now, f"{run.probe.name}: TLS, asking again inside it")
        self._lines.close_all("TLS found", now)
        self._suspected, self._verified = None, False
        if self._patience.manner is Manner.TRIAL:
            self._patience.manner = Manner.ALONE
        self._lines.begin_anew(self._agenda_for("ssl", ""), "ssl")
        self._step(now)

    def _overheard(self, run: Run, data: bytes) -> bool:
        """Whether it repeats what we say on another connection, as brokers and chat servers do: that proves nothing."""
        others = (other.sent for other in self.runs if other.stream != run.stream and other.sent != run.sent)
        return not self._patience.alone and any(sent and data.startswith(sent) for sent in others)

    def _begin_alone(self, now: float) -> None:
        """Everything again, one connection at a time."""
        self._lines.tell(now, "our own words of another connection came back, asking again with one at a time")
        self._lines.close_all("heard another connection of ours", now)
        self._patience.manner, self._suspected = Manner.ALONE, None
        self._lines.begin_anew(self._agenda_for(self._lines.tunnel, ""), self._lines.tunnel)
        self._step(now)

    def _failed(self, run: Run, words: str, phase: str, now: float) -> None:
        """A connection could not be opened (or the way to the host is gone)."""
        if (
            phase != "stream"
            and not run.listening
            and not self._patience.alone
            and self.subject.protocol is Protocol.TCP
        ):
            # Perhaps it lets nobody in twice: from now on one connection at a time, this probe's turn comes again.
            self._patience.manner = Manner.ALONE
            self._lines.agenda.launched.discard(run.place)
            return
        heard = any(other.total for other in self._lines.pending)
        if not heard and (run.total == 0 or phase == "stream"):
            self._decide_without_waiting(now, words)

    # --------------------------------------------------------------------------------------------- tcpwrapped

    def _suspicion(self, since: float, now: float) -> None:
        """The listening connection was closed at once: wrapped, unless our other connections are the reason."""
        others = [run for run in self.runs if not run.listening]
        if self.responsive or self._lines.timed_out:
            self._suspected = None
            self._step(now)
            return
        grace = self.waits.grace(self._patience.rtt)
        # A server that serves one client at a time looks at the next one only now.
        waited = now - since + MOMENT >= grace
        if any(not run.over and not (waited and run.settled(now, grace)) for run in others):
            return
        null = self._lines.agenda.order.null
        if others and not self._verified and null is not None:
            self._lines.close_all("asked again alone", now)
            if not self._patience.alone:
                self._patience.manner = Manner.ALONE
            self._verified, self._suspected = True, None
            self._lines.agenda.launched.difference_update(run.place for run in others)
            self._lines.begin(LISTENING, null, now)
            return
        self._end("tcpwrapped", None, "the connection was accepted and closed at once without a word", now)

    # ------------------------------------------------------------------------------------------------ sending

    def _launch(self, now: float, before: Place | None = None) -> None:
        """Send what may be sent now; with ``before`` the earlier probes that an answer to a later one waits for."""
        while (chosen := self._lines.agenda.choose(self._moment(now), before)) is not None:
            limit = 1 if self._patience.alone else self.waits.streams
            if len(self._moment(now).pending) >= limit:
                victim = self._lines.agenda.victim(self._moment(now))
                if victim is None:
                    return
                self._lines.close(victim, "silence", now)
            self._lines.begin(*chosen, now)

    def _try_alone(self, now: float) -> None:
        """Nothing was heard on any connection: perhaps the server serves one at a time, and only the first is served.

        Then the commonest probes are said once more, one connection at a time, the first of them on the one that
        listened. When that brings no answer either, the service is silent, and all goes on as before. The likeliest
        probe keeps its connection and its time meanwhile: a server may just be slow.
        """
        if self._patience.manner is Manner.TRIAL and (
            self.responsive or (not self._lines.pending and not self._common())
        ):
            self._patience.manner = Manner.SERIAL if self.responsive else Manner.TOGETHER
        listener = next((run for run in self._lines.pending if run.listening), None)
        if listener is None or listener.spoke is None or self._patience.alone or self._tried or self.responsive:
            return
        wait = self.waits.single(self._patience.rtt)
        unheard = [run for run in self._lines.pending if not run.listening]
        if not any(run.silence(now) >= wait for run in unheard):
            return
        for run in unheard:
            run.aside = run.keep
            if not run.keep:
                self._lines.close(run, "silence", now)
        self._lines.agenda.launched.difference_update(run.place for run in self.runs if not run.listening)
        self._patience.manner, self._tried = Manner.TRIAL, True
        common = self._common()
        if common is not None:
            self._lines.tell(now, f"{common[1].name}: said on the connection that listened, in case only one is served")
            self._lines.reuse(listener, *common, now)

    def _common(self) -> tuple[Place, ServiceProbe] | None:
        """The next probe that is worth trying alone."""
        return self._lines.agenda.following(self.runs, common=True)

    # -------------------------------------------------------------------------------------------------- ends

    def _decide_without_waiting(self, now: float, reason: str, *, complete: bool = False) -> None:
        if self.done:
            return
        best = best_of(self.runs)
        soft = soft_of(self.runs)
        if best is not None and best.hard is not None and best.hard.service not in _TLS_SERVICES:
            self._end("match", best, _recognised(best), now)
        elif soft is not None and soft.soft is not None:
            self._end("soft match", soft, _recognised(soft), now)
        elif complete and not self.responsive and not self._lines.timed_out and self.subject.protocol is Protocol.TCP:
            self._end("tcpwrapped", None, "every connection was closed without a word", now)
        else:
            self._end("no match" if complete else "incomplete", None, reason, now)

    def _end(self, kind: str, run: Run | None, reason: str, now: float) -> None:
        match = (run.hard or run.soft) if run is not None else None
        soft = soft_of(self.runs)
        # What comes later in the order would not have been asked any more.
        if run is not None and match is not None and soft is not None and soft.soft is not None:
            match = completed(match, soft.soft) if soft.place <= run.place else match
        self._lines.close_all("no longer needed", now)
        probe = run.probe.name if run is not None else ""
        self.verdict = Verdict(kind, match, self._lines.tunnel, self.tls, probe, reason)
        self._lines.tell(now, f"{kind}: {reason}{f' (rule {match.rule.place})' if match is not None else ''}")

    # -------------------------------------------------------------------------------------------------- time

    def next_timer(self) -> float | None:
        """``Conversation.next_timer``."""
        times = list(self._patience.moments())
        if self._suspected is not None:
            times.append(self._suspected + self.waits.grace(self._patience.rtt))
        return min((at for at in times if at > self._stepped), default=None)
