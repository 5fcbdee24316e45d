"""What each option does: the fields of ``Options`` as they are gathered, and the mistakes in their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from leadline.cli import values
from leadline.cli.options import Kind, Option, Take
from leadline.errors import UsageError
from leadline.plan.durations import parse_duration
from leadline.plan.options import Options, PingRequest

_COMMANDS = ("help", "version", "interfaces", "route", "scan")
"""The earlier one wins when several are asked for."""
_NOT_OF_SCANS = ("speed", "destinations")
_BASE_ENDINGS = (("normal", ".nmap"), ("xml", ".xml"), ("grepable", ".gnmap"))
_TOP_LEVEL = 10


class Settings:
    """Filled option by option. ``mistakes`` are whole sentences; ``command``: see ``arguments.Parsed``."""

    def __init__(self, clock: Mapping[str, str]) -> None:
        self.mistakes: list[str] = []
        self.command = "scan"
        self._clock = clock
        self._fields: dict[str, Any] = {}
        self._given: dict[str, str] = {}

    def options(self) -> Options:
        """Everything that was gathered."""
        return Options(**{name: value for name, value in self._fields.items() if name not in _NOT_OF_SCANS})

    def speed(self) -> float | None:
        """``--speed``, which is not an option of a scan."""
        speed = self._fields.get("speed")
        return float(speed) if speed is not None else None

    def destinations(self) -> tuple[str, ...]:
        """``--route-dst``, which is asked for instead of a scan."""
        return tuple(self._fields.get("destinations", ()))

    def set_default(self, name: str, value: object) -> None:
        """Sets a field that no option has set."""
        self._fields.setdefault(name, value)

    def append(self, name: str, value: object) -> None:
        """Adds to a field that holds a tuple."""
        self._fields[name] = (*self._fields.get(name, ()), value)

    def apply(self, option: Option, typed: str, value: str) -> None:
        """Carries out one option. ``typed``: the name to call it by; ``value``: empty when it takes none."""
        action = _ACTIONS.get(option.kind, Settings._set)
        try:
            action(self, option, typed, value)
        except UsageError as error:
            self.mistakes.extend(f"Option {typed} {message}." for message in error.messages)
        if option.notice and option.notice not in self._fields.get("notices", ()):
            self.append("notices", option.notice)

    def _set(self, option: Option, typed: str, value: str) -> None:
        self._note(option, option.field, typed)
        self._fields[option.field] = self._converted(option, value)

    def _converted(self, option: Option, value: str) -> object:
        match option.kind:
            case Kind.INTEGER:
                return values.integer(value)
            case Kind.NUMBER:
                return values.number(value)
            case Kind.RATE:
                return values.rate(value)
            case Kind.TIME:
                return parse_duration(value, option.value if isinstance(option.value, float) else None)
            case Kind.TEMPLATE:
                return values.template(value)
            case Kind.OUTPUT:
                return values.output_name(value, self._clock)
            case Kind.TEXT:
                return value
            case _:
                return option.value

    def _note(self, option: Option, what: str, typed: str) -> None:
        """Remembers who set ``what``; where one option only may, a second one is a mistake, unless it says the same."""
        before = self._given.get(what)
        self._given[what] = typed
        if not option.once or before is None:
            return
        if before != typed:
            self.mistakes.append(f"Options {before} and {typed} cannot be used together.")
        elif option.take is not Take.NOTHING:
            self.mistakes.append(f"Option {typed} is given twice.")

    def _missing(self, option: Option, typed: str, value: str) -> None:
        self.mistakes.append(f"Option {typed} ({option.help}) is not built yet.")

    def _ignored(self, option: Option, typed: str, value: str) -> None:
        self.append("notices", f"Option {typed} has no effect{f' ({option.help})' if option.help else ''}.")

    def _command(self, option: Option, typed: str, value: str) -> None:
        self.command = min(self.command, str(option.value), key=_COMMANDS.index)

    def _route(self, option: Option, typed: str, value: str) -> None:
        self._comma_list(option, typed, value)
        self.command = min(self.command, "route", key=_COMMANDS.index)

    def _level(self, option: Option, typed: str, digits: str) -> None:
        """``-d`` raises the verbosity with it (spec sheet 1.8); ``-v0`` also silences standard output."""
        for name in ("debugging", "verbosity") if option.field == "debugging" else ("verbosity",):
            self._fields[name] = values.integer(digits) if digits else min(self._fields.get(name, 0) + 1, _TOP_LEVEL)
        self._fields["quiet"] = typed == "-v" and bool(digits) and self._fields["verbosity"] == 0

    def _wait(self, option: Option, typed: str, value: str) -> None:
        patient = value == "patient"
        self._fields["version_wait"] = None if patient else values.wait(value)
        self._fields["patient"] = patient

    def _ping(self, option: Option, typed: str, ports: str) -> None:
        self._note(option, "ping " + option.field, typed)
        self.append("pings", PingRequest(option.field, ports))

    def _ping_set(self, option: Option, typed: str, ports: str) -> None:
        """``-PB``: the default probes with other ACK ports."""
        self._note(option, "ping set", typed)
        for request in (
            PingRequest("icmp-echo"),
            PingRequest("tcp-syn", "443"),
            PingRequest("tcp-ack", ports or "80"),
            PingRequest("icmp-timestamp"),
        ):
            self.append("pings", request)

    def _add(self, option: Option, typed: str, value: str) -> None:
        self.append(option.field, option.value)

    def _comma_list(self, option: Option, typed: str, value: str) -> None:
        for part in values.comma_list(value):
            self.append(option.field, part)

    def _input(self, option: Option, typed: str, value: str) -> None:
        if not value:
            raise UsageError("needs the name of a file")
        self.append(option.field, value)

    def _output_base(self, option: Option, typed: str, value: str) -> None:
        base = values.output_name(value, self._clock)
        if base == "-":
            raise UsageError("writes three files and cannot write to standard output")
        for name, ending in _BASE_ENDINGS:
            self._note(option, name, typed)
            self._fields[name] = base + ending


_ACTIONS: dict[Kind, Callable[[Settings, Option, str, str], None]] = {
    Kind.MISSING: Settings._missing,
    Kind.IGNORED: Settings._ignored,
    Kind.COMMAND: Settings._command,
    Kind.ROUTE: Settings._route,
    Kind.LEVEL: Settings._level,
    Kind.WAIT: Settings._wait,
    Kind.PING: Settings._ping,
    Kind.PING_SET: Settings._ping_set,
    Kind.ADD: Settings._add,
    Kind.COMMA_LIST: Settings._comma_list,
    Kind.INPUT: Settings._input,
    Kind.OUTPUT_BASE: Settings._output_base,
}
"""All other kinds set their field."""
