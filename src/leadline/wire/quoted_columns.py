"""Columns of the packet that an ICMP error quotes: which probe it is about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.wire.gather import Group, Mask, Records, Store, layout, select, uniform
from leadline.wire.header_columns import ICMP, ICMP_PROTOCOLS, IPV4, IPV6, PORTS, walk_extensions
from leadline.wire.sctp import INIT

_TCP, _SCTP = 6, 132
_ACKNOWLEDGMENT = layout(12, acknowledgment=(">u4", 8))
# Behind SCTP's common header: the first chunk's type, and the initiate tag if that is INIT.
_INIT = layout(20, type=("u1", 12), tag=(">u4", 16))
_HAS_PORTS = np.zeros(256, dtype=np.bool_)
_HAS_PORTS[[6, 17, 132]] = True


def put_quoted(store: Store, group: Group, family: int) -> None:
    """Decode the quoted packets, which start where the group does. RFC 792, RFC 4443 section 2.4(c).

    Believed (``quoted_valid``) when the IP header is whole, it is no later fragment, and, for protocols with ports or
    identifiers, the first 8 bytes of the transport header are there.
    """
    header = group.records(IPV4 if family == 4 else IPV6)
    protocol, inner, good = _inner_v4(group, header) if family == 4 else _inner_v6(group, header)
    is_icmp = protocol == ICMP_PROTOCOLS[family]
    whole = inner.reaches(8)
    good &= whole | ~(_HAS_PORTS[protocol] | is_icmp)
    if not good.any():
        return
    inner, index = select(inner, good)
    protocol = protocol[index]
    _put_addresses(store, inner, header[index], protocol, family)
    inner, index = select(inner, whole[index])
    if len(inner):
        _put_identity(store, inner, protocol[index], family)


def _inner_v4(group: Group, header: Records) -> tuple[NDArray[np.uint8], Group, Mask]:
    size = (header["version_ihl"] & 15).astype(np.int32) * 4
    good = (header["version_ihl"] >> 4 == 4) & (size >= 20) & group.reaches(size) & (header["fragment"] & 0x1FFF == 0)
    start = np.asarray(group.start + size, dtype=np.int32)
    return header["protocol"], group.moved(uniform(start)), good


def _inner_v6(group: Group, header: Records) -> tuple[NDArray[np.uint8], Group, Mask]:
    good = (header["version"] >> 4 == 6) & group.reaches(40)
    protocol, inner, walked = walk_extensions(group.moved(group.start + 40), header["protocol"])
    return protocol, inner, good & walked


def _put_addresses(store: Store, group: Group, header: Records, protocol: NDArray[np.uint8], family: int) -> None:
    store.put(group.rows, quoted_valid=1, quoted_protocol=protocol, quoted_ttl=header["ttl"])
    if family == 4:
        store.put(
            group.rows,
            quoted_ip_id=header["ip_id"],
            quoted_source_lo=header["source"],
            quoted_destination_lo=header["destination"],
        )
        return
    store.put(
        group.rows,
        quoted_ip_id=header["version_and_flow"] & 0xFFFFF,
        quoted_source_hi=header["source_hi"],
        quoted_source_lo=header["source_lo"],
        quoted_destination_hi=header["destination_hi"],
        quoted_destination_lo=header["destination_lo"],
    )


def _put_identity(store: Store, group: Group, protocol: NDArray[np.uint8], family: int) -> None:
    """Ports and sequence number, or the ICMP identifier: the first 8 bytes of the transport header.

    RFC 792 promises no more; most hosts quote more (RFC 1812 4.3.2.3, RFC 4443), then of TCP the acknowledgment too,
    and of SCTP the initiate tag.
    """
    fields = group.records(PORTS)
    store.put(group.rows, quoted_sequence=fields["next"])
    has_ports = _HAS_PORTS[protocol]
    if has_ports.any():
        chosen, index = select(group, has_ports)
        ports = fields[index]
        store.put(
            chosen.rows, quoted_source_port=ports["source_port"], quoted_destination_port=ports["destination_port"]
        )
    is_icmp = protocol == ICMP_PROTOCOLS[family]
    if is_icmp.any():
        chosen, _ = select(group, is_icmp)
        query = chosen.records(ICMP)
        store.put(chosen.rows, quoted_icmp_id=query["identifier"], quoted_icmp_sequence=query["sequence"])
    longer = (protocol == _TCP) & group.reaches(_ACKNOWLEDGMENT.itemsize)
    if longer.any():
        chosen, _ = select(group, longer)
        fields = chosen.records(_ACKNOWLEDGMENT)
        store.put(chosen.rows, quoted_longer=1, quoted_acknowledgment=fields["acknowledgment"])
    begins = (protocol == _SCTP) & group.reaches(_INIT.itemsize)
    if begins.any():
        begins &= group.records(_INIT)["type"] == INIT
    if begins.any():
        chosen, _ = select(group, begins)
        store.put(chosen.rows, quoted_longer=1, quoted_acknowledgment=chosen.records(_INIT)["tag"])
