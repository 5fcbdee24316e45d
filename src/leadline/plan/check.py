"""Mistakes and contradictions in options (spec sheet 1.3, 1.8): all are found, none is fatal to finding the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address

from leadline.model.plan import PingKind, Technique
from leadline.plan.options import Options
from leadline.plan.packet_shape import check_shape
from leadline.plan.proxies import check_proxies
from leadline.plan.relays import check_relays
from leadline.plan.service_choice import check_services
from leadline.plan.sweep_choice import check_sweeps
from leadline.plan.technique_choice import check_techniques

_LARGEST_GROUP = 100_000
_SHORTEST_MAX_RTT = 0.005


def check(options: Options) -> list[str]:
    """One clear sentence for each mistake, in the order of the options' groups; empty when all is well.

    The grammar of ports and targets is not looked at here: the parsers of ``data`` and ``targets`` know it.
    """
    return [message for rule in _RULES for message in rule(options)]


def _targets(options: Options) -> Iterator[str]:
    if not options.targets and not options.input_files and options.random is None:
        yield "No targets are given: name hosts or networks, or use -iL FILE or -iR N."
    if options.random is not None:
        if options.random < 0:
            yield f"-iR needs a count of 0 (without end) or more, not {options.random}."
        if options.family == 6:
            yield "-iR draws random IPv4 addresses and cannot be used with -6."
    if (options.input_files + options.exclude_files).count("-") > 1:
        yield "Standard input (-) can be read for one list only."
    if options.family not in (None, 4, 6):
        yield f"The address family must be 4 or 6, not {options.family}."
    if options.seed is not None and options.seed < 0:
        yield f"The seed must be 0 or more, not {options.seed}."


def _names(options: Options) -> Iterator[str]:
    if options.reverse not in (None, "never", "all"):
        yield f"Reverse resolution is never or all, not {options.reverse!r}."
    if options.system_dns and options.dns_servers:
        yield "--dns-servers has no effect with --system-dns: use one of them."
    for server in options.dns_servers:
        if not _is_server(server):
            yield f"--dns-servers needs addresses (192.0.2.1, 192.0.2.1:53, [2001:db8::1]:53), not {server!r}."


def _is_server(text: str) -> bool:
    host, port = text, "53"
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            return False
        port = rest[1:] or "53" if rest != ":" else ""
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        ip_address(host)
    except ValueError:
        return False
    return port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536


def _discovery(options: Options) -> Iterator[str]:
    kinds = [ping.kind for ping in options.pings]
    known = {kind.value for kind in PingKind}
    for kind in sorted({kind for kind in kinds if kind not in known}):
        yield f"There is no discovery probe named {kind!r}."
    if options.family == 6:
        for missing, name in ((PingKind.ICMP_TIMESTAMP, "-PP"), (PingKind.ICMP_ADDRESS_MASK, "-PM")):
            if missing.value in kinds:
                yield f"{name} is an IPv4 probe and cannot be used with -6."


def _ports(options: Options) -> Iterator[str]:
    if options.fast and options.ports is not None:
        yield "-F chooses the ports itself and cannot be used with -p (--top-ports can)."
    if options.fast and options.top_ports is not None:
        yield "-F means --top-ports 100: use one of them."
    if options.top_ports is not None and options.top_ports < 1:
        yield f"--top-ports needs a number of 1 or more, not {options.top_ports}."
    if options.top_ports is not None and Technique.IP_PROTOCOL.value in options.techniques:
        yield "--top-ports needs ports: IP protocols (-sO) have no order (-F: those that have a name)."


def _timing(options: Options) -> Iterator[str]:
    if options.timing is not None and not 0 <= options.timing <= 5:
        yield f"-T needs a template from 0 to 5, not {options.timing}."
    for name, least in (
        ("min_parallelism", 0),
        ("max_parallelism", 1),
        ("min_hostgroup", 1),
        ("max_hostgroup", 1),
        ("max_retries", 0),
        ("max_open_ports", 1),
    ):
        number = getattr(options, name)
        if number is not None and number < least:
            yield f"{_long(name)} needs a number of {least} or more, not {number}."
    for name in ("min_hostgroup", "max_hostgroup"):
        number = getattr(options, name)
        if number is not None and number > _LARGEST_GROUP:
            yield f"{_long(name)} can be at most {_LARGEST_GROUP}, not {number}."
    for name in ("min_rate", "max_rate"):
        rate = getattr(options, name)
        if rate is not None and not 0 < rate < float("inf"):
            yield f"{_long(name)} needs a number of packets a second above 0, not {rate:g}."
    for least_name, most_name in (
        ("min_parallelism", "max_parallelism"),
        ("min_hostgroup", "max_hostgroup"),
        ("min_rate", "max_rate"),
        ("min_rtt_timeout", "max_rtt_timeout"),
        ("scan_delay", "max_scan_delay"),
    ):
        lower, upper = getattr(options, least_name), getattr(options, most_name)
        if lower is not None and upper is not None and lower > upper:
            yield f"{_long(least_name)} ({lower:g}) is greater than {_long(most_name)} ({upper:g})."
    if options.event_engine not in (None, "epoll"):
        yield f"--nsock-engine can be epoll only: {options.event_engine!r} is not built."
    if options.defeat_rst_ratelimit and options.techniques and Technique.SYN.value not in options.techniques:
        yield "--defeat-rst-ratelimit is about the answers to a SYN scan and needs -sS."
    if options.defeat_rst_ratelimit and (options.ping_scan or options.list_scan):
        yield "--defeat-rst-ratelimit is about ports, and none is scanned."


def _times(options: Options) -> Iterator[str]:
    for name in ("host_timeout", "scan_delay", "max_scan_delay"):
        seconds = getattr(options, name)
        if seconds is not None and not 0 <= seconds < float("inf"):
            yield f"{_long(name)} needs a time of 0 or more."
    for name in ("min_rtt_timeout", "initial_rtt_timeout", "stats_every"):
        seconds = getattr(options, name)
        if seconds is not None and not 0 < seconds < float("inf"):
            yield f"{_long(name)} needs a time above 0."
    if options.max_rtt_timeout is not None and not _SHORTEST_MAX_RTT <= options.max_rtt_timeout < float("inf"):
        yield "--max-rtt-timeout needs a time of 5ms or more: no answer could come in time."


def _output(options: Options) -> Iterator[str]:
    names = [
        (option, name)
        for option, name in (
            ("-oN", options.normal),
            ("-oX", options.xml),
            ("-oG", options.grepable),
            ("-oJ", options.json),
            ("--record", options.record),
        )
        if name is not None
    ]
    for option, name in names:
        if not name:
            yield f"{option} needs the name of a file."
    if options.stylesheet == "":
        yield "--stylesheet needs an address or a path."
    if options.record == "-":
        yield "--record writes a capture file and needs a file name, not standard output."
    seen: dict[str, str] = {}
    for option, name in names:
        if name in seen and name:
            place = "standard output" if name == "-" else f"the file {name}"
            yield f"{seen[name]} and {option} cannot both write to {place}."
        seen.setdefault(name, option)
    # -d sets both levels: its mistake is told once, under its own name.
    raised = () if options.verbosity == options.debugging else (("-v", options.verbosity),)
    for word, level in (*raised, ("-d", options.debugging)):
        if not 0 <= level <= 10:
            yield f"{word} takes a level from 0 to 10, not {level}."


def _long(name: str) -> str:
    return "--" + name.replace("_", "-")


_RULES: tuple[Callable[[Options], Iterator[str]], ...] = (
    _targets,
    _names,
    _discovery,
    check_techniques,
    check_relays,
    _ports,
    check_services,
    check_proxies,
    check_shape,
    _timing,
    _times,
    check_sweeps,
    _output,
)
