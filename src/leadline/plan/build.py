"""Options -> Plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from leadline.errors import PrivilegeError, UsageError
from leadline.model.plan import WHOLE, OutputPlan, PingKind, Plan, PortPlan, ResolvePlan, TargetPlan
from leadline.model.port import Protocol
from leadline.plan.check import check
from leadline.plan.discovery import DiscoveryChoice, choose_discovery
from leadline.plan.options import Options
from leadline.plan.packet_shape import read_shape, shape_families, shape_notices, shape_rights
from leadline.plan.port_choice import PortChoice, choose_ports
from leadline.plan.presets import timing_plan
from leadline.plan.proxies import proxy_notices, read_proxies, without_password
from leadline.plan.relays import read_relay, read_zombie, without_login
from leadline.plan.service_choice import choose_services
from leadline.plan.sweep_choice import read_shard
from leadline.plan.technique_choice import OPTION_OF, TechniqueChoice, choose_technique


def build_plan(options: Options, privileged: bool) -> Plan:
    """The complete plan. ``privileged``: raw packets can be sent (found out, or forced by an option).

    Decides between SYN and connect scan and between the discovery sets by ``privileged``; a SYN scan that was asked
    for without the right becomes a connect scan, and ``Plan.notices`` says so. With proxies no raw packet is sent and
    no host is looked for; their passwords are left out of ``Plan.arguments``. Raises ``UsageError`` with every
    mistake at once, ``PrivilegeError`` for what has no substitute without raw packets.
    """
    mistakes = find_mistakes(options)
    if mistakes:
        raise UsageError(*mistakes)
    # What a proxy carries is connections: raw packets would go around it, and show who scans.
    privileged = privileged and not options.proxies
    technique = choose_technique(options, privileged)
    if options.versions and Protocol.IP in technique.protocols:
        told = "-sO scans IP protocols: there are no services whose versions could be detected (-sV, -A)."
        options = replace(options, versions=False, notices=(*options.notices, told))
    ports, discovery = _choices(options, privileged, technique)
    if discovery.mistakes:
        raise UsageError(*discovery.mistakes)
    lacking = [] if privileged else shape_rights(options)
    if technique.needs_rights or discovery.needs_rights or lacking:
        raise PrivilegeError(" ".join([*technique.needs_rights, *discovery.needs_rights, *lacking]))
    timing, moved = timing_plan(options)
    services, idle = choose_services(options)
    return Plan(
        targets=_targets(options),
        resolve=ResolvePlan(options.reverse or "up", options.dns_servers, options.system_dns),
        discovery=discovery.plan,
        ports=_port_plan(options, technique, ports),
        timing=timing,
        services=services,
        output=_output(options),
        privileged=False if options.proxies else options.privileged,
        arguments=_without_secrets(options),
        notices=(
            *options.notices,
            *technique.notices,
            *ports.notices,
            *discovery.notices,
            *moved,
            *idle,
            *proxy_notices(options),
            *shape_notices(options, technique.techniques),
            *_sctp_notices(options, technique, discovery),
        ),
        proxies=read_proxies(options.proxies, []),
        shape=read_shape(options),
        adler32=options.adler32,
    )


def _sctp_notices(
    options: Options, technique: TechniqueChoice, discovery: DiscoveryChoice
) -> Iterator[str]:  # fmt: skip
    if options.versions and Protocol.SCTP in technique.protocols:
        yield "What listens on SCTP ports is not asked: -sV speaks TCP and UDP."
    sent = {probe.kind for probe in (*discovery.plan.probes_v4, *discovery.plan.probes_v6)}
    uses = {Protocol.SCTP, Protocol.IP} & set(technique.protocols) or PingKind.SCTP_INIT in sent
    if options.adler32 and not uses:
        yield "--adler32 has no effect: no SCTP packet is sent (-sY, -sZ, -PY)."


def _port_plan(options: Options, technique: TechniqueChoice, ports: PortChoice) -> PortPlan:
    return PortPlan(
        technique.techniques,
        ports.ports,
        ports.excluded,
        options.sequential,
        options.open_only,
        technique.flags,
        max_open=options.max_open_ports,
        default_protocols=options.ports is None and Protocol.IP in technique.protocols,
        zombie=read_zombie(options.zombie),
        relay=read_relay(options.relay),
    )


def _without_secrets(options: Options) -> tuple[str, ...]:
    """The command line as outputs may show it."""
    words = tuple(map(without_password, options.arguments)) if options.proxies else options.arguments
    return tuple(without_login(word, options.relay) for word in words)


def find_mistakes(options: Options) -> list[str]:
    """Every mistake that can be told without knowing the rights: contradictions, then faults in lists of ports."""
    mistakes = check(options)
    # Techniques and probes that do not exist were told by now; what else is wrong shall be told too.
    techniques, kinds = {one.value for one in OPTION_OF}, {one.value for one in PingKind}
    options = replace(
        options,
        techniques=tuple(name for name in options.techniques if name in techniques),
        pings=tuple(ping for ping in options.pings if ping.kind in kinds),
    )
    # Flags that cannot be read are a mistake told above.
    ports, discovery = _choices(options, True, choose_technique(replace(options, scan_flags=None), True))
    return list(dict.fromkeys([*mistakes, *ports.mistakes, *discovery.mistakes]))


def _choices(options: Options, privileged: bool, technique: TechniqueChoice) -> tuple[PortChoice, DiscoveryChoice]:
    ports = choose_ports(options, technique.protocols)
    return ports, choose_discovery(options, privileged, ports.excluded)


def _targets(options: Options) -> TargetPlan:
    return TargetPlan(
        expressions=options.targets,
        input_files=options.input_files,
        random=options.random,
        exclude=options.exclude,
        exclude_files=options.exclude_files,
        randomize=options.randomize_hosts,
        resolve_all=options.resolve_all,
        unique=options.unique,
        families=shape_families(options),
        prefer_v6=options.family == 6,
        seed=options.seed,
        shard=read_shard(options.shard) or WHOLE,
        sends=not options.list_scan,
    )


def _output(options: Options) -> OutputPlan:
    taken = "-" in (options.normal, options.xml, options.grepable, options.json)
    return OutputPlan(
        normal=options.normal,
        xml=options.xml,
        grepable=options.grepable,
        json=options.json,
        append=options.append,
        verbosity=options.verbosity,
        debugging=options.debugging,
        reason=options.reason or options.verbosity >= 2 or options.debugging >= 1,
        open_only=options.open_only,
        packet_trace=options.packet_trace,
        stats_every=options.stats_every,
        stylesheet=options.stylesheet,
        interactive=not options.noninteractive,
        stdout_text=not taken and not options.quiet,
        versions=options.versions,
    )
