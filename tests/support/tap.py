"""Simulated hosts for real programs: a tap device in a network namespace, whose far end is the simulator in real time.

``simulated_lab(world)`` gives a namespace with one Ethernet interface, the world's first. Whatever is sent there, by
Nmap, by our own rings or by the kernel's sockets, is answered by ``sim.exchange``: ARP and neighbour discovery, hosts,
routers, firewalls, loss, limits. For what this machine's kernel has not got: SCTP, foreign IP identifications, stacks
that leave the standards. Run as a program this file is the far end; it is fed by the lab.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pickle
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from ipaddress import ip_address, ip_network
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from leadline.sim.arrivals import Arrivals
from leadline.sim.exchange import Exchange
from leadline.sim.faults import NO_FAULTS, LinkFaults
from leadline.sim.state import State
from leadline.sim.terrain import Terrain
from leadline.sim.world import SimHost, SimInterface, SimRouter, SimSubnet, World
from leadline.wire.batch import FrameBatch
from tests.support.inside import inside
from tests.support.netns import ROOT, Namespace, namespaces

# From the kernel's include/uapi/linux/if_tun.h.
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
# Frames that wait in the device: more than a scanner sends while the simulator computes.
_QUEUE = 50_000
_MOST_READ = 1024
_FRAME = 1514
_MOST_KEPT = 20_000
# Where the kernel's own connections come from: below the source ports of Nmap and of our raw probes.
_KERNEL_PORTS = 20_000, 29_999
_TCP, _SYN = 6, 2


@dataclass(slots=True)
class SimLab:
    """A namespace that sees a simulated world through one interface."""

    scanner: Namespace
    world: World
    _far_end: subprocess.Popen[bytes]

    def tally(self) -> dict[str, int]:
        """What has become of the probes so far: the fields of ``sim.exchange.Tally``."""
        answer: dict[str, int] = json.loads(self._ask(b"?"))
        return answer

    def frames(self) -> list[bytes]:
        """What the scanner sent since the last call, as the far end got it (the first ``_MOST_KEPT``).

        Frames that leave by a ring do not pass those who listen on the same interface: here they are seen.
        """
        return [bytes.fromhex(frame) for frame in json.loads(self._ask(b"f"))]

    def _ask(self, order: bytes) -> bytes:
        assert self._far_end.stdin is not None
        assert self._far_end.stdout is not None
        self._far_end.stdin.write(order)
        self._far_end.stdin.flush()
        return self._far_end.stdout.readline()


def tap_world(
    hosts: Iterable[SimHost],
    *,
    faults: LinkFaults = NO_FAULTS,
    router: SimRouter | None = None,
) -> World:
    """Hosts for a tap: 10.66.0.0/16 and fd66::/64 are on the link, 10.67.0.0/16 and fd67::/64 behind a router.

    The scanner is .0.1 and ::1. ``faults``: of the way to on-link hosts and, behind the router, to the others.
    ``router``: another one than the plain router 10.66.255.254 / fd66::fffe.
    """
    gateways = ip_address("10.66.255.254"), ip_address("fd66::fffe")
    router = router or SimRouter(SimHost(addresses=gateways, mac=b"\x02\x66\x00\x00\x00\xfe"))
    interface = SimInterface(
        name="tap0",
        addresses=((ip_address("10.66.0.1"), 16), (ip_address("fd66::1"), 64)),
        gateways=tuple(gateways),
        mac=b"\x02\x66\x00\x00\x00\x01",
    )
    near = [SimSubnet(ip_network(net), faults=faults, interface="tap0") for net in ("10.66.0.0/16", "fd66::/64")]
    far = [SimSubnet(ip_network(net), (router,), faults, "tap0") for net in ("10.67.0.0/16", "fd67::/64")]
    return World(interfaces=(interface,), subnets=(*near, *far), hosts=tuple(hosts))


@contextlib.contextmanager
def simulated_lab(world: World, seed: int = 0) -> Iterator[SimLab]:
    """The world at work behind a tap device in a namespace of its own, until the block is left."""
    interface = world.interfaces[0]
    with namespaces("tapped") as (scanner,), contextlib.ExitStack() as stack:
        device = _open_tap(scanner, interface.name)
        try:
            _set_up(scanner, interface)
            far_end = subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.support.tap", str(device)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(device,),
                env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
                cwd=ROOT,
            )
        finally:
            os.close(device)
        stack.callback(_end, far_end)
        assert far_end.stdin is not None
        assert far_end.stdout is not None
        order = pickle.dumps((world, seed))
        far_end.stdin.write(struct.pack("!I", len(order)) + order)
        far_end.stdin.flush()
        if far_end.stdout.readline() != b"ready\n":
            raise RuntimeError("the simulated end of the tap did not start")
        yield SimLab(scanner, world, far_end)


def _open_tap(scanner: Namespace, name: str) -> int:
    with inside(scanner.name):
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    # A device belongs to the namespace in which the file was opened.
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return device


def _set_up(scanner: Namespace, interface: SimInterface) -> None:
    mac = ":".join(f"{byte:02x}" for byte in interface.mac)
    scanner.sysctl(f"net/ipv6/conf/{interface.name}/accept_dad", "0")
    scanner.sysctl("net/ipv4/ip_local_port_range", " ".join(map(str, _KERNEL_PORTS)))
    scanner.ip(
        f"link set {interface.name} address {mac} mtu {interface.mtu} txqueuelen {_QUEUE}",
        f"link set {interface.name} up",
    )
    scanner.address(interface.name, *(f"{address}/{length}" for address, length in interface.addresses))
    for gateway in interface.gateways:
        scanner.ip(f"{'-6 ' if gateway.version == 6 else ''}route add default via {gateway}")


def _end(far_end: subprocess.Popen[bytes]) -> None:
    far_end.kill()
    far_end.communicate()


class FarEnd:
    """Reads frames from a tap device, has them answered, and writes each answer when its time has come."""

    def __init__(self, device: int, world: World, seed: int) -> None:
        self._device = device
        self._interface = world.interfaces[0]
        terrain = Terrain(world)
        own = frozenset(address for one in world.interfaces for address, _ in one.addresses)
        self.exchange = Exchange(terrain, State(terrain, np.random.default_rng(seed)), own)
        self._arrivals = Arrivals(14, 1 << 18)
        self._room = np.zeros((_MOST_READ, _FRAME), np.uint8)
        self._kept: list[str] = []

    def serve(self, orders: BinaryIO) -> None:
        """Go on until ``orders`` ends; each byte of it asks for the tally or the frames, a line of JSON."""
        while True:
            following = self._arrivals.next_time()
            timeout = None if following is None else max(0.0, following - time.monotonic())
            ready, _, _ = select.select([self._device, orders], [], [], timeout)
            if self._device in ready:
                self._take_in()
            self._give_out()
            if orders in ready:
                order = os.read(orders.fileno(), 1)
                if not order:
                    return
                print(json.dumps(self._kept if order == b"f" else asdict(self.exchange.tally)), flush=True)
                if order == b"f":
                    self._kept.clear()

    def _take_in(self) -> None:
        lengths: list[int] = []
        with contextlib.suppress(BlockingIOError):
            while len(lengths) < _MOST_READ:
                lengths.append(os.readv(self._device, [self._room[len(lengths)]]))
        if not lengths:
            return
        count = len(lengths)
        frames = self._room[:count, : max(68, *lengths)]
        for row in range(min(count, _MOST_KEPT - len(self._kept))):
            self._kept.append(frames[row, : lengths[row]].tobytes().hex())
        kept = ~_goes_on(frames)
        times = np.full(int(kept.sum()), time.monotonic())
        sent = FrameBatch(frames[kept], np.array(lengths, np.int32)[kept], times, 14)
        for answers in self.exchange.answer(self._interface, sent):
            self._arrivals.push(answers)

    def _give_out(self) -> None:
        due = self._arrivals.take(time.monotonic())
        for row in range(len(due)):
            with contextlib.suppress(OSError):
                os.write(self._device, due.row(row))


def _goes_on(frames: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What the kernel sends in connections that are there: simulated hosts keep none, they would reset them."""
    is_v4 = (frames[:, 12] == 0x08) & (frames[:, 13] == 0x00) & (frames[:, 23] == _TCP)
    is_v6 = (frames[:, 12] == 0x86) & (frames[:, 13] == 0xDD) & (frames[:, 20] == _TCP)
    result = np.zeros(len(frames), np.bool_)
    for rows, start in ((is_v4, 34), (is_v6, 54)):
        port = frames[:, start].astype(np.int32) << 8 | frames[:, start + 1]
        of_kernel = (port >= _KERNEL_PORTS[0]) & (port <= _KERNEL_PORTS[1])
        result |= rows & of_kernel & (frames[:, start + 13] & _SYN == 0)
    return result


def main() -> None:
    """``tap.py DESCRIPTOR``: serve what standard input describes, see ``simulated_lab``."""
    orders = sys.stdin.buffer.raw if hasattr(sys.stdin.buffer, "raw") else sys.stdin.buffer
    with open(orders.fileno(), "rb", buffering=0, closefd=False) as source:
        (length,) = struct.unpack("!I", _exactly(source, 4))
        world, seed = pickle.loads(_exactly(source, length))
        far_end = FarEnd(int(sys.argv[1]), world, seed)
        print("ready", flush=True)
        far_end.serve(source)


def _exactly(source: BinaryIO, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = source.read(count - len(data))
        if not more:
            raise EOFError("the order was cut off")
        data += more
    return data


if __name__ == "__main__":
    main()
