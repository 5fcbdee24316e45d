"""Reads ``argv`` by the option table, in the way of ``getopt_long_only`` (spec sheet section 1).

One dash is enough for long options, any unambiguous beginning of their names will do, a value follows behind ``=`` or
as the next argument; letters combine (``-sSV``, ``-nv``), values may be attached to them (``-p80``, ``-oXfile``,
``-T4``); options and targets may be mixed, ``--`` ends the options. Mistakes are gathered, none ends the reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadline.cli.options import BY_NAME, Kind, Option, Take
from leadline.cli.settings import Settings
from leadline.model.quick_dataclass import dataclass
from leadline.plan.options import Options

_PRIVILEGE = (("NMAP_PRIVILEGED", True), ("NMAP_UNPRIVILEGED", False))
_PAIRS = "sPoi"
"""Letters whose options are a pair of letters (``-sS``, ``-PE``, ``-oX``, ``-iL``)."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """``command``: ``scan``, ``help``, ``version``, ``interfaces`` or ``route``. ``mistakes``: one sentence each.

    ``speed``: of the demonstration, ``None`` when not given. ``destinations``: of ``--route-dst``.
    """

    command: str
    options: Options
    mistakes: tuple[str, ...]
    speed: float | None = None
    destinations: tuple[str, ...] = ()


def parse_arguments(
    arguments: Sequence[str], environment: Mapping[str, str], clock: Mapping[str, str], program: str = "leadline"
) -> Parsed:
    """``arguments``: without the program's name. ``clock``: the time escapes of file names, see ``values``."""
    settings = Settings(clock)
    _Reader(list(reversed(arguments)), settings).read()
    settings.set_default("arguments", (program, *arguments))
    forced = {privileged for name, privileged in _PRIVILEGE if environment.get(name)}
    if len(forced) == 2:
        settings.mistakes.append("NMAP_PRIVILEGED and NMAP_UNPRIVILEGED are both set in the environment.")
    elif forced:
        settings.set_default("privileged", forced.pop())
    if environment.get("NMAPDIR"):
        settings.set_default("nmapdir", environment["NMAPDIR"])
    mistakes = tuple(dict.fromkeys(settings.mistakes))
    return Parsed(settings.command, settings.options(), mistakes, settings.speed(), settings.destinations())


@dataclass(slots=True)
class _Reader:
    """``waiting``: the arguments not yet read, the next one last."""

    waiting: list[str]
    settings: Settings

    def read(self) -> None:
        while self.waiting:
            argument = self.waiting.pop()
            if argument == "--":
                while self.waiting:
                    self.settings.append("targets", self.waiting.pop())
            elif argument.startswith("--"):
                self.long(argument, argument[2:])
            elif argument.startswith("-") and argument != "-":
                self.short(argument)
            else:
                self.settings.append("targets", argument)

    # -- which option

    def long(self, argument: str, text: str) -> None:
        name, has_value, value = text.partition("=")
        found = _beginning_with(name)
        if len(found) == 1:
            self.found_long(found[0], _long_name(found[0], name), value if has_value else None)
        elif found:
            names = ", ".join(sorted(_long_name(option, name) for option in found))
            self.settings.mistakes.append(f"Option {_shown(argument)} is ambiguous: it could be {names}.")
        else:
            self.unknown(argument)

    def found_long(self, option: Option, typed: str, value: str | None) -> None:
        if option.take is Take.NOTHING:
            if value is not None:
                self.settings.mistakes.append(f"Option {typed} takes no value.")
                return
            self.settings.apply(option, typed, "")
        elif value is not None:
            self.settings.apply(option, typed, value)
        else:
            self.with_next(option, typed)

    def short(self, argument: str) -> None:
        """Letters, unless the whole argument is a long option with one dash (which wins, as with getopt)."""
        letter = argument[1]
        known = letter in _PAIRS or "-" + letter in BY_NAME
        if len(argument) > 2 or not known:
            found = _beginning_with(argument[1:].partition("=")[0])
            if found:
                self.long(argument, argument[1:])
                return
        letters = argument[1:]
        while letters:
            letters = self.letter(argument, letters)

    def letter(self, argument: str, letters: str) -> str:
        """Takes one option off the letters; what is left of them."""
        first, rest = letters[0], letters[1:]
        if first == "s":
            return self.scan_types(argument, rest)
        name = "-" + first
        if first in _PAIRS and rest:
            name, rest = "-" + first + rest[0], rest[1:]
        option = BY_NAME.get(name)
        if option is None:
            self.unknown(argument, name)
            return ""
        if option.kind is Kind.LEVEL:
            return self.level(option, first, rest)
        if option.take is Take.NOTHING:
            self.settings.apply(option, name, "")
            if first in _PAIRS and rest:
                self.settings.mistakes.append(f"Option {name} takes no value, so {_shown(argument)} is not understood.")
                return ""
            return rest
        if option.take is Take.VALUE and len(name) > 2:  # -oX=FILE: to Nmap these pairs are long options
            rest = rest.removeprefix("=")
        if rest or option.take is Take.ATTACHED:
            self.settings.apply(option, name, rest)
        else:
            self.with_next(option, name)
        return ""

    def scan_types(self, argument: str, letters: str) -> str:
        if not letters:
            self.settings.mistakes.append("Option -s needs the letter of a scan type, such as -sS or -sT.")
        for position, letter in enumerate(letters):
            option = BY_NAME.get("-s" + letter)
            if option is None:
                self.unknown(argument, "-s" + letter)
            elif option.take is Take.VALUE:
                rest = letters[position + 1 :]
                if rest:
                    self.settings.apply(option, "-s" + letter, rest)
                else:
                    self.with_next(option, "-s" + letter)
                break
            else:
                self.settings.apply(option, "-s" + letter, "")
        return ""

    def level(self, option: Option, letter: str, rest: str) -> str:
        """``-v``, ``-v3``, ``-vv``: the digits belong to it, further letters are read on."""
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        self.settings.apply(option, "-" + letter, digits)
        return rest[len(digits) :]

    def with_next(self, option: Option, typed: str) -> None:
        if self.waiting or option.kind is Kind.MISSING:
            self.settings.apply(option, typed, self.waiting.pop() if self.waiting else "")
        else:
            self.settings.mistakes.append(f"Option {typed} needs a value: {option.argument}.")

    def unknown(self, argument: str, name: str = "") -> None:
        from difflib import get_close_matches

        wanted = argument.partition("=")[0]
        what = f"Option {name} in {_shown(argument)}" if name not in ("", argument) else f"Option {_shown(argument)}"
        near = get_close_matches("--" + wanted.lstrip("-"), BY_NAME, 1, 0.75) if len(wanted) > 3 else []
        self.settings.mistakes.append(f"{what} is unknown" + (f"; did you mean {near[0]}?" if near else "."))


def _beginning_with(name: str) -> list[Option]:
    """The long options that ``name`` (without dashes) can mean: the exact one, else all that begin so."""
    exact = BY_NAME.get("--" + name)
    if exact is not None:
        return [exact]
    if not name:
        return []
    found = [option for full, option in BY_NAME.items() if full.startswith("--" + name)]
    return list(dict.fromkeys(found))


def _long_name(option: Option, typed: str) -> str:
    return next(name for name in option.names if name.startswith("--" + typed))


def _shown(argument: str) -> str:
    return argument if argument.isprintable() and len(argument) <= 60 else repr(argument[:60])
