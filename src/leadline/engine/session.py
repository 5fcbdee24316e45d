"""What all stages of one scan share: the network, the time, the pace, the secrets and the open links."""

from __future__ import annotations

from dataclasses import field, replace

import numpy as np

from leadline.engine.codec import ProbeCodec
from leadline.engine.control import Control
from leadline.engine.fixed_port import FixedPortCodec
from leadline.engine.group import HostGroup
from leadline.engine.identity import SLOTS
from leadline.engine.outfit import Outfit
from leadline.engine.path_memory import PathMemory, recall, remember
from leadline.engine.payloads import Payloads
from leadline.engine.prober import Prober
from leadline.engine.progress import Board, ProgressMeter, Tally
from leadline.engine.rate import RateLimiter
from leadline.engine.shaper import ShapedLink
from leadline.engine.shared_link import SharedLink
from leadline.errors import LinkError
from leadline.link.base import CaptureFilter, Clock, LinkStatistics, Network, Route
from leadline.model.address import Address
from leadline.model.plan import PingKind, Plan, Technique, TimingPlan
from leadline.model.port import Protocol
from leadline.model.quick_dataclass import dataclass
from leadline.model.tcp_flags import SYN

# Source ports of discovery come first, those of the port scan after them: late replies of one never count for the
# other.
PORT_BLOCKS = 2
_WITH_PORTS = (Protocol.TCP, Protocol.UDP, Protocol.SCTP)
# Probes that a group may send at first, whatever others on the same path have on their way.
FIRST_WINDOW = 10.0
# Through proxies a connection is made of several, over paths that nobody measured: what is late is not lost.
PROXY_INITIAL_TIMEOUT = 4.0
PROXY_LEAST_TIMEOUT = 1.0


@dataclass(slots=True)
class Session:
    """``key``: 16 random bytes for the tags; ``first_port``: of ``PORT_BLOCKS * codec.SLOTS`` source ports;
    ``epoch``: clock seconds at which the scan began; ``generator``: the scan's only source of chance. ``broken``:
    the first link that failed; the scan went on without it. ``outfit``: the shape of all raw packets. ``payloads``: of
    UDP probes; ``zombies``: of an idle scan, by family, as groups of one host;
    ``relay``: the FTP server of a bounce scan.
    """

    plan: Plan
    network: Network
    control: Control
    raw: bool
    key: bytes
    first_port: int
    generator: np.random.Generator
    rate: RateLimiter
    epoch: float
    tally: Tally = field(default_factory=Tally)
    broken: LinkError | None = None
    outfit: Outfit = field(default_factory=Outfit)
    payloads: Payloads = field(default_factory=Payloads)
    zombies: dict[int, HostGroup] = field(default_factory=dict)
    relay: Address | None = None
    _paths: dict[tuple[str, int, bool, str], PathMemory] = field(default_factory=dict)
    _boards: dict[str, Board] = field(default_factory=dict)
    _at_work: dict[tuple[str, int, bool, str], Prober] = field(default_factory=dict)
    _links: dict[tuple[str, int, int], SharedLink] = field(default_factory=dict)
    _counted: LinkStatistics = field(default_factory=LinkStatistics)

    @property
    def clock(self) -> Clock:
        return self.network.clock

    @property
    def connection_timing(self) -> TimingPlan:
        """The timing of ordinary connections: the plan's, with proxies more patient up to ``max_rtt_timeout``."""
        timing = self.plan.timing
        if not self.plan.proxies:
            return timing
        initial = min(max(timing.initial_rtt_timeout, PROXY_INITIAL_TIMEOUT), timing.max_rtt_timeout)
        least = min(max(timing.min_rtt_timeout, PROXY_LEAST_TIMEOUT), initial)
        return replace(timing, initial_rtt_timeout=initial, min_rtt_timeout=least)

    def at(self) -> float:
        """Seconds since the scan began."""
        return self.network.clock.now() - self.epoch

    def meter(self, task: str, weight: float = 1.0) -> ProgressMeter:
        """Progress of a stage that begins now; ``weight``: of its work among others of the same task."""
        now = self.clock.now()
        board = self._boards.setdefault(task, Board(now))
        return ProgressMeter(task, self.tally, now, self.epoch, board, weight, self._boards)

    def expect(self, task: str, weight: float) -> None:
        """So much more work of a task waits for its turn (negative: it has begun); progress counts it."""
        board = self._boards.setdefault(task, Board(self.clock.now()))
        board.waiting = max(0.0, board.waiting + weight)

    def codec(self, group: HostGroup, first_port: int, flags: int = SYN) -> ProbeCodec:
        """A codec for a group, for probes in the outfit of this scan; see ``ProbeCodec``."""
        port = self.outfit.shape.source_port
        data = len(self.outfit.data or b"")
        # Data of the user's own takes the place of payloads (spec sheet 2.6).
        payloads = self.payloads if self.outfit.data is None else Payloads()
        if port is None:
            return ProbeCodec(group, self.key, first_port, payloads, flags, data, self.plan.adler32)
        return FixedPortCodec(group, self.key, first_port, payloads, flags, data, self.plan.adler32, fixed_port=port)

    def link(self, route: Route) -> SharedLink:
        """The link to a route's interface; opened on first use and kept for the whole scan."""
        family = route.source.version
        key = (route.interface.name, family, int(route.source))
        if key not in self._links:
            fixed = self.outfit.shape.source_port
            capture = CaptureFilter(
                family=family,
                source=route.source,
                first_port=self.first_port if fixed is None else fixed,
                last_port=self.first_port + PORT_BLOCKS * SLOTS - 1 if fixed is None else fixed,
                neighbors=route.interface.kind == "ethernet",
                protocols=self._protocols(),
                promiscuous=self.outfit.hears_others and route.interface.kind == "ethernet",
            )
            link, shape = self.network.open_link(route.interface, capture), self.outfit.frames(family)
            self._links[key] = SharedLink(ShapedLink(link, shape, self.clock) if shape.changes else link)
        return self._links[key]

    def recall(self, route: Route, kind: str, prober: Prober) -> None:
        """Let a prober begin where the last group of the same ``kind`` of probes on the same path ended, or is now."""
        key = self._path(route, kind)
        before = self._at_work.get(key)
        if before is not None and not before.done:
            self._paths[key] = remember(before)
        recall(prober, self._paths.get(key))
        if before is not None and not before.done:
            # The path is shared: what is on its way to the other group leaves that much less room at the beginning.
            window = prober.windows.cwnd
            window[-1] = max(min(window[-1], FIRST_WINDOW), window[-1] - before.in_flight[-1])
        self._at_work[key] = prober

    def remember(self, route: Route, kind: str, prober: Prober) -> None:
        """Keep what this group learnt of its path."""
        self._paths[self._path(route, kind)] = remember(prober)

    @staticmethod
    def _path(route: Route, kind: str) -> tuple[str, int, bool, str]:
        return route.interface.name, route.source.version, route.on_link, kind

    def _protocols(self) -> tuple[int, ...]:
        """Protocol pings and the protocol scan are answered with packets of the same protocol, some by their ports."""
        probes = self.plan.discovery.probes_v4 + self.plan.discovery.probes_v6
        numbers = {probe.number for probe in probes if probe.kind is PingKind.IP_PROTOCOL}
        if Technique.IP_PROTOCOL in self.plan.ports.techniques:
            # Targets may name protocols of their own.
            numbers |= set(range(256))
        return tuple(sorted(numbers - set(_WITH_PORTS)))

    def release(self, link: SharedLink) -> None:
        """Close a link that has done its work, if no machine reads from it; whoever wants it again opens it again.

        The kernel takes its time over that, and whatever else there is to do can be done meanwhile.
        """
        for key, known in list(self._links.items()):
            if known is link and not link.is_read:
                del self._links[key]
                self._count(link)
                link.close()

    def close(self) -> LinkStatistics:
        """Close all links; returns what they counted together, bytes without link headers (as Nmap counts them)."""
        for link in self._links.values():
            self._count(link)
            link.close()
        self._links.clear()
        return self._counted

    def _count(self, link: SharedLink) -> None:
        counted, header, total = link.statistics, link.interface.link_header, self._counted
        total.sent += counted.sent
        total.sent_bytes += counted.sent_bytes - header * counted.sent
        total.received += counted.received
        total.received_bytes += counted.received_bytes - header * counted.received
        total.dropped += counted.dropped
        total.send_failures += counted.send_failures
