"""What the machines of all raw stages have in common: prober in front, codec behind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from leadline.engine.codec import ProbeCodec
from leadline.engine.decisions import as_events
from leadline.engine.group import HostGroup
from leadline.engine.identity import PING_SLOT
from leadline.engine.ledger import CODES
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.prober import Prober
from leadline.engine.replies import Replies
from leadline.engine.sends import PING, Sends
from leadline.model.event import Event
from leadline.wire.batch import FrameBatch, empty
from leadline.wire.columns import Decoded, decode
from leadline.wire.distinct import distinct_rows

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]


# A reply without code that comes sooner after a retry answers the try before (seconds, spec sheet 2.6).
TOO_FAST = 0.025


class RawMachine(ABC):
    """A stage on one host group over one link, sans-IO: time is an argument.

    A ``Prober`` says what is due, a ``ProbeCodec`` makes frames of it; a stage says what its columns are and what
    answers mean. ``epoch``: clock seconds at which the scan began (event times count from it).
    """

    def __init__(self, group: HostGroup, prober: Prober, codec: ProbeCodec, epoch: float) -> None:
        self.group, self.prober, self.codec, self.epoch = group, prober, codec, epoch
        prober.trips.seed(group.srtt, group.rttvar)
        self._events: list[Event] = []
        # Kind and port of the TTL-limited probes.
        self._hop_probe = 0, 0
        # What ``interpret`` looks at, for what the columns do not tell; its memory is the link's.
        self._captured = empty(group.route.interface.link_header)

    @abstractmethod
    def probes(self, sends: Sends) -> tuple[U8, I64]:
        """Kinds and ports of item probes (``PING`` rows are replaced by each host's ping probe)."""

    @abstractmethod
    def interpret(self, frames: Decoded, replies: Replies, now: float) -> None:
        """Take answers to item probes (the slots are tries here, never pings)."""

    def poll(self, now: float, room: int) -> FrameBatch | None:
        """Frames to send now, at most ``room``."""
        sends = self.prober.take(now, room)
        if sends is None:
            return None
        kinds, ports = self.probes(sends)
        ping = sends.columns == PING
        if ping.any():
            kinds = np.where(ping, self.group.ping_kind[sends.hosts], kinds).astype(np.uint8)
            ports = np.where(ping, self.group.ping_port[sends.hosts], ports)
        limited = sends.ttls > 0
        if limited.any():
            row = int(np.argmax(limited))
            self._hop_probe = int(kinds[row]), int(ports[row])
        slots = sends.codes.astype(np.int64) + np.where(ping | limited, PING_SLOT, 0)
        return self.codec.build(kinds, sends.hosts, ports, slots, sends.ttls if limited.any() else None)

    def receive(self, frames: FrameBatch, now: float) -> None:
        """Captured frames; whatever is not an answer to something sent is dropped."""
        if not len(frames):
            return
        decoded = decode(frames)
        self._captured = frames
        replies = self.codec.match(decoded)
        if not len(replies):
            return
        ping = replies.slots >= PING_SLOT
        untagged = replies.slots < 0
        if untagged.any():
            group, hosts = self.group, replies.hosts
            ping |= untagged & (replies.kinds == group.ping_kind[hosts]) & (replies.ports == group.ping_port[hosts])
        if ping.any():
            if self._hop_probe[0]:
                self._take_hops(decoded, replies.pick(ping & replies.error), now)
            self._take_pings(decoded, replies.pick(ping & ~replies.error), now)
            replies = replies.pick(~ping)
        if len(replies):
            self.interpret(decoded, replies, now)

    def _take_hops(self, frames: Decoded, replies: Replies, now: float) -> None:
        """Time exceeded in transit (RFC 792, RFC 4443 section 3.3) for our TTL-limited probes."""
        hop = self.prober.path.hop
        family, kind, code = (column[replies.rows] for column in (frames.family, frames.icmp_type, frames.icmp_code))
        fits = (kind == np.where(family == 4, 11, 3)) & (code == 0) & (replies.slots >= PING_SLOT)
        fits &= (replies.kinds == self._hop_probe[0]) & (replies.ports == self._hop_probe[1])
        if hop is not None and fits.any():
            codes = (replies.slots[fits & (replies.hosts == hop.host)] % CODES).astype(np.uint8)
            self.prober.path.hop_answered(codes, now)

    def _take_pings(self, frames: Decoded, replies: Replies, now: float) -> None:
        group = self.group
        fits = (replies.kinds == group.ping_kind[replies.hosts]) & (replies.ports == group.ping_port[replies.hosts])
        replies = replies.pick(fits)
        if not len(replies):
            return
        codes = (replies.slots % CODES).astype(np.uint8)
        untagged = replies.slots < 0
        if untagged.any():
            codes[untagged] = self.prober.pings.latest(replies.hosts[untagged])
        self.prober.ping_answered(replies.hosts, codes, frames.times[replies.rows], now)

    def codes_of(self, replies: Replies, columns: I64, times: NDArray[np.float64]) -> U8:
        """Try codes of replies received at ``times``.

        A reply that carries no code is an answer to the latest try, or to the one before when the latest has only
        just been sent (spec sheet 2.6).
        """
        prober = self.prober
        items = replies.hosts * prober.width + columns
        tries = prober.items.tries[items].astype(np.int64)
        latest = (np.maximum(tries, 1) - 1) % CODES
        untagged = replies.slots < 0
        if untagged.any():
            age = prober.items.round_trip(items, latest.astype(np.uint8), times)
            latest = np.where((age < TOO_FAST) & (tries > 1), (tries - 2) % CODES, latest)
        return np.where(untagged, latest, replies.slots % CODES).astype(np.uint8)

    def teach_ping(self, hosts: I64, kinds: U8, ports: I64, scores: NDArray[np.int16]) -> None:
        """These probes were answered: they may serve as timing pings (repeats allowed)."""
        better = scores > self.prober.pings.score[hosts]
        if not better.any():
            return
        hosts, kinds, ports, scores = hosts[better], kinds[better], ports[better], scores[better]
        best = np.lexsort((-scores, hosts))
        unique, first = distinct_rows(hosts[best])
        rows = best[first]
        better = self.prober.pings.teach(unique, scores[rows])
        # Answers to the old probe will no longer be recognised as pings: that must not count as loss.
        self.prober.forget_pings(unique[better])
        self.group.ping_kind[unique[better]] = kinds[rows[better]]
        self.group.ping_port[unique[better]] = ports[rows[better]]

    def next_timer(self, now: float) -> float | None:
        """When ``poll`` wants to be called again at the latest; ``None``: not before a frame arrives."""
        return self.prober.next_timer(now)

    def events(self) -> Iterator[Event]:
        """What became known since the last call."""
        taken, self._events = self._events, []
        yield from taken
        yield from as_events(self.prober.decisions(), self.epoch, self.group.address)

    @property
    def done(self) -> bool:
        return self.prober.done


# How good a probe is as a timing ping once it was answered (spec sheet 2.5).
PING_SCORES: dict[ProbeKind, int] = {
    ProbeKind.TCP_ACK: 60,
    ProbeKind.TCP_FLAGS: 60,
    ProbeKind.ICMP_ECHO: 50,
    ProbeKind.ICMP_TIMESTAMP: 50,
    ProbeKind.ICMP_ADDRESS_MASK: 50,
    ProbeKind.ARP: 40,
    ProbeKind.NEIGHBOR: 40,
    ProbeKind.TCP_SYN: 30,
    ProbeKind.UDP: 20,
    ProbeKind.IP_PROTOCOL: 20,
    ProbeKind.SCTP_INIT: 30,
    ProbeKind.SCTP_COOKIE: 60,
}
