"""The frozen description of a simulated network: what there is, not how it is computed.

Everything here is a value: two equal worlds behave the same under the same seed. Times are seconds, rates packets a
second. ``terrain`` compiles a world into columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import ip_address, ip_network

from leadline.model.address import Address
from leadline.sim.faults import NO_FAULTS, LinkFaults, TokenBucket
from leadline.sim.firewall import ADMIN_PROHIBITED, IcmpError, NetworkRange, Rule
from leadline.sim.liars import Lie
from leadline.sim.speech import Pour, Reply, SimTls, Then

CABLE = LinkFaults(latency=0.000_05)


class Behaviour(IntEnum):
    """What a host does with a probe to one of its ports."""

    CLOSED = 0
    OPEN = 1
    FILTERED = 2
    REJECTED = 3


class IpIdentity(IntEnum):
    """How a host numbers its IPv4 packets, and the fragment headers that it adds to IPv6 packets.

    ``SWAPPED``: a counter sent with its bytes exchanged; ``PER_HOST``: a counter for each destination.
    """

    ZERO = 0
    INCREMENT = 1
    RANDOM = 2
    SWAPPED = 3
    BY_TWO = 4
    PER_HOST = 5


COUNTED = (IpIdentity.INCREMENT, IpIdentity.SWAPPED, IpIdentity.BY_TWO, IpIdentity.PER_HOST)


@dataclass(frozen=True, slots=True)
class Personality:
    """How a TCP/IP stack looks from outside.

    ``ttl``: initial TTL or hop limit; ``window`` and ``options``: of its SYN/ACK (options: multiple of 4 bytes);
    ``quote``: bytes at most of the offending packet in ICMP errors (at least header + 8, RFC 792; RFC 1812 4.3.2.3).
    What its open ports do with odd segments (RFC 9293 section 3.10.7.2, and where stacks leave it): ``resets_odd``: a
    RST to those without SYN and ACK, which should be dropped; ``drops_fin_ack``: nothing to FIN/ACK, which should be
    reset; ``accepts_fin``: a SYN with FIN opens a connection; ``reset_window``: of RSTs to segments with ACK.
    ``chatter``: packets a second that it sends to others, which use up identifications. ``atomic_fragments``: a
    fragment header in all packets to whom a Packet Too Big below 1280 bytes came from (RFC 2460 section 5).
    """

    ttl: int = 64
    window: int = 64240
    options: bytes = b"\x02\x04\x05\xb4"
    identity: IpIdentity = IpIdentity.ZERO
    quote: int = 548
    resets_odd: bool = False
    drops_fin_ack: bool = False
    accepts_fin: bool = False
    reset_window: int = 0
    chatter: float = 0.0
    atomic_fragments: bool = False


LINUX = Personality()
WINDOWS = Personality(
    ttl=128,
    window=65535,
    options=b"\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02",
    identity=IpIdentity.INCREMENT,
    resets_odd=True,
)
EMBEDDED = Personality(
    ttl=255,
    window=4096,
    options=b"",
    identity=IpIdentity.INCREMENT,
    quote=28,
    accepts_fin=True,
    reset_window=4096,
)
BSD = Personality(window=65535, identity=IpIdentity.RANDOM, quote=28, drops_fin_ack=True, accepts_fin=True)


@dataclass(frozen=True, slots=True)
class PortTable:
    """Behaviour of the 65,536 ports of one protocol: the sets name exceptions from ``default``.

    A port in several sets is what the first of ``open``, ``closed``, ``filtered``, ``rejected`` says. ``error``: what
    rejected ports answer.
    """

    default: Behaviour = Behaviour.CLOSED
    open: frozenset[int] = frozenset()
    closed: frozenset[int] = frozenset()
    filtered: frozenset[int] = frozenset()
    rejected: frozenset[int] = frozenset()
    error: IcmpError = ADMIN_PROHIBITED

    def behaviour(self, port: int) -> Behaviour:
        """Behaviour of one port."""
        if port in self.open:
            return Behaviour.OPEN
        if port in self.closed:
            return Behaviour.CLOSED
        if port in self.filtered:
            return Behaviour.FILTERED
        return Behaviour.REJECTED if port in self.rejected else self.default


def ports(*numbers: int, default: Behaviour = Behaviour.CLOSED) -> PortTable:
    """Short form: these ports open, the others ``default``."""
    return PortTable(default=default, open=frozenset(numbers))


@dataclass(frozen=True, slots=True)
class SimService:
    """What is behind an open port; with nothing but a port it accepts connections and says nothing.

    ``banner``: its first bytes, ``banner_delay`` seconds after a connection is accepted (and a raw probe's answer to
    any UDP datagram), followed by ``pours`` and ``after_banner`` (an empty banner and ``CLOSE``: a wrapped port).
    ``answers``: the first that fits what was received since the last reply is given after ``think`` seconds;
    ``default`` when none fits. ``idle``: seconds without a byte from the client after which it says ``farewell`` and
    closes; 0 = never. ``tls``: TLS from the first byte; ``start_tls``: what a reply with ``Then.TLS`` leads to.
    ``workers``: connections served at a time, further ones wait, open and unanswered (0: any number); ``most_open``:
    beyond so many a connection gets ``overfull`` and is closed; ``accepts``: after so many the port refuses for good.
    (The last three count dialogues: SYN probes and the connect scan's connections are gone before a server sees them.)
    """

    port: int
    protocol: int = 6
    name: str = ""
    banner: bytes = b""
    banner_delay: float = 0.0
    answers: tuple[Reply, ...] = ()
    default: Reply | None = None
    think: float = 0.0
    after_banner: Then = Then.STAY
    pours: Pour | None = None
    idle: float = 0.0
    farewell: bytes = b""
    tls: SimTls | None = None
    start_tls: SimTls | None = None
    workers: int = 0
    most_open: int = 0
    overfull: bytes = b""
    accepts: int = 0


@dataclass(frozen=True, slots=True)
class SimHost:
    """One machine. Its subnets follow from its addresses.

    ``mac``: 6 bytes, ``b""`` = made up from the first address. ``echo``/``timestamp``/``mask``: answers to ICMP
    requests; ``neighbor``: answers ARP and ND. ``protocols``: IP protocols that it speaks besides ICMP, TCP and UDP
    (SCTP's ports count while 132 is among them; others are silent); ``answered_protocols``: those in which it answers
    each packet with a bare one; the rest is refused by protocol unreachable while ``refuses_protocols``. ``faults``:
    of its own access. ``think``: seconds before it answers. ``reset_limit``/``icmp_limit``: buckets of RSTs (and of
    SCTP's ABORTs) and of ICMP errors; ``probe_limit``: of everything it takes in. ``lie``: what it says instead of the
    truth.
    """

    addresses: tuple[Address, ...]
    mac: bytes = b""
    hostname: str = ""
    tcp: PortTable = PortTable()
    udp: PortTable = PortTable()
    sctp: PortTable = PortTable()
    services: tuple[SimService, ...] = ()
    personality: Personality = LINUX
    echo: bool = True
    timestamp: bool = True
    mask: bool = False
    neighbor: bool = True
    protocols: frozenset[int] = frozenset({2, 132})
    answered_protocols: frozenset[int] = frozenset()
    refuses_protocols: bool = True
    faults: LinkFaults = NO_FAULTS
    think: float = 0.0
    reset_limit: TokenBucket | None = None
    icmp_limit: TokenBucket | None = None
    probe_limit: TokenBucket | None = None
    lie: Lie | None = None


@dataclass(frozen=True, slots=True)
class SimRouter:
    """One router. ``host``: what it is as a host (addresses, MAC, its own ports, its ICMP limit).

    ``faults``: of the stretch that leads to it. ``firewall`` is for what it forwards. ``decrements``: lowers the TTL
    (and answers time exceeded while ``time_exceeded``). ``dead_host_delay``: after so many seconds host unreachable
    for silent addresses behind it (the usual 3 s of failed ARP), ``None`` = silence. ``unknown_network``: answers net
    unreachable where no subnet is. ``refuses_spoofed``: drops what the scanner sends under others' addresses (BCP 38).
    """

    host: SimHost
    faults: LinkFaults = NO_FAULTS
    firewall: tuple[Rule, ...] = ()
    decrements: bool = True
    time_exceeded: bool = True
    dead_host_delay: float | None = None
    unknown_network: bool = True
    refuses_spoofed: bool = False


@dataclass(frozen=True, slots=True)
class SimSubnet:
    """``routers``: the way from the scanner's interface, nearest first; empty = the scanner's own link."""

    network: NetworkRange
    routers: tuple[SimRouter, ...] = ()
    faults: LinkFaults = NO_FAULTS
    interface: str = "eth0"


@dataclass(frozen=True, slots=True)
class SimInterface:
    """One interface of the scanner. ``kind`` and ``link_header`` as in ``link.base.Interface``.

    ``gateways``: default gateways, one a family at most. ``faults``: of its own cable, one way.
    """

    name: str = "eth0"
    addresses: tuple[tuple[Address, int], ...] = ()
    gateways: tuple[Address, ...] = ()
    mac: bytes = b"\x02\x4c\x44\x00\x00\x01"
    kind: str = "ethernet"
    link_header: int = 14
    mtu: int = 1500
    up: bool = True
    faults: LinkFaults = CABLE


@dataclass(frozen=True, slots=True)
class World:
    """The whole network. ``raw``: whether raw links can be opened.

    ``local``: this machine itself as a target (its addresses are ignored: the interfaces' and loopback's count).
    """

    interfaces: tuple[SimInterface, ...]
    subnets: tuple[SimSubnet, ...] = ()
    hosts: tuple[SimHost, ...] = ()
    local: SimHost = field(default_factory=lambda: SimHost(addresses=()))
    raw: bool = True


def subnet_of(world: World, address: Address) -> SimSubnet | None:
    """The most specific subnet that holds ``address``."""
    holding = [s for s in world.subnets if s.network.version == address.version and address in s.network]
    return max(holding, key=lambda subnet: subnet.network.prefixlen, default=None)


def made_up_mac(address: Address) -> bytes:
    """A locally administered MAC that follows from the address."""
    return b"\x02" + (int(address) & 0xFF_FFFF_FFFF).to_bytes(5, "big")


def simple_world(hosts: Iterable[SimHost], *, network: str = "10.0.0.0/24", faults: LinkFaults = NO_FAULTS) -> World:
    """Hosts on one routed subnet behind one plain router, the scanner at 192.0.2.2 (and 2001:db8:ffff::2).

    ``network``: the subnet, IPv4 or IPv6. The short way to a world for tests.
    """
    inside = ip_address("192.0.2.1"), ip_address("2001:db8:ffff::1")
    router = SimRouter(SimHost(addresses=inside, mac=b"\x02\x4c\x44\x00\x00\xfe"))
    interface = SimInterface(
        addresses=((ip_address("192.0.2.2"), 24), (ip_address("2001:db8:ffff::2"), 64)), gateways=inside
    )
    local = SimSubnet(ip_network("192.0.2.0/24")), SimSubnet(ip_network("2001:db8:ffff::/64"))
    far = SimSubnet(ip_network(network), (router,), faults)
    return World(interfaces=(interface,), subnets=(*local, far), hosts=tuple(hosts))
