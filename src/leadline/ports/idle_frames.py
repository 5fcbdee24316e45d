"""The packets of an idle scan: questions to the zombie, packets that seem to come from it or from the target.

RFC 9293 section 3.10.7: a segment with ACK that belongs to no connection is answered by a RST whose sequence number is
the acknowledgment number that it brought. So each question carries its own, and only a RST that repeats it is believed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from leadline.engine.group import HostGroup
from leadline.model.address import columns_of
from leadline.model.tcp_flags import ACK, RST, SYN
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import Decoded, Kind
from leadline.wire.icmpv6 import Icmpv6
from leadline.wire.tag import Tagger
from leadline.wire.template import Framing, IpTemplate, TcpTemplate

ZOMBIE_WAY, TARGET_WAY = 0, 1
ECHO_REQUEST, ECHO_REPLY, TOO_BIG, ICMPV6 = 128, 129, 2, 58
# Spec sheet 5 and RFC 8200 section 5: an echo that fits the smallest link, and the claim that a link is smaller still.
ECHO_BYTES, CLAIMED_MTU = 1_218, 1_278
# Over IPv6, as of all our raw probes.
HOP_LIMIT = 255
_SEGMENT_SIZE = b"\x02\x04\x05\xb4"


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer of the zombie: which question it repeats, its identification, clock seconds, TTL."""

    serial: int
    number: int
    at: float
    ttl: int


class IdleFrames:
    """``zombie`` and ``target``: groups of one host each, of one family, with their routes and next hops.

    ``port``: of the zombie; ``ours``: the ports that questions come from; ``key``: of the tags.
    """

    def __init__(self, zombie: HostGroup, target: HostGroup, port: int, key: bytes, ours: range) -> None:
        self.zombie, self.target, self.port = zombie, target, port
        self._ours = ours
        self._tagger = Tagger(key)
        to_zombie, to_target = zombie.framing(), target.framing()
        self._question = TcpTemplate(to_zombie, SYN | ACK, 1024, _SEGMENT_SIZE)
        self._as_target = TcpTemplate(_from(to_zombie, target), SYN | ACK, 1024, _SEGMENT_SIZE)
        self._as_zombie = TcpTemplate(_from(to_target, zombie), SYN, 1024, _SEGMENT_SIZE)

    @property
    def bits(self) -> int:
        """Of an identification."""
        return 16 if self.zombie.family == 4 else 32

    def question(self, serial: int) -> FrameBatch:
        """A SYN/ACK from ourselves to the zombie."""
        tag = self._tag(serial)
        numbers = np.array([tag], dtype=np.uint32)
        return self._to_zombie(self._question, self._port_of(serial), ~numbers, numbers)

    def as_target(self, serial: int) -> FrameBatch:
        """The same, as if the target asked."""
        numbers = np.array([self._tag(serial)], dtype=np.uint32)
        return self._to_zombie(self._as_target, self._port_of(serial), ~numbers, numbers)

    def _to_zombie(
        self, template: TcpTemplate, port: int, sequence: np.ndarray, acknowledgment: np.ndarray
    ) -> FrameBatch:
        one, look = self.zombie, int(sequence[0])
        return template.build(
            one.hi,
            one.lo,
            self._macs(one),
            port,
            self.port,
            sequence,
            acknowledgment,
            self._ttl(sequence),
            look & 0xFFFF,
        )

    def _ttl(self, numbers: np.ndarray) -> np.ndarray:
        """As those of all our raw probes (spec sheet 2.1)."""
        drawn = 37 + numbers % 23 if self.zombie.family == 4 else np.full(len(numbers), HOP_LIMIT)
        return drawn.astype(np.uint8)

    def as_zombie(self, ports: tuple[int, ...], serial: int) -> FrameBatch:
        """SYNs to the target, as if the zombie wanted to connect. Its port is the source: there it answers."""
        count = len(ports)
        rows = np.zeros(count, dtype=np.int64)
        one = self.target
        numbers = self._tags(np.array([serial << 17 | port for port in ports], dtype=np.uint64))
        macs = self._macs(one)
        return self._as_zombie.build(
            one.hi[rows], one.lo[rows], None if macs is None else macs[rows], self.port,
            np.array(ports, dtype=np.int64), numbers, 0, self._ttl(numbers),
            (numbers & 0xFFFF).astype(np.uint16),
        )  # fmt: skip

    def echo(self, serial: int, as_target: bool) -> FrameBatch:
        """A large ICMPv6 echo request, whose answer a Packet Too Big can be about."""
        return self._message(self._echo(ECHO_REQUEST, serial), as_target)

    def too_big(self, serial: int, as_target: bool) -> FrameBatch:
        """A Packet Too Big about the answer to ``echo``, which asks for fragment headers (RFC 2460 section 5)."""
        zombie, asker = self.zombie.address(0).packed, self._asker(as_target)
        reply = self._echo(ECHO_REPLY, serial).emit(zombie, asker)
        header = b"\x60\0\0\0" + len(reply).to_bytes(2, "big") + bytes([ICMPV6, 64]) + zombie + asker
        quoted = (header + reply)[: 1280 - 48]
        return self._message(Icmpv6(TOO_BIG, 0, CLAIMED_MTU, quoted), as_target)

    def _echo(self, kind: int, serial: int) -> Icmpv6:
        return Icmpv6(kind, 0, self._tag(serial), bytes(ECHO_BYTES))

    def _asker(self, as_target: bool) -> bytes:
        return self.target.address(0).packed if as_target else self.zombie.route.source.packed

    def _message(self, message: Icmpv6, as_target: bool) -> FrameBatch:
        one, framing = self.zombie, self.zombie.framing()
        if as_target:
            framing = _from(framing, self.target)
        payload = message.emit(self._asker(as_target), one.address(0).packed)
        return IpTemplate(framing, ICMPV6, payload).build(one.hi, one.lo, self._macs(one), HOP_LIMIT, 0)

    def heard(self, frames: Decoded, serials: range) -> list[Heard]:
        """Answers to the questions in ``serials`` among captured frames."""
        zombie = self.zombie
        (hi,), (lo,) = columns_of([zombie.route.source])
        fits = (frames.kind == Kind.TCP) & ((frames.tcp_flags & RST) != 0) & (frames.source_port == self.port)
        fits &= (frames.source_hi == zombie.hi[0]) & (frames.source_lo == zombie.lo[0])
        fits &= (frames.destination_hi == hi) & (frames.destination_lo == lo)
        rows = np.flatnonzero(fits)
        if not len(rows):
            return []
        tags = self._tags(np.arange(serials.start, serials.stop, dtype=np.uint64))
        known = dict(zip(tags.tolist(), serials, strict=True))
        found = []
        # As many as there are questions under way: whoever floods us repeats none of the tags, or repeats itself.
        for row in rows[np.isin(frames.sequence[rows], tags)][: 4 * len(tags)].tolist():
            serial = known[int(frames.sequence[row])]
            if int(frames.destination_port[row]) == self._port_of(serial):
                number, at = int(frames.ip_id[row]), float(frames.times[row])
                found.append(Heard(serial, number, at, int(frames.ttl[row])))
        return found

    def _port_of(self, serial: int) -> int:
        return self._ours[serial % len(self._ours)]

    def _tag(self, serial: int) -> int:
        return int(self._tags(np.array([serial], dtype=np.uint64))[0])

    def _tags(self, salts: np.ndarray) -> np.ndarray:
        return self._tagger.tag32(self.zombie.hi[0], self.zombie.lo[0], salts)

    @staticmethod
    def _macs(group: HostGroup) -> np.ndarray | None:
        return group.macs if group.route.interface.link_header else None


def _from(framing: Framing, sender: HostGroup) -> Framing:
    return replace(framing, source_hi=int(sender.hi[0]), source_lo=int(sender.lo[0]))
