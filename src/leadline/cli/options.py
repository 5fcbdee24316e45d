"""The table of all options (spec sheet section 1): what the parser accepts and what the help shows.

Options that Nmap has and Leadline has not yet are in the table too: they are refused by name, with what they would do,
instead of being taken for typing errors; their arguments are read so that they aren't taken for targets.
"""

from __future__ import annotations

from enum import Enum, auto

from leadline.model.quick_dataclass import dataclass


class Kind(Enum):
    """What an option does with its value, and which field of ``plan.options.Options`` it sets."""

    FLAG = auto()
    """Sets the field to ``value``."""
    ADD = auto()
    """Appends ``value`` to the field."""
    TEXT = auto()
    COMMA_LIST = auto()
    """Appends the parts between commas."""
    INPUT = auto()
    """Appends the name of a file that will be read."""
    OUTPUT = auto()
    """The name of a file that will be written, time escapes expanded."""
    OUTPUT_BASE = auto()
    """Three such names, by their endings."""
    INTEGER = auto()
    NUMBER = auto()
    TIME = auto()
    """Seconds; ``value`` is the greatest number that may stand without a unit."""
    RATE = auto()
    """A number with ``k``, ``M`` or ``G`` behind it if wanted."""
    TEMPLATE = auto()
    LEVEL = auto()
    """Counts repetitions, or takes digits."""
    WAIT = auto()
    """Seconds, or the word ``patient``."""
    PING = auto()
    PING_SET = auto()
    COMMAND = auto()
    """Does ``value`` instead of a scan."""
    ROUTE = auto()
    """Shows the way to the hosts between commas instead of a scan."""
    IGNORED = auto()
    MISSING = auto()


class Take(Enum):
    """Whether a value follows the option."""

    NOTHING = auto()
    VALUE = auto()
    ATTACHED = auto()
    """Only directly behind the letters (``-PS22``), and may be left out."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option. ``names``: as typed, the main one first; ``argument``: what the help calls the value.

    ``once``: a second one is a mistake (otherwise the last one counts). ``notice``: told to whoever uses it.
    """

    names: tuple[str, ...]
    kind: Kind
    field: str = ""
    argument: str = ""
    help: str = ""
    value: object = True
    once: bool = False
    notice: str = ""

    @property
    def take(self) -> Take:
        """``[X]`` as the argument means that it is optional and attached."""
        if not self.argument:
            return Take.NOTHING
        return Take.ATTACHED if self.argument.startswith("[") else Take.VALUE


def _option(
    names: str,
    kind: Kind,
    field: str = "",
    argument: str = "",
    help_text: str = "",
    *,
    value: object = True,
    once: bool = False,
    notice: str = "",
) -> Option:
    return Option(tuple(names.split()), kind, field, argument, help_text, value, once, notice)


def _missing(names: str, what: str, argument: str = "") -> Option:
    return Option(tuple(names.split()), Kind.MISSING, argument=argument, help=what)


_TARGETS = (
    _option("-iL", Kind.INPUT, "input_files", "FILE", "read targets from FILE (- is standard input)"),
    _option("-iR", Kind.INTEGER, "random", "N", "N random public IPv4 addresses (0: without end)"),
    _option("--exclude", Kind.COMMA_LIST, "exclude", "HOST,...", "leave out these hosts and networks"),
    _option("--excludefile", Kind.INPUT, "exclude_files", "FILE", "leave out what is listed in FILE"),
    _option("--randomize-hosts --rH", Kind.FLAG, "randomize_hosts", "", "scan targets in random order"),
    _option("--resolve-all", Kind.FLAG, "resolve_all", "", "scan every address that a name has"),
    _option("--unique", Kind.FLAG, "unique", "", "scan an address once, however often it is named"),
    _option("-4", Kind.FLAG, "family", "", "IPv4 only", value=4, once=True),
    _option("-6", Kind.FLAG, "family", "", "IPv6 only", value=6, once=True),
    _option("--seed", Kind.INTEGER, "seed", "N", "repeat the same random order"),
    _option(
        "--shard", Kind.TEXT, "shard", "I/N", "scan the I-th of N parts of the targets (same --seed for all)", once=True
    ),
)
_DISCOVERY = (
    _option("-sL", Kind.FLAG, "list_scan", "", "only list the targets, send them nothing"),
    _option("-sn -sP", Kind.FLAG, "ping_scan", "", "only find out which hosts are up"),
    _option("-Pn -P0 -PN -PD", Kind.FLAG, "skip_discovery", "", "treat all hosts as up"),
    _option("-PS", Kind.PING, "tcp-syn", "[PORTS]", "TCP SYN probes (80)", once=True),
    _option("-PA", Kind.PING, "tcp-ack", "[PORTS]", "TCP ACK probes (80)", once=True),
    _option("-PU", Kind.PING, "udp", "[PORTS]", "UDP probes (40125)", once=True),
    _option("-PY", Kind.PING, "sctp-init", "[PORTS]", "SCTP INIT probes (80)", once=True),
    _option("-PE -PI -P", Kind.PING, "icmp-echo", "", "ICMP echo"),
    _option("-PP", Kind.PING, "icmp-timestamp", "", "ICMP timestamp (IPv4)"),
    _option("-PM", Kind.PING, "icmp-address-mask", "", "ICMP address mask (IPv4)"),
    _option("-PO", Kind.PING, "ip-protocol", "[PROTOCOLS]", "IP protocol probes (1,2,4)", once=True),
    _option("-PB", Kind.PING_SET, "", "[PORTS]", "the default probes, with these TCP ACK ports", once=True),
    _option("--disable-arp-ping", Kind.FLAG, "disable_arp_ping", "", "no ARP or neighbour discovery on the local link"),
    _option("--discovery-ignore-rst", Kind.FLAG, "discovery_ignore_rst", "", "a TCP reset does not make a host up"),
    _option("-n", Kind.FLAG, "reverse", "", "never look up names of addresses", value="never", once=True),
    _option("-R", Kind.FLAG, "reverse", "", "look up names of all addresses, down ones too", value="all", once=True),
    _option("--dns-servers", Kind.COMMA_LIST, "dns_servers", "ADDRESS,...", "ask these name servers"),
    _option("--system-dns", Kind.FLAG, "system_dns", "", "resolve names with the system's own resolver"),
)
_TECHNIQUES = (
    _option("-sS", Kind.ADD, "techniques", "", "TCP SYN scan (default with the right to raw packets)", value="syn"),
    _option("-sT", Kind.ADD, "techniques", "", "TCP connect scan (default without)", value="connect"),
    _option("-sA", Kind.ADD, "techniques", "", "TCP ACK scan: which ports a firewall lets through", value="ack"),
    _option("-sW", Kind.ADD, "techniques", "", "TCP Window scan: -sA, and the window of the resets", value="window"),
    _option("-sN", Kind.ADD, "techniques", "", "TCP NULL scan: no flag; silence is open|filtered", value="null"),
    _option("-sF", Kind.ADD, "techniques", "", "TCP FIN scan: FIN; the same", value="fin"),
    _option("-sX", Kind.ADD, "techniques", "", "TCP Xmas scan: FIN, PSH and URG; the same", value="xmas"),
    _option("-sM", Kind.ADD, "techniques", "", "TCP Maimon scan: FIN and ACK; the same", value="maimon"),
    _option("-sU", Kind.ADD, "techniques", "", "UDP scan; may go with one TCP scan (-sSU)", value="udp"),
    _option("-sY", Kind.ADD, "techniques", "", "SCTP INIT scan", value="sctpinit"),
    _option(
        "-sZ", Kind.ADD, "techniques", "", "SCTP COOKIE-ECHO scan: silence is open|filtered", value="sctpcookieecho"
    ),
    _option("-sO", Kind.ADD, "techniques", "", "IP protocol scan: -p are protocol numbers", value="ipproto"),
    _option("--adler32", Kind.FLAG, "adler32", "", "the checksums that SCTP had at first (Adler-32)"),
    _option(
        "-sI", Kind.TEXT, "zombie", "HOST[:PORT]", "idle scan: what a third host counts tells open ports", once=True
    ),
    _option("-b", Kind.TEXT, "relay", "RELAY", "FTP bounce scan over RELAY: [USER:PASSWORD@]HOST[:PORT]", once=True),
    _option("--scanflags", Kind.TEXT, "scan_flags", "FLAGS", "send these TCP flags: SYNFIN, URGPSHFIN, NONE, 0-255"),
)
_PORTS = (
    _option("-p", Kind.TEXT, "ports", "PORTS", "22  1-1024  -p-  http*  T:80  [1-1024]", once=True),
    _option("--exclude-ports", Kind.TEXT, "exclude_ports", "PORTS", "neither scan nor probe these ports", once=True),
    _option("-F", Kind.FLAG, "fast", "", "the 100 most common ports instead of 1000"),
    _option("--top-ports", Kind.INTEGER, "top_ports", "N", "the N most common ports (of those in -p, if given)"),
    _option("-r", Kind.FLAG, "sequential", "", "scan ports in ascending order"),
)
_VERSIONS = (
    _option("-sV", Kind.FLAG, "versions", "", "find out what runs behind open ports, and which version"),
    _option("--version-intensity", Kind.INTEGER, "version_intensity", "0-9", "how many probes to try (7)"),
    _option("--version-light", Kind.FLAG, "version_intensity", "", "only the likeliest probes (intensity 2)", value=2),
    _option("--version-all", Kind.FLAG, "version_intensity", "", "every probe (intensity 9)", value=9),
    _option(
        "--version-wait", Kind.WAIT, "version_wait", "TIME|patient", "for a silent service (patient: step by step)"
    ),
    _option("--version-trace", Kind.FLAG, "version_trace", "", "show each step of each dialogue"),
    _option("--allports", Kind.FLAG, "allports", "", "probe printers' raw ports as well, which print what they get"),
    _option("--versiondb", Kind.TEXT, "versiondb", "PATH", "rules from a file, or a folder of *.probes", once=True),
    _option("--datadir", Kind.TEXT, "datadir", "FOLDER", "rules of the Nmap installed there (or NMAPDIR)", once=True),
    _option(
        "-A",
        Kind.FLAG,
        "versions",
        "",
        "all that is built of versions (-sV), OS, scripts and traceroute",
        notice="-A detects versions (-sV); its other parts (OS detection, scripts, traceroute) are not built yet.",
    ),
)
_TIMING = (
    _option("-T --timing", Kind.TEMPLATE, "timing", "0-5", "paranoid, sneaky, polite, normal, aggressive, insane"),
    _option("--min-hostgroup", Kind.INTEGER, "min_hostgroup", "N", "scan at least N hosts at once"),
    _option("--max-hostgroup", Kind.INTEGER, "max_hostgroup", "N", "scan at most N hosts at once"),
    _option("--min-parallelism", Kind.INTEGER, "min_parallelism", "N", "at least N probes outstanding"),
    _option("--max-parallelism -M", Kind.INTEGER, "max_parallelism", "N", "at most N probes outstanding"),
    _option("--min-rtt-timeout", Kind.TIME, "min_rtt_timeout", "TIME", "wait at least so long for answers", value=50.0),
    _option("--max-rtt-timeout", Kind.TIME, "max_rtt_timeout", "TIME", "wait at most so long for answers", value=50.0),
    _option("--initial-rtt-timeout", Kind.TIME, "initial_rtt_timeout", "TIME", "... for the first one", value=50.0),
    _option("--max-retries", Kind.INTEGER, "max_retries", "N", "send a probe again at most N times"),
    _option("--max-open-ports", Kind.INTEGER, "max_open_ports", "N", "give a host up after N open ports"),
    _option("--host-timeout", Kind.TIME, "host_timeout", "TIME", "give a host up after so long (0: never)", value=1e4),
    _option(
        "--defeat-icmp-ratelimit", Kind.FLAG, "defeat_icmp_ratelimit", "", "UDP: do not wait for limited ICMP errors"
    ),
    _option("--scan-delay", Kind.TIME, "scan_delay", "TIME", "pause between probes to a host", value=100.0),
    _option("--max-scan-delay", Kind.TIME, "max_scan_delay", "TIME", "the longest pause to adapt to", value=100.0),
    _option("--min-rate", Kind.RATE, "min_rate", "N", "send at least N packets a second (50k, 1M)"),
    _option("--max-rate", Kind.RATE, "max_rate", "N", "send at most N packets a second (50k, 1M)"),
    _option("--nogcc", Kind.FLAG, "no_group_control", "", "slow down single hosts only, not all of them together"),
    _option("--defeat-rst-ratelimit", Kind.FLAG, "defeat_rst_ratelimit", "", "-sS: do not slow down for late resets"),
    _option("--bandwidth", Kind.RATE, "bandwidth", "N", "fill at most N bits a second of the link (100M)"),
)
_OUTPUT = (
    _option("-oN", Kind.OUTPUT, "normal", "FILE", "normal text (- is standard output, for all formats)", once=True),
    _option("-oX", Kind.OUTPUT, "xml", "FILE", "XML in Nmap's format", once=True),
    _option("-oG -oM -m", Kind.OUTPUT, "grepable", "FILE", "grepable lines", once=True),
    _option("-oJ", Kind.OUTPUT, "json", "FILE", "JSON lines, one event each, with all evidence", once=True),
    _option("-oA", Kind.OUTPUT_BASE, "", "BASE", "BASE.nmap, BASE.xml and BASE.gnmap", once=True),
    _option("--append-output", Kind.FLAG, "append", "", "add to output files instead of replacing them"),
    _option("--record", Kind.OUTPUT, "record", "FILE", "keep all packets of the scan in a capture file (pcapng)"),
    _option("-v --verbose", Kind.LEVEL, "verbosity", "", "tell more (-vv, -v3; -v0: nothing on standard output)"),
    _option("-d --debug", Kind.LEVEL, "debugging", "", "tell how it is done (-dd, -d3)"),
    _option("--reason", Kind.FLAG, "reason", "", "show why each port and host has its state"),
    _option("--open", Kind.FLAG, "open_only", "", "show only ports that are, or may be, open"),
    _option("--packet-trace", Kind.FLAG, "packet_trace", "", "show every packet"),
    _option("--stats-every", Kind.TIME, "stats_every", "TIME", "show the progress so often"),
    _option("--stylesheet", Kind.TEXT, "stylesheet", "URL", "stylesheet named in the XML", once=True),
    _option(
        "--webxml",
        Kind.FLAG,
        "stylesheet",
        "",
        "name Nmap's stylesheet on the web in the XML",
        value="https://nmap.org/svn/docs/nmap.xsl",
        once=True,
    ),
    _option("--no-stylesheet", Kind.FLAG, "stylesheet", "", "name none (the default)", value=None, once=True),
    _option("--noninteractive", Kind.FLAG, "noninteractive", "", "no keys and no progress line on the terminal"),
)
_PACKETS = (
    _option(
        "-f", Kind.ADD, "fragments", "", "fragments of 8 bytes behind their IP header (-ff: 16, and so on)", value="f"
    ),
    _option("--mtu", Kind.INTEGER, "mtu", "N", "fragments of N bytes, a multiple of 8"),
    _option("-D", Kind.COMMA_LIST, "decoys", "HOST,ME,RND:N", "send everything from these addresses, too"),
    _option("-S", Kind.TEXT, "source_address", "ADDRESS", "send from this address (answers go to it)", once=True),
    _option("-e", Kind.TEXT, "interface", "NAME", "use this interface only", once=True),
    _option(
        "-g --source-port", Kind.INTEGER, "source_port", "PORT", "send raw probes from this port (not -sT, -sV, names)"
    ),
    _option("--data", Kind.TEXT, "data_hex", "HEX", "these bytes behind the headers (0xCAFE)", once=True),
    _option("--data-string", Kind.TEXT, "data_string", "TEXT", "this text behind the headers", once=True),
    _option("--data-length", Kind.INTEGER, "data_length", "N", "N random bytes behind the headers"),
    _option(
        "--ip-options", Kind.TEXT, "ip_options", "OPTIONS", "IPv4: R, T, U, 'L HOPS', 'S HOPS', or bytes (\\x01*4)"
    ),
    _option("--ttl", Kind.INTEGER, "ttl", "N", "time to live, or hop limit"),
    _option("--spoof-mac", Kind.TEXT, "spoof_mac", "MAC", "send from this MAC: 0 (random), hex digits, a maker's name"),
    _option("--badsum", Kind.FLAG, "badsum", "", "wrong checksums: who answers did not look"),
    _option("--send-eth", Kind.FLAG, "send_layer", "", "frames of our own (the default)", value="ethernet", once=True),
    _option("--send-ip", Kind.FLAG, "send_layer", "", "packets that the kernel routes", value="ip", once=True),
)
_OTHER = (
    _option("--proxies --proxy", Kind.COMMA_LIST, "proxies", "URL,...", "connect through http, socks4, socks5 relays"),
    _option("--iflist", Kind.COMMAND, "", "", "show interfaces and routes, and end", value="interfaces"),
    _option("--route-dst", Kind.ROUTE, "destinations", "HOST,...", "show the way that packets to HOST take, and end"),
    _option(
        "--nsock-engine", Kind.TEXT, "event_engine", "ENGINE", "how connections are waited for: epoll, the only way"
    ),
    _option("--privileged", Kind.FLAG, "privileged", "", "assume the right to send raw packets", once=True),
    _option("--unprivileged", Kind.FLAG, "privileged", "", "assume to have no such right", value=False, once=True),
    _option("-V --version", Kind.COMMAND, "", "", "show the version, and end", value="version"),
    _option("-h --help", Kind.COMMAND, "", "", "show this help, and end", value="help"),
)
_DEMO = (
    _option("--speed", Kind.NUMBER, "speed", "N", "N times faster than time (default: 2 on a terminal, else at once)"),
)
_COMPATIBILITY = (
    _option("-sR", Kind.FLAG, "versions", notice="-sR is an old name of -sV: versions are detected."),
    _option("-PR", Kind.IGNORED, help_text="ARP is used on the local link without it"),
    _option("-I", Kind.IGNORED),
    _option("--release-memory", Kind.IGNORED),
    _option("--log-errors", Kind.IGNORED),
)
_NOT_BUILT = (
    _missing("--traceroute", "traceroute"),
    _missing("--port-ratio", "ports by their frequency", "RATIO"),
    _missing("--servicedb", "another table of services", "FILE"),
    _missing("-sC", "scripts"),
    _missing("--script", "scripts", "NAMES"),
    _missing("--script-args", "scripts", "ARGUMENTS"),
    _missing("--script-args-file", "scripts", "FILE"),
    _missing("--script-help", "scripts", "NAMES"),
    _missing("--script-trace", "scripts"),
    _missing("--script-updatedb", "scripts"),
    _missing("--script-timeout", "scripts", "TIME"),
    _missing("-O", "OS detection", "[2]"),
    _missing("--osscan-limit", "OS detection"),
    _missing("--osscan-guess --fuzzy", "OS detection"),
    _missing("--max-os-tries", "OS detection", "N"),
    _missing("-oS", "output in a playful spelling", "FILE"),
    _missing("-oH", "HTML output", "FILE"),
    _missing("--resume", "resuming a scan", "FILE"),
    _missing("--deprecated-xml-osclass", "OS detection"),
)

GROUPS: tuple[tuple[str, tuple[Option, ...]], ...] = (
    ("Targets", _TARGETS),
    ("Host discovery and names", _DISCOVERY),
    ("Scan techniques", _TECHNIQUES),
    ("Ports", _PORTS),
    ("Versions", _VERSIONS),
    ("Timing (TIME: 500ms, 2s, 15m, 1h; seconds without a unit)", _TIMING),
    ("Shape of packets, to test one's own firewalls", _PACKETS),
    ("Output", _OUTPUT),
    ("Other", _OTHER),
    ("Only with leadline demo", _DEMO),
)
"""What the help shows, in its order."""

OPTIONS: tuple[Option, ...] = (
    *(option for _, options in GROUPS for option in options),
    *_COMPATIBILITY,
    *_NOT_BUILT,
)
"""All options that are known."""

BY_NAME: dict[str, Option] = {name: option for option in OPTIONS for name in option.names}
"""By each of their names, with the dashes."""
