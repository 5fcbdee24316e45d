"""The plan: what one scan shall do, complete and checked, before the first packet.

Built by ``leadline.plan`` from options (or by the Python API from arguments); every stage reads its own part.
Times are seconds, rates packets a second.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum

from leadline.model.ip import Address
from leadline.model.port import Protocol
from leadline.model.port_set import PortSet
from leadline.model.quick_dataclass import dataclass


class Technique(Enum):
    """Port scan techniques in the order in which they run on a group (spec sheet 2.7).

    The value is Nmap's word for ``scaninfo type``.
    """

    SYN = "syn"
    ACK = "ack"
    WINDOW = "window"
    FIN = "fin"
    XMAS = "xmas"
    NULL = "null"
    MAIMON = "maimon"
    UDP = "udp"
    CONNECT = "connect"
    SCTP_INIT = "sctpinit"
    SCTP_COOKIE_ECHO = "sctpcookieecho"
    IP_PROTOCOL = "ipproto"
    IDLE = "idle"
    BOUNCE = "bounce"

    @property
    def protocol(self) -> Protocol:
        """Whose ports it scans."""
        return _PROTOCOLS.get(self, Protocol.TCP)


_PROTOCOLS = {
    Technique.UDP: Protocol.UDP,
    Technique.SCTP_INIT: Protocol.SCTP,
    Technique.SCTP_COOKIE_ECHO: Protocol.SCTP,
    Technique.IP_PROTOCOL: Protocol.IP,
}

WITHOUT_RIGHTS = frozenset({Technique.CONNECT, Technique.BOUNCE})
"""Techniques that send no raw packets: an ordinary user may use them."""


class PingKind(Enum):
    """Discovery probes (spec sheet 1.2), in the order in which they are sent (2.6)."""

    ICMP_ECHO = "icmp-echo"
    TCP_SYN = "tcp-syn"
    TCP_ACK = "tcp-ack"
    ICMP_TIMESTAMP = "icmp-timestamp"
    UDP = "udp"
    SCTP_INIT = "sctp-init"
    IP_PROTOCOL = "ip-protocol"
    TCP_CONNECT = "tcp-connect"
    ICMP_ADDRESS_MASK = "icmp-address-mask"


@dataclass(frozen=True, slots=True)
class PingProbe:
    """One discovery probe. ``number`` is its port (TCP, UDP, SCTP) or its protocol number (IP_PROTOCOL), else 0."""

    kind: PingKind
    number: int = 0


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``count`` parts of the targets, ``index`` from 0."""

    index: int = 0
    count: int = 1


WHOLE = Shard()
"""All targets: the only shard of one."""


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """Which addresses.

    ``families``: 4 and/or 6 allowed; ``random``: ``-iR`` count, 0 = without end, ``None`` = not asked.
    ``prefer_v6``: names give their IPv6 addresses first (``-6``). ``seed`` fixes every permutation. ``shard``: the part
    of the targets that is this scan's. ``sends``: they are not only listed.
    """

    expressions: tuple[str, ...] = ()
    input_files: tuple[str, ...] = ()
    random: int | None = None
    exclude: tuple[str, ...] = ()
    exclude_files: tuple[str, ...] = ()
    randomize: bool = False
    resolve_all: bool = False
    unique: bool = False
    families: frozenset[int] = frozenset({4, 6})
    prefer_v6: bool = False
    seed: int | None = None
    shard: Shard = WHOLE
    sends: bool = True


@dataclass(frozen=True, slots=True)
class ResolvePlan:
    """How names are found.

    ``reverse``: ``up`` (hosts that are up), ``all`` (-R), ``never`` (-n). ``servers``: as typed, empty = the system's.
    """

    reverse: str = "up"
    servers: tuple[str, ...] = ()
    system: bool = False


@dataclass(frozen=True, slots=True)
class DiscoveryPlan:
    """``mode``: ``ping``, ``none`` (-Pn: all up) or ``list`` (-sL).

    ``probes_v4``/``probes_v6`` are complete lists in send order. ``link_probes``: ARP/ND on the local link (not
    ``--disable-arp-ping``). ``ignore_reset``: a RST does not make a host up.
    """

    mode: str = "ping"
    probes_v4: tuple[PingProbe, ...] = ()
    probes_v6: tuple[PingProbe, ...] = ()
    link_probes: bool = True
    ignore_reset: bool = False


@dataclass(frozen=True, slots=True)
class Zombie:
    """The host whose packets an idle scan counts (spec sheet 5): its name or address, and where it is asked."""

    host: str
    port: int = 80


@dataclass(frozen=True, slots=True)
class FtpRelay:
    """The FTP server of a bounce scan: its name or address, and who logs in (RFC 1635: anybody, with any password)."""

    host: str
    port: int = 21
    user: str = "anonymous"
    password: str = "anonymous@"


@dataclass(frozen=True, slots=True)
class PortPlan:
    """Which ports, and how.

    ``techniques``: in the order in which they run; none for ``-sn`` and ``-sL``. ``ports``: the scan's default set
    (targets may name their own). ``scan_flags``: TCP flags to send instead of the technique's own (0..255).
    ``default_protocols``: nobody chose the IP protocols in ``ports``: extension headers are left out over IPv6.
    ``max_open``: a host is given up after so many open ports. ``zombie``: of the idle scan;
    ``relay``: of the bounce scan.
    """

    techniques: tuple[Technique, ...] = ()
    ports: PortSet = field(default_factory=PortSet)
    excluded: PortSet = field(default_factory=PortSet)
    sequential: bool = False
    open_only: bool = False
    scan_flags: int | None = None
    default_protocols: bool = False
    max_open: int | None = None
    zombie: Zombie | None = None
    relay: FtpRelay | None = None


@dataclass(frozen=True, slots=True)
class TimingPlan:
    """Spec sheet 2.1; the defaults are template T3. ``None`` in a maximum means automatic (or no limit).

    ``defeat_rst_ratelimit``: hosts that send resets slowly are not waited for; their closed ports may seem filtered.
    ``defeat_icmp_ratelimit``: UDP hosts that send ICMP errors slowly are not waited for.
    ``group_control``: all hosts together are sent no more than their paths have room for (not with ``--nogcc``).
    """

    template: int = 3
    min_rtt_timeout: float = 0.1
    max_rtt_timeout: float = 10.0
    initial_rtt_timeout: float = 1.0
    max_retries: int = 10
    scan_delay: float = 0.0
    max_scan_delay_tcp: float = 1.0
    max_scan_delay_udp: float = 1.0
    min_parallelism: int = 0
    max_parallelism: int | None = None
    min_hostgroup: int = 1
    max_hostgroup: int = 100_000
    host_timeout: float | None = None
    min_rate: float | None = None
    max_rate: float | None = None
    defeat_rst_ratelimit: bool = False
    defeat_icmp_ratelimit: bool = False
    group_control: bool = True

    @property
    def leisurely(self) -> bool:
        """The user wants ten probes a second or fewer: none is to be sent for the sake of measuring alone."""
        return self.scan_delay >= 0.1 or (self.max_rate is not None and self.max_rate <= 10)


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """Version detection (spec sheet 3).

    ``intensity``: 0..9, probes of a rarity up to it are sent. ``every_port``: probe excluded ports too
    (``--allports``). ``wait``: how long a silent service is waited for, in seconds; ``None`` = adaptive.
    ``patient``: one connection a port at a time, in Nmap's order and with its waits. ``rules``: file or folder of
    rules in the nmap-service-probes grammar, empty = our own. ``trace``: tell each step of each dialogue.
    """

    enabled: bool = False
    intensity: int = 7
    every_port: bool = False
    wait: float | None = None
    patient: bool = False
    rules: str = ""
    trace: bool = False


@dataclass(frozen=True, slots=True)
class Proxy:
    """One relay of a chain. ``kind``: ``http`` (CONNECT), ``socks4`` (4a for names) or ``socks5`` (RFC 1928, 1929)."""

    kind: str
    host: str
    port: int
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class PacketShape:
    """What is other about the packets of a scan than usual (spec sheet 1.7); the default is nothing.

    Of everything that is sent: ``source`` our address instead of the route's, ``interface`` the only one to be used
    (empty: as routed), ``ttl`` (or hop limit), ``ip_options`` of IPv4, a multiple of 4 bytes (with
    ``first_hop`` packets go to that address first, and the last 4 option bytes become the target's address).
    Of raw packets: ``mac`` our hardware address, 0 to 6 bytes, the rest is drawn; ``source_port``; ``data`` behind the
    transport header, or ``data_length`` random bytes there; ``decoys`` other senders in the order of their copies, as
    typed (addresses, names, ``ME``, ``RND:3``); ``bad_checksum`` of the transport; ``chunk`` bytes of a fragment behind
    its IP header (0: whole packets); ``layer``: ``ethernet``, ``ip`` or empty for what suits the interface.
    """

    source: Address | None = None
    interface: str = ""
    ttl: int | None = None
    ip_options: bytes = b""
    first_hop: Address | None = None
    mac: bytes | None = None
    source_port: int | None = None
    data: bytes | None = None
    data_length: int = 0
    decoys: tuple[str, ...] = ()
    bad_checksum: bool = False
    chunk: int = 0
    layer: str = ""

    @property
    def shapes_connections(self) -> bool:
        """Whether it asks anything of ordinary connections."""
        return self.source is not None or bool(self.interface or self.ip_options) or self.ttl is not None


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """What is written where. File names are final (time escapes expanded); ``-`` is standard output.

    ``stdout_text``: the normal text goes to the terminal (not when another format took ``-``). ``versions``: version
    detection was asked for, so there is a column for it, and names that are told by the number alone are doubted.
    """

    normal: str | None = None
    xml: str | None = None
    grepable: str | None = None
    json: str | None = None
    append: bool = False
    verbosity: int = 0
    debugging: int = 0
    reason: bool = False
    open_only: bool = False
    packet_trace: bool = False
    stats_every: float | None = None
    stylesheet: str | None = None
    interactive: bool = True
    stdout_text: bool = True
    versions: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole scan. ``privileged``: forced by option, or ``None`` = find out by trying.

    ``proxies``: every TCP connection of the scan goes through this chain, nearest first. ``adler32``: the checksums of
    SCTP packets are Adler-32, as in RFC 2960, instead of CRC32C.
    """

    targets: TargetPlan = field(default_factory=TargetPlan)
    resolve: ResolvePlan = field(default_factory=ResolvePlan)
    discovery: DiscoveryPlan = field(default_factory=DiscoveryPlan)
    ports: PortPlan = field(default_factory=PortPlan)
    timing: TimingPlan = field(default_factory=TimingPlan)
    services: ServicePlan = field(default_factory=ServicePlan)
    output: OutputPlan = field(default_factory=OutputPlan)
    privileged: bool | None = None
    arguments: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    shape: PacketShape = field(default_factory=PacketShape)
    adler32: bool = False

    @property
    def wants_raw(self) -> bool:
        """Whether packets of our own are to be sent, by discovery or by a technique."""
        return self.discovery.mode == "ping" or self._by_raw_packets

    @property
    def mostly_raw(self) -> bool:
        """Whether they are most of what is sent: more than a few pings before connections."""
        return self._by_raw_packets or (self.wants_raw and not self.ports.techniques)

    @property
    def _by_raw_packets(self) -> bool:
        return any(one not in WITHOUT_RIGHTS for one in self.ports.techniques)
