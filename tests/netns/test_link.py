"""Real links in namespaces: what is sent arrives, what comes back is captured, and nothing else is."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.errors import LinkError
from leadline.link.base import CaptureFilter, Link, Route
from leadline.link.kernel import KernelNetwork
from leadline.model.address import address_of, columns_of
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import Decoded, Kind, decode
from leadline.wire.template import ArpTemplate, Framing, IcmpKind, IcmpTemplate, NeighborTemplate, TcpTemplate
from tests.support.inside import inside
from tests.support.netns import Lab, Namespace, as_user, namespaces, on_link_lab, routed_lab

pytestmark = pytest.mark.netns

SYN = 0x02
SYN_ACK = 0x12
OPEN, CLOSED = 80, 81
OUR_PORT = 40000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


@pytest.fixture(scope="module")
def near() -> Iterator[Lab]:
    with on_link_lab() as lab:
        lab.target.listen([OPEN])
        lab.scanner.listen([OPEN])
        yield lab


@pytest.fixture(scope="module")
def far() -> Iterator[Lab]:
    with routed_lab() as lab:
        lab.target.listen([OPEN])
        yield lab


@dataclass
class Bench:
    """One target, its route, an open link, and what builds frames for it."""

    network: KernelNetwork
    route: Route
    link: Link
    framing: Framing
    target: tuple[np.ndarray, np.ndarray]

    def ask(self, batch: FrameBatch, wanted: int, seconds: float = 3.0) -> Decoded:
        """Send, and collect replies until there are ``wanted``."""
        start = self.network.clock.now()
        assert self.link.send(batch) == len(batch)
        columns: list[Decoded] = []
        total = 0
        while total < wanted and self.network.clock.now() < start + seconds:
            self.link.wait(0.05)
            frames = self.link.receive()
            assert ((frames.times >= start) & (frames.times <= self.network.clock.now())).all()
            copy = replace(frames, frames=frames.frames.copy())
            columns.append(decode(copy))
            total += len(frames)
        names = Decoded.__dataclass_fields__
        return Decoded(**{name: np.concatenate([getattr(each, name) for each in columns]) for name in names})

    def mac(self) -> np.ndarray | None:
        """Next hop's MAC, asked with our own ARP or ND."""
        if self.route.local or self.route.interface.kind != "ethernet":
            return None
        hop = self.route.gateway
        hi, lo = columns_of([hop]) if hop is not None else self.target
        template = ArpTemplate(self.framing) if self.framing.family == 4 else NeighborTemplate(self.framing)
        replies = self.ask(template.build(hi, lo), 1)
        wanted = Kind.ARP_REPLY if self.framing.family == 4 else Kind.ND_ADVERT
        assert list(replies.kind) == [wanted]
        return replies.mac[:1]

    def syn(self, ports: list[int]) -> FrameBatch:
        count = len(ports)
        hi, lo = (np.repeat(column, count) for column in self.target)
        mac = self.mac()
        macs = None if mac is None else np.repeat(mac, count, axis=0)
        template = TcpTemplate(self.framing, SYN)
        return template.build(hi, lo, macs, OUR_PORT, np.array(ports), 7, 0, 64, 1)


def make_bench(target: str, scope: str = "", rings: bool = True) -> Bench:
    network = KernelNetwork(rings=rings)
    hi, lo = columns_of([ip_address(target)])
    family = ip_address(target).version
    routed = network.routes(family, hi, lo, {0: scope} if scope else {})
    assert list(routed.route_of) == [0]
    route = routed.routes[0]
    capture = CaptureFilter(family, route.source, OUR_PORT, OUR_PORT + 10, neighbors=True)
    link = network.open_link(route.interface, capture)
    source = int(route.source)
    framing = Framing(family, route.interface.link_header, route.interface.mac, source >> 64, source & (1 << 64) - 1)
    return Bench(network, route, link, framing, (hi, lo))


def verdicts(replies: Decoded) -> dict[int, bool]:
    """Source port of every TCP reply, and whether it says open."""
    rows = (replies.kind == Kind.TCP) & (replies.destination_port == OUR_PORT) & (replies.tcp_flags != SYN)
    return {
        int(port): int(flags) == SYN_ACK
        for port, flags in zip(replies.source_port[rows], replies.tcp_flags[rows], strict=True)
    }


@pytest.mark.parametrize("rings", [True, False])
@pytest.mark.parametrize("family", [4, 6])
def test_on_link(near: Lab, family: int, rings: bool) -> None:
    with inside(near.scanner.name):
        bench = make_bench(near.target_v4 if family == 4 else near.target_v6, rings=rings)
        try:
            assert bench.route.on_link
            assert str(bench.route.source) == ("10.77.0.1" if family == 4 else "fd77::1")
            assert verdicts(bench.ask(bench.syn([OPEN, CLOSED]), 2)) == {OPEN: True, CLOSED: False}
            assert bench.link.statistics.sent == 3
            # The kernel may ask for the neighbour as well, to send its RST: its answer is one more.
            assert bench.link.statistics.received in (3, 4)
        finally:
            bench.link.close()


@pytest.mark.parametrize("family", [4, 6])
def test_routed(far: Lab, family: int) -> None:
    with inside(far.scanner.name):
        bench = make_bench(far.target_v4 if family == 4 else far.target_v6)
        try:
            assert str(bench.route.gateway) == ("10.77.0.254" if family == 4 else "fd77::254")
            assert not bench.route.on_link
            gateway = bench.mac()
            assert gateway is not None
            assert bench.route.gateway is not None
            known = bench.network.neighbor(bench.route.interface, bench.route.gateway)
            assert known in (None, gateway[0].tobytes())
            assert verdicts(bench.ask(bench.syn([OPEN, CLOSED]), 2)) == {OPEN: True, CLOSED: False}
        finally:
            bench.link.close()


@pytest.mark.parametrize("rings", [True, False])
@pytest.mark.parametrize(
    ("target", "source"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.5.6.7", "127.0.0.1"),
        ("::1", "::1"),
        ("10.77.0.1", "10.77.0.1"),
        ("fd77::1", "fd77::1"),
    ],
)
def test_ourselves(near: Lab, target: str, source: str, rings: bool) -> None:
    with inside(near.scanner.name):
        bench = make_bench(target, rings=rings)
        try:
            assert bench.route.local
            assert bench.route.interface.name == "lo"
            assert str(bench.route.source) == source
            assert verdicts(bench.ask(bench.syn([OPEN, CLOSED]), 2)) == {OPEN: True, CLOSED: False}
            echo = IcmpTemplate(bench.framing, IcmpKind.ECHO).build(*bench.target, None, 5, 6, 64, 1)
            # The filter lets our own request through where its destination is our source.
            replies = bench.ask(echo, 2 if target == source else 1)
            assert Kind.ICMP_ECHO_REPLY in list(replies.kind)
        finally:
            bench.link.close()


def link_local(namespace: Namespace, device: str) -> str:
    with inside(namespace.name):
        for interface in KernelNetwork().interfaces():
            if interface.name == device:
                return next(str(own) for own, _ in interface.addresses if own.is_link_local)
    raise AssertionError(device)


def test_link_local_needs_its_interface(near: Lab) -> None:
    other, own = link_local(near.target, "eth0"), link_local(near.scanner, "eth0")
    with inside(near.scanner.name):
        for target, local in ((other, False), (own, True)):
            bench = make_bench(target, scope="eth0")
            try:
                assert bench.route.local is local
                assert str(bench.route.source) == own
                assert verdicts(bench.ask(bench.syn([OPEN, CLOSED]), 2)) == {OPEN: True, CLOSED: False}
            finally:
                bench.link.close()


def test_other_traffic_stays_out(near: Lab) -> None:
    """Frames to other ports, our own probes, and what the kernel itself sends never take a slot."""
    with inside(near.scanner.name):
        bench = make_bench(near.target_v4)
        try:
            mac = bench.mac()
            template = TcpTemplate(bench.framing, SYN)
            hi, lo = bench.target
            bench.link.send(template.build(hi, lo, mac, OUR_PORT + 11, CLOSED, 7, 0, 64, 1))
            near.scanner.run("ping", "-c1", "-W1", "10.77.0.3", check=False)  # ARP requests of the kernel
            time.sleep(0.1)
            assert len(bench.link.receive()) == 0
        finally:
            bench.link.close()


def test_tun_carries_bare_packets() -> None:
    """A header-less device: what is sent comes out of the tun descriptor, what is written there is captured."""
    with namespaces("tun") as (home,), inside(home.name):
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"tun7", IFF_TUN | IFF_NO_PI))
            home.ip("addr add 10.66.0.1/24 dev tun7", "link set tun7 up")
            home.ip("-6 addr add fd66::1/64 dev tun7 nodad")
            for target in ("10.66.0.9", "fd66::9"):
                bench = make_bench(target)
                assert (bench.route.interface.kind, bench.route.interface.link_header) == ("point", 0)
                batch = bench.syn(list(range(100, 200)))
                assert bench.link.send(batch) == 100
                packets = []
                while len(packets) < 100:
                    packet = os.read(tun, 4096)
                    if packet[0] >> 4 != bench.framing.family or packet[-4:] != batch.frames[0, -4:].tobytes():
                        continue  # the kernel's own router solicitations
                    packets.append(packet)
                assert packets == [row.tobytes() for row in batch.frames]
                reply = TcpTemplate(
                    Framing(bench.framing.family, 0, bytes(6), int(bench.target[0][0]), int(bench.target[1][0])),
                    SYN_ACK,
                ).build(*columns_of([bench.route.source]), None, OPEN, OUR_PORT, 1, 8, 64, 1)
                os.write(tun, reply.frames[0].tobytes())
                bench.link.wait(2.0)
                captured = bench.link.receive()
                assert [row[:size].tobytes() for row, size in zip(captured.frames, captured.lengths, strict=True)] == [
                    reply.frames[0].tobytes()
                ]
                bench.link.close()
        finally:
            os.close(tun)


def test_many_frames_wrap_the_ring(near: Lab) -> None:
    """More than a ring full both ways: every frame sent is answered once, in whole."""
    with inside(near.scanner.name):
        bench = make_bench(near.target_v4)
        near.target.sysctl("net/ipv4/icmp_ratelimit", "0")
        try:
            mac = bench.mac()
            assert mac is not None
            count, rounds = 2000, 10
            hi, lo = (np.repeat(column, count) for column in bench.target)
            template = IcmpTemplate(bench.framing, IcmpKind.ECHO)
            seen = np.zeros(count * rounds, dtype=int)
            for turn in range(rounds):
                numbers = np.arange(turn * count, (turn + 1) * count)
                replies = bench.ask(
                    template.build(hi, lo, np.repeat(mac, count, axis=0), 9, numbers, 64, 1), count, seconds=10
                )
                np.add.at(seen, replies.icmp_sequence[replies.kind == Kind.ICMP_ECHO_REPLY], 1)
            assert (seen == 1).all()
            assert bench.link.statistics.dropped == 0
        finally:
            bench.link.close()


def test_frames_that_do_not_fit_are_failures(near: Lab) -> None:
    with inside(near.scanner.name):
        bench = make_bench(near.target_v4)
        try:
            good = bench.syn([CLOSED])
            rows = np.zeros((3, 1600), np.uint8)
            rows[1, : good.frames.shape[1]] = good.frames[0]
            lengths = np.array([1600, good.lengths[0], 10], np.int32)
            replies = bench.ask(FrameBatch(rows, lengths, np.zeros(3), 14), 1)
            assert verdicts(replies) == {CLOSED: False}
            assert bench.link.statistics.send_failures == 2
        finally:
            bench.link.close()


def test_full_ring_counts_drops(near: Lab) -> None:
    """What finds no slot is lost and counted; the ring works on afterwards."""
    with inside(near.scanner.name):
        bench = make_bench(near.target_v4)
        try:
            mac = bench.mac()
            assert mac is not None
            count = 3000
            hi, lo = (np.repeat(column, count) for column in bench.target)
            batch = IcmpTemplate(bench.framing, IcmpKind.ECHO).build(
                hi, lo, np.repeat(mac, count, axis=0), 9, np.arange(count), 64, 1
            )
            bench.link.receive()  # gives the slot of the ARP reply back
            for _ in range(4):
                bench.link.send(batch)
                time.sleep(0.1)
            kept = 0
            while frames := bench.link.receive():
                kept += len(frames)
            assert kept == 8192
            bench.link.wait(0)
            assert verdicts(bench.ask(bench.syn([OPEN]), 1)) == {OPEN: True}
            bench.link.close()
            assert bench.link.statistics.dropped == 4 * count - kept
        finally:
            bench.link.close()


def _use(link: Link, batch: FrameBatch) -> None:
    for _ in range(3):
        link.wait(0.1)
        link.receive()
        link.send(batch)


@pytest.mark.parametrize("rings", [True, False])
def test_interface_going_down_is_a_link_error(rings: bool) -> None:
    with on_link_lab() as lab, inside(lab.scanner.name):
        bench = make_bench(lab.target_v4, rings=rings)
        batch = bench.syn([OPEN])
        lab.scanner.ip("link set eth0 down")
        with pytest.raises(LinkError, match="eth0"):
            _use(bench.link, batch)
        bench.link.close()
        with pytest.raises(LinkError, match="eth0"):
            bench.network.open_link(bench.route.interface, CaptureFilter(4, ip_address("10.77.0.1"), 1, 2))


ROUTES = [
    "route add default via 10.1.0.254 metric 100",
    "route add default via 10.2.0.254 metric 50",
    "route add 10.50.0.0/16 via 10.1.5.254",
    "route add 10.50.7.0/24 via 10.2.0.254 src 10.1.0.9",
    "route add unreachable 10.60.0.0/16",
    "route add blackhole 10.61.0.0/16",
    "route add 10.70.0.0/16 nexthop via 10.1.0.254 nexthop via 10.1.0.253",
    "route add 10.80.0.0/16 via 10.2.0.254 table 77",
    "route add throw 10.81.0.0/16 table 77",
    "rule add to 10.80.0.0/12 lookup 77 priority 100",
    "rule add fwmark 5 lookup 78 priority 99",
    "rule add not fwmark 6 lookup 79 priority 98",
    "route add 10.90.0.0/16 dev left0 table 79",
    "rule add lookup main suppress_prefixlength 0 priority 97",
    "rule add to 10.95.0.0/16 prohibit priority 96",
    "-6 route add default via 2001:db8:1::fe",
    "-6 route add 2001:db8:5::/48 via 2001:db8:2::fe",
    "-6 route add unreachable 2001:db8:6::/48",
    "-6 route add fd05::/16 via fd01::fe",
]
TARGETS = [
    "10.1.0.7",
    "10.1.5.7",
    "10.1.0.1",
    "10.1.0.9",
    "10.2.0.77",
    "10.50.1.1",
    "10.50.7.1",
    "10.60.1.1",
    "10.61.1.1",
    "10.70.0.1",
    "10.80.3.3",
    "10.81.0.1",
    "10.82.0.1",
    "10.90.0.1",
    "10.95.0.1",
    "8.8.8.8",
    "127.0.0.1",
    "127.3.2.1",
    "fd01::7",
    "fd01::1",
    "2001:db8:1::7",
    "2001:db8:2::1",
    "2001:db8:5::1",
    "2001:db8:6::1",
    "2620::1",
    "fd05::1",
    "::1",
]


def test_routes_agree_with_the_kernel() -> None:
    """Metrics, unreachable routes, policy rules and sources, each checked against ``ip route get``."""
    with namespaces("home", "left", "right") as (home, left, right):
        home.ip(
            "link add left0 type veth peer name x netns " + left.name,
            "link add right0 type veth peer name y netns " + right.name,
            "link set left0 up",
            "link set right0 up",
        )
        left.ip("link set x up")
        right.ip("link set y up")
        home.address("left0", "10.1.0.1/24", "10.1.0.9/24", "10.1.5.1/24", "fd01::1/64", "2001:db8:1::1/64")
        home.address("right0", "10.2.0.1/24", "2001:db8:2::1/64")
        home.ip(*ROUTES)
        with inside(home.name):
            network = KernelNetwork()
            for target in TARGETS:
                done = home.run("ip", "route", "get", target, check=False)
                hi, lo = columns_of([ip_address(target)])
                answer = network.routes(ip_address(target).version, hi, lo, {})
                if done.returncode or done.stdout.split()[0] in ("unreachable", "blackhole", "prohibit"):
                    assert list(answer.route_of) == [-1], (target, done.stdout)
                    continue
                words = done.stdout.split()
                assert list(answer.route_of) == [0], (target, done.stdout)
                route = answer.routes[0]
                expected = {name: words[words.index(name) + 1] for name in ("dev", "src", "via") if name in words}
                found = {"dev": route.interface.name, "src": str(route.source)}
                if route.gateway is not None:
                    found["via"] = str(route.gateway)
                assert found == expected, (target, done.stdout)
                assert route.local is (words[0] == "local"), target
            families = [[ip_address(each) for each in TARGETS if (":" in each) is flag] for flag in (False, True)]
            for family, addresses in zip((4, 6), families, strict=True):
                hi, lo = columns_of(addresses)
                together = network.routes(family, hi, lo, {})
                for row, address in enumerate(addresses):
                    alone = network.routes(family, hi[row : row + 1], lo[row : row + 1], {})
                    number = together.route_of[row]
                    assert address == address_of(family, int(hi[row]), int(lo[row]))
                    assert (number < 0) == (alone.route_of[0] < 0)
                    if number >= 0:
                        assert together.routes[number] == alone.routes[0]


TRY_AS_USER = """
from ipaddress import ip_address
from leadline.link.base import CaptureFilter
from leadline.link.kernel import KernelNetwork
from leadline.errors import PrivilegeError
network = KernelNetwork()
print(network.can_send_raw())
for interface in network.interfaces():
    try:
        network.open_link(interface, CaptureFilter(4, ip_address("127.0.0.1"), 1, 2)).close()
        print(interface.name, "opened")
    except PrivilegeError as error:
        print(interface.name, error)
"""


@pytest.mark.parametrize("capable", [True, False])
def test_raw_rights_are_tried(near: Lab, capable: bool) -> None:
    """CAP_NET_RAW alone is enough for rings and raw sockets; without it the error says what is missing."""
    command = as_user(sys.executable, "-c", TRY_AS_USER, capabilities=["net_raw"] if capable else [])
    lines = near.scanner.run(*command).stdout.splitlines()
    if capable:
        assert lines == ["True", "lo opened", "eth0 opened"]
    else:
        assert lines[0] == "False"
        assert all("CAP_NET_RAW" in line for line in lines[1:])
        assert len(lines) == 3
