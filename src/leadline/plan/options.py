"""What was asked for, as plain values: the command line makes an ``Options``, and so does the Python API.

Nothing here is checked; ``leadline.plan.check`` does that. ``None`` always means "not asked for".
"""

from __future__ import annotations

from leadline.model.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PingRequest:
    """One discovery option: ``kind`` is a value of ``model.plan.PingKind``; ``ports`` as typed, empty = its default."""

    kind: str
    ports: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """Times are seconds, rates packets a second, port expressions text in the grammar of spec sheet 1.4.

    ``family``: 4 or 6 when forced. ``reverse``: ``never`` or ``all``. ``techniques``: values of
    ``model.plan.Technique``; ``zombie`` and ``relay``: of the idle and the bounce scan, as typed (they choose these
    techniques); ``scan_flags``: TCP flags as typed; ``adler32``: SCTP's checksums as in RFC 2960. ``host_timeout`` 0
    means none at all. File names are final; ``-`` is standard output. ``shard``: as typed (``3/16``); ``bandwidth``:
    bits a second.
    ``record``: capture file for all packets. ``quiet``: no normal text on standard output (``-v0``). ``privileged``:
    forced by an option or the environment. ``notices``: remarks of whoever made the options (compatibility options
    without effect), passed on to the plan.

    ``versions``: version detection (``-sV``), with intensity 0 to 9; ``version_wait``: how long a silent service is
    waited for; ``patient``: instead, one connection at a time. Where its rules are: ``versiondb`` a file or a folder,
    ``datadir`` and ``nmapdir`` (the environment's ``NMAPDIR``) folders of an installed Nmap. ``proxies``: URLs as
    typed, nearest first.

    The shape of packets, as typed (spec sheet 1.7): ``fragments`` one entry for each ``-f``, ``mtu``, ``decoys``,
    ``source_address``, ``interface``, ``source_port``, ``data_hex``, ``data_string``, ``data_length``, ``ip_options``,
    ``ttl``, ``spoof_mac``, ``badsum``; ``send_layer``: ``ethernet`` or ``ip``.
    ``event_engine``: ``epoll``, there is no other.
    """

    targets: tuple[str, ...] = ()
    input_files: tuple[str, ...] = ()
    random: int | None = None
    exclude: tuple[str, ...] = ()
    exclude_files: tuple[str, ...] = ()
    randomize_hosts: bool = False
    resolve_all: bool = False
    unique: bool = False
    family: int | None = None
    seed: int | None = None
    shard: str | None = None

    reverse: str | None = None
    dns_servers: tuple[str, ...] = ()
    system_dns: bool = False

    list_scan: bool = False
    ping_scan: bool = False
    skip_discovery: bool = False
    pings: tuple[PingRequest, ...] = ()
    disable_arp_ping: bool = False
    discovery_ignore_rst: bool = False

    techniques: tuple[str, ...] = ()
    zombie: str | None = None
    relay: str | None = None
    scan_flags: str | None = None
    adler32: bool = False
    ports: str | None = None
    exclude_ports: str | None = None
    fast: bool = False
    top_ports: int | None = None
    sequential: bool = False

    versions: bool = False
    version_intensity: int | None = None
    version_trace: bool = False
    version_wait: float | None = None
    patient: bool = False
    allports: bool = False
    versiondb: str | None = None
    datadir: str | None = None
    nmapdir: str | None = None
    proxies: tuple[str, ...] = ()

    fragments: tuple[str, ...] = ()
    mtu: int | None = None
    decoys: tuple[str, ...] = ()
    source_address: str | None = None
    interface: str | None = None
    source_port: int | None = None
    data_hex: str | None = None
    data_string: str | None = None
    data_length: int | None = None
    ip_options: str | None = None
    ttl: int | None = None
    spoof_mac: str | None = None
    badsum: bool = False
    send_layer: str | None = None
    event_engine: str | None = None

    timing: int | None = None
    min_rtt_timeout: float | None = None
    max_rtt_timeout: float | None = None
    initial_rtt_timeout: float | None = None
    max_retries: int | None = None
    max_open_ports: int | None = None
    host_timeout: float | None = None
    scan_delay: float | None = None
    max_scan_delay: float | None = None
    min_parallelism: int | None = None
    max_parallelism: int | None = None
    min_hostgroup: int | None = None
    max_hostgroup: int | None = None
    min_rate: float | None = None
    max_rate: float | None = None
    defeat_rst_ratelimit: bool = False
    defeat_icmp_ratelimit: bool = False
    no_group_control: bool = False
    bandwidth: float | None = None

    normal: str | None = None
    xml: str | None = None
    grepable: str | None = None
    json: str | None = None
    record: str | None = None
    append: bool = False
    verbosity: int = 0
    debugging: int = 0
    quiet: bool = False
    reason: bool = False
    open_only: bool = False
    packet_trace: bool = False
    stats_every: float | None = None
    stylesheet: str | None = None
    noninteractive: bool = False

    privileged: bool | None = None
    arguments: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
