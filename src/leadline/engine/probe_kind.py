"""The kinds of raw probe that the engine can send, and what users call them."""

from __future__ import annotations

from enum import IntEnum

from leadline.model.tcp_flags import ACK, SYN


class ProbeKind(IntEnum):
    """Values are stored in ``uint8`` columns and are part of the keyed tag. 0 means: none."""

    NONE = 0
    TCP_SYN = 1
    TCP_ACK = 2
    UDP = 3
    ICMP_ECHO = 4
    ICMP_TIMESTAMP = 5
    ICMP_ADDRESS_MASK = 6
    IP_PROTOCOL = 7
    ARP = 8
    NEIGHBOR = 9
    TCP_FLAGS = 10
    """Any other flags, the same for all such probes of a codec."""
    SCTP_INIT = 11
    SCTP_COOKIE = 12
    """A COOKIE-ECHO."""

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", "-")


def tcp_kind(flags: int) -> ProbeKind:
    """The kind of a TCP probe with these flags."""
    return {SYN: ProbeKind.TCP_SYN, ACK: ProbeKind.TCP_ACK}.get(flags, ProbeKind.TCP_FLAGS)
