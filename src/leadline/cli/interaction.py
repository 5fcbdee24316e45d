"""What a key does while a scan runs (spec sheet 6.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Protocol

from leadline.model.plan import OutputPlan

KEYS_HELP = """\
Keys: v/V more/less verbosity, d/D more/less debugging, p/P show/hide packets, ? this help, any other: how far it is
"""
_HIGHEST = 10


class StatusControl(Protocol):
    """``engine.control.Control``."""

    status_requested: bool
    packet_trace: bool


class ReportLike(Protocol):
    """A report whose plan may be replaced between events."""

    plan: OutputPlan


class SinkLike(Protocol):
    """``report.sink.Sink``."""

    @property
    def report(self) -> ReportLike: ...

    def request_status(self) -> None: ...


class Interaction:
    """Keys come from another thread by ``pressed``; they take effect in the scan's own thread by ``carry_out``.

    ``sinks``: what the keys change, the text on the terminal; files stay as the command line asked. ``say``: writes an
    answer to the terminal.
    """

    def __init__(self, control: StatusControl, sinks: Sequence[SinkLike], say: Callable[[str], None]) -> None:
        self._control = control
        self._sinks = sinks
        self._say = say
        self._waiting: SimpleQueue[str] = SimpleQueue()

    def pressed(self, key: str) -> None:
        """Called in the thread of the keys; makes the scan give an event soon, so that the key takes effect."""
        self._waiting.put(key)
        self._control.status_requested = True

    def carry_out(self) -> None:
        """Does what the keys pressed since the last call ask for; called before each event is reported."""
        while not self._waiting.empty():
            try:
                key = self._waiting.get_nowait()
            except Empty:
                return
            self._key(key)

    def _key(self, key: str) -> None:
        match key:
            case "v" | "V":
                self._level("verbosity", 1 if key == "v" else -1)
            case "d" | "D":
                self._level("debugging", 1 if key == "d" else -1)
            case "p" | "P":
                self._packets(key == "p")
            case "?":
                self._say(KEYS_HELP)
            case _:
                for sink in self._sinks:
                    sink.request_status()

    def _level(self, name: str, step: int) -> None:
        for sink in self._sinks:
            plan = sink.report.plan
            level = min(max(getattr(plan, name) + step, 0), _HIGHEST)
            if name == "verbosity":
                sink.report.plan = replace(plan, verbosity=level)
            else:
                sink.report.plan = replace(plan, debugging=level)
            self._say(f"{name.capitalize()} is now {level}.\n")

    def _packets(self, shown: bool) -> None:
        self._control.packet_trace = shown
        for sink in self._sinks:
            sink.report.plan = replace(sink.report.plan, packet_trace=shown)
        self._say(f"Packets are {'shown' if shown else 'not shown any more'}.\n")
