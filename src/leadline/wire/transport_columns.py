"""Columns of transport headers: TCP, UDP, SCTP, ICMP, ICMPv6 with neighbour discovery."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.wire.gather import Group, Store, layout, select
from leadline.wire.header_columns import ICMP, ICMP_PROTOCOLS, PORTS, Kind
from leadline.wire.quoted_columns import put_quoted
from leadline.wire.sctp import INIT, INIT_ACK, NO_CHUNK

_TCP = layout(
    16,
    source_port=(">u2", 0),
    destination_port=(">u2", 2),
    sequence=(">u4", 4),
    acknowledgment=(">u4", 8),
    offset_and_flags=(">u2", 12),
    window=(">u2", 14),
)
_UDP = layout(6, source_port=(">u2", 0), destination_port=(">u2", 2), length=(">u2", 4))
_CHUNK = layout(4, type=("u1", 0), flags=("u1", 1))
_INITIATE_TAG = layout(8, tag=(">u4", 4))
_NEIGHBOR = layout(24, target_hi=(">u8", 8), target_lo=(">u8", 16))
_OPTION = layout(8, type=("u1", 0), length=("u1", 1), mac=("6u1", 2))
_OPTION_PASSES = 8

_ICMP_KINDS = {4: np.full(256, Kind.ICMP_OTHER, dtype=np.uint8), 6: np.full(256, Kind.ICMP_OTHER, dtype=np.uint8)}
_ICMP_KINDS[4][[8, 0, 13, 14, 17, 18]] = range(Kind.ICMP_ECHO_REQUEST, Kind.ICMP_ERROR)
_ICMP_KINDS[4][[3, 4, 5, 11, 12]] = Kind.ICMP_ERROR  # RFC 792: those that quote a packet
_ICMP_KINDS[6][[1, 2, 3, 4]] = Kind.ICMP_ERROR  # RFC 4443 section 3
_ICMP_KINDS[6][[128, 129, 135, 136]] = (Kind.ICMP_ECHO_REQUEST, Kind.ICMP_ECHO_REPLY, Kind.ND_SOLICIT, Kind.ND_ADVERT)


def put_transport(store: Store, group: Group, protocol: NDArray[np.uint8], family: int) -> None:
    """Decode what ``protocol`` says begins at the group's start. Rows whose header is damaged stay ``OTHER``."""
    decoders = {6: _put_tcp, 17: _put_udp, 132: _put_sctp, ICMP_PROTOCOLS[family]: _PUT_ICMP[family]}
    rest = group, protocol
    for number, decode in decoders.items():
        mask = rest[1] == number
        if not mask.any():
            continue
        chosen, index = select(rest[0], mask)
        decode(store, chosen)
        if isinstance(index, slice):
            return
        others = np.flatnonzero(~mask)
        rest = rest[0].picked(others), rest[1][others]
    remaining = rest[0]
    rows = remaining.rows
    store.put(rows, kind=Kind.IP_OTHER, payload_start=_places(remaining), payload_end=remaining.end)


def _places(group: Group, further: int = 0) -> NDArray[np.int32]:
    return np.minimum(np.asarray(group.start + further, dtype=np.int32), group.end)


def _put_tcp(store: Store, group: Group) -> None:
    header = group.records(_TCP)
    offset_and_flags = header["offset_and_flags"].astype(np.uint16)
    size = (offset_and_flags >> 12).astype(np.int32) * 4
    group, index = select(group, (size >= 20) & group.reaches(size))
    if not len(group):
        return
    header = header[index]
    store.put(
        group.rows,
        kind=Kind.TCP,
        source_port=header["source_port"],
        destination_port=header["destination_port"],
        sequence=header["sequence"],
        acknowledgment=header["acknowledgment"],
        tcp_flags=offset_and_flags[index] & np.uint16(0x1FF),
        window=header["window"],
        payload_start=group.start + size[index],
        payload_end=group.end,
    )


def _put_udp(store: Store, group: Group) -> None:
    header = group.records(_UDP)
    length = header["length"].astype(np.int32)
    group, index = select(group, group.reaches(8) & (length >= 8))
    if not len(group):
        return
    header = header[index]
    store.put(
        group.rows,
        kind=Kind.UDP,
        source_port=header["source_port"],
        destination_port=header["destination_port"],
        payload_start=_places(group, 8),
        payload_end=np.minimum(group.end, group.start + length[index]),
    )


def _put_sctp(store: Store, group: Group) -> None:
    # RFC 9260 section 3.1: ports, verification tag, checksum; then the chunks.
    header = group.records(PORTS)
    group, index = select(group, group.reaches(12))
    if not len(group):
        return
    header = header[index]
    store.put(
        group.rows,
        kind=Kind.SCTP,
        source_port=header["source_port"],
        destination_port=header["destination_port"],
        sequence=header["next"],
        chunk_type=NO_CHUNK,
        payload_start=_places(group, 12),
        payload_end=group.end,
    )
    _put_chunk(store, group.moved(group.start + 12))


def _put_chunk(store: Store, group: Group) -> None:
    """The first chunk, and the initiate tag where it has one (RFC 9260 sections 3.2, 3.3.2 and 3.3.3)."""
    group, _ = select(group, group.reaches(4))
    if not len(group):
        return
    header = group.records(_CHUNK)
    kind = header["type"]
    store.put(group.rows, chunk_type=kind, chunk_flags=header["flags"])
    begins = ((kind == INIT) | (kind == INIT_ACK)) & group.reaches(8)
    if begins.any():
        group, _ = select(group, begins)
        store.put(group.rows, acknowledgment=group.records(_INITIATE_TAG)["tag"])


def _put_icmp(store: Store, group: Group, family: int) -> None:
    header = group.records(ICMP)
    group, index = select(group, group.reaches(8))
    if not len(group):
        return
    header = header[index]
    kind = _ICMP_KINDS[family][header["type"]]
    if family == 6:
        _put_neighbors(store, group, kind, header["code"])
    store.put(
        group.rows,
        kind=kind,
        icmp_type=header["type"],
        icmp_code=header["code"],
        icmp_id=header["identifier"],
        icmp_sequence=header["sequence"],
        payload_start=_places(group, 8),
        payload_end=group.end,
    )
    is_error = kind == Kind.ICMP_ERROR
    if is_error.any():
        errors, _ = select(group, is_error)
        put_quoted(store, errors.moved(errors.start + 8), family)


def _put_icmp_v4(store: Store, group: Group) -> None:
    _put_icmp(store, group, 4)


def _put_icmp_v6(store: Store, group: Group) -> None:
    _put_icmp(store, group, 6)


_PUT_ICMP = {4: _put_icmp_v4, 6: _put_icmp_v6}


def _put_neighbors(store: Store, group: Group, kind: NDArray[np.uint8], code: NDArray[np.uint8]) -> None:
    """Neighbour discovery; messages that RFC 4861 section 7.1 calls invalid become ``ICMP_OTHER`` in ``kind``."""
    asked = (kind == Kind.ND_SOLICIT) | (kind == Kind.ND_ADVERT)
    if not asked.any():
        return
    valid = asked & group.reaches(24) & (code == 0) & (store.get("ttl", group.rows) == 255)
    kind[asked & ~valid] = Kind.ICMP_OTHER
    if not valid.any():
        return
    group, index = select(group, valid)
    header = group.records(_NEIGHBOR)
    store.put(group.rows, target_hi=header["target_hi"], target_lo=header["target_lo"])
    is_advert = kind[index] == Kind.ND_ADVERT
    if is_advert.any():
        adverts, _ = select(group, is_advert)
        _put_link_address(store, adverts)


def _put_link_address(store: Store, group: Group) -> None:
    """The target link-layer address option (RFC 4861 section 4.6.1), looked for among the first few options."""
    group = group.moved(group.start + 24)
    if group.rows is None:
        group = group.picked(np.arange(len(group)))
    for _ in range(_OPTION_PASSES):
        group, _ = select(group, group.reaches(8))
        if not len(group):
            return
        option = group.records(_OPTION)
        length = option["length"].astype(np.int32)
        found = (option["type"] == 2) & (length == 1)
        if found.any() and group.rows is not None:
            store.put(group.rows[found], mac=option["mac"][found])
        further = ~found & (length > 0)
        group, _ = select(group.moved(group.start + length * 8), further)
        if not len(group):
            return
