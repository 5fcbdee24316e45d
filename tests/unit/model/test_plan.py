"""The plan: complete without a word said, frozen, cheap to load."""

from __future__ import annotations

import pytest

from leadline.model import plan as module
from leadline.model.plan import (
    DiscoveryPlan,
    FtpRelay,
    PingKind,
    PingProbe,
    Plan,
    PortPlan,
    Proxy,
    ResolvePlan,
    TargetPlan,
    Technique,
    TimingPlan,
    Zombie,
)
from tests.support.frozen import check_frozen, loads, values_of


@pytest.mark.parametrize("kind", values_of(module), ids=lambda kind: kind.__name__)
def test_plans_are_frozen(kind: type) -> None:
    needed: dict[type, tuple[object, ...]] = {
        PingProbe: (PingKind.UDP,), Proxy: ("http", "relay.example", 3128), Zombie: ("zombie.example",),
        FtpRelay: ("ftp.example",),
    }  # fmt: skip
    check_frozen(kind(*needed.get(kind, ())))


def test_a_plan_needs_no_numpy() -> None:
    assert not loads("leadline.model.plan", "numpy")


def test_plans_share_nothing_that_changes() -> None:
    first, second = Plan(), Plan()
    assert first == second
    assert first.ports.ports.ports is not second.ports.ports.ports


def test_the_words_of_the_techniques_are_nmaps_scaninfo_types() -> None:
    assert {technique.value for technique in Technique} == {
        "syn", "connect", "ack", "window", "maimon", "null", "fin", "xmas", "udp", "sctpinit", "sctpcookieecho",
        "ipproto", "idle", "bounce",
    }  # fmt: skip


def test_probes_are_in_the_order_in_which_they_are_sent() -> None:
    # Spec sheet 2.6: echo, SYN, ACK, timestamp, UDP, SCTP, IP protocol, connect, netmask.
    assert [kind.value for kind in PingKind] == [
        "icmp-echo", "tcp-syn", "tcp-ack", "icmp-timestamp", "udp", "sctp-init", "ip-protocol", "tcp-connect",
        "icmp-address-mask",
    ]  # fmt: skip


def test_nothing_asked_for_is_template_three() -> None:
    timing = TimingPlan()
    assert timing.template == 3
    assert (timing.min_rtt_timeout, timing.initial_rtt_timeout, timing.max_rtt_timeout) == (0.1, 1.0, 10.0)
    assert (timing.max_retries, timing.scan_delay) == (10, 0.0)
    assert (timing.max_scan_delay_tcp, timing.max_scan_delay_udp) == (1.0, 1.0)
    assert (timing.max_parallelism, timing.host_timeout, timing.min_rate, timing.max_rate) == (None,) * 4
    assert (timing.min_hostgroup, timing.max_hostgroup) == (1, 100_000)


def test_nothing_asked_for_scans_nothing() -> None:
    assert TargetPlan().expressions == ()
    assert TargetPlan().random is None
    assert TargetPlan().families == {4, 6}
    assert PortPlan().techniques == ()
    assert len(PortPlan().ports) == len(PortPlan().excluded) == 0
    assert DiscoveryPlan().mode == "ping"
    assert ResolvePlan().reverse == "up"
    assert Plan().privileged is None


def test_a_probe_without_a_port_has_none() -> None:
    assert PingProbe(PingKind.ICMP_ECHO).number == 0
    assert PingProbe(PingKind.TCP_SYN, 443) != PingProbe(PingKind.TCP_SYN, 80)


def test_who_wants_raw_packets() -> None:
    def wants(mode: str, *techniques: Technique) -> bool:
        return Plan(discovery=DiscoveryPlan(mode), ports=PortPlan(techniques)).wants_raw

    assert wants("ping")
    assert wants("none", Technique.CONNECT, Technique.UDP)
    assert not wants("none", Technique.CONNECT)
    assert not wants("none", Technique.BOUNCE)
    assert not wants("list")


def test_who_sends_mostly_raw_packets() -> None:
    def mostly(mode: str, *techniques: Technique) -> bool:
        return Plan(discovery=DiscoveryPlan(mode), ports=PortPlan(techniques)).mostly_raw

    assert mostly("ping")
    assert mostly("ping", Technique.CONNECT, Technique.UDP)
    assert mostly("none", Technique.SYN)
    assert not mostly("ping", Technique.CONNECT)
    assert not mostly("list")


def test_a_pace_at_which_every_probe_counts() -> None:
    assert not TimingPlan().leisurely
    assert not TimingPlan(scan_delay=0.01, max_rate=11.0).leisurely
    assert TimingPlan(scan_delay=0.4).leisurely
    assert TimingPlan(max_rate=0.5).leisurely
