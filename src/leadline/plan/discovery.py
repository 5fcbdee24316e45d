"""The discovery probes: the default sets and what ``-P*`` options make of them (spec sheet 1.2, 2.6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from leadline.model.plan import DiscoveryPlan, PingKind, PingProbe
from leadline.model.port import Protocol
from leadline.model.port_set import PortSet
from leadline.model.quick_dataclass import dataclass
from leadline.plan.options import Options
from leadline.plan.port_choice import read_ports

PRIVILEGED_V4 = (
    PingProbe(PingKind.ICMP_ECHO),
    PingProbe(PingKind.TCP_SYN, 443),
    PingProbe(PingKind.TCP_ACK, 80),
    PingProbe(PingKind.ICMP_TIMESTAMP),
)
PRIVILEGED_V6 = PRIVILEGED_V4[:3]
UNPRIVILEGED = (PingProbe(PingKind.TCP_CONNECT, 80), PingProbe(PingKind.TCP_CONNECT, 443))

_DEFAULT_PORTS = {
    PingKind.TCP_SYN: (80,),
    PingKind.TCP_ACK: (80,),
    PingKind.TCP_CONNECT: (80, 443),
    PingKind.UDP: (40125,),
    PingKind.SCTP_INIT: (80,),
    PingKind.IP_PROTOCOL: (1, 2, 4),
}
_PROTOCOLS = {
    PingKind.TCP_SYN: Protocol.TCP,
    PingKind.TCP_ACK: Protocol.TCP,
    PingKind.TCP_CONNECT: Protocol.TCP,
    PingKind.UDP: Protocol.UDP,
    PingKind.SCTP_INIT: Protocol.SCTP,
    PingKind.IP_PROTOCOL: Protocol.IP,
}
_OPTION = {
    PingKind.TCP_SYN: "-PS",
    PingKind.TCP_ACK: "-PA",
    PingKind.TCP_CONNECT: "connect ping",
    PingKind.UDP: "-PU",
    PingKind.SCTP_INIT: "-PY",
    PingKind.IP_PROTOCOL: "-PO",
}
_WITHOUT_SUBSTITUTE = {
    PingKind.UDP: "-PU (UDP ping)",
    PingKind.SCTP_INIT: "-PY (SCTP ping)",
    PingKind.IP_PROTOCOL: "-PO (IP protocol ping)",
}
_ONLY_V4 = frozenset({PingKind.ICMP_TIMESTAMP, PingKind.ICMP_ADDRESS_MASK})
_SEND_ORDER = {kind: rank for rank, kind in enumerate(PingKind)}


@dataclass(slots=True)
class DiscoveryChoice:
    """``plan``; ``mistakes``: of the command line; ``needs_rights``: what cannot be done without raw packets."""

    plan: DiscoveryPlan = field(default_factory=DiscoveryPlan)
    mistakes: list[str] = field(default_factory=list)
    needs_rights: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def choose_discovery(options: Options, privileged: bool, excluded: PortSet) -> DiscoveryChoice:
    """``excluded``: ports that no discovery probe may touch either. ``options`` is already checked."""
    choice = DiscoveryChoice()
    mode = "list" if options.list_scan else "none" if options.skip_discovery or options.proxies else "ping"
    asked = _asked(options, choice)
    if mode != "ping":
        if asked:
            choice.notices.append(f"The -P probes are not used: {'-sL' if options.list_scan else '-Pn'} asks for none.")
        four: tuple[PingProbe, ...] = ()
        six: tuple[PingProbe, ...] = ()
    elif not asked:
        four, six = (PRIVILEGED_V4, PRIVILEGED_V6) if privileged else (UNPRIVILEGED, UNPRIVILEGED)
    elif privileged:
        four, six = _ordered(asked), _sixth(asked)
    else:
        four = six = _by_connection(asked, choice)
    four, six = _without(four, excluded), _without(six, excluded)
    if mode == "ping" and not choice.mistakes and not choice.needs_rights and not (four and six):
        choice.mistakes.append("--exclude-ports leaves no discovery probe: use -Pn, or choose other probes.")
    choice.plan = DiscoveryPlan(
        mode=mode,
        probes_v4=four,
        probes_v6=six,
        link_probes=privileged and mode != "list" and not options.disable_arp_ping,
        ignore_reset=options.discovery_ignore_rst,
    )
    return choice


def _asked(options: Options, choice: DiscoveryChoice) -> list[PingProbe]:
    """The probes that were asked for, as typed."""
    probes = []
    for request in options.pings:
        kind = PingKind(request.kind)
        protocol = _PROTOCOLS.get(kind)
        if protocol is None:
            probes.append(PingProbe(kind))
            continue
        numbers = _DEFAULT_PORTS[kind]
        if request.ports:
            typed = read_ports(request.ports, (protocol,), _OPTION[kind], choice.mistakes)
            if set(typed.ports) - {protocol}:
                choice.mistakes.append(f"{_OPTION[kind]}: {request.ports!r} has ports of another protocol.")
            numbers = typed.of(protocol)
        probes.extend(PingProbe(kind, number) for number in numbers)
    return probes


def _ordered(probes: Iterable[PingProbe]) -> tuple[PingProbe, ...]:
    """In send order, each once."""
    return tuple(sorted(dict.fromkeys(probes), key=lambda probe: (_SEND_ORDER[probe.kind], probe.number)))


def _sixth(asked: list[PingProbe]) -> tuple[PingProbe, ...]:
    """For IPv6 targets: timestamp and address mask do not exist there; an echo stands in when nothing else is left."""
    return _ordered(probe for probe in asked if probe.kind not in _ONLY_V4) or (PingProbe(PingKind.ICMP_ECHO),)


def _by_connection(asked: list[PingProbe], choice: DiscoveryChoice) -> tuple[PingProbe, ...]:
    """Without raw packets: SYN and ACK ports become connections, ICMP the default pair of connections."""
    kinds = {probe.kind for probe in asked}
    for kind, name in _WITHOUT_SUBSTITUTE.items():
        if kind in kinds:
            choice.needs_rights.append(f"{name} needs the right to send raw packets (root or CAP_NET_RAW).")
    tcp = [
        PingProbe(PingKind.TCP_CONNECT, probe.number) for probe in asked if _PROTOCOLS.get(probe.kind) is Protocol.TCP
    ]
    if kinds - {PingKind.TCP_CONNECT}:
        choice.notices.append("Raw packets cannot be sent: discovery makes TCP connections instead of the -P probes.")
    return _ordered([*tcp, *(UNPRIVILEGED if len(tcp) < len(asked) else ())])


def _without(probes: tuple[PingProbe, ...], excluded: PortSet) -> tuple[PingProbe, ...]:
    return tuple(
        probe
        for probe in probes
        if probe.kind not in _PROTOCOLS or probe.number not in excluded.of(_PROTOCOLS[probe.kind])
    )
