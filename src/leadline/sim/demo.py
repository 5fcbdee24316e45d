"""The network of the demonstration: a small company, three subnets, a firewall, a branch office on a bad line.

The scanner sits in the office (10.20.0.0/24), the servers (10.20.1.0/24) stand behind a router with a firewall, the
branch (10.20.2.0/24) hangs on a line that loses packets; 10.20.3.0/24 belongs to nobody. All is made up.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import numpy as np

from leadline.sim.clock import VirtualClock
from leadline.sim.demo_services import services_of
from leadline.sim.faults import LinkFaults, TokenBucket
from leadline.sim.firewall import ADMIN_PROHIBITED, Action, Rule
from leadline.sim.network import SimNetwork
from leadline.sim.resolver import SimResolver
from leadline.sim.world import (
    BSD,
    CABLE,
    EMBEDDED,
    LINUX,
    WINDOWS,
    Behaviour,
    Personality,
    PortTable,
    SimHost,
    SimInterface,
    SimRouter,
    SimSubnet,
    World,
    ports,
)

DEMO_TARGETS = ("10.20.0.0/22",)
_DOMAIN = "demo.example"
_SILENT = Behaviour.FILTERED
_SIP, _IGMP, _SCTP = 5060, 2, 132

# Name, last byte of the address, stack, open TCP ports, what the others do.
_Row = tuple[str, int, Personality, tuple[int, ...], Behaviour]
_OFFICE: tuple[_Row, ...] = (
    ("printer", 9, EMBEDDED, (80, 443, 515, 631, 9100), Behaviour.CLOSED),
    ("nas", 12, LINUX, (22, 80, 139, 443, 445, 548, 2049, 5000), Behaviour.CLOSED),
    ("reception", 21, WINDOWS, (135, 139, 445, 3389), _SILENT),
    ("accounting", 22, WINDOWS, (135, 139, 445), _SILENT),
    ("design", 23, BSD, (22, 88, 445, 5900), Behaviour.CLOSED),
    ("workshop", 24, LINUX, (22, 111), Behaviour.CLOSED),
    ("meeting-room", 31, EMBEDDED, (80, 8008, 8009, 8443), Behaviour.CLOSED),
    ("camera", 41, EMBEDDED, (80, 554, 8000), Behaviour.CLOSED),
    ("phone-1", 51, EMBEDDED, (80, 5060), Behaviour.CLOSED),
    ("phone-2", 52, EMBEDDED, (80, 5060), Behaviour.CLOSED),
    ("access-point", 60, EMBEDDED, (22, 80, 443), Behaviour.CLOSED),
)
_SERVERS: tuple[_Row, ...] = (
    ("www", 10, LINUX, (80, 443), _SILENT),
    ("mail", 11, LINUX, (25, 110, 143, 465, 587, 993, 995), Behaviour.CLOSED),
    ("dns", 12, BSD, (53, 953), Behaviour.CLOSED),
    ("db", 13, LINUX, (22, 5432), Behaviour.CLOSED),
    ("cache", 14, LINUX, (22, 6379, 11211), Behaviour.CLOSED),
    ("git", 15, LINUX, (22, 80, 443, 9418), Behaviour.CLOSED),
    ("build", 16, LINUX, (22, 8080, 50000), Behaviour.CLOSED),
    ("directory", 17, WINDOWS, (53, 88, 135, 139, 389, 445, 464, 636, 3268, 3269), _SILENT),
    ("backup", 18, BSD, (22, 873), Behaviour.CLOSED),
    ("monitor", 19, LINUX, (22, 80, 3000, 9090), Behaviour.CLOSED),
    ("legacy", 30, WINDOWS, (21, 23, 80, 135, 139, 445, 1433), Behaviour.CLOSED),
)
_BRANCH: tuple[_Row, ...] = (
    ("branch-nas", 10, LINUX, (22, 80, 445, 5000), Behaviour.CLOSED),
    ("branch-till-1", 21, WINDOWS, (135, 445, 3389), Behaviour.CLOSED),
    ("branch-till-2", 22, WINDOWS, (135, 445, 3389), _SILENT),
    ("branch-printer", 31, EMBEDDED, (80, 515, 9100), Behaviour.CLOSED),
    ("branch-camera", 41, EMBEDDED, (80, 554), Behaviour.CLOSED),
)


def demo_world(seed: int = 0) -> World:
    """The demonstration network; ``seed`` chooses how far away the hosts are, not what they are."""
    random = np.random.default_rng(seed)
    core = SimRouter(
        _machine("gateway", 1, 0, EMBEDDED, (22, 443), random),
        firewall=(
            Rule(Action.REJECT, protocol=6, ports=((23, 23), (135, 139)), networks=(ip_network("10.20.1.0/24"),)),
            Rule(Action.DROP, protocol=6, ports=((5432, 5432),), networks=(ip_network("10.20.1.0/24"),)),
            Rule(Action.RESET, protocol=6, ports=((445, 445),), networks=(ip_network("10.20.1.0/24"),)),
        ),
        dead_host_delay=3.0,
    )
    core = replace(core, host=replace(core.host, icmp_limit=TokenBucket(rate=50.0, burst=20.0)))
    edge = SimRouter(_machine("branch-router", 1, 2, BSD, (22,), random), LinkFaults(latency=0.012, jitter=0.004))
    interface = SimInterface(
        addresses=((ip_address("10.20.0.100"), 24), (ip_address("2001:db8:20::100"), 64)),
        gateways=(ip_address("10.20.0.1"), ip_address("2001:db8:20::1")),
        faults=replace(CABLE, latency=0.000_1, jitter=0.000_1),
    )
    line = LinkFaults(latency=0.001, jitter=0.002, loss=0.02, duplication=0.002, reordering=0.01, reorder_delay=0.005)
    servers = LinkFaults(latency=0.000_3)
    hosts = [
        _machine(name, last, subnet, stack, tcp, random, rest)
        for subnet, rows in enumerate((_OFFICE, _SERVERS, _BRANCH))
        for name, last, stack, tcp, rest in rows
    ]
    return World(
        interfaces=(interface,),
        subnets=(
            SimSubnet(ip_network("10.20.0.0/24")),
            SimSubnet(ip_network("2001:db8:20::/64")),
            SimSubnet(ip_network("10.20.1.0/24"), (core,), servers),
            SimSubnet(ip_network("2001:db8:20:1::/64"), (core,), servers),
            SimSubnet(ip_network("10.20.2.0/24"), (core, edge), line),
            SimSubnet(ip_network("2001:db8:20:2::/64"), (core, edge), line),
        ),
        hosts=tuple(hosts),
        local=SimHost(
            addresses=(),
            hostname=f"scanner.{_DOMAIN}",
            tcp=ports(22, 631),
            services=services_of("scanner", (22, 631)),
        ),
    )


def demo_network(seed: int = 0, epoch: float | None = None) -> tuple[SimNetwork, SimResolver]:
    """The network at work and its names. ``epoch``: the time of day at which it starts, seconds since 1970."""
    clock = VirtualClock() if epoch is None else VirtualClock(epoch_start=epoch)
    network = SimNetwork(demo_world(seed), seed, clock=clock)
    return network, network.resolver()


def _machine(
    name: str,
    last: int,
    subnet: int,
    stack: Personality,
    tcp: tuple[int, ...],
    random: np.random.Generator,
    rest: Behaviour = Behaviour.CLOSED,
) -> SimHost:
    v4 = IPv4Address(f"10.20.{subnet}.{last}")
    prefix = f"2001:db8:20:{subnet}::" if subnet else "2001:db8:20::"
    v6 = IPv6Address(f"{prefix}{last:x}")
    # Telephones and their like speak IPv4 only.
    addresses = (v4,) if stack is EMBEDDED and last > 1 else (v4, v6)
    open_tcp = frozenset(tcp)
    table = PortTable(default=rest, open=open_tcp, rejected=frozenset({113}) - open_tcp, error=ADMIN_PROHIBITED)
    udp = ports(53) if 53 in tcp else PortTable()
    return SimHost(
        addresses=addresses,
        hostname=f"{name}.{_DOMAIN}",
        tcp=table,
        udp=udp,
        # Few systems speak SCTP: here those that telephone.
        sctp=ports(_SIP),
        protocols=frozenset({_IGMP, _SCTP}) if _SIP in tcp else frozenset({_IGMP}),
        refuses_protocols=rest is Behaviour.CLOSED,
        services=services_of(name, tcp),
        personality=stack,
        # Hosts that drop what they don't offer drop pings as well, half of the time.
        echo=rest is Behaviour.CLOSED or last % 2 == 0,
        faults=LinkFaults(latency=float(random.uniform(0.000_05, 0.000_8)), jitter=0.000_2),
        reset_limit=TokenBucket(rate=1000.0, burst=200.0) if stack is BSD else None,
        icmp_limit=TokenBucket(rate=1.0, burst=6.0) if stack is LINUX else None,
    )
