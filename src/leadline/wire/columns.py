"""Captured frames into columns: every field a classifier asks for, for N frames at once.

Total over all inputs: no bytes, lengths or widths make ``decode`` raise. Checksums are not verified here (the kernel
and the network card have often left them unfinished); the keyed tag decides what is believed.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from leadline.model.quick_dataclass import dataclass
from leadline.wire.batch import FrameBatch
from leadline.wire.gather import Group, Store, layout, select, uniform
from leadline.wire.header_columns import IPV4, IPV6, Kind, walk_extensions
from leadline.wire.transport_columns import put_transport

__all__ = ["Decoded", "Kind", "decode"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """Columns of N frames, all ``(N,)`` (``mac``: ``(N, 6)``), host byte order, read-only; zero where not applicable.

    Rows of kind ``OTHER`` (damaged or cut-off headers, later fragments, unknown link protocols) are zero everywhere but
    in ``times``. ``family`` 4 or 6. Addresses as in ``model.address``; of ARP: the protocol addresses of sender and
    target. ``total_length``: bytes of the IP packet as its header says, with the IP header, in both families.
    ``protocol``: of the transport header, behind any extension headers. ``ip_id`` of IPv6: of a fragment header that
    comes first. ``tcp_flags``: 9 bits. Of SCTP ``sequence`` is the verification tag, ``chunk_type`` and ``chunk_flags``
    are of the first chunk (``wire.sctp.NO_CHUNK`` without one), and ``acknowledgment`` is the initiate tag if that is
    INIT or INIT-ACK. ``icmp_id`` and ``icmp_sequence``: bytes 4-5 and 6-7 of any ICMP message (a next-hop MTU is in
    ``icmp_sequence``). The transport's payload is
    ``frames[i, payload_start[i]:payload_end[i]]`` (cut where the capture was cut). ``mac``: ARP's sender hardware
    address, the target link-layer address option of an advertisement, else the Ethernet source. ``target``: of
    neighbour discovery. ``quoted_*``: the packet inside an ICMP error, to be read where ``quoted_valid``;
    ``quoted_sequence``: bytes 4-7 of its transport header; ``quoted_acknowledgment``: bytes 8-11 of TCP's, the initiate
    tag of an SCTP packet that begins with INIT, to be read where ``quoted_longer``; ``quoted_ip_id``: of IPv6 the flow
    label. ``times``: as in the batch.
    """

    kind: NDArray[np.uint8]
    family: NDArray[np.uint8]
    source_hi: NDArray[np.uint64]
    source_lo: NDArray[np.uint64]
    destination_hi: NDArray[np.uint64]
    destination_lo: NDArray[np.uint64]
    protocol: NDArray[np.uint8]
    ttl: NDArray[np.uint8]
    ip_id: NDArray[np.uint32]
    total_length: NDArray[np.int32]
    source_port: NDArray[np.uint16]
    destination_port: NDArray[np.uint16]
    sequence: NDArray[np.uint32]
    acknowledgment: NDArray[np.uint32]
    tcp_flags: NDArray[np.uint16]
    window: NDArray[np.uint16]
    chunk_type: NDArray[np.uint8]
    chunk_flags: NDArray[np.uint8]
    icmp_type: NDArray[np.uint8]
    icmp_code: NDArray[np.uint8]
    icmp_id: NDArray[np.uint16]
    icmp_sequence: NDArray[np.uint16]
    payload_start: NDArray[np.int32]
    payload_end: NDArray[np.int32]
    mac: NDArray[np.uint8]
    target_hi: NDArray[np.uint64]
    target_lo: NDArray[np.uint64]
    quoted_valid: NDArray[np.bool_]
    quoted_protocol: NDArray[np.uint8]
    quoted_source_hi: NDArray[np.uint64]
    quoted_source_lo: NDArray[np.uint64]
    quoted_destination_hi: NDArray[np.uint64]
    quoted_destination_lo: NDArray[np.uint64]
    quoted_source_port: NDArray[np.uint16]
    quoted_destination_port: NDArray[np.uint16]
    quoted_sequence: NDArray[np.uint32]
    quoted_acknowledgment: NDArray[np.uint32]
    quoted_longer: NDArray[np.bool_]
    quoted_icmp_id: NDArray[np.uint16]
    quoted_icmp_sequence: NDArray[np.uint16]
    quoted_ip_id: NDArray[np.uint32]
    quoted_ttl: NDArray[np.uint8]
    times: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.kind)


_TYPES: dict[str, type[np.generic]] = {
    "kind": np.uint8,
    "family": np.uint8,
    "source_hi": np.uint64,
    "source_lo": np.uint64,
    "destination_hi": np.uint64,
    "destination_lo": np.uint64,
    "protocol": np.uint8,
    "ttl": np.uint8,
    "ip_id": np.uint32,
    "total_length": np.int32,
    "source_port": np.uint16,
    "destination_port": np.uint16,
    "sequence": np.uint32,
    "acknowledgment": np.uint32,
    "tcp_flags": np.uint16,
    "window": np.uint16,
    "chunk_type": np.uint8,
    "chunk_flags": np.uint8,
    "icmp_type": np.uint8,
    "icmp_code": np.uint8,
    "icmp_id": np.uint16,
    "icmp_sequence": np.uint16,
    "payload_start": np.int32,
    "payload_end": np.int32,
    "mac": np.uint8,
    "target_hi": np.uint64,
    "target_lo": np.uint64,
    "quoted_valid": np.bool_,
    "quoted_protocol": np.uint8,
    "quoted_source_hi": np.uint64,
    "quoted_source_lo": np.uint64,
    "quoted_destination_hi": np.uint64,
    "quoted_destination_lo": np.uint64,
    "quoted_source_port": np.uint16,
    "quoted_destination_port": np.uint16,
    "quoted_sequence": np.uint32,
    "quoted_acknowledgment": np.uint32,
    "quoted_longer": np.bool_,
    "quoted_icmp_id": np.uint16,
    "quoted_icmp_sequence": np.uint16,
    "quoted_ip_id": np.uint32,
    "quoted_ttl": np.uint8,
}

_ETHERNET = layout(14, mac=("6u1", 6), protocol=(">u2", 12))
_VERSION = layout(1, version=("u1", 0))
_ARP = layout(
    28,
    hardware=(">u2", 0),
    protocol=(">u2", 2),
    sizes=(">u2", 4),
    operation=(">u2", 6),
    sender_mac=("6u1", 8),
    sender=(">u4", 14),
    target=(">u4", 24),
)
# RFC 8200 section 4.5: the identification is the last word of a fragment header.
_NUMBER = layout(4, ip_id=(">u4", 0))
_FRAGMENT = 44
_IPV4_TYPE, _ARP_TYPE, _IPV6_TYPE = 0x0800, 0x0806, 0x86DD


def decode(batch: FrameBatch) -> Decoded:
    """All columns of a batch. The result holds no reference to the batch's memory."""
    count = len(batch)
    frames = batch.frames
    store = Store(count, _TYPES)
    if count and frames.shape[1] > batch.offset:
        if frames.strides[1] != 1:
            frames = np.ascontiguousarray(frames)
        ends = np.minimum(batch.lengths, np.int32(frames.shape[1]))
        _put_all(store, Group(frames, None, batch.offset, ends))
        unknown = np.flatnonzero(store.get("kind", None) == Kind.OTHER)
        if len(unknown):
            store.clear(unknown)
    # The store holds exactly the columns of Decoded, in the types of the table above (a test compares them).
    columns = cast("dict[str, Any]", store.finished())
    return Decoded(times=np.array(batch.times, dtype=np.float64), **columns)


def _put_all(store: Store, frames: Group) -> None:
    """Tell the network protocols apart: by Ethernet type, or by the IP version where there is no link header."""
    store.put(None, kind=Kind.OTHER)
    offset = int(np.asarray(frames.start))
    if offset >= 14:
        header = frames.moved(offset - 14).records(_ETHERNET)
        store.put(None, mac=header["mac"])
        protocol = header["protocol"]
        decoders = {_IPV4_TYPE: _put_ipv4, _IPV6_TYPE: _put_ipv6, _ARP_TYPE: _put_arp}
    else:
        protocol = frames.records(_VERSION)["version"] >> 4
        decoders = {4: _put_ipv4, 6: _put_ipv6}
    for number, put in decoders.items():
        mask = protocol == number
        if mask.any():
            group, index = select(frames, mask)
            put(store, group)
            if isinstance(index, slice):
                return


def _put_ipv4(store: Store, group: Group) -> None:
    """RFC 791 section 3.1. Rows with a damaged header and later fragments are left alone."""
    header = group.records(IPV4)
    version_ihl = header["version_ihl"]
    size = (version_ihl & 15).astype(np.int32) * 4
    total = header["total_length"].astype(np.int32)
    good = (version_ihl >> 4 == 4) & (size >= 20) & (total >= size) & group.reaches(size)
    good &= header["fragment"] & 0x1FFF == 0
    group, index = select(group, good)
    if not len(group):
        return
    header, size, total = header[index], size[index], total[index]
    protocol = header["protocol"]
    store.put(
        group.rows,
        family=4,
        source_lo=header["source"],
        destination_lo=header["destination"],
        protocol=protocol,
        ttl=header["ttl"],
        ip_id=header["ip_id"],
        total_length=total,
    )
    end = np.minimum(group.end, group.start + total)
    put_transport(store, group.moved(group.start + uniform(size), end), protocol, 4)


def _put_ipv6(store: Store, group: Group) -> None:
    """RFC 8200 section 3 and 4. Rows with a damaged header or chain and later fragments are left alone."""
    header = group.records(IPV6)
    length = header["payload_length"].astype(np.int32) + np.int32(40)
    end = np.minimum(group.end, group.start + length)
    protocol, inner, good = walk_extensions(group.moved(group.start + 40, end), header["protocol"])
    good &= (header["version"] >> 4 == 6) & group.reaches(40)
    numbered = good & (header["protocol"] == _FRAGMENT)
    if numbered.any():
        chosen, _ = select(group, numbered)
        store.put(chosen.rows, ip_id=chosen.moved(chosen.start + 44).records(_NUMBER)["ip_id"])
    inner, index = select(inner, good)
    if not len(inner):
        return
    header, protocol = header[index], protocol[index]
    store.put(
        inner.rows,
        family=6,
        source_hi=header["source_hi"],
        source_lo=header["source_lo"],
        destination_hi=header["destination_hi"],
        destination_lo=header["destination_lo"],
        protocol=protocol,
        ttl=header["ttl"],
        total_length=length[index],
    )
    put_transport(store, inner, protocol, 6)


def _put_arp(store: Store, group: Group) -> None:
    """RFC 826, of Ethernet and IPv4 only: requests and replies."""
    header = group.records(_ARP)
    operation = header["operation"]
    good = group.reaches(28) & (header["hardware"] == 1) & (header["protocol"] == _IPV4_TYPE)
    good &= (header["sizes"] == 0x0604) & ((operation == 1) | (operation == 2))
    group, index = select(group, good)
    if not len(group):
        return
    header = header[index]
    store.put(
        group.rows,
        kind=np.where(header["operation"] == 1, np.uint8(Kind.ARP_REQUEST), np.uint8(Kind.ARP_REPLY)),
        family=4,
        source_lo=header["sender"],
        destination_lo=header["target"],
        mac=header["sender_mac"],
        total_length=28,
    )
