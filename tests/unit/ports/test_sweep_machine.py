"""One chunk without a network: what is sent when, and what ends it (whole sweeps are in tests/sim)."""

from __future__ import annotations

import numpy as np
import pytest
from scapy.packet import Packet

from leadline.engine.sweep_codec import Lane, SweepCodec
from leadline.engine.sweep_lanes import ELSEWHERE, NO_ROUTE, LaneTable
from leadline.engine.sweep_path import SweepPath
from leadline.model.plan import TimingPlan
from leadline.model.port import PortState
from leadline.ports.sweep_answers import FINAL, STATE
from leadline.ports.sweep_machine import SweepMachine
from leadline.targets.address_set import AddressSet
from leadline.targets.shape import Octets, Span
from leadline.targets.space import HostSpace
from leadline.targets.window import Item
from tests.support.groups import batch_of, group_of, packets, tcp_reply

BASE = 0x0A090000


def machine_of(
    hosts: int = 100, ports: tuple[int, ...] = (80,), *, retries: int = 10, items: list[Item] | None = None,
    table: LaneTable | None = None, first: int = 0,
) -> SweepMachine:  # fmt: skip
    space = HostSpace(items or [Item(Span(4, BASE, hosts))], b"key")
    lane = Lane(group_of(4).route, bytes(6))
    return SweepMachine(
        space, first, space.size - first, np.array(ports), SweepCodec(4, [lane, lane], bytes(16), 40_000),
        table or LaneTable([0], [0]), SweepPath(TimingPlan(), 0.0), retries, 0.0,
    )  # fmt: skip


def sent(machine: SweepMachine, now: float, limit: int = 50) -> list[Packet]:
    """All that the machine wants to send about now."""
    frames: list[Packet] = []
    for turn in range(limit):
        for _, batch in machine.poll(now + turn * 0.01, 3072):
            frames += packets(batch)
    return frames


def test_every_port_of_every_host_is_asked_once_in_the_first_pass() -> None:
    machine = machine_of(100, (22, 80, 443))
    asked = [(one.dst if False else one["IP"].dst, one["TCP"].dport) for one in sent(machine, 1.0)]
    assert len(asked) == len(set(asked)) == 300
    assert not machine.done
    assert machine.share > 0.4


def test_silence_is_asked_again_after_the_timeout_and_then_it_ends() -> None:
    machine = machine_of(10)
    assert len(sent(machine, 1.0)) == 10
    assert sent(machine, 1.6, 20) == []
    assert 1.9 < machine.next_timer(1.9) <= 2.1
    assert len(sent(machine, 2.1)) == 10
    assert not machine.done
    sent(machine, 3.7)
    assert machine.done
    assert machine.share == 1.0
    assert machine.counts() == (10, 0, 0)
    result = machine.result(5.0, 100.0, 105.0, "", silent=True)
    assert len(result.rows) == 10
    assert len(machine.result(5.0, 100.0, 105.0, "").rows) == 0


def test_without_retries_one_pass_is_all() -> None:
    machine = machine_of(10, retries=0)
    sent(machine, 1.0)
    sent(machine, 2.6)
    assert machine.done


def test_it_ends_when_all_have_answered() -> None:
    machine = machine_of(20)
    machine.receive(batch_of([tcp_reply(one, "RA") for one in sent(machine, 1.0)], at=1.1), 1.2)
    assert machine.silent == 0
    sent(machine, 1.7, 1)
    assert machine.done
    assert (machine.marks == PortState.CLOSED).all()


def test_open_is_what_opens_twice() -> None:
    machine = machine_of(3)
    first = sent(machine, 1.0)
    machine.receive(batch_of([tcp_reply(one, "SA") for one in first], at=1.1), 1.2)
    assert (machine.marks == PortState.OPEN).all()
    again = [one for one in sent(machine, 1.6) if one["TCP"].sport >= 40_008 and one["TCP"].sport < 40_016]
    assert len(again) == 3
    machine.receive(batch_of([tcp_reply(again[0], "SA"), tcp_reply(again[1], "RA")], at=2.2), 2.3)
    assert sorted(machine.marks & STATE) == [PortState.OPEN] * 3
    for turn in range(12):
        sent(machine, 4.0 + 2 * turn)
    assert machine.done
    assert sorted(machine.marks.tolist()) == [
        FINAL | PortState.OPEN, FINAL | PortState.CLOSED, FINAL | PortState.FILTERED,
    ]  # fmt: skip


def test_the_most_telling_answer_of_a_batch_is_believed_and_repeats_change_nothing() -> None:
    machine = machine_of(2)
    one, two = sent(machine, 1.0)
    answers = [tcp_reply(one, "RA"), tcp_reply(one, "SA"), tcp_reply(one, "RA"), tcp_reply(two, "RA")]
    machine.receive(batch_of(answers, at=1.1), 1.2)
    machine.receive(batch_of(answers, at=1.3), 1.4)
    assert sorted(machine.marks & STATE) == [PortState.OPEN, PortState.CLOSED]
    assert machine.silent == 0
    result = machine.result(2.0, 100.0, 102.0, "")
    assert result.answers.count == 2


def test_hosts_of_other_chunks_are_strangers() -> None:
    whole, part = machine_of(100), machine_of(100, first=50)
    answers = batch_of([tcp_reply(one, "RA") for one in sent(whole, 1.0)], at=1.1)
    sent(part, 1.0)
    part.receive(answers, 1.2)
    assert part.silent == 0
    assert len(part.result(2.0, 0.0, 0.0, "").rows) == 50


def test_who_is_left_out_or_scanned_otherwise_is_never_asked() -> None:
    without = AddressSet()
    without.add(Span(4, 0x0A010101))
    item = Item(Octets(((10,), (1,), (1, 2), tuple(range(1, 11)))), without=(without,))
    table = LaneTable([0, 0x0A010106, 0x0A010109, 0x0A010200], [0, NO_ROUTE, ELSEWHERE, 1])
    machine = machine_of(items=[item], ports=(80, 81), table=table)
    asked = {one["IP"].dst for one in sent(machine, 1.0)}
    assert asked == {f"10.1.1.{last}" for last in range(2, 6)} | {f"10.1.2.{last}" for last in range(1, 11)}
    assert machine.counts() == (14, 3, 2)
    assert {one["IP"].dst for one in sent(machine, 3.0)} == asked


@pytest.mark.parametrize("noise", ["nothing", "foreign port"])
def test_noise(noise: str) -> None:
    machine = machine_of(5)
    probe = sent(machine, 1.0)[0]
    reply = tcp_reply(probe, "SA")
    if noise == "foreign port":
        reply["TCP"].sport = 81
    else:
        reply["TCP"].ack += 99
    machine.receive(batch_of([reply], at=1.1), 1.2)
    assert machine.silent == 5
