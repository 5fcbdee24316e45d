"""Every ICMP error there is, to the probes of the techniques, from the target itself and from a router before it.

Behind a tap, because a kernel's firewall can send a few of them only.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

import pytest

from leadline.sim.firewall import Action, IcmpError, Rule
from leadline.sim.world import EMBEDDED, PortTable, SimHost, SimRouter
from tests.support.compare import Results, assert_same
from tests.support.scan import LEADLINE, NMAP, scan
from tests.support.tap import SimLab, simulated_lab, tap_world

# Destination unreachable, source quench, time exceeded, parameter problem (RFC 792, RFC 1122, RFC 1812); destination
# unreachable, packet too big, time exceeded, parameter problem (RFC 4443).
V4 = (*((3, code) for code in range(16)), (4, 0), (11, 0), (11, 1), (12, 0))
V6 = (*((1, code) for code in range(8)), (2, 0), (3, 0), (3, 1), (4, 0), (4, 1), (4, 2))
ERRORS = tuple(IcmpError(v4, V6[place % len(V6)]) for place, v4 in enumerate(V4))
# Where Nmap is not followed. It passes over ICMPv6's time exceeded, which it heeds over IPv4, and it calls a port open
# when anybody complains of the IPv6 header before it.
OURS = {(3, 0): "time-exceeded", (3, 1): "time-exceeded", (4, 0): "param-problem"}
CLOSED, OPEN, DROPPED, RESET, REFUSED = 2050, 2051, 2052, 2053, 2100
PORTS = f"{CLOSED}-{RESET},{REFUSED}"
QUIET, SPEAKS_NOT = 99, 150
# To where TCP, UDP and SCTP are asked when protocols are.
ASKED = frozenset({80, 40125})
# One try with much time for the answer: retries cost Nmap a pause of a second in every technique (spec sheet 2.4).
TIMES = ("--min-rtt-timeout", "700ms", "--initial-rtt-timeout", "700ms", "--max-rtt-timeout", "700ms")
QUICK = ("-n", "-v", "-T4", "--max-retries", "0", "--min-parallelism", "100", *TIMES)


def address_of(place: int, family: int, *, far: bool) -> str:
    network = ("10.67.1.", "fd67::1:") if far else ("10.66.1.", "fd66::1:")
    return f"{network[family == 6]}{10 + place}"


def host(place: int, *, far: bool, error: IcmpError) -> SimHost:
    """On the link a host that answers with an error of its own where the router has the same for those behind it."""
    refused = frozenset() if far else ASKED | {REFUSED}
    table = PortTable(open=frozenset({OPEN}), rejected=refused, error=error)
    addresses = tuple(ip_address(address_of(place, family, far=far)) for family in (4, 6))
    return SimHost(addresses, tcp=table, udp=table, sctp=table)


def rules() -> Iterator[Rule]:
    for protocol in (6, 17, 132):
        yield Rule(Action.DROP, protocol, ((DROPPED, DROPPED),))
        yield Rule(Action.RESET if protocol == 6 else Action.DROP, protocol, ((RESET, RESET),))
    yield Rule(Action.DROP, QUIET)
    for place, error in enumerate(ERRORS):
        networks = tuple(ip_network(address_of(place, family, far=True)) for family in (4, 6))
        for protocol in (6, 17, 132):
            yield Rule(Action.REJECT, protocol, ((REFUSED, REFUSED),), networks, error=error)
        yield Rule(Action.REJECT, SPEAKS_NOT, networks=networks, error=error)


@dataclass(frozen=True, slots=True)
class Pair:
    """The same network twice, so that both scanners are at work at the same time."""

    labs: tuple[SimLab, SimLab]
    threads: ThreadPoolExecutor

    def scan(self, family: int, *arguments: str) -> tuple[Results, Results]:
        """What Nmap finds and what Leadline finds."""

        def run(which: int) -> Results:
            return scan(self.labs[which].scanner, (NMAP, LEADLINE)[which], *QUICK, f"-{family}", *arguments).hosts

        peer, ours = self.threads.map(run, (0, 1))
        return peer, ours


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    gateways = ip_address("10.66.255.254"), ip_address("fd66::fffe")
    # Of what they refuse the hosts quote everything, the router what RFC 792 asks: eight bytes behind the header.
    sparing = SimHost(gateways, mac=b"\x02\x66\x00\x00\x00\xfe", personality=EMBEDDED)
    router = SimRouter(sparing, firewall=tuple(rules()))
    hosts = [host(place, far=far, error=error) for far in (False, True) for place, error in enumerate(ERRORS)]
    world = tap_world(hosts, router=router)
    with simulated_lab(world, seed=11) as one, simulated_lab(world, seed=11) as other, ThreadPoolExecutor(2) as threads:
        yield Pair((one, other), threads)


def targets(family: int) -> list[str]:
    """Those on the link, then those behind the router."""
    return [address_of(place, family, far=far) for far in (False, True) for place in range(len(ERRORS))]


def was_refused(protocol: str, number: int, far: bool) -> bool:
    """Whether the error of its host or its router was the answer to this port or protocol."""
    if protocol != "ip":
        return number == REFUSED
    return number == SPEAKS_NOT if far else number in (6, 17, 132)


def assert_same_but_for_ours(peer: Results, ours: Results, family: int) -> None:
    """What is ours on purpose is held against ``OURS``, everything else against the peer."""
    for place, error in enumerate(ERRORS if family == 6 else ()):
        for far in (False, True):
            address = address_of(place, 6, far=far)
            for key in [key for key in ours[address].ports if error.v6 in OURS and was_refused(*key, far)]:
                if key[0] == "ip" and not far and error.v6 == (4, 0):
                    continue  # The host's own complaint shows that it has looked: open for both.
                del peer[address].ports[key]
                result = ours[address].ports.pop(key)
                assert (result.state, result.reason) == ("filtered", OURS[error.v6])
    assert_same(peer, ours)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("way", ["-sSUY", "-sAZ", "-sW", "-sM", "-sX"])
def test_ports(pair: Pair, way: str, family: int) -> None:
    """NULL, FIN and chosen flags are refused by a kernel's firewall, in ``test_flag_scans``."""
    peer, ours = pair.scan(family, "-Pn", *way.split(), "-p", PORTS, *targets(family))
    assert_same_but_for_ours(peer, ours, family)
    assert len({result.reason for each in ours.values() for result in each.ports.values()}) >= 9


@pytest.mark.parametrize("family", [4, 6])
def test_connections(pair: Pair, family: int) -> None:
    """Some errors reach programs as EPROTO or EOPNOTSUPP: Nmap complains of them, and calls the ports open."""
    peer, ours = pair.scan(family, "-Pn", "-sT", "-p", PORTS, *targets(family))
    strange = {(3, 5), (12, 0)} if family == 4 else {(1, 7), (4, 0), (4, 1), (4, 2)}
    for place, error in enumerate(ERRORS):
        for address in (address_of(place, family, far=far) for far in (False, True)):
            if (error.v4 if family == 4 else error.v6) in strange:
                assert peer[address].ports.pop(("tcp", REFUSED)).state == "open"
                assert ours[address].ports.pop(("tcp", REFUSED)).state == "filtered"
    assert_same(peer, ours)


@pytest.mark.parametrize("family", [4, 6])
def test_protocols(pair: Pair, family: int) -> None:
    peer, ours = pair.scan(family, "-Pn", "-sO", "-p", f"6,17,132,{QUIET},{SPEAKS_NOT}", *targets(family))
    assert_same_but_for_ours(peer, ours, family)
    assert {each.ports["ip", QUIET].state for each in ours.values()} == {"open|filtered", "closed"}


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("ping", [f"-PS{REFUSED}", f"-PU{REFUSED}", f"-PO{SPEAKS_NOT}"])
def test_pings(pair: Pair, ping: str, family: int) -> None:
    """Over IPv6 a host that knows a protocol not says so by a parameter problem: Nmap does not take that for life.

    Time exceeded it heeds there for TCP and UDP only.
    """
    peer, ours = pair.scan(family, "-sn", "--disable-arp-ping", ping, *targets(family))
    alive = {address for address, each in ours.items() if each.reason == "param-problem"}
    expected = range(len(ERRORS)) if ping.startswith("-PO") else [V6.index((4, 1))]
    assert alive == ({address_of(place, 6, far=False) for place in expected} if family == 6 else set())
    by_protocol = family == 6 and ping.startswith("-PO")
    late = {address for address, each in ours.items() if by_protocol and each.reason == "time-exceeded"}
    for results in (peer, ours):
        for address in late:
            assert results.pop(address).status == "down"
        for address in alive:
            assert results.pop(address).status == ("up" if results is ours else "down")
        for each in results.values():
            # Which hardware addresses are told of hosts that are down is not compared.
            each.mac = each.mac if each.status == "up" else ""
    assert_same(peer, ours)
