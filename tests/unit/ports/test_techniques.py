"""The table of techniques: Nmap's names, disjoint meanings, silence."""

from __future__ import annotations

import pytest

from leadline.engine.probe_kind import ProbeKind
from leadline.model.plan import Technique
from leadline.model.port import PortState, Protocol
from leadline.plan.technique_choice import OPTION_OF
from leadline.ports.techniques import RAW_TECHNIQUES, RawTechnique, raw_technique


@pytest.mark.parametrize(
    ("technique", "task", "flags", "silence"),
    [
        (Technique.SYN, "SYN Stealth Scan", 0x02, PortState.FILTERED),
        (Technique.ACK, "ACK Scan", 0x10, PortState.FILTERED),
        (Technique.WINDOW, "Window Scan", 0x10, PortState.FILTERED),
        (Technique.MAIMON, "Maimon Scan", 0x11, PortState.OPEN_FILTERED),
        (Technique.NULL, "NULL Scan", 0x00, PortState.OPEN_FILTERED),
        (Technique.FIN, "FIN Scan", 0x01, PortState.OPEN_FILTERED),
        (Technique.XMAS, "XMAS Scan", 0x29, PortState.OPEN_FILTERED),
    ],
)
def test_the_table_is_that_of_the_spec_sheet(technique: Technique, task: str, flags: int, silence: PortState) -> None:
    row = RAW_TECHNIQUES[technique]
    assert (row.task, row.flags, row.silence, row.probe) == (task, flags, silence, technique.value)


def test_every_technique_that_is_one_of_this_machines_packets_has_a_row() -> None:
    others = {Technique.CONNECT, Technique.IDLE, Technique.BOUNCE}
    assert set(OPTION_OF) == set(Technique)
    assert set(OPTION_OF) - set(RAW_TECHNIQUES) == others


@pytest.mark.parametrize("technique", RAW_TECHNIQUES.values(), ids=lambda technique: technique.probe)
def test_no_segment_has_two_meanings(technique: RawTechnique) -> None:
    # Of SCTP type and flags of a chunk, a byte each.
    values = range(512) if technique.protocol is Protocol.TCP else range(0, 0x10000, 0x80)
    for flags in values:
        for window in (False, True):
            fitting = [
                meaning
                for meaning in technique.meanings
                if flags & meaning.mask == meaning.value and meaning.window in (None, window)
            ]
            assert len(fitting) <= 1
            reset = technique.protocol is Protocol.TCP and flags & 4
            assert bool(fitting) or not reset, "a reset always means something"
    assert technique.reads_window == (technique.probe == "window")


def test_where_silence_may_mean_open_no_answer_means_it() -> None:
    """On this the transition rules rely: there, what was closed or filtered never becomes open (spec sheet 2.8)."""
    for technique in RAW_TECHNIQUES.values():
        if technique.silence is PortState.OPEN_FILTERED and technique.protocol is Protocol.TCP:
            assert {meaning.state for meaning in technique.meanings} == {PortState.CLOSED}


def test_flags_of_ones_own_keep_what_answers_mean() -> None:
    chosen = raw_technique(Technique.FIN, 0x28)
    assert chosen is not None
    assert (chosen.flags, chosen.kind, chosen.probe) == (0x28, ProbeKind.TCP_FLAGS, "fin with flags PSHURG")
    own = RAW_TECHNIQUES[Technique.FIN]
    assert (chosen.task, chosen.silence, chosen.meanings) == (own.task, own.silence, own.meanings)
    nothing = raw_technique(Technique.SYN, 0)
    assert nothing is not None
    assert (nothing.flags, nothing.probe) == (0, "syn with flags NONE")


def test_what_sends_no_raw_packets_of_tcp() -> None:
    assert raw_technique(Technique.CONNECT, None) is None
    assert raw_technique(Technique.ACK, None) is RAW_TECHNIQUES[Technique.ACK]
    assert raw_technique(Technique.UDP, 0x28) is RAW_TECHNIQUES[Technique.UDP], "flags are TCP's"


def test_sctp_has_two_kinds_of_probe() -> None:
    first, second = RAW_TECHNIQUES[Technique.SCTP_INIT], RAW_TECHNIQUES[Technique.SCTP_COOKIE_ECHO]
    assert (first.kind, second.kind) == (ProbeKind.SCTP_INIT, ProbeKind.SCTP_COOKIE)
    assert (first.silence, second.silence) == (PortState.FILTERED, PortState.OPEN_FILTERED)
    assert raw_technique(Technique.SCTP_INIT, 18) is first
