"""Spec sheet 1.2 and 2.6: the sets of discovery probes."""

from leadline.model.plan import PingKind, PingProbe
from leadline.model.port import Protocol
from leadline.model.port_set import PortSet
from leadline.plan.discovery import DiscoveryChoice, choose_discovery
from leadline.plan.options import Options, PingRequest

ECHO, SYN, ACK, STAMP = PingKind.ICMP_ECHO, PingKind.TCP_SYN, PingKind.TCP_ACK, PingKind.ICMP_TIMESTAMP
CONNECT, MASK = PingKind.TCP_CONNECT, PingKind.ICMP_ADDRESS_MASK
NOTHING = PortSet()


def asked(*pings: tuple[str, str], privileged: bool = True, **more: bool) -> DiscoveryChoice:
    options = Options(pings=tuple(PingRequest(kind, ports) for kind, ports in pings), **more)  # type: ignore[arg-type]
    return choose_discovery(options, privileged, NOTHING)


def pairs(probes: tuple[PingProbe, ...]) -> list[tuple[PingKind, int]]:
    return [(probe.kind, probe.number) for probe in probes]


def test_default_sets() -> None:
    plan = asked().plan
    assert pairs(plan.probes_v4) == [(ECHO, 0), (SYN, 443), (ACK, 80), (STAMP, 0)]
    assert pairs(plan.probes_v6) == [(ECHO, 0), (SYN, 443), (ACK, 80)]
    assert plan.mode == "ping"
    assert plan.link_probes
    assert not plan.ignore_reset


def test_default_set_without_rights() -> None:
    choice = asked(privileged=False)
    assert pairs(choice.plan.probes_v4) == pairs(choice.plan.probes_v6) == [(CONNECT, 80), (CONNECT, 443)]
    assert not choice.plan.link_probes
    assert not choice.notices


def test_send_order_and_default_ports() -> None:
    plan = asked(
        ("icmp-address-mask", ""),
        ("ip-protocol", ""),
        ("udp", ""),
        ("icmp-timestamp", ""),
        ("tcp-ack", ""),
        ("tcp-syn", ""),
        ("icmp-echo", ""),
    ).plan
    assert pairs(plan.probes_v4) == [
        (ECHO, 0),
        (SYN, 80),
        (ACK, 80),
        (STAMP, 0),
        (PingKind.UDP, 40125),
        (PingKind.IP_PROTOCOL, 1),
        (PingKind.IP_PROTOCOL, 2),
        (PingKind.IP_PROTOCOL, 4),
        (MASK, 0),
    ]
    assert {STAMP, MASK}.isdisjoint(probe.kind for probe in plan.probes_v6)


def test_typed_ports_each_once() -> None:
    plan = asked(("tcp-syn", "443,22,22"), ("icmp-echo", ""), ("icmp-echo", "")).plan
    assert pairs(plan.probes_v4) == [(ECHO, 0), (SYN, 22), (SYN, 443)]
    assert pairs(asked(("ip-protocol", "6,17")).plan.probes_v4) == [
        (PingKind.IP_PROTOCOL, 6),
        (PingKind.IP_PROTOCOL, 17),
    ]


def test_v6_gets_an_echo_where_only_v4_probes_are_asked_for() -> None:
    plan = asked(("icmp-timestamp", "")).plan
    assert pairs(plan.probes_v4) == [(STAMP, 0)]
    assert pairs(plan.probes_v6) == [(ECHO, 0)]


def test_wrong_ports_are_mistakes() -> None:
    choice = asked(("tcp-syn", "70000"), ("tcp-ack", "U:53"))
    assert choice.mistakes[0].startswith("-PS: ")
    assert any(message.startswith("-PA: 'U:53' has ports of another protocol") for message in choice.mistakes)


def test_connections_replace_what_needs_rights() -> None:
    choice = asked(("tcp-syn", "22"), ("tcp-ack", "25,22"), privileged=False)
    assert pairs(choice.plan.probes_v4) == [(CONNECT, 22), (CONNECT, 25)]
    assert len(choice.notices) == 1
    choice = asked(("icmp-echo", ""), ("tcp-syn", "22"), privileged=False)
    assert pairs(choice.plan.probes_v4) == [(CONNECT, 22), (CONNECT, 80), (CONNECT, 443)]


def test_connect_pings_need_no_remark() -> None:
    choice = asked(("tcp-connect", "8080"), privileged=False)
    assert pairs(choice.plan.probes_v4) == [(CONNECT, 8080)]
    assert choice.notices == []


def test_no_connection_replaces_udp_or_ip() -> None:
    choice = asked(("udp", ""), ("ip-protocol", ""), privileged=False)
    assert len(choice.needs_rights) == 2
    assert not choice.mistakes


def test_no_discovery() -> None:
    plan = asked(skip_discovery=True).plan
    assert (plan.mode, plan.probes_v4, plan.probes_v6, plan.link_probes) == ("none", (), (), True)
    assert not asked(skip_discovery=True, disable_arp_ping=True).plan.link_probes
    choice = asked(("tcp-syn", ""), skip_discovery=True)
    assert choice.plan.probes_v4 == ()
    assert "-Pn" in choice.notices[0]


def test_list_scan_sends_nothing() -> None:
    choice = asked(("tcp-syn", ""), list_scan=True, skip_discovery=True)
    assert (choice.plan.mode, choice.plan.probes_v4, choice.plan.link_probes) == ("list", (), False)
    assert "-sL" in choice.notices[0]


def test_excluded_ports_are_not_probed() -> None:
    gone = PortSet({Protocol.TCP: (80,), Protocol.UDP: (40125,)})
    assert pairs(choose_discovery(Options(), True, gone).plan.probes_v4) == [(ECHO, 0), (SYN, 443), (STAMP, 0)]
    choice = choose_discovery(Options(pings=(PingRequest("udp"),)), True, gone)
    assert choice.mistakes == ["--exclude-ports leaves no discovery probe: use -Pn, or choose other probes."]


def test_ignore_reset() -> None:
    assert asked(discovery_ignore_rst=True).plan.ignore_reset
