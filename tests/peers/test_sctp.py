"""SCTP scans beside Nmap's, over a tap: this machine's kernel has no SCTP, the simulator has."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from lxml import etree
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6ParamProblem, IPv6
from scapy.layers.l2 import Ether
from scapy.layers.sctp import SCTP, SCTPChunkCookieEcho, SCTPChunkInit

import tests.support.scapy_offline  # noqa: F401
from leadline.sim.firewall import (
    ADMIN_PROHIBITED,
    HOST_PROHIBITED,
    HOST_UNREACHABLE,
    NET_PROHIBITED,
    NET_UNREACHABLE,
    PORT_UNREACHABLE,
    PROTOCOL_UNREACHABLE,
    Action,
    Rule,
)
from leadline.sim.world import PortTable, SimHost, SimRouter, ports
from leadline.wire.sctp import SctpView
from tests.support.compare import assert_same
from tests.support.scan import LEADLINE, NMAP, Run, both, scan
from tests.support.tap import SimLab, simulated_lab, tap_world

ERRORS = (
    NET_UNREACHABLE, HOST_UNREACHABLE, PROTOCOL_UNREACHABLE, PORT_UNREACHABLE, NET_PROHIBITED, HOST_PROHIBITED,
    ADMIN_PROHIBITED,
)  # fmt: skip
RULES = (
    Rule(Action.DROP, protocol=132, ports=((2000, 2001),)),
    *(Rule(Action.REJECT, 132, ((port, port),), error=error) for port, error in enumerate(ERRORS, 2100)),
)
PORTS = "80,2000-2001,2100-2106,2904-2906"
TABLE = PortTable(open=frozenset({80, 2905}), filtered=frozenset({2906}))
NEAR, FAR, WITHOUT = ("10.66.0.2", "fd66::2"), ("10.67.0.2", "fd67::2"), ("10.66.0.3", "fd66::3")


def addresses(pair: tuple[str, str]) -> tuple[object, ...]:
    return tuple(map(ip_address, pair))


@pytest.fixture(scope="module")
def lab() -> Iterator[SimLab]:
    """On the link a host with SCTP and one without; behind a router with a firewall another one."""
    gateways = ip_address("10.66.255.254"), ip_address("fd66::fffe")
    router = SimRouter(SimHost(gateways, mac=b"\x02\x66\x00\x00\x00\xfe"), firewall=RULES)
    hosts = (
        SimHost(addresses(NEAR), sctp=TABLE, tcp=ports(80), udp=ports(53)),
        SimHost(addresses(FAR), sctp=TABLE),
        SimHost(addresses(WITHOUT), protocols=frozenset()),
    )
    with simulated_lab(tap_world(hosts, router=router), seed=3) as made:
        yield made


def of_family(family: int) -> tuple[str, ...]:
    return tuple(pair[family == 6] for pair in (NEAR, FAR, WITHOUT))


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("way", ["-sY", "-sZ"])
def test_every_port_is_what_nmap_says(lab: SimLab, way: str, family: int) -> None:
    peer, ours = both(lab.scanner, "-n", f"-{family}", way, "-PE", "-v", "-p", PORTS, *of_family(family))
    assert_same(peer.hosts, ours.hosts)
    near, far, without = (ours.hosts[address].ports for address in of_family(family))
    listener = "open" if way == "-sY" else "open|filtered"
    assert [near["sctp", port].state for port in (80, 2904, 2905)] == [listener, "closed", listener]
    assert {said.reason for said in far.values()} >= {"host-unreach", "port-unreach", "admin-prohibited", "abort"}
    assert {said.state for said in without.values()} == {"filtered"}
    assert told(ours) == told(peer)


def told(run: Run) -> list[dict[str, str]]:
    """What the scan says of itself, and the task that asks the ports."""
    root = etree.fromstring(run.xml)
    tasks = [{"task": task.get("task", "")} for task in root.iter("taskbegin") if "SCTP" in task.get("task", "")]
    return [dict(info.attrib) for info in root.iter("scaninfo")] + tasks


@pytest.mark.parametrize("chosen", ["", "2904"])
def test_discovery_by_init(lab: SimLab, chosen: str) -> None:
    """Over IPv6 the peer gets the answers and does not recognise them (7.93): there is nothing to compare."""
    arguments = ("-n", "-sn", f"-PY{chosen}", "--disable-arp-ping", *of_family(4)[:2])
    peer, ours = both(lab.scanner, *arguments)
    assert_same(peer.hosts, ours.hosts)
    wanted = ("up", "abort" if chosen else "init-ack")
    assert {(host.status, host.reason) for host in ours.hosts.values()} == {wanted}


def test_three_protocols_in_one_run(lab: SimLab) -> None:
    line = ("-n", "-sS", "-sU", "-sY", "-p", "T:80,443,U:53-54,S:2904-2905", NEAR[0], "-oG", "-")
    peer, ours = (scan(lab.scanner, program, *line) for program in (NMAP, LEADLINE))
    assert_same(peer.hosts, ours.hosts)
    theirs, mine = (next(one for one in run.stdout.splitlines() if "Ports:" in one).split("\t") for run in (peer, ours))
    assert mine[1:] == theirs[1:]


def probes_of(lab: SimLab, program: tuple[str, ...], arguments: tuple[str, ...]) -> list[Ether]:
    """The SCTP packets that one scan sends, as an independent decoder reads them."""
    lab.frames()
    lost = lab.tally()["damaged"]
    scan(lab.scanner, program, *arguments)
    assert (lab.tally()["damaged"] > lost) == ("--adler32" in arguments)
    packets = map(Ether, lab.frames())
    # The kernel, which has no SCTP, complains of what comes back.
    return [one for one in packets if SCTP in one and ICMP not in one and ICMPv6ParamProblem not in one]


def look(packet: Ether) -> tuple[object, ...]:
    """What an observer would tell scanners by."""
    sctp, adler = packet[SCTP], SctpView(packet[SCTP].original)
    sums = adler.checksum_holds(), adler.checksum_holds(adler=True)
    network = (len(packet[IP]), int(packet[IP].flags), packet[IP].tos) if IP in packet else (packet[IPv6].plen, 0, 0)
    if SCTPChunkInit in packet:
        chunk = packet[SCTPChunkInit]
        streams = chunk.n_out_streams, chunk.n_in_streams
        body: tuple[object, ...] = (
            chunk.flags,
            chunk.len,
            chunk.a_rwnd,
            streams,
            chunk.init_tag > 0,
            len(chunk.params),
        )
    else:
        chunk = packet[SCTPChunkCookieEcho]
        body = (chunk.flags, chunk.len, len(chunk.cookie))
    return (type(chunk).__name__, sctp.dport, sctp.tag > 0, body, sums, network)


@pytest.mark.parametrize(("way", "family"), [("-sZ", 4), ("-sY --adler32", 6)])
def test_probes_look_like_those_of_nmap(lab: SimLab, way: str, family: int) -> None:
    arguments = ("-n", f"-{family}", "-Pn", *way.split(), "-p", "80,2904", of_family(family)[0])
    theirs = probes_of(lab, NMAP, arguments)
    ours = probes_of(lab, LEADLINE, arguments)
    assert {look(packet) for packet in ours} == {look(packet) for packet in theirs}
    assert {packet[SCTP].dport for packet in ours} == {80, 2904}
    if family == 4:
        assert all(37 <= packet[IP].ttl <= 59 for packet in (*ours, *theirs))
