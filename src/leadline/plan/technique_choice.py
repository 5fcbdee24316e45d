"""Which technique: ``-sS``, ``-sT``, ``-sA`` ... and ``--scanflags`` (spec sheet 1.3)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import field

from leadline.errors import UsageError
from leadline.model.plan import WITHOUT_RIGHTS, Technique
from leadline.model.port import Protocol
from leadline.model.quick_dataclass import dataclass
from leadline.model.tcp_flags import ALL_FLAGS, FLAG_VALUES
from leadline.plan.options import Options
from leadline.plan.relays import relay_notices

OPTION_OF: dict[Technique, str] = {
    Technique.SYN: "-sS",
    Technique.CONNECT: "-sT",
    Technique.ACK: "-sA",
    Technique.WINDOW: "-sW",
    Technique.MAIMON: "-sM",
    Technique.NULL: "-sN",
    Technique.FIN: "-sF",
    Technique.XMAS: "-sX",
    Technique.UDP: "-sU",
    Technique.SCTP_INIT: "-sY",
    Technique.SCTP_COOKIE_ECHO: "-sZ",
    Technique.IP_PROTOCOL: "-sO",
    Technique.IDLE: "-sI",
    Technique.BOUNCE: "-b",
}
"""What chooses each technique that is built on the command line."""

_TECHNIQUE_OF = {option: technique for technique, option in OPTION_OF.items()}

_NEEDS = "needs the right to send raw packets (root or CAP_NET_RAW)"
_WORDS = FLAG_VALUES | {"ALL": ALL_FLAGS, "NONE": 0}
_NAMES = re.compile(rf"(?:(?:{'|'.join(_WORDS)})[ ,|+]*)+", re.ASCII | re.IGNORECASE)
_NAME = re.compile("|".join(_WORDS), re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,2}|0[xX][0-9a-fA-F]{1,2}", re.ASCII)


@dataclass(slots=True)
class TechniqueChoice:
    """``techniques``: in the order of running, none where no port is scanned. ``flags``: of ``--scanflags``. The lists
    are whole sentences; ``needs_rights``: what has no substitute without raw packets.
    """

    techniques: tuple[Technique, ...] = ()
    flags: int | None = None
    notices: list[str] = field(default_factory=list)
    needs_rights: list[str] = field(default_factory=list)

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """Whose ports are scanned, each once."""
        return tuple(dict.fromkeys(technique.protocol for technique in self.techniques))


def choose_technique(options: Options, privileged: bool) -> TechniqueChoice:
    """``options`` is already checked. ``privileged``: raw packets can be sent."""
    choice = TechniqueChoice()
    if options.list_scan or options.ping_scan:
        return choice
    asked = {Technique(name) for name in named_techniques(options)}
    choice.techniques = in_order(asked or {Technique.SYN})
    choice.flags = parse_flags(options.scan_flags) if options.scan_flags is not None else None
    choice.notices += relay_notices(options)
    if privileged:
        return choice
    for technique in choice.techniques:
        if technique not in WITHOUT_RIGHTS and technique is not Technique.SYN:
            choice.needs_rights.append(f"{OPTION_OF[technique]} {_NEEDS}.")
    if choice.flags is not None and Technique.CONNECT not in asked:
        choice.needs_rights.append(f"--scanflags {_NEEDS}.")
    if choice.needs_rights or Technique.SYN not in choice.techniques:
        return choice
    choice.techniques = in_order({*choice.techniques, Technique.CONNECT} - {Technique.SYN})
    if Technique.SYN in asked:
        choice.notices.append(f"The SYN scan (-sS) {_NEEDS}; a connect scan (-sT) is made instead.")
    return choice


def named_techniques(options: Options) -> list[str]:
    """Values of ``Technique``, each once: those asked for by name, and those that come with their host."""
    names = [*options.techniques]
    if options.zombie is not None:
        names.append(Technique.IDLE.value)
    if options.relay is not None:
        names.append(Technique.BOUNCE.value)
    return list(dict.fromkeys(names))


def in_order(techniques: Collection[Technique]) -> tuple[Technique, ...]:
    """As they run one after the other."""
    return tuple(technique for technique in Technique if technique in techniques)


def parse_flags(text: str) -> int:
    """``--scanflags``: a number from 0 to 255 (``18``, ``0x12``), or names in any order and case.

    The names may stand together or apart (``SYNFIN``, ``syn,fin``); ``ALL`` and ``NONE`` are names too. Raises
    ``UsageError``.
    """
    word = text.strip()
    if _NUMBER.fullmatch(word) and int(word, 0) <= ALL_FLAGS:
        return int(word, 0)
    if not _NAMES.fullmatch(word):
        names = " ".join(FLAG_VALUES)
        raise UsageError(
            f"needs TCP flags by their names ({names}), such as SYNFIN, or a number from 0 to 255, not {text!r}"
        )
    flags = 0
    for name in _NAME.findall(word):
        flags |= _WORDS[name.upper()]
    return flags


def check_techniques(options: Options) -> Iterator[str]:
    """One sentence for each mistake."""
    known = {technique.value for technique in OPTION_OF}
    for name in options.techniques:
        if name not in known:
            yield f"There is no scan technique named {name!r} (there are {', '.join(sorted(known))})."
    chosen = [OPTION_OF[Technique(name)] for name in named_techniques(options) if name in known]
    for protocol in (Protocol.TCP, Protocol.SCTP):
        alike = [option for option in chosen if _TECHNIQUE_OF[option].protocol is protocol]
        if len(alike) > 1:
            every = "not both" if len(alike) == 2 else "not several"
            name = protocol.label.upper()
            yield f"Only one {name} scan technique can be chosen: {', '.join(alike[:-1])} or {alike[-1]}, {every}."
    alone = OPTION_OF[Technique.IP_PROTOCOL]
    if alone in chosen and len(chosen) > 1:
        others = " and ".join(option for option in chosen if option != alone)
        yield f"{alone} scans IP protocols, not ports, and cannot be combined with {others}."
    if options.defeat_icmp_ratelimit and Technique.UDP.value not in options.techniques:
        yield "--defeat-icmp-ratelimit is about UDP ports and needs -sU."
    if options.list_scan and options.ping_scan:
        yield "-sL only lists targets and -sn only looks which are up: choose one."
    for flag, name in ((options.list_scan, "-sL"), (options.ping_scan, "-sn")):
        if flag:
            yield from _without_ports(options, name, chosen)
    if options.scan_flags is None:
        return
    try:
        parse_flags(options.scan_flags)
    except UsageError as error:
        yield f"--scanflags {error.messages[0]}."
    if Technique.CONNECT.value in options.techniques:
        yield "--scanflags chooses the flags of raw packets; -sT sends none, so they cannot be combined."


def _without_ports(options: Options, name: str, techniques: list[str]) -> Iterator[str]:
    """What contradicts ``-sL`` or ``-sn``."""
    if techniques:
        yield f"{name} scans no ports and cannot be combined with a port scan ({', '.join(techniques)})."
    chosen = [
        word
        for word, given in (
            ("-p", options.ports is not None),
            ("-F", options.fast),
            ("--top-ports", options.top_ports is not None),
            ("--scanflags", options.scan_flags is not None),
        )
        if given
    ]
    if chosen:
        yield f"{name} scans no ports, so {' and '.join(chosen)} cannot be used with it."
