"""The TCP techniques that send raw packets, as data: the flags that are sent, and what answers and silence mean.

Spec sheet 2.8; why stacks answer so: RFC 9293 section 3.10.7. A closed port answers anything but a RST with a RST. An
open one answers a SYN with SYN/ACK, a segment with ACK with a RST, and drops the rest, so that FIN, NULL and Xmas
probes tell closed ports from open ones by silence (stacks that answer every odd segment with a RST show closed ports
only). Some BSD stacks drop FIN/ACK where they listen (Maimon), and some stacks give the RSTs of open ports a window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from leadline.engine.probe_kind import ProbeKind, tcp_kind
from leadline.model.plan import PortPlan, Technique
from leadline.model.port import PortState, Reason
from leadline.model.tcp_flags import ACK, FIN, PSH, RST, SYN, URG, flag_names


@dataclass(frozen=True, slots=True)
class Meaning:
    """A segment whose ``flags & mask`` is ``value`` means ``state``.

    ``window``: only with a window that is (``True``) or is not (``False``) above 0; ``None``: whatever it is.
    """

    mask: int
    value: int
    state: PortState
    reason: Reason
    window: bool | None = None


@dataclass(frozen=True, slots=True)
class RawTechnique:
    """``task``: its name for users; ``probe``: in evidence. ``flags`` are sent; ``silence``: what no answer means.

    No segment fits more than one of ``meanings``; what fits none decides nothing.
    """

    task: str
    probe: str
    flags: int
    silence: PortState
    meanings: tuple[Meaning, ...]

    @property
    def kind(self) -> ProbeKind:
        """Of its probes."""
        return tcp_kind(self.flags)

    @property
    def reads_window(self) -> bool:
        """Whether the window of an answer is part of the proof."""
        return any(meaning.window is not None for meaning in self.meanings)


_CLOSED = Meaning(RST, RST, PortState.CLOSED, Reason.RESET)
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
}


def raw_technique(plan: PortPlan) -> RawTechnique | None:
    """What the plan asks for, with the flags of ``--scanflags``; ``None`` for what sends no raw packets."""
    technique = RAW_TECHNIQUES.get(plan.technique) if plan.technique is not None else None
    if technique is None or plan.scan_flags is None:
        return technique
    probe = f"{technique.probe} with flags {flag_names(plan.scan_flags)}"
    return replace(technique, flags=plan.scan_flags, probe=probe)
