"""The machine with each technique: what it sends, what answers and silence mean, which probes become pings."""

from __future__ import annotations

import numpy as np
import pytest
from scapy.layers.inet import TCP
from scapy.packet import Packet

from leadline.engine.codec import ProbeCodec
from leadline.engine.prober import Prober
from leadline.model.event import PortFound
from leadline.model.plan import Technique, TimingPlan
from leadline.model.port import PortState, Protocol, Reason
from leadline.ports.machine import RawScan
from leadline.ports.probes import port_matrix
from leadline.ports.techniques import RAW_TECHNIQUES, raw_technique
from tests.support.groups import batch_of, error_reply, group_of, packets, tcp_reply

T0 = 1000.0
PORTS = (22, 80, 113, 443)
OPEN, CLOSED, FILTERED = PortState.OPEN, PortState.CLOSED, PortState.FILTERED
UNFILTERED, OPEN_FILTERED = PortState.UNFILTERED, PortState.OPEN_FILTERED

OF_TCP = [technique for technique in RAW_TECHNIQUES if technique.protocol is Protocol.TCP]


def names(number: int, protocol: Protocol) -> str:
    return ""


def scan_of(
    technique: Technique, family: int = 4, *, flags: int | None = None, apart: tuple[PortState, ...] = (OPEN,),
    ports: tuple[int, ...] = PORTS,
) -> RawScan:  # fmt: skip
    row = raw_technique(technique, flags)
    assert row is not None
    group = group_of(family, hosts=1)
    matrix = port_matrix([ports], (), True, np.random.default_rng(1))
    prober = Prober(1, len(ports), matrix.order, TimingPlan(), T0)
    codec = ProbeCodec(group, bytes(range(16)), 40_000, flags=row.flags)
    return RawScan(row, group, matrix, prober, codec, T0, names=names, materialised=25, apart=apart)


def asked(scan: RawScan) -> dict[int, Packet]:
    batch = scan.poll(T0, 4096)
    assert batch is not None
    return {one[TCP].dport: one for one in packets(batch)}


def states(scan: RawScan, complete: bool = False) -> dict[int, tuple[PortState, Reason]]:
    ports, _ = scan.result(0, T0 + 9, complete)
    return {port.number: (port.state, port.reason) for port in ports}


def receive(scan: RawScan, *replies: Packet) -> list[PortFound]:
    scan.receive(batch_of(list(replies), at=T0 + 0.04), T0 + 0.05)
    return [event for event in scan.events() if isinstance(event, PortFound)]


def reset(probe: Packet, **changes: int) -> Packet:
    return tcp_reply(probe, "R" if "A" in str(probe[TCP].flags) else "RA", **({"window": 0} | changes))


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(
    ("technique", "meaning"),
    [
        (Technique.ACK, UNFILTERED),
        (Technique.WINDOW, CLOSED),
        (Technique.MAIMON, CLOSED),
        (Technique.NULL, CLOSED),
        (Technique.FIN, CLOSED),
        (Technique.XMAS, CLOSED),
        (Technique.SYN, CLOSED),
    ],
)
def test_resets_errors_and_silence(technique: Technique, meaning: PortState, family: int) -> None:
    scan = scan_of(technique, family)
    probes = asked(scan)
    assert {int(probe[TCP].flags) for probe in probes.values()} == {RAW_TECHNIQUES[technique].flags}
    code = (3, 10) if family == 4 else (1, 1)
    assert receive(scan, reset(probes[22]), error_reply(probes[443], *code)) == []
    filtered = Reason.HOST_PROHIBITED if family == 4 else Reason.ADMIN_PROHIBITED
    assert states(scan) == {22: (meaning, Reason.RESET), 443: (FILTERED, filtered)}
    silent = (RAW_TECHNIQUES[technique].silence, Reason.NO_RESPONSE)
    assert states(scan, complete=True) == states(scan) | {80: silent, 113: silent}


def test_the_window_tells_open_ports_from_closed_ones() -> None:
    scan = scan_of(Technique.WINDOW)
    probes = asked(scan)
    (found,) = receive(scan, reset(probes[22], window=4096), reset(probes[80], window=0))
    assert (found.port.number, found.port.state, found.port.reason) == (22, OPEN, Reason.RESET)
    proofs = {port.number: port.evidence for port in scan.result(0, T0 + 9, False)[0]}
    assert [proofs[port].rule for port in (22, 80)] == [
        "window: tcp R with a window -> open",
        "window: tcp R without a window -> closed",
    ]
    # Better late than never: an open port may have sent both.
    receive(scan, reset(probes[80], window=1))
    assert states(scan)[80] == (OPEN, Reason.RESET)


@pytest.mark.parametrize("technique", [Technique.ACK, Technique.MAIMON, Technique.FIN, Technique.XMAS, Technique.NULL])
def test_the_window_means_nothing_to_others(technique: Technique) -> None:
    scan = scan_of(technique)
    probe = asked(scan)[22]
    receive(scan, reset(probe, window=4096))
    (port,), _ = scan.result(0, T0 + 9, False)
    assert port.state in (CLOSED, UNFILTERED)
    assert port.evidence is not None
    assert "window" not in port.evidence.reply


@pytest.mark.parametrize("technique", [one for one in OF_TCP if one is not Technique.SYN])
@pytest.mark.parametrize("flags", ["SA", "S", "A", "FA", "F", "PA"])
def test_what_is_no_reset_decides_nothing(technique: Technique, flags: str) -> None:
    scan = scan_of(technique)
    assert receive(scan, tcp_reply(asked(scan)[22], flags)) == []
    assert states(scan) == {}


@pytest.mark.parametrize("technique", OF_TCP)
@pytest.mark.parametrize(
    "wrong", [{"seq": 77}, {"ack": 77}, {"sport": 23}, {"dport": 39_999}, {"dport": 40_001}], ids=str
)
def test_resets_that_fail_the_tag_are_not_believed(technique: Technique, wrong: dict[str, int]) -> None:
    scan = scan_of(technique)
    probe = asked(scan)[22]
    tagged = "seq" if RAW_TECHNIQUES[technique].flags & 16 else "ack"
    if tagged in wrong or not {"seq", "ack"} & set(wrong):
        receive(scan, reset(probe, **wrong))
        assert states(scan) == {}
    else:
        # The other number is the sender's own affair.
        receive(scan, reset(probe, **wrong))
        assert list(states(scan)) == [22]


def test_flags_of_ones_own_are_read_as_the_technique_says() -> None:
    scan = scan_of(Technique.ACK, flags=0x01)
    probes = asked(scan)
    assert {str(probe[TCP].flags) for probe in probes.values()} == {"F"}
    receive(scan, reset(probes[22]))
    assert states(scan, complete=True)[22] == (UNFILTERED, Reason.RESET)
    assert states(scan)[80] == (FILTERED, Reason.NO_RESPONSE)
    (port, *_), _ = scan.result(0, T0 + 9, False)
    assert port.evidence is not None
    assert port.evidence.probe == "ack with flags FIN"


@pytest.mark.parametrize("technique", [Technique.FIN, Technique.ACK, Technique.WINDOW, Technique.MAIMON])
def test_answered_probes_become_pings_and_answers_to_those_are_known(technique: Technique) -> None:
    scan = scan_of(technique, ports=tuple(range(1, 400)))
    probes = asked(scan)
    receive(scan, reset(probes[1], window=9))
    assert (scan.group.ping_kind[0], scan.group.ping_port[0]) == (RAW_TECHNIQUES[technique].kind, 1)
    assert scan.prober.pings.score[0] == 60, "no half-open connection is left behind"
    now, pings = T0 + 0.05, []
    while not pings and now < T0 + 60:
        now += 0.2
        batch = scan.poll(now, 4096)
        pings = [one for one in packets(batch) if one[TCP].dport == 1 and one[TCP].sport >= 40_016] if batch else []
    before = scan.prober.pings._on_way[0]
    scan.receive(batch_of([reset(pings[0])], at=now + 0.01), now + 0.02)
    assert scan.prober.pings._on_way[0] == before - 1
    assert list(states(scan)) == [1]


def test_silent_ports_that_will_be_asked_more_are_kept_one_by_one() -> None:
    ports = tuple(range(1, 101))
    for apart, kept in (((OPEN,), 0), ((OPEN, OPEN_FILTERED), 100)):
        scan = scan_of(Technique.FIN, apart=apart, ports=ports)
        asked(scan)
        found, summaries = scan.result(0, T0 + 9, True)
        assert (len(found), sum(summary.count for summary in summaries)) == (kept, 100 - kept)
        assert {one.state for one in (*found, *summaries)} == {OPEN_FILTERED}
