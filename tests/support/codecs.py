"""Codecs of small groups: probes as frames, and what of the replies is believed."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from leadline.engine.codec import ProbeCodec
from leadline.engine.group import HostGroup
from leadline.engine.identity import SLOTS
from leadline.engine.payloads import Payloads
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.replies import Replies
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import decode
from tests.support.groups import MAC, PEER, batch_of

KEY = bytes(range(16))
PORT = 40_000
ICMP_KINDS = [ProbeKind.ICMP_ECHO, ProbeKind.ICMP_TIMESTAMP, ProbeKind.ICMP_ADDRESS_MASK]
TCP_KINDS = [ProbeKind.TCP_SYN, ProbeKind.TCP_ACK, ProbeKind.TCP_FLAGS]
FIN = 1

probes = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 65535), st.integers(0, SLOTS - 1)), min_size=1, max_size=8, unique=True
)
"""(host, port, slot) of some probes to a group of three."""


def codec_of(
    group: HostGroup, key: bytes = KEY, first_port: int = PORT, *, payloads: Payloads | None = None,
    flags: int = FIN,
) -> ProbeCodec:  # fmt: skip
    """A codec with source ports from ``PORT`` on."""
    return ProbeCodec(group, key, first_port, payloads, flags)


def build(codec: ProbeCodec, kind: ProbeKind, *probes: tuple[int, int, int]) -> FrameBatch:
    """Frames of (host, port, slot) probes."""
    hosts, ports, slots = np.array(probes, dtype=np.int64).T
    return codec.build(np.full(len(probes), int(kind), dtype=np.uint8), hosts, ports, slots)


def match(codec: ProbeCodec, replies: list[Packet], offset: int = 14) -> list[tuple[int, int, int, int, bool, bool]]:
    """(host, kind, port, slot, error, from target) of each reply that is believed."""
    found = codec.match(decode(batch_of(replies, offset)))
    return rows_of(found)


def rows_of(found: Replies) -> list[tuple[int, int, int, int, bool, bool]]:
    """(host, kind, port, slot, error, from target) of each."""
    columns = (found.hosts, found.kinds, found.ports, found.slots, found.error, found.from_target)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def on_wire(packet: Packet) -> Packet:
    """An IP packet from the peer, in a frame to us."""
    return Ether(src=PEER, dst=MAC) / packet[IP]
