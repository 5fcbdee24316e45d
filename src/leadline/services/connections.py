"""The connections of one dialogue, and the probes said on them."""

from __future__ import annotations

from collections.abc import Callable

from leadline.data.service_rules import ServiceProbe
from leadline.services.agenda import Agenda
from leadline.services.commands import Close, Command, Open, Send
from leadline.services.matcher import Match
from leadline.services.order import Place
from leadline.services.run import Judge, Run
from leadline.services.waiting import Waits


def addressed(payload: bytes, name: str) -> bytes:
    """An HTTP request says which host it is for, when that has a name (RFC 9110 section 7.2)."""
    head, found, rest = payload.partition(b" HTTP/1.")
    if not found or not name or b"\r\n" in head or b"\r\nhost:" in rest.lower():
        return payload
    version, _, fields = rest.partition(b"\r\n")
    return b"".join((head, found, version, b"\r\nHost: ", name.encode("ascii", "replace"), b"\r\n", fields))


class Connections:
    """``name``: the target's host name, if it has one. ``trace`` hears of each step.

    ``runs``: all probes since the dialogue began or began anew; ``earlier``: those before that. ``tunnel``: ``ssl``
    when connections are opened with TLS. ``agenda`` is told what was sent.
    """

    def __init__(
        self, agenda: Agenda, waits: Waits, judge: Judge, name: str, trace: Callable[[float, str], None] | None
    ) -> None:
        self.agenda, self.tunnel = agenda, ""
        self.runs: list[Run] = []
        self.earlier: list[Run] = []
        self._waits, self._judge, self._name, self._trace = waits, judge, name, trace
        self._commands: list[Command] = []
        self._streams = 0

    @property
    def pending(self) -> list[Run]:
        """Probes that go on."""
        return [run for run in self.runs if not run.over]

    @property
    def responsive(self) -> bool:
        """Whether anything was ever received."""
        return any(run.total for run in self.runs)

    @property
    def timed_out(self) -> bool:
        """Whether any probe met silence."""
        return any(run.outcome == "silence" for run in self.runs)

    def on(self, stream: int) -> list[Run]:
        """What goes on on a stream: one probe at most."""
        return [run for run in self.runs if run.stream == stream and not run.over]

    def commands(self) -> list[Command]:
        """What to do since the last call."""
        taken, self._commands = self._commands, []
        return taken

    def begin(self, place: Place, probe: ServiceProbe, now: float) -> None:
        """Open a connection for a probe."""
        run = Run(place, probe, self._streams, self.tunnel, now, keep=self.agenda.is_likeliest(place))
        self._streams += 1
        self.runs.append(run)
        self.agenda.launched.add(place)
        self.tell(now, f"{probe.name}: connecting{' with TLS' if self.tunnel else ''}")
        self._commands.append(Open(run.stream, tls=bool(self.tunnel)))

    def recall(self, place: Place, probe: ServiceProbe, answer: bytes, match: Match, now: float) -> Run:
        """A probe that somebody has sent before, with its answer and what that tells; there is no connection."""
        run = Run(place, probe, -1, self.tunnel, now, begun=now, spoke=now, heard=now, sent=probe.payload)
        run.received, run.total = bytearray(answer), len(answer)
        run.hard, run.matched = match, now
        run.finish("match", now)
        self.runs.append(run)
        self.tell(now, f"{probe.name}: {len(answer)} bytes received in the port scan")
        return run

    def say(self, run: Run, now: float) -> None:
        """The connection is there: send the probe, or listen."""
        run.spoke = now
        run.sent = addressed(run.probe.payload, self._name)
        if run.sent:
            self._commands.append(Send(run.stream, run.sent))
            self.tell(now, f"{run.probe.name}: {len(run.sent)} bytes sent")
        else:
            self.tell(now, f"{run.probe.name}: listening")

    def reuse(self, run: Run, place: Place, probe: ServiceProbe, now: float) -> None:
        """Nobody spoke first: the next probe is said on the connection that listened (spec sheet 3.2 step 5)."""
        run.finish("silence", now)
        # A banner that comes late is still waited for, beside the probe's answer.
        until = run.spoke + self._waits.give_up(run.probe) if run.spoke is not None else 0.0
        following = Run(place, probe, run.stream, self.tunnel, now, keep=True, begun=now, until=until)
        self.runs.append(following)
        self.agenda.launched.add(place)
        self.say(following, now)

    def close(self, run: Run, outcome: str, now: float) -> None:
        """End a probe, and its connection."""
        run.look(now, self._judge)
        run.finish(outcome, now)
        self.tell(now, f"{run.probe.name}: {run.outcome}")
        if not self.on(run.stream):
            self._commands.append(Close(run.stream))

    def close_all(self, outcome: str, now: float) -> None:
        """End everything that goes on."""
        for run in self.pending:
            self.close(run, outcome, now)

    def begin_anew(self, agenda: Agenda, tunnel: str) -> None:
        """All that was learnt so far counts no more."""
        self.earlier += self.runs
        self.runs = []
        self.agenda, self.tunnel = agenda, tunnel

    def tell(self, now: float, text: str) -> None:
        """One step, for whoever traces."""
        if self._trace is not None:
            self._trace(now, text)
