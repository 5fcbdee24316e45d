"""What the parts of a probe's keyed tag are used for, and how an ICMP error repeats the smallest of them.

The upper half is a sequence or acknowledgment number, or an SCTP tag; what is an IP identification, a flow label or a
time to live comes from the lower half.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64
from leadline.wire.columns import Decoded

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
Bool = NDArray[np.bool_]

# What of a tag an IP identification and an IPv6 flow label hold.
IP_ID_MASK, FLOW_MASK = np.uint64(0xFFFF), np.uint64(0xFFFFF)


def number_of(tags: U64) -> U32:
    """A sequence number."""
    return (tags >> np.uint64(32)).astype(np.uint32)


def ip_id_of(tags: U64) -> U16:
    """An IP identification, or the identifier of an ICMP echo."""
    return (tags & IP_ID_MASK).astype(np.uint16)


def ttl_of(tags: U64) -> U8:
    """A time to live in the range of those of Nmap's probes: 37 to 59."""
    return (37 + (tags >> np.uint64(16)) % np.uint64(23)).astype(np.uint8)


def quoted_ip_id(ip_ids: U16, frames: Decoded, rows: I64) -> Bool:
    """Which errors quote these IP identifications (RFC 791). Some old stacks quote them with their bytes exchanged."""
    told = frames.quoted_ip_id[rows].astype(np.uint16)
    result: Bool = (told == ip_ids) | (told.byteswap() == ip_ids)
    return result
