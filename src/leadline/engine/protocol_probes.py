"""What an IP protocol is asked with: those that a stack answers only with a proper header get one (spec sheet 2.9)."""

from __future__ import annotations

from leadline.engine.probe_kind import ProbeKind

_WITH_PORTS = {6: (ProbeKind.TCP_ACK, 80), 17: (ProbeKind.UDP, 40_125), 132: (ProbeKind.SCTP_INIT, 80)}
_ICMP = {4: 1, 6: 58}
# Of the others only IGMP has content: a query for all groups (RFC 1112 appendix I), which hosts may answer by a report.
_CONTENTS = {(4, 2): b"\x11\x00\xee\xff\x00\x00\x00\x00"}


def protocol_probe(protocol: int, family: int) -> tuple[ProbeKind, int]:
    """Kind and port of the probe of an IP protocol number over IPv4 or IPv6; ``IP_PROTOCOL`` itself has no header."""
    if protocol == _ICMP[family]:
        return ProbeKind.ICMP_ECHO, 0
    return _WITH_PORTS.get(protocol, (ProbeKind.IP_PROTOCOL, protocol))


def protocol_content(protocol: int, family: int) -> bytes:
    """What is sent behind the IP header by a probe of the kind ``IP_PROTOCOL``."""
    return _CONTENTS.get((family, protocol), b"")
