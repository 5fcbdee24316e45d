from __future__ import annotations

import numpy as np
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether

import tests.support.scapy_offline  # noqa: F401
from leadline.discovery.machine import DiscoveryMachine
from leadline.discovery.probes import PingColumns, neighbor_columns, raw_columns
from leadline.engine.codec import ProbeCodec
from leadline.engine.group import HostGroup
from leadline.engine.loss import ENOUGH
from leadline.engine.pings import PROOFS_EACH
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.prober import Prober
from leadline.model.event import HostFound
from leadline.model.host import HostStatus
from leadline.model.plan import DiscoveryPlan, PingKind, PingProbe, TimingPlan
from leadline.model.port import Reason
from tests.support.groups import (
    MAC,
    PEER,
    batch_of,
    error_reply,
    group_of,
    icmp_reply,
    neighbor_reply,
    packets,
    tcp_reply,
    udp_reply,
)

T0 = 1000.0
UP, DOWN, UNKNOWN = HostStatus.UP, HostStatus.DOWN, HostStatus.UNKNOWN
ALL = (
    PingProbe(PingKind.ICMP_ECHO),
    PingProbe(PingKind.TCP_SYN, 443),
    PingProbe(PingKind.TCP_ACK, 80),
    PingProbe(PingKind.UDP, 40_125),
    PingProbe(PingKind.IP_PROTOCOL, 2),
)


def machine_of(
    group: HostGroup, columns: PingColumns | None = None, *, ignore_reset: bool = False, patience: float = 0.0
) -> DiscoveryMachine:
    columns = columns or raw_columns(DiscoveryPlan(probes_v4=ALL, probes_v6=ALL), group.family)
    width = len(columns.kinds)
    prober = Prober(len(group), width, np.arange(width), TimingPlan(min_parallelism=100), T0, biased=width > 1)
    codec = ProbeCodec(group, bytes(range(16)), 40_000)
    return DiscoveryMachine(
        group, columns, prober, codec, T0, ignore_reset=ignore_reset, vendors=lambda mac: f"maker of {mac[:8]}",
        patience=patience,
    )  # fmt: skip


def asked(machine: DiscoveryMachine, now: float = T0) -> list[object]:
    batch = machine.poll(now, 4096)
    assert batch is not None
    return packets(batch)


def first(probes: list[object], layer: type, address: str = "10.9.0.10") -> object:
    return next(one for one in probes if layer in one and one[IP].dst == address)  # type: ignore[index, operator]


def answer(machine: DiscoveryMachine, *replies: object, now: float = T0 + 0.05) -> list[HostFound]:
    machine.receive(batch_of(list(replies), at=now - 0.01), now)
    return [event for event in machine.events() if isinstance(event, HostFound)]


def test_the_first_answer_decides_and_ends_the_host() -> None:
    machine = machine_of(group_of(hosts=2))
    probes = asked(machine)
    (found,) = answer(machine, icmp_reply(first(probes, ICMP)))
    assert (str(found.address), found.reason, found.reason_ttl, found.mac) == ("10.9.0.10", Reason.ECHO_REPLY, 60, "")
    assert machine.status.tolist() == [UP, UNKNOWN]
    assert machine.prober.active.tolist() == [False, True]
    assert machine.group.ping_kind.tolist() == [ProbeKind.ICMP_ECHO, 0]
    # What comes later changes nothing.
    assert answer(machine, tcp_reply(first(probes, TCP), "SA"), now=T0 + 0.06) == []
    assert machine.reasons[0] == Reason.ECHO_REPLY


def test_of_answers_that_came_together_the_first_counts() -> None:
    machine = machine_of(group_of(hosts=1))
    probes = asked(machine)
    syn = next(one for one in probes if TCP in one and one[TCP].flags == "S")
    (found,) = answer(machine, tcp_reply(syn, "RA"), icmp_reply(first(probes, ICMP)))
    assert found.reason is Reason.RESET
    evidence = machine.evidence(0, T0 + 9)
    assert (evidence.probe, evidence.reply, evidence.tries, evidence.answered_try) == ("tcp-syn 443", "reset", 1, 1)
    assert evidence.rtt == pytest.approx(0.04, abs=0.001)
    assert evidence.at == pytest.approx(0.04, abs=0.001)
    assert str(evidence.responder) == "10.9.0.10"
    assert evidence.rule == "tcp-syn 443: reset -> up"
    assert machine.group.ping_port[0] == 443


def test_a_reset_can_be_ignored() -> None:
    machine = machine_of(group_of(hosts=1), ignore_reset=True)
    probes = asked(machine)
    for probe in [one for one in probes if TCP in one]:
        assert answer(machine, tcp_reply(probe, "R" if probe[TCP].flags == "A" else "RA")) == []
    assert machine.status[0] == UNKNOWN


def test_udp_and_protocols() -> None:
    machine = machine_of(group_of(hosts=3))
    probes = asked(machine)
    (by_udp,) = answer(machine, udp_reply(first(probes, UDP)))
    assert by_udp.reason is Reason.UDP_RESPONSE
    bare = next(one for one in probes if one[IP].proto == 2 and one[IP].dst == "10.9.0.11")
    back = Ether(src=PEER, dst=MAC) / IP(src=bare[IP].dst, dst=bare[IP].src, proto=2, ttl=60) / b"12345678"
    (by_protocol,) = answer(machine, back)
    assert by_protocol.reason is Reason.PROTO_RESPONSE
    (by_error,) = answer(machine, error_reply(first(probes, UDP, "10.9.0.12"), 3, 3))
    assert by_error.reason is Reason.PORT_UNREACH
    # An error is no probe that could be repeated to measure the path.
    assert machine.group.ping_kind.tolist()[2] == 0


def test_errors_of_others_only_tell_of_loops() -> None:
    machine = machine_of(group_of(hosts=2))
    probes = asked(machine)
    assert answer(machine, error_reply(first(probes, ICMP), 3, 1, source="10.9.0.254")) == []
    assert answer(machine, error_reply(first(probes, ICMP, "10.9.0.11"), 11, 0, source="10.9.0.254")) == []
    assert machine.status.tolist() == [UNKNOWN, DOWN]
    assert str(machine.responder(1)) == "10.9.0.254"
    assert machine.responder(0) is None
    evidence = machine.evidence(1, T0 + 9)
    assert (evidence.rule, str(evidence.responder)) == ("icmp-echo: time-exceeded -> down", "10.9.0.254")


@pytest.mark.parametrize("family", [4, 6])
def test_neighbours_tell_their_mac(family: int) -> None:
    machine = machine_of(group_of(family, hosts=2), neighbor_columns(family))
    probes = asked(machine)
    assert len(probes) == 2
    (found,) = answer(machine, neighbor_reply(probes[1], "00:0c:29:aa:bb:cc"))
    assert (found.mac, found.vendor) == ("00:0C:29:AA:BB:CC", "maker of 00:0C:29")
    assert found.reason is (Reason.ARP_RESPONSE if family == 4 else Reason.ND_RESPONSE)
    assert found.reason_ttl == 0
    assert machine.mac(1) == "00:0C:29:AA:BB:CC"
    assert machine.mac(0) == ""


def test_a_neighbour_that_was_not_asked_yet_is_not_believed() -> None:
    machine = machine_of(group_of(hosts=2), neighbor_columns(4))
    unasked = Ether(src=PEER, dst=MAC) / ARP(op=2, hwsrc=PEER, psrc="10.9.0.10", hwdst=MAC, pdst="10.9.0.1")
    assert answer(machine, unasked) == []
    assert machine.status[0] == UNKNOWN


def run_out(machine: DiscoveryMachine, now: float = T0) -> float:
    """Let time pass without an answer until the machine is done; returns when that was."""
    for _ in range(10_000):
        machine.poll(now, 4096)
        if machine.done:
            return now
        timer = machine.next_timer(now)
        assert timer is not None
        now = max(now + 1e-6, timer)
    raise AssertionError("not done")


def test_silence_means_down_and_the_evidence_names_every_probe() -> None:
    machine = machine_of(group_of(hosts=1))
    ended = run_out(machine)
    evidence = machine.evidence(0, ended)
    assert evidence.probe == "icmp-echo, tcp-syn 443, tcp-ack 80, udp 40125, ip-protocol 2"
    assert (evidence.tries, evidence.answered_try, evidence.rtt) == (10, 0, None)
    assert evidence.rule == "no reply to any probe -> down"
    assert evidence.at == pytest.approx(ended - T0)


def test_a_cut_is_not_taken_for_an_answer() -> None:
    machine = machine_of(group_of(hosts=1))
    asked(machine)
    assert machine.evidence(0, T0 + 1).rule == "no reply before the scan was cut -> unknown"


def test_who_is_slower_than_all_others_is_waited_for() -> None:
    group = group_of(hosts=2)
    machine = machine_of(group, raw_columns(DiscoveryPlan(probes_v4=ALL[:1]), 4), patience=1.0)
    probes = asked(machine)
    answer(machine, icmp_reply(probes[0]), now=T0 + 0.011)
    now = T0 + 0.011
    while not machine.prober.done:
        machine.poll(now, 4096)
        now += 0.01
    assert now < T0 + 0.5, "the fast neighbour taught a short time-out"
    assert not machine.done
    assert machine.next_timer(now) == pytest.approx(T0 + 1.1, abs=0.05)
    (late,) = answer(machine, icmp_reply(probes[1]), now=T0 + 0.6)
    assert str(late.address) == "10.9.0.11"
    assert machine.done
    assert machine.status.tolist() == [UP, UP]


def test_patience_has_an_end() -> None:
    machine = machine_of(group_of(hosts=1), raw_columns(DiscoveryPlan(probes_v4=ALL[:1]), 4), patience=5.0)
    assert run_out(machine) == pytest.approx(T0 + 1.0 + 5.0, abs=0.1)


@pytest.mark.parametrize(("lost", "tries"), [(0.0, 2), (0.3, 6)])
def test_who_is_up_tells_how_often_the_silent_are_asked(lost: float, tries: int) -> None:
    """Eight hosts answer their first probe, whatever is lost later: only pings tell of that."""
    machine = machine_of(group_of(hosts=9), patience=1.0)
    probes = asked(machine)
    for host in range(8):
        answer(machine, icmp_reply(first(probes, ICMP, f"10.9.0.{10 + host}")))
    pings, now = 0, T0 + 0.05
    while not machine.done and now < T0 + 60:
        batch = machine.poll(now, 4096)
        known = [one for one in packets(batch) if one[IP].dst != "10.9.0.18"] if batch is not None else []
        kept = [one for index, one in enumerate(known, pings) if (index * lost) % 1 + lost <= 1]
        pings += len(known)
        if kept:
            answer(machine, *(icmp_reply(one) for one in kept), now=now + 0.02)
        now += 0.03
    assert PROOFS_EACH * machine.prober.width <= pings <= 2 * ENOUGH
    assert machine.status.tolist() == [UP] * 8 + [UNKNOWN]
    assert machine.prober.items.tries[-machine.prober.width :].tolist() == [tries] * machine.prober.width
