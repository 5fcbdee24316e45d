"""One scan as events, with everything a report must cope with: the input of the report tests."""

from __future__ import annotations

from ipaddress import ip_address

from leadline.model.event import (
    Event,
    HostDone,
    HostFound,
    Notice,
    PacketTraced,
    PortFound,
    ScanEnded,
    ScanInfo,
    ScanStarted,
    TargetSkipped,
    TaskEnded,
    TaskProgress,
    TaskStarted,
    TimingDecision,
)
from leadline.model.evidence import Evidence
from leadline.model.host import Host, Hostname, HostStatus
from leadline.model.port import Port, PortState, PortSummary, Protocol, Reason
from leadline.model.service import Service

STARTED = 1795436744.25
ROUTER = ip_address("10.0.0.254")
WEB = ip_address("10.0.0.1")
HOSTILE_NAME = 'evil\x1b[2J\u202e<"&>\ttab.example'


def port(
    number: int,
    state: PortState = PortState.OPEN,
    reason: Reason = Reason.SYN_ACK,
    protocol: Protocol = Protocol.TCP,
    name: str = "",
    ttl: int = 64,
) -> Port:
    """One port without evidence."""
    return Port(number, protocol, state, reason, ttl, service=Service(name) if name else None)


def web_host() -> Host:
    """Named twice, with ports in several states, a router's answer, evidence, and a summary of many closed ports."""
    open_evidence = Evidence("syn", 2, 2, "tcp SA", WEB, 64, 0.00087, 0.5, "syn: SYN/ACK -> open")
    silent = Evidence("syn", 2, at=1.2, rule="syn: silence -> filtered")
    return Host(
        WEB,
        HostStatus.UP,
        Reason.ECHO_REPLY,
        64,
        hostnames=(Hostname("www.example.org", "user"), Hostname("web1.example.net", "PTR")),
        other_addresses=(ip_address("10.0.0.2"), ip_address("2001:db8::2")),
        mac="02:00:5E:10:00:01",
        vendor="Example & Sons",
        latency=0.00087,
        rttvar=0.0001,
        timeout=0.1,
        started=STARTED,
        ended=STARTED + 3,
        evidence=Evidence("icmp-echo", 1, 1, "icmp 0/0", WEB, 64, 0.00087, 0.1, "ping: echo reply -> up"),
        ports=(
            Port(22, Protocol.TCP, PortState.OPEN, Reason.SYN_ACK, 64, None, Service("ssh"), open_evidence),
            Port(25, Protocol.TCP, PortState.FILTERED, Reason.NO_RESPONSE, service=Service("smtp"), evidence=silent),
            Port(110, Protocol.TCP, PortState.FILTERED, Reason.ADMIN_PROHIBITED, 63, ROUTER, Service("pop3")),
            Port(8080, Protocol.TCP, PortState.OPEN, Reason.SYN_ACK, 64, None, Service("http-alt", "probed", 10)),
        ),
        summaries=(PortSummary(Protocol.TCP, PortState.CLOSED, Reason.RESET, ((1, 21), (2000, 2974)), 996),),
    )


def silent_host() -> Host:
    """Up by ARP, every port ignored, in two states."""
    return Host(
        ip_address("10.0.0.7"),
        HostStatus.UP,
        Reason.ARP_RESPONSE,
        mac="02:00:5E:10:00:07",
        started=STARTED + 1,
        ended=STARTED + 4,
        summaries=(
            PortSummary(Protocol.TCP, PortState.FILTERED, Reason.NO_RESPONSE, ((1, 940),), 940),
            PortSummary(Protocol.TCP, PortState.CLOSED, Reason.RESET, ((941, 1000),), 60),
        ),
    )


def cut_host() -> Host:
    """Cut by ``--host-timeout`` in the middle of its ports; its name came from a hostile server."""
    return Host(
        ip_address("2001:db8::9"),
        HostStatus.UP,
        Reason.ECHO_REPLY,
        57,
        hostnames=(Hostname(HOSTILE_NAME, "PTR"),),
        latency=0.12,
        started=STARTED + 1,
        ended=STARTED + 5,
        ports=(port(443, name="https", ttl=57),),
        interrupted="SYN Stealth Scan",
        timed_out=True,
    )


def down_host() -> Host:
    """Nobody answered."""
    proof = Evidence("icmp-echo", 2, at=2.0, rule="ping: silence -> down")
    return Host(ip_address("10.0.0.9"), HostStatus.DOWN, Reason.NO_RESPONSE, evidence=proof)


def undecided_host() -> Host:
    """The scan was stopped before it was known whether it is up."""
    return Host(ip_address("10.0.0.11"), HostStatus.UNKNOWN, Reason.UNKNOWN_RESPONSE, interrupted="Ping Scan")


def whole_scan(verbosity: int = 0, debugging: int = 0, exit_word: str = "success", message: str = "") -> list[Event]:
    """A scan in which every kind of event happens."""
    return [
        ScanStarted(
            STARTED,
            "0.1.0",
            ("leadline", "-sS", "--open-or-not", "www.example.org", "a b", 'say "hi"'),
            (ScanInfo("syn", Protocol.TCP, 1000, "1-21,22,25,110,2000-2974,8080"),),
            verbosity,
            debugging,
        ),
        Notice(0.0, "info", "Using the simulated network."),
        Notice(0.0, "debug", "Tables read."),
        TargetSkipped(0.0, 'nosuch."\x07host', "does not resolve"),
        TaskStarted(0.0, "Ping Scan", "5 hosts [4 probes/host]"),
        HostFound(0.1, WEB, Reason.ECHO_REPLY, 64, "02:00:5E:10:00:01", "Example & Sons"),
        TaskEnded(0.2, "Ping Scan", "5 total hosts", 0.2),
        TaskStarted(0.3, "SYN Stealth Scan", "3 hosts [1000 ports/host]"),
        PacketTraced(0.4, "SENT", "TCP 10.0.0.5:40000 > 10.0.0.1:22 S ttl=50 id=7 iplen=44"),
        PortFound(0.5, WEB, port(22, name="ssh")),
        TimingDecision(0.6, WEB, "cwnd", "reply", 10.0, 11.0),
        TimingDecision(0.7, None, "scan_delay", "drops look like a rate limit", 0.0, 0.05),
        TaskProgress(1.0, "SYN Stealth Scan", 33.333, 67.4, 1000, 900, 1000.0, 1, 3, 2),
        TaskProgress(40.0, "SYN Stealth Scan", 99.0, None, 3000, 2000, 10.0, 1, 3, 2),
        Notice(41.0, "warning", "10.0.0.7 limits its replies.\nThe scan goes on."),
        TaskEnded(42.0, "SYN Stealth Scan", "3000 total ports", 41.7),
        HostDone(42.0, web_host()),
        HostDone(42.0, silent_host()),
        HostDone(42.0, cut_host()),
        HostDone(42.0, down_host()),
        HostDone(42.0, undecided_host()),
        ScanEnded(42.5, STARTED + 42.5, exit_word, message, 3, 2, 5, 3010, 132_440, 2011, 80_444),
    ]
