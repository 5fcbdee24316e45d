"""What a frame can be, and the headers that several decoders read."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from leadline.wire.gather import Group, Mask, layout


class Kind(IntEnum):
    """What a frame is. ``OTHER``: not decodable, or nothing a scanner asks for; all its columns are zero."""

    OTHER = 0
    TCP = 1
    UDP = 2
    SCTP = 3
    ICMP_ECHO_REQUEST = 4
    ICMP_ECHO_REPLY = 5
    ICMP_TIMESTAMP_REQUEST = 6
    ICMP_TIMESTAMP_REPLY = 7
    ICMP_MASK_REQUEST = 8
    ICMP_MASK_REPLY = 9
    ICMP_ERROR = 10
    ICMP_OTHER = 11
    ARP_REQUEST = 12
    ARP_REPLY = 13
    ND_SOLICIT = 14
    ND_ADVERT = 15
    IP_OTHER = 16


IPV4 = layout(
    20,
    version_ihl=("u1", 0),
    total_length=(">u2", 2),
    ip_id=(">u2", 4),
    fragment=(">u2", 6),
    ttl=("u1", 8),
    protocol=("u1", 9),
    source=(">u4", 12),
    destination=(">u4", 16),
)
IPV6 = layout(
    40,
    version=("u1", 0),
    version_and_flow=(">u4", 0),
    payload_length=(">u2", 4),
    protocol=("u1", 6),
    ttl=("u1", 7),
    source_hi=(">u8", 8),
    source_lo=(">u8", 16),
    destination_hi=(">u8", 24),
    destination_lo=(">u8", 32),
)
# The first 8 bytes of TCP, UDP and SCTP: ports, then the sequence number, length and checksum, or verification tag.
PORTS = layout(8, source_port=(">u2", 0), destination_port=(">u2", 2), next=(">u4", 4))
ICMP = layout(8, type=("u1", 0), code=("u1", 1), identifier=(">u2", 4), sequence=(">u2", 6))
ICMP_PROTOCOLS = {4: 1, 6: 58}
_EXTENSION = layout(8, protocol=("u1", 0), length=("u1", 1), fragment=(">u2", 2))
# Extension headers (RFC 8200 section 4 and IANA's list): hop-by-hop, routing, fragment, authentication, destination,
# mobility, HIP, shim6.
_IS_EXTENSION = np.zeros(256, dtype=np.bool_)
_IS_EXTENSION[[0, 43, 44, 51, 60, 135, 139, 140]] = True
_FRAGMENT, _AUTHENTICATION = 44, 51
# RFC 8504 section 5.3 lets a host limit the chain; real ones have at most four.
_EXTENSION_PASSES = 8


def walk_extensions(group: Group, protocol: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Group, Mask]:
    """Past the IPv6 extension headers that begin at the group's start: protocol behind them, the group moved there, and
    which rows have one (not: cut off, a later fragment, an endless chain). Lengths: RFC 8200 section 4, RFC 4302.
    """
    good = np.ones(len(group), dtype=np.bool_)
    if not _IS_EXTENSION[protocol].any():
        return protocol, group, good
    protocol = protocol.copy()
    start = np.array(np.broadcast_to(np.asarray(group.start, dtype=np.int32), len(group)))
    for _ in range(_EXTENSION_PASSES):
        index = np.flatnonzero(_IS_EXTENSION[protocol] & good)
        if not len(index):
            break
        here = group.moved(start).picked(index)
        header = here.records(_EXTENSION)
        kind = protocol[index]
        length = header["length"].astype(np.int32)
        size = np.where(kind == _AUTHENTICATION, (length + 2) * 4, (length + 1) * 8).astype(np.int32)
        size[kind == _FRAGMENT] = 8
        later_fragment = (kind == _FRAGMENT) & (header["fragment"] >> 3 != 0)
        good[index] = here.reaches(size) & ~later_fragment
        protocol[index] = header["protocol"]
        start[index] += size
    good &= ~_IS_EXTENSION[protocol]
    return protocol, group.moved(start), good
