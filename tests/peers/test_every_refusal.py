"""Every ICMP error there is, to the probes of every technique, from the target itself and from a router before it.

Behind a tap, because a kernel's firewall can send a few of them only.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import pytest

from leadline.sim.firewall import Action, IcmpError, Rule
from leadline.sim.world import PortTable, SimHost, SimRouter
from tests.support.compare import PortResult, Results, assert_same
from tests.support.scan import both
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
# One try with much time for the answer: retries cost Nmap a pause of a second in every technique (spec sheet 2.4).
TIMES = ("--min-rtt-timeout", "700ms", "--initial-rtt-timeout", "700ms", "--max-rtt-timeout", "700ms")
QUICK = ("-n", "-Pn", "-v", "-T4", "--max-retries", "0", "--min-parallelism", "100", *TIMES)


def address_of(place: int, family: int, *, far: bool) -> str:
    network = ("10.67.1.", "fd67::1:") if far else ("10.66.1.", "fd66::1:")
    return f"{network[family == 6]}{10 + place}"


def host(place: int, *, far: bool, error: IcmpError) -> SimHost:
    """On the link a host that answers with an error of its own where the router has the same for those behind it."""
    refused = frozenset() if far else frozenset({REFUSED})
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


@pytest.fixture(scope="module")
def lab() -> Iterator[SimLab]:
    gateways = ip_address("10.66.255.254"), ip_address("fd66::fffe")
    router = SimRouter(SimHost(gateways, mac=b"\x02\x66\x00\x00\x00\xfe"), firewall=tuple(rules()))
    hosts = [host(place, far=far, error=error) for far in (False, True) for place, error in enumerate(ERRORS)]
    with simulated_lab(tap_world(hosts, router=router), seed=11) as made:
        yield made


def without_ours(results: Results, family: int) -> dict[tuple[str, str, int], PortResult]:
    """Takes out of ``results`` what is ours on purpose; returns it."""
    taken = {}
    for place, error in enumerate(ERRORS if family == 6 else ()):
        for far in (False, True):
            address = address_of(place, 6, far=far)
            if error.v6 in OURS and address in results:
                for key in [key for key in results[address].ports if key[1] in (REFUSED, SPEAKS_NOT)]:
                    taken[OURS[error.v6], *key] = results[address].ports.pop(key)
    return taken


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("way", ["-sSUY", "-sAZ", "-sW", "-sM", "-sN", "-sF", "-sX", "-sS --scanflags SYNURG"])
def test_ports(lab: SimLab, way: str, family: int) -> None:
    targets = [address_of(place, family, far=far) for far in (False, True) for place in range(len(ERRORS))]
    peer, ours = both(lab.scanner, *QUICK, f"-{family}", *way.split(), "-p", PORTS, *targets)
    theirs, mine = peer.hosts, ours.hosts
    without_ours(theirs, family)
    for (reason, _, _), result in without_ours(mine, family).items():
        assert (result.state, result.reason) == ("filtered", reason)
    assert_same(theirs, mine)
    assert len({result.reason for each in mine.values() for result in each.ports.values()}) >= 9


@pytest.mark.parametrize("family", [4, 6])
def test_protocols(lab: SimLab, family: int) -> None:
    targets = [address_of(place, family, far=True) for place in range(len(ERRORS))]
    peer, ours = both(lab.scanner, *QUICK, f"-{family}", "-sO", "-p", f"{QUIET},{SPEAKS_NOT}", *targets)
    theirs, mine = peer.hosts, ours.hosts
    without_ours(theirs, family)
    for (reason, _, _), result in without_ours(mine, family).items():
        assert (result.state, result.reason) == ("filtered", reason)
    assert_same(theirs, mine)
    assert {each.ports["ip", QUIET].state for each in mine.values()} == {"open|filtered"}
