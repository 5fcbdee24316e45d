"""The techniques that send raw packets, as data: what is sent, and what answers, errors and silence mean.

Spec sheet 2.8; why TCP stacks answer so: RFC 9293 section 3.10.7. A closed port answers anything but a RST with a
RST. An open one answers a SYN with SYN/ACK, a segment with ACK with a RST, and drops the rest, so that FIN, NULL and
Xmas probes tell closed ports from open ones by silence (stacks that answer every odd segment with a RST show closed
ports only). Some BSD stacks drop FIN/ACK where they listen (Maimon), and some stacks give the RSTs of open ports a
window.
A closed SCTP port answers an INIT with ABORT, an open one with INIT-ACK (RFC 9260 section 8.4 and 5.1); a COOKIE-ECHO
whose cookie it never gave is dropped by an open port without a word (5.1.5), and refused by a closed one.
"""

from __future__ import annotations

from dataclasses import replace

from leadline.engine.probe_kind import ProbeKind, tcp_kind
from leadline.model.plan import Technique
from leadline.model.port import PortState, Protocol, Reason
from leadline.model.quick_dataclass import dataclass
from leadline.model.tcp_flags import ACK, FIN, PSH, RST, SYN, URG, flag_names
from leadline.ports.icmp_errors import PROTOCOL_ERRORS, TCP_ERRORS, UDP_ERRORS, ErrorTable
from leadline.wire.sctp import ABORT, INIT_ACK


@dataclass(frozen=True, slots=True)
class Meaning:
    """An answer whose ``value & mask`` (see ``classify.answer_values``; TCP: the flags) is ``value`` means ``state``.

    ``window``: only with a window that is (``True``) or is not (``False``) above 0; ``None``: whatever it is.
    """

    mask: int
    value: int
    state: PortState
    reason: Reason
    window: bool | None = None


@dataclass(frozen=True, slots=True)
class RawTechnique:
    """``task``: its name for users; ``probe``: in evidence. ``flags`` are sent (TCP); ``silence``: what no answer
    means; ``errors``: what ICMP errors do; ``sends``: the kind of its probes, where the flags do not say it.

    No answer fits more than one of ``meanings``; what fits none decides nothing.
    """

    task: str
    probe: str
    flags: int
    silence: PortState
    meanings: tuple[Meaning, ...]
    protocol: Protocol = Protocol.TCP
    errors: ErrorTable = TCP_ERRORS
    sends: ProbeKind = ProbeKind.NONE

    @property
    def kind(self) -> ProbeKind:
        """Of its probes."""
        return self.sends or tcp_kind(self.flags)

    @property
    def reads_window(self) -> bool:
        """Whether the window of an answer is part of the proof."""
        return any(meaning.window is not None for meaning in self.meanings)


_CLOSED = Meaning(RST, RST, PortState.CLOSED, Reason.RESET)
_ABORTED = Meaning(0xFF00, ABORT << 8, PortState.CLOSED, Reason.ABORT)
_BY_SILENCE = PortState.OPEN_FILTERED

SYN_SCAN = RawTechnique(
    "SYN Stealth Scan",
    "syn",
    SYN,
    PortState.FILTERED,
    (
        _CLOSED,
        Meaning(SYN | ACK | RST, SYN | ACK, PortState.OPEN, Reason.SYN_ACK),
        Meaning(SYN | ACK | RST | FIN, SYN, PortState.OPEN, Reason.SPLIT_HANDSHAKE_SYN),
    ),
)

RAW_TECHNIQUES: dict[Technique, RawTechnique] = {
    Technique.SYN: SYN_SCAN,
    Technique.ACK: RawTechnique(
        "ACK Scan", "ack", ACK, PortState.FILTERED, (Meaning(RST, RST, PortState.UNFILTERED, Reason.RESET),)
    ),
    Technique.WINDOW: RawTechnique(
        "Window Scan",
        "window",
        ACK,
        PortState.FILTERED,
        (
            Meaning(RST, RST, PortState.OPEN, Reason.RESET, window=True),
            Meaning(RST, RST, PortState.CLOSED, Reason.RESET, window=False),
        ),
    ),
    Technique.MAIMON: RawTechnique("Maimon Scan", "maimon", FIN | ACK, _BY_SILENCE, (_CLOSED,)),
    Technique.NULL: RawTechnique("NULL Scan", "null", 0, _BY_SILENCE, (_CLOSED,)),
    Technique.FIN: RawTechnique("FIN Scan", "fin", FIN, _BY_SILENCE, (_CLOSED,)),
    Technique.XMAS: RawTechnique("XMAS Scan", "xmas", FIN | PSH | URG, _BY_SILENCE, (_CLOSED,)),
    Technique.UDP: RawTechnique(
        "UDP Scan",
        "udp",
        0,
        _BY_SILENCE,
        (Meaning(0, 0, PortState.OPEN, Reason.UDP_RESPONSE),),
        protocol=Protocol.UDP,
        errors=UDP_ERRORS,
        sends=ProbeKind.UDP,
    ),
    Technique.SCTP_INIT: RawTechnique(
        "SCTP INIT Scan",
        "sctp-init",
        0,
        PortState.FILTERED,
        (_ABORTED, Meaning(0xFF00, INIT_ACK << 8, PortState.OPEN, Reason.INIT_ACK)),
        protocol=Protocol.SCTP,
        sends=ProbeKind.SCTP_INIT,
    ),
    Technique.SCTP_COOKIE_ECHO: RawTechnique(
        "SCTP COOKIE-ECHO Scan",
        "sctp-cookie-echo",
        0,
        _BY_SILENCE,
        (_ABORTED,),
        protocol=Protocol.SCTP,
        sends=ProbeKind.SCTP_COOKIE,
    ),
    Technique.IP_PROTOCOL: RawTechnique(
        "IPProto Scan",
        "ip-protocol",
        ACK,
        _BY_SILENCE,
        (Meaning(0, 0, PortState.OPEN, Reason.PROTO_RESPONSE),),
        protocol=Protocol.IP,
        errors=PROTOCOL_ERRORS,
        sends=ProbeKind.IP_PROTOCOL,
    ),
}


def hasty(technique: RawTechnique) -> RawTechnique:
    """The UDP scan that waits for no limit of ICMP errors: silence may be a closed port (spec sheet 2.8)."""
    return replace(technique, silence=PortState.CLOSED_FILTERED)


def raw_technique(technique: Technique, scan_flags: int | None) -> RawTechnique | None:
    """The technique with the flags of ``--scanflags``, if it is one of TCP; ``None``: it sends no raw packets."""
    raw = RAW_TECHNIQUES.get(technique)
    if raw is None or scan_flags is None or raw.protocol is not Protocol.TCP:
        return raw
    return replace(raw, flags=scan_flags, probe=f"{raw.probe} with flags {flag_names(scan_flags)}")
