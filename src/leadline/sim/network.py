"""The simulated network as one scan sees it: ``link.base.Network`` over a world."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_interface

import numpy as np

from leadline.errors import LinkError, PrivilegeError, UsageError
from leadline.link.base import CaptureFilter, Interface, RoutedTargets, Source
from leadline.model.address import U64, Address
from leadline.model.plan import PacketShape, Proxy
from leadline.sim.clock import CALL_COST, VirtualClock
from leadline.sim.connector import SimConnector
from leadline.sim.dialer import SimDialer
from leadline.sim.exchange import LOOPBACK, Exchange, Tally
from leadline.sim.faults import LinkFaults
from leadline.sim.link import SimLink
from leadline.sim.listener import Listener
from leadline.sim.resolver import SimResolver
from leadline.sim.routing import RouteTable
from leadline.sim.state import State
from leadline.sim.terrain import Terrain
from leadline.sim.world import SimInterface, World
from leadline.wire.batch import FrameBatch, concatenate

_LOOPBACK = SimInterface(
    name=LOOPBACK,
    addresses=((ip_address("127.0.0.1"), 8), (ip_address("::1"), 128)),
    mac=bytes(6),
    kind="loopback",
    mtu=65536,
    faults=LinkFaults(latency=0.000_01),
)


class SimNetwork:
    """A world at work, under its own virtual clock.

    ``seed`` (or ``random``) fixes every chance. ``frame_cost``: virtual seconds that sending one frame takes.
    ``wake``: how much later than an arrival a waiting scanner wakes up. ``send_room``: frames taken by one ``send``
    (``None``: all). ``ring``: frames that a link holds unread. ``in_flight``: frames on their way to one link; a
    flood beyond that is dropped, so memory stays bounded.
    Raises ``ValueError`` for a world that contradicts itself.
    """

    def __init__(
        self,
        world: World,
        seed: int = 0,
        *,
        random: np.random.Generator | None = None,
        clock: VirtualClock | None = None,
        frame_cost: float = 0.000_001_5,
        wake: float = 0.001,
        send_room: int | None = None,
        ring: int = 65_536,
        in_flight: int = 1 << 18,
    ) -> None:
        self.world = world
        self.clock = clock or VirtualClock()
        self.terrain = Terrain(world)
        self.state = State(self.terrain, random or np.random.default_rng(seed))
        self._sim_interfaces = {one.name: one for one in (*world.interfaces, _LOOPBACK)}
        self._interfaces = [_interface(one, index) for index, one in enumerate((_LOOPBACK, *world.interfaces), 1)]
        own = frozenset(address for one in self._sim_interfaces.values() for address, _ in one.addresses)
        self.exchange = Exchange(self.terrain, self.state, own)
        self._own = own
        self._frame_cost, self._send_room, self._wake = frame_cost, send_room, wake
        self._ring, self._in_flight = ring, in_flight
        self._links: list[SimLink] = []
        self._listeners: dict[tuple[int, int], Listener] = {}
        self._outgoing: list[tuple[str, FrameBatch]] = []
        # No answer is faster than twice the shortest cable, so batches may wait that long to be answered together.
        self._horizon = 2.0 * min(one.faults.latency for one in self._sim_interfaces.values())

    @property
    def tally(self) -> Tally:
        """What has become of all probes so far."""
        return self.exchange.tally

    def interfaces(self) -> list[Interface]:
        """Loopback first, then the world's."""
        return list(self._interfaces)

    def can_send_raw(self) -> bool:
        """As the world says."""
        return self.world.raw

    def rest(self, sources: Sequence[Source], until: float) -> None:
        """Move the clock to ``until``. Every rest takes ``CALL_COST`` at least: no loop stands still for ever."""
        self.clock.advance_to(max(until, self.clock.now() + CALL_COST))

    def neighbor(self, interface: Interface, address: Address) -> bytes | None:
        """Nothing is known beforehand: ARP and ND have to ask."""
        return None

    def resolver(self) -> SimResolver:
        """The names of this world, both directions."""
        return SimResolver(self.world)

    def connector(
        self, limit: int | None, proxies: tuple[Proxy, ...] = (), shape: PacketShape | None = None
    ) -> SimConnector:
        """Ordinary connections over this network; at most ``limit`` pending at once (1,000 without).

        Raises ``UsageError`` when they shall go through proxies: there are none here.
        """
        if proxies:
            raise UsageError("the simulated network has no proxies")
        _refuse(shape)
        capacity = 1000 if limit is None else max(1, min(limit, 1000))
        return SimConnector(self, capacity)

    def dialer(self, limit: int | None, proxies: tuple[Proxy, ...] = (), shape: PacketShape | None = None) -> SimDialer:
        """Dialogues with the services of this network; at most ``limit`` open at once (1,000 without).

        Raises ``UsageError`` for proxies: nobody in here relays connections.
        """
        if proxies:
            raise UsageError("the simulated network has no proxies: leave --proxies out")
        _refuse(shape)
        capacity = 1000 if limit is None else max(1, min(limit, 1000))
        return SimDialer(self, capacity, self._wake)

    def listener(self, host: int, port: int) -> Listener:
        """What all connections to one open TCP port share. ``host``: its number in the terrain."""
        key = host, port
        if key not in self._listeners:
            self._listeners[key] = Listener(self.terrain.service_of.get((host, 6, port)))
        return self._listeners[key]

    def is_own(self, address: Address) -> bool:
        """Whether an address is the scanner's: of one of its interfaces, or any of 127.0.0.0/8."""
        return address in self._own or (address.version == 4 and address.is_loopback)

    def open_link(self, interface: Interface, capture: CaptureFilter) -> SimLink:
        """Raises ``PrivilegeError`` in a world without raw links, ``LinkError`` for an interface down or unknown."""
        if not self.world.raw:
            raise PrivilegeError("this simulated world does not allow raw links")
        if interface.name not in self._sim_interfaces or not interface.up:
            raise LinkError(f"{interface.name}: no such interface, or it is down")
        if interface.by_kernel:
            raise UsageError("the simulated network takes frames only: leave --send-ip out")
        self.settle(None)
        link = SimLink(self, interface, capture, self._ring, self._in_flight, self._wake)
        self._links.append(link)
        return link

    def routes(self, family: int, hi: U64, lo: U64, scopes: dict[int, str]) -> RoutedTargets:
        """Own addresses over loopback, then connected networks by longest prefix, then the default gateway."""
        table = RouteTable(family, hi, lo)
        up = [one for one in self._interfaces if one.up]
        for interface in up[1:]:
            table.connected(interface)
            for gateway in self._sim_interfaces[interface.name].gateways:
                table.default(interface, gateway)
        for row, name in scopes.items():
            table.scoped(row, next((one for one in up if one.name == name), None))
        table.local(up[0], self._own)
        return RoutedTargets(table.routes, table.route_of)

    def boundaries(self, family: int) -> list[int]:
        """The connected networks, and this machine's own addresses."""
        prefixes = [ip_interface(f"{one}/{length}").network for i in self._interfaces for one, length in i.addresses]
        prefixes += [ip_interface(one).network for one in self._own]
        mine = [network for network in prefixes if network.version == family]
        ends = {int(network.network_address) for network in mine}
        ends |= {int(network.broadcast_address) + 1 for network in mine}
        return sorted(ends)

    def transmit(self, interface: Interface, batch: FrameBatch) -> int:
        """Take frames from a link; each costs ``frame_cost`` virtual seconds."""
        taken = len(batch) if self._send_room is None else min(len(batch), self._send_room)
        lengths = batch.lengths[:taken]
        start = self.clock.now()
        times = (start + self._frame_cost * np.arange(1, taken + 1)).astype(np.float64)
        self.clock.advance(self._frame_cost * taken)
        good = (lengths > interface.link_header) & (lengths <= interface.mtu + interface.link_header)
        frames = batch.frames[:taken][good]
        ends = np.minimum(lengths[good], frames.shape[1]).astype(np.int32)
        kept = FrameBatch(frames, ends, times[good], batch.offset)
        if len(kept):
            self._outgoing.append((interface.name, kept))
        return taken

    def settle(self, until: float | None) -> None:
        """Answer what was sent, unless nothing of it can be back by ``until``."""
        if not self._outgoing:
            return
        first = float(self._outgoing[0][1].times[0])
        if until is not None and until < first + self._horizon:
            return
        outgoing, self._outgoing = self._outgoing, []
        for name in dict.fromkeys(name for name, _ in outgoing):
            sent = concatenate([batch for owner, batch in outgoing if owner == name])
            listeners = [link for link in self._links if link.interface.name == name]
            interface = self._sim_interfaces[name]
            arriving = self.exchange.answer(interface, sent)
            if name == LOOPBACK:
                arriving.append(sent)
            for batch in arriving:
                for link in listeners:
                    link.deliver(batch)

    def detach(self, link: SimLink) -> None:
        """A link is closed: it gets nothing more."""
        self.settle(None)
        self._links = [one for one in self._links if one is not link]


def _refuse(shape: PacketShape | None) -> None:
    if shape is not None and shape.shapes_connections:
        raise UsageError(
            "connections in the simulated network have no headers: leave -S, -e, --ttl and --ip-options out"
        )


def _interface(one: SimInterface, index: int) -> Interface:
    return Interface(one.name, index, one.kind, one.link_header, one.mtu, one.mac, one.up, one.addresses)
