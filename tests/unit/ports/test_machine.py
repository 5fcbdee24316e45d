from __future__ import annotations

import time

import numpy as np
import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.packet import Packet

import tests.support.scapy_offline  # noqa: F401
from leadline.engine.codec import ProbeCodec
from leadline.engine.group import HostGroup
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.prober import Prober
from leadline.model.event import PortFound
from leadline.model.plan import TimingPlan
from leadline.model.port import PortState, Protocol, Reason
from leadline.ports.machine import RawScan
from leadline.ports.probes import port_matrix
from leadline.ports.techniques import SYN_SCAN
from tests.support.groups import batch_of, error_reply, group_of, icmp_reply, packets, tcp_reply

T0 = 1000.0
OPEN, CLOSED, FILTERED = PortState.OPEN, PortState.CLOSED, PortState.FILTERED
PORTS = (22, 25, 80, 443)


def names(number: int, protocol: Protocol) -> str:
    return "ssh" if number == 22 else ""


def machine_of(group: HostGroup, ports: tuple[int, ...] = PORTS, plan: TimingPlan | None = None) -> RawScan:
    matrix = port_matrix([ports] * len(group), (), True, np.random.default_rng(1))
    prober = Prober(len(group), len(ports), matrix.order, plan or TimingPlan(), T0)
    codec = ProbeCodec(group, bytes(range(16)), 40_000)
    return RawScan(SYN_SCAN, group, matrix, prober, codec, T0, names=names, materialised=25)


def asked(machine: RawScan, now: float = T0) -> dict[tuple[str, int], Packet]:
    batch = machine.poll(now, 4096)
    assert batch is not None
    return {(one[IP].dst, one[TCP].dport): one for one in packets(batch) if TCP in one}


def answer(machine: RawScan, *replies: Packet, now: float = T0 + 0.05) -> list[PortFound]:
    machine.receive(batch_of(list(replies), at=now - 0.01), now)
    return [event for event in machine.events() if isinstance(event, PortFound)]


def states(machine: RawScan, host: int = 0, *, complete: bool = False) -> dict[int, tuple[PortState, Reason]]:
    ports, summaries = machine.result(host, T0 + 9, complete)
    assert summaries == ()
    return {port.number: (port.state, port.reason) for port in ports}


HOST = "10.9.0.10"


def test_each_answer_decides_its_port() -> None:
    machine = machine_of(group_of(hosts=2))
    probes = asked(machine)
    assert len(probes) == 8
    (found,) = answer(
        machine, tcp_reply(probes[HOST, 22]), tcp_reply(probes[HOST, 80], "RA"),
        error_reply(probes[HOST, 443], 3, 13, source="10.9.0.254"),
    )  # fmt: skip
    assert (str(found.address), found.port.number, found.port.state) == (HOST, 22, OPEN)
    assert found.port.service is not None
    assert found.port.service.name == "ssh"
    assert states(machine) == {
        22: (OPEN, Reason.SYN_ACK),
        80: (CLOSED, Reason.RESET),
        443: (FILTERED, Reason.ADMIN_PROHIBITED),
    }
    filtered = machine.result(0, T0 + 9, False)[0][-1]
    assert str(filtered.reason_address) == "10.9.0.254"
    assert filtered.evidence is not None
    assert (filtered.evidence.reply, filtered.reason_ttl) == ("icmp 3/13", 60)
    assert states(machine, 1) == {}


def test_silence_is_an_answer_only_at_the_end() -> None:
    machine = machine_of(group_of(hosts=1))
    answer(machine, tcp_reply(asked(machine)[HOST, 22]))
    assert states(machine) == {22: (OPEN, Reason.SYN_ACK)}
    assert {state for state, _ in states(machine, complete=True).values()} == {OPEN, FILTERED}


@pytest.mark.parametrize("first", ["RA", "SA"])
def test_of_reset_and_acknowledgment_in_one_batch_the_acknowledgment_counts(first: str) -> None:
    machine = machine_of(group_of(hosts=1))
    probe = asked(machine)[HOST, 22]
    second = "SA" if first == "RA" else "RA"
    found = answer(machine, tcp_reply(probe, first), tcp_reply(probe, second))
    assert len(found) == 1
    assert states(machine)[22] == (OPEN, Reason.SYN_ACK)
    assert found[0].port.evidence is not None
    assert found[0].port.evidence.reply == "tcp SA"


def test_a_better_answer_to_another_try_replaces_a_worse_one() -> None:
    machine = machine_of(group_of(hosts=1), (22,))
    first = asked(machine)[HOST, 22]
    machine.poll(T0 + 1.01, 4096)
    machine.receive(batch_of([error_reply(first, 3, 1, source="10.9.0.254")], at=T0 + 1.1), T0 + 1.1)
    assert states(machine)[22] == (FILTERED, Reason.HOST_UNREACH)
    (found,) = answer(machine, tcp_reply(first), now=T0 + 1.2)
    assert (found.port.state, found.port.reason_address) == (OPEN, None)
    assert found.port.evidence is not None
    assert found.port.evidence.answered_try == 1


def test_nothing_is_believed_that_carries_no_tag_or_was_not_asked() -> None:
    machine = machine_of(group_of(hosts=1), plan=TimingPlan(max_parallelism=1))
    probes = asked(machine)
    assert list(probes) == [(HOST, 22)]
    probe = probes[HOST, 22]
    assert answer(machine, tcp_reply(probe, "SA", ack=probe[TCP].seq)) == []
    assert answer(machine, tcp_reply(probe, "SA", sport=23)) == []
    assert answer(machine, tcp_reply(probe, "SA", dport=probe[TCP].sport + 1)) == []
    assert answer(machine, tcp_reply(probe, "A")) == []
    assert answer(machine, tcp_reply(probe, "SA"), now=T0 + 0.1)
    assert states(machine) == {22: (OPEN, Reason.SYN_ACK)}


def test_a_bare_syn_opens_a_port_while_its_probe_is_awaited() -> None:
    machine = machine_of(group_of(hosts=1))
    probes = asked(machine)
    split = tcp_reply(probes[HOST, 22], "S", ack=0, seq=99)
    (found,) = answer(machine, split)
    assert found.port.reason is Reason.SPLIT_HANDSHAKE_SYN
    answer(machine, tcp_reply(probes[HOST, 80], "RA"))
    assert answer(machine, tcp_reply(probes[HOST, 80], "S", ack=0, seq=99)) == []
    assert states(machine)[80] == (CLOSED, Reason.RESET)


def test_odd_ports_are_worse_pings_than_other_closed_ones() -> None:
    machine = machine_of(group_of(hosts=1))
    probes = asked(machine)
    answer(machine, tcp_reply(probes[HOST, 443]))
    assert (machine.group.ping_kind[0], machine.group.ping_port[0]) == (ProbeKind.TCP_SYN, 443)
    answer(machine, tcp_reply(probes[HOST, 25], "RA"))
    assert machine.group.ping_port[0] == 25
    answer(machine, tcp_reply(probes[HOST, 80], "RA"))
    assert machine.group.ping_port[0] == 80
    answer(machine, tcp_reply(probes[HOST, 22], "RA"))
    assert machine.group.ping_port[0] == 80


def test_what_discovery_learnt_serves_as_ping_at_once() -> None:
    group = group_of(hosts=2)
    group.ping_kind[:] = [ProbeKind.ICMP_ECHO, ProbeKind.NONE]
    machine = machine_of(group, tuple(range(1, 200)), TimingPlan(min_parallelism=60))
    assert machine.prober.pings.score.tolist() == [50, 0]
    batches = [machine.poll(T0 + 1.1 * turn, 4096) for turn in range(3)]
    sent = [one for batch in batches if batch is not None for one in packets(batch)]
    echoes = [one for one in sent if ICMP in one]
    assert echoes
    assert {one[IP].dst for one in echoes} == {HOST}
    assert answer(machine, icmp_reply(echoes[0]), now=T0 + 2.3) == []
    assert states(machine) == {}


def test_errors_of_the_host_itself_name_nobody_else() -> None:
    machine = machine_of(group_of(hosts=1))
    answer(machine, error_reply(asked(machine)[HOST, 22], 3, 3))
    (port,), _ = machine.result(0, T0 + 9, False)
    assert (port.state, port.reason, port.reason_address) == (FILTERED, Reason.PORT_UNREACH, None)


def test_errors_that_decide_nothing_and_empty_batches_are_left_alone() -> None:
    machine = machine_of(group_of(hosts=1))
    probes = asked(machine)
    assert answer(machine, error_reply(probes[HOST, 22], 4, 0)) == []
    assert states(machine) == {}
    assert machine.prober.in_flight[0] == 4


def test_a_flood_of_repeats_costs_no_more_than_its_decoding() -> None:
    machine = machine_of(group_of(hosts=1))
    probes = asked(machine)
    one = batch_of([tcp_reply(probes[HOST, 22]), tcp_reply(probes[HOST, 80], "RA")], at=T0 + 0.04)
    rows = np.tile(np.arange(2), 20_000)
    flood = type(one)(one.frames[rows], one.lengths[rows], one.times[rows], one.offset)
    began = time.process_time()
    machine.receive(flood, T0 + 0.05)
    # Turn by turn through 40,000 repeats it would be minutes.
    assert time.process_time() - began < 2.0
    assert len(list(machine.events())) == 1
    assert states(machine) == {22: (OPEN, Reason.SYN_ACK), 80: (CLOSED, Reason.RESET)}
