"""Networks made of namespaces, for tests and benches: scanner, router, targets, firewalls and real listeners.

Everything is made inside namespaces that this process makes (names carry its process id and a counter, so several runs
go side by side) and is gone when the ``with`` block is left, whatever happened in it. Needs root, ``ip`` and ``nft``.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = Path(__file__).resolve().parent
PREFIX = "llh"
_counter = itertools.count(1)
# Held until the tests end: a process that is forgotten while it runs is warned of in some other test, far away.
_started: list[subprocess.Popen[str]] = []

# The kernel would thin out what a comparison wants to see whole: ICMP errors, and time for address checks.
_QUIET_KERNEL = {
    "net/ipv4/icmp_ratelimit": "0",
    "net/ipv4/icmp_msgs_per_sec": "1000000",
    "net/ipv4/icmp_msgs_burst": "1000000",
    "net/ipv6/icmp/ratelimit": "0",
    "net/ipv6/conf/all/accept_dad": "0",
    "net/ipv6/conf/default/accept_dad": "0",
    "net/ipv6/conf/default/router_solicitations": "0",
    "net/ipv4/ip_local_port_range": "32768 60999",
}

ORDINARY_USER = ("--reuid=65534", "--regid=65534", "--clear-groups")


def as_user(*command: str, capabilities: Sequence[str] = ()) -> list[str]:
    """``command`` as user nobody with ``capabilities`` only (names without ``cap_``).

    ``dac_read_search`` is always kept: the interpreter may lie in root's own folder. It opens no socket.
    """
    kept = ",".join(f"+{name}" for name in ("dac_read_search", *capabilities))
    rights = (f"--inh-caps=-all,{kept}", f"--ambient-caps={kept}", f"--bounding-set=-all,{kept}")
    return ["setpriv", *ORDINARY_USER, *rights, *command]


@dataclass(slots=True)
class Namespace:
    """One network namespace: a host of its own, with loopback up."""

    name: str
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs ``arguments`` inside."""
        return ["ip", "netns", "exec", self.name, *arguments]

    def run(self, *arguments: str, timeout: float = 60.0, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run to the end; output is kept. Without ``check`` the exit status is the caller's business."""
        done = subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} in {self.name}: status {done.returncode}\n{done.stderr}")
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start and leave running; it is ended with the namespace."""
        process = subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.processes.append(process)
        _started.append(process)
        return process

    def ip(self, *lines: str) -> None:
        """Run ``ip`` commands, one a string (``"addr add 10.0.0.1/24 dev eth0"``), in one batch."""
        ip_batch(*lines, namespace=self.name)

    def sysctl(self, path: str, value: str) -> None:
        """Write one file below /proc/sys, of this namespace."""
        self.run("sh", "-c", 'echo "$1" >"/proc/sys/$0"', path, value)

    def firewall(self, hook: str, *rules: str) -> None:
        """Add nft ``rules`` (one a string) to a chain at ``hook``: ``input``, ``forward`` or ``output``."""
        body = "\n".join(f"    {rule}" for rule in rules)
        text = f"table inet {hook} {{\n  chain filter {{\n    type filter hook {hook} priority -1;\n{body}\n  }}\n}}\n"
        done = subprocess.run(
            self.command("nft", "-f", "-"), input=text, capture_output=True, text=True, timeout=30, check=False
        )
        if done.returncode:
            raise RuntimeError(f"nft: {done.stderr}\n{text}")

    def address(self, device: str, *addresses: str) -> None:
        """Give ``device`` addresses with prefix length, usable at once."""
        self.ip(*(f"addr add {each} dev {device}" + (" nodad" if ":" in each else "") for each in addresses))

    def answers_for(self, *prefixes: str) -> None:
        """Whole ranges of addresses become this host's own: it answers for each of them."""
        self.ip(*(f"{'-6 ' if ':' in each else ''}route add local {each} dev lo" for each in prefixes))

    def listen(self, ports: Iterable[int], *, udp: bool = False) -> None:
        """Real servers on ``ports`` of every address, IPv4 and IPv6. Returns when they listen."""
        numbers = ",".join(str(port) for port in ports)
        self._serve("listener.py", "udp" if udp else "tcp", numbers)

    def name_server(self, address: str, zone: dict[str, list[str]], port: int = 53) -> None:
        """A name server on ``address``: ``zone`` maps a name to its addresses; reverse names follow from it."""
        entries = [f"{name}={','.join(addresses)}" for name, addresses in zone.items()]
        self._serve("dns_server.py", address, str(port), *entries)

    @contextlib.contextmanager
    def resolver(self, address: str) -> Iterator[None]:
        """While the block runs, ``address`` is the system's name server inside (``ip netns exec`` binds the file)."""
        folder = Path("/etc/netns") / self.name
        folder.mkdir(parents=True)
        try:
            (folder / "resolv.conf").write_text(f"nameserver {address}\noptions timeout:1 attempts:2\n", "ascii")
            (folder / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n", "ascii")
            yield
        finally:
            shutil.rmtree(folder)

    def _serve(self, script: str, *arguments: str) -> None:
        process = self.start(sys.executable, "-P", str(SUPPORT / script), *arguments)
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 20.0)
        if not ready or process.stdout.readline().strip() != "ready":
            process.kill()
            raise RuntimeError(f"{script} did not start: {process.communicate()[1]}")

    def close(self) -> None:
        """End what runs inside, then the namespace itself."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()
        self.processes.clear()
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True, check=False)


def ip_batch(*lines: str, namespace: str = "") -> None:
    """Run ``ip`` commands in one batch. The first that fails raises ``RuntimeError``."""
    where = ["-n", namespace] if namespace else []
    for family, group in itertools.groupby(lines, key=lambda line: line.startswith("-6 ")):
        chosen = [line.removeprefix("-6 ") for line in group]
        command = ["ip", *(["-6"] if family else []), *where, "-batch", "-"]
        done = subprocess.run(
            command, input="\n".join(chosen) + "\n", capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}\n" + "\n".join(chosen[:20]))


@contextlib.contextmanager
def namespaces(*roles: str) -> Iterator[list[Namespace]]:
    """New namespaces, one for each role (a short word that their names end with), deleted at the end."""
    run = f"{PREFIX}-{os.getpid()}-{next(_counter)}"
    made: list[Namespace] = []
    try:
        for role in roles:
            namespace = Namespace(f"{run}-{role}")
            ip_batch(f"netns add {namespace.name}")
            made.append(namespace)
            settings = "; ".join(
                f"[ -e /proc/sys/{path} ] && echo '{value}' >/proc/sys/{path}" for path, value in _QUIET_KERNEL.items()
            )
            namespace.run("sh", "-c", settings + "; true")
            namespace.ip("link set lo up")
        yield made
    finally:
        for namespace in reversed(made):
            namespace.close()


def connect(left: Namespace, left_device: str, right: Namespace, right_device: str) -> None:
    """A cable (veth pair) between two namespaces, both ends up."""
    ip_batch(
        f"link add {left_device} netns {left.name} type veth peer name {right_device} netns {right.name}",
    )
    left.ip(f"link set {left_device} up")
    right.ip(f"link set {right_device} up")


@dataclass(frozen=True, slots=True)
class Lab:
    """A ready network. ``firewall``: the namespace and the hook through which every packet to the target passes."""

    scanner: Namespace
    router: Namespace | None
    target: Namespace
    target_v4: str
    target_v6: str
    firewall: tuple[Namespace, str]


@contextlib.contextmanager
def on_link_lab() -> Iterator[Lab]:
    """Scanner and target on one cable: 10.77.0.0/16 and fd77::/64, the scanner .0.1, the target .0.2."""
    with namespaces("scanner", "target") as (scanner, target):
        connect(scanner, "eth0", target, "eth0")
        scanner.address("eth0", "10.77.0.1/16", "fd77::1/64")
        target.address("eth0", "10.77.0.2/16", "fd77::2/64")
        yield Lab(scanner, None, target, "10.77.0.2", "fd77::2", (target, "input"))


@contextlib.contextmanager
def routed_lab() -> Iterator[Lab]:
    """Scanner - router - target: 10.88.0.0/16 and fd88::/64 lie behind the router, the target is .0.2 of them."""
    with namespaces("scanner", "router", "target") as (scanner, router, target):
        connect(scanner, "eth0", router, "eth0")
        connect(router, "eth1", target, "eth0")
        scanner.address("eth0", "10.77.0.1/24", "fd77::1/64")
        router.address("eth0", "10.77.0.254/24", "fd77::254/64")
        router.address("eth1", "10.99.0.1/24", "fd99::1/64")
        target.address("eth0", "10.99.0.2/24", "fd99::2/64")
        target.address("lo", "10.88.0.2/32", "fd88::2/128")
        router.sysctl("net/ipv4/ip_forward", "1")
        router.sysctl("net/ipv6/conf/all/forwarding", "1")
        scanner.ip("route add default via 10.77.0.254", "-6 route add default via fd77::254")
        target.ip("route add default via 10.99.0.1", "-6 route add default via fd99::1")
        router.ip("route add 10.88.0.0/16 via 10.99.0.2", "-6 route add fd88::/64 via fd99::2")
        yield Lab(scanner, router, target, "10.88.0.2", "fd88::2", (router, "forward"))


# What a firewall can do to a port, with the words of nft; the keys name the port state's expected reason.
REJECT_V4 = {
    "net-unreach": "reject with icmp type net-unreachable",
    "host-unreach": "reject with icmp type host-unreachable",
    "proto-unreach": "reject with icmp type prot-unreachable",
    "port-unreach": "reject with icmp type port-unreachable",
    "net-prohibited": "reject with icmp type net-prohibited",
    "host-prohibited": "reject with icmp type host-prohibited",
    "admin-prohibited": "reject with icmp type admin-prohibited",
}
REJECT_V6 = {
    "no-route": "reject with icmpv6 type no-route",
    "admin-prohibited": "reject with icmpv6 type admin-prohibited",
    "addr-unreach": "reject with icmpv6 type addr-unreachable",
    "port-unreach": "reject with icmpv6 type port-unreachable",
    "failed-policy": "reject with icmpv6 type policy-fail",
    "reject-route": "reject with icmpv6 type reject-route",
}


def firewall_rules(first_port: int = 2000, width: int = 20, transport: str = "tcp") -> list[str]:
    """One block of ``width`` ports for each thing a firewall can do: drop, reset, each reject code of both families.

    Blocks begin at ``first_port`` and every 100 after it; the codes of IPv4 and IPv6 share a block.
    """
    rules = []
    blocks = itertools.count(first_port, 100)

    def ports() -> str:
        start = next(blocks)
        return f"{transport} dport {start}-{start + width - 1}"

    rules.append(f"{ports()} drop")
    if transport == "tcp":
        rules.append(f"{ports()} reject with tcp reset")
    for pair in itertools.zip_longest(REJECT_V4.values(), REJECT_V6.values()):
        chosen = ports()
        for family, action in zip(("ipv4", "ipv6"), pair, strict=True):
            if action:
                rules.append(f"meta nfproto {family} {chosen} {action}")
    return rules
