from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import TCP

from leadline.engine.identity import PING_SLOT
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.raw_machine import PING_SCORES
from leadline.engine.replies import Replies
from leadline.engine.sends import PING
from leadline.model.event import Notice, TimingDecision
from leadline.model.plan import TimingPlan
from leadline.wire.batch import FrameBatch, empty
from tests.support.groups import batch_of, error_reply, group_of, neighbor_reply, packets, tcp_reply, udp_reply
from tests.support.machines import PORT, T0, Ports, ports_machine
from tests.support.probing import check_books


def polled(machine: Ports, now: float) -> FrameBatch:
    frames = machine.poll(now, 4096)
    assert frames is not None
    return frames


def teach(machine: Ports, host: int, kind: ProbeKind, port: int, score: int) -> None:
    kinds = np.array([kind], dtype=np.uint8)
    machine.teach_ping(np.array([host]), kinds, np.array([port]), np.array([score], dtype=np.int16))


def ping_from(machine: Ports) -> tuple[FrameBatch, float]:
    """Let all first tries and retries pass in silence until pings to prove the path are sent."""
    now = T0
    for _ in range(200):
        frames = machine.poll(now, 4096)
        if frames is not None and machine.prober.pings._on_way.any():
            return frames, now
        now = max(now + 1e-6, machine.next_timer(now) or 0)
    raise AssertionError("no ping was sent")


def test_answers_reach_the_stage_with_host_port_and_try() -> None:
    machine = ports_machine()
    sent = polled(machine, T0)
    assert len(sent) == 4
    assert machine.poll(T0, 4096) is None
    machine.receive(batch_of([tcp_reply(one) for one in packets(sent)], at=T0 + 0.05), T0 + 0.06)
    assert sorted(machine.heard) == [(0, 80, 0), (0, 443, 0), (1, 80, 0), (1, 443, 0)]
    assert machine.prober.trips.srtt[-1] == pytest.approx(0.05, abs=0.01)
    assert not machine.done
    assert machine.poll(T0 + 0.07, 10) is None
    assert machine.done
    assert list(machine.events()) == [Notice(pytest.approx(0.06), "info", "4 answers")]
    assert list(machine.events()) == []


def test_the_answer_to_a_retry_says_so() -> None:
    machine = ports_machine(hosts=1, ports=(80,))
    polled(machine, T0)
    again = polled(machine, T0 + 1.1)
    machine.receive(batch_of([tcp_reply(one) for one in packets(again)], at=T0 + 1.2), T0 + 1.2)
    assert machine.heard == [(0, 80, 1)]
    decisions = [one for one in machine.events() if isinstance(one, TimingDecision)]
    assert {(one.what, one.address) for one in decisions} >= {("cwnd", None), ("cwnd", machine.group.address(0))}
    assert [one.at for one in decisions] == pytest.approx([1.2] * len(decisions))


def test_errors_are_passed_on() -> None:
    machine = ports_machine(hosts=1, ports=(80,))
    sent = packets(polled(machine, T0))
    machine.receive(batch_of([error_reply(sent[0], 3, 13, source="10.9.9.9")], at=T0 + 0.1), T0 + 0.1)
    assert machine.heard == [(0, 80, 0)]
    assert machine.prober.loss.sent[0] == 0


def test_an_earlier_stage_seeds_the_round_trips() -> None:
    group = group_of(4, 2)
    group.srtt[:], group.rttvar[:] = (0.02, -1), (0.01, -1)
    machine = Ports(group, (80,))
    assert machine.prober.trips.srtt.tolist() == [0.02, -1, 0.02]


def test_nothing_and_strangers_change_nothing() -> None:
    machine = ports_machine()
    sent = packets(polled(machine, T0))
    machine.receive(empty(14), T0)
    machine.receive(batch_of([tcp_reply(sent[0], ack=1)]), T0)
    assert machine.heard == []
    assert list(machine.events()) == []


def test_timing_pings_go_with_the_probe_that_was_taught() -> None:
    machine = ports_machine(hosts=2, ports=(80,))
    teach(machine, 1, ProbeKind.TCP_ACK, 25, 60)
    frames, now = ping_from(machine)
    pings = packets(frames)
    assert {(one[TCP].dport, str(one[TCP].flags)) for one in pings} == {(25, "A")}
    assert PORT + PING_SLOT <= pings[0][TCP].sport < PORT + 2 * PING_SLOT
    answer = batch_of([tcp_reply(pings[0], "R")], at=now + 0.03)
    machine.receive(answer, now + 0.03)
    assert machine.heard == []
    assert machine.prober.trips.srtt[1] == pytest.approx(0.03)
    assert machine.prober.loss.sent[1] == 1
    machine.receive(answer, now + 0.04)
    assert machine.prober.loss.sent[1] == 1
    check_books(machine.prober)


def test_pings_and_probes_may_leave_in_one_batch() -> None:
    machine = ports_machine(hosts=1, ports=range(1, 61), plan=TimingPlan(min_parallelism=60))
    teach(machine, 0, ProbeKind.TCP_SYN, 9, 60)
    machine.poll(T0, 25)
    mixed = packets(polled(machine, T0 + 0.01))
    assert [one[TCP].sport - PORT for one in mixed].count(PING_SLOT) == 1
    machine.receive(batch_of([tcp_reply(one, "RA") for one in mixed], at=T0 + 0.02), T0 + 0.02)
    assert len(machine.heard) == len(mixed) - 1
    check_books(machine.prober)


def test_answers_to_anything_but_the_ping_probe_are_no_answers_to_pings() -> None:
    machine = ports_machine(hosts=1, ports=(80,))
    teach(machine, 0, ProbeKind.TCP_SYN, 80, 60)
    frames, now = ping_from(machine)
    slots = np.array([packets(frames)[0][TCP].sport - PORT] * 2)
    kinds = np.array([ProbeKind.TCP_SYN, ProbeKind.UDP], dtype=np.uint8)
    others = packets(machine.codec.build(kinds, np.zeros(2, dtype=np.int64), np.array([81, 80]), slots))
    machine.receive(batch_of([tcp_reply(others[0]), udp_reply(others[1])], at=now + 0.01), now + 0.01)
    assert machine.prober.pings._on_way[0] == 1
    assert machine.heard == []


def test_errors_about_pings_are_no_answers_to_them() -> None:
    machine = ports_machine(hosts=1, ports=(80,))
    teach(machine, 0, ProbeKind.TCP_SYN, 80, 60)
    frames, now = ping_from(machine)
    machine.receive(batch_of([error_reply(packets(frames)[0])], at=now + 0.1), now + 0.1)
    assert machine.heard == []
    assert machine.prober.pings._on_way[0] == 1


def test_untagged_answers_go_to_the_newest_ping() -> None:
    machine = ports_machine(hosts=1, ports=(80,))
    teach(machine, 0, ProbeKind.ARP, 0, 40)
    frames, now = ping_from(machine)
    reply = batch_of([neighbor_reply(packets(frames)[0])], at=now + 0.02)
    machine.receive(reply, now + 0.02)
    assert machine.prober.trips.srtt[0] == pytest.approx(0.02)
    machine.receive(reply, now + 0.02)
    assert machine.prober.loss.sent[0] == 1
    assert machine.heard == []


def test_untagged_answers_go_to_the_latest_try_of_a_probe() -> None:
    group = group_of(4, 1)
    machine = Ports(group, (0,), kind=ProbeKind.ARP)
    polled(machine, T0)
    again = polled(machine, T0 + 1.1)
    machine.receive(batch_of([neighbor_reply(packets(again)[0])], at=T0 + 1.15), T0 + 1.15)
    assert machine.heard == [(0, 0, 1)]


def test_an_untagged_answer_before_anything_was_asked_is_refused() -> None:
    machine = Ports(group_of(4, 1), (0,), kind=ProbeKind.ARP)
    asked = packets(machine.codec.build(np.array([8], dtype=np.uint8), np.array([0]), np.array([0]), np.array([0])))
    machine.receive(batch_of([neighbor_reply(asked[0])], at=T0), T0)
    assert machine.heard == []


def test_a_better_ping_probe_takes_over_and_the_old_ones_are_not_lost() -> None:
    machine = ports_machine(hosts=1, ports=(80,))
    teach(machine, 0, ProbeKind.TCP_SYN, 80, 30)
    frames, now = ping_from(machine)
    teach(machine, 0, ProbeKind.TCP_SYN, 7, 30)
    assert machine.group.ping_port.tolist() == [80]
    teach(machine, 0, ProbeKind.TCP_SYN, 7, 60)
    assert machine.group.ping_port.tolist() == [7]
    check_books(machine.prober)
    assert machine.prober.in_flight[0] == 0
    machine.receive(batch_of([tcp_reply(packets(frames)[0])], at=now + 0.01), now + 0.01)
    machine.prober.expire(now + 50)
    assert machine.prober.loss.lost[0] == 0


def test_of_several_answers_of_a_host_the_best_teaches() -> None:
    machine = ports_machine(hosts=2, ports=(80,))
    kinds = np.full(4, ProbeKind.TCP_SYN, dtype=np.uint8)
    scores = np.array([30, 60, 60, 10], dtype=np.int16)
    machine.teach_ping(np.array([0, 0, 0, 1]), kinds, np.array([1, 2, 3, 4]), scores)
    assert machine.group.ping_port.tolist() == [2, 4]
    assert machine.prober.pings.score.tolist() == [60, 10]


def test_every_kind_of_probe_has_a_worth_as_a_ping() -> None:
    assert set(PING_SCORES) == set(ProbeKind) - {ProbeKind.NONE}
    assert min(PING_SCORES.values()) > 0
    assert PING == -1


# ---- hostile bytes ---------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    family=st.sampled_from([4, 6]),
    rows=st.lists(st.binary(max_size=120), min_size=1, max_size=6),
    stretch=st.integers(-5, 5),
)
def test_no_bytes_raise_or_decide(family: int, rows: list[bytes], stretch: int) -> None:
    machine = ports_machine(family=family)
    polled(machine, T0)
    width = max(1, *(len(row) for row in rows))
    frames = np.zeros((len(rows), width), dtype=np.uint8)
    for index, row in enumerate(rows):
        frames[index, : len(row)] = np.frombuffer(row, dtype=np.uint8)
    lengths = np.array([len(row) + stretch for row in rows], dtype=np.int32)
    machine.receive(FrameBatch(frames, lengths, np.full(len(rows), T0), 14), T0)
    assert machine.heard == []
    check_books(machine.prober)


@settings(max_examples=100)
@given(
    family=st.sampled_from([4, 6]),
    which=st.integers(0, 2),
    changes=st.lists(st.tuples(st.integers(0, 140), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 140),
    at=st.sampled_from([T0, T0 + 0.1, T0 - 100, 0.0, 1e12]),
)
def test_damaged_answers_never_raise(
    family: int, which: int, changes: list[tuple[int, int]], cut: int, at: float
) -> None:
    machine = ports_machine(family=family, hosts=1)
    sent = packets(polled(machine, T0))[0]
    code = (3, 3) if family == 4 else (1, 4)
    reply = bytearray(bytes((tcp_reply(sent), tcp_reply(sent, "R"), error_reply(sent, *code))[which]))
    for place, value in changes:
        if place < len(reply):
            reply[place] = value
    row = np.frombuffer(bytes(reply), dtype=np.uint8).reshape(1, -1)
    for length in (cut, len(reply)):
        lengths = np.array([length], dtype=np.int32)
        machine.receive(FrameBatch(row, lengths, np.array([at]), 14), max(at, T0))
        check_books(machine.prober)
        assert len(machine.heard) <= 1
        list(machine.events())


def test_a_reply_without_code_right_after_a_retry_answers_the_try_before() -> None:
    machine = ports_machine(hosts=1, ports=(80,))
    items = machine.prober.items
    one = np.array([0])
    items.mark_sent(one, T0)
    items.mark_sent(one, T0 + 0.2)
    flags = np.array([False])
    untagged = Replies(one, one, np.array([8], dtype=np.uint8), one, np.array([-1]), flags, ~flags)
    assert machine.codes_of(untagged, one, np.array([T0 + 0.21])).tolist() == [0]
    assert machine.codes_of(untagged, one, np.array([T0 + 0.24])).tolist() == [1]
